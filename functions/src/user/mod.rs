//! `GET /agnost/auth/user`: the user of the session.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::domain::{Clock, UserView};
use shared::http::{Caller, Code, Json, Refusal, Refuse, Unavailable, code};
use shared::store::{Store, StoreError};

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
    /// The session has ended.
    #[error("the session has ended")]
    SessionEnded,
    /// The user is gone, and left a session behind.
    #[error("there is no such user")]
    UserNotFound,
    /// Nobody's fault who calls.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl Refuse for Error {
    const CODES: &'static [Code] = &[code::INVALID_SESSION_TOKEN, code::USER_NOT_FOUND];

    fn refuse(self) -> Refusal {
        match self {
            Self::SessionEnded => Refusal::new(code::INVALID_SESSION_TOKEN),
            Self::UserNotFound => Refusal::new(code::USER_NOT_FOUND),
            Self::Unavailable(error) => error.refuse(),
        }
    }
}

/// Reads session and user in one call.
pub async fn run(deps: &Deps, caller: &Caller, _: Input) -> Result<Output, Error> {
    let claims = caller.session.as_ref().ok_or(Error::SessionEnded)?;
    let (user_id, session_id) = (claims.user_id(), claims.session_id());
    let alive = deps
        .store
        .live_session(user_id, &session_id, deps.clock.now());
    let (_, user) = alive.await?.ok_or(Error::SessionEnded)?;
    let user = user.ok_or(Error::UserNotFound)?;
    Ok(Json(user.view()))
}
