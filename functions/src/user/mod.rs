//! `GET /agnost/auth/user`: the user of the session.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::domain::{Clock, UserView};
use shared::http::{Caller, Code, Json, Refusal, Refuse, SessionError, code};
use shared::store::Store;

/// Takes nothing but the session.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {}

/// The user.
pub type Output = Json<UserView>;

shared::deps! {
    /// What it may touch.
    pub struct Deps {
        clock: Clock,
        store: Store,
    }
}

/// Why there is no user.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The user is gone, and left a session behind.
    #[error("there is no such user")]
    UserNotFound,
    /// The session has ended, or something failed.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl Refuse for Error {
    const CODES: &'static [Code] = &[code::INVALID_SESSION_TOKEN, code::USER_NOT_FOUND];

    fn refuse(self) -> Refusal {
        match self {
            Self::UserNotFound => Refusal::new(code::USER_NOT_FOUND),
            Self::Session(error) => error.refuse(),
        }
    }
}

/// Reads session and user in one call.
pub async fn run(deps: &Deps, caller: &Caller, _: Input) -> Result<Output, Error> {
    let (_, user) = caller.live_session(&deps.store, deps.clock.now()).await?;
    let user = user.ok_or(Error::UserNotFound)?;
    Ok(Json(user.view()))
}
