//! `POST /agnost/auth/signout`: end the session, or another one of the same user.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::domain::Clock;
use shared::http::{Caller, Code, Refusal, Refuse, SessionError, SignedOut, code};
use shared::secrets::SessionVerifier;
use shared::store::{Store, StoreError};

/// Which session ends.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// The token of another session of the same user; without it, the calling session ends.
    pub token: Option<String>,
}

/// Nothing; the cookie is cleared if the calling session ended.
pub type Output = SignedOut;

shared::deps! {
    /// What it may touch.
    pub struct Deps {
        clock: Clock,
        store: Store,
        verifier: SessionVerifier,
    }
}

/// Why no session was ended.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Not a session token of ours.
    #[error("no session token")]
    NoToken,
    /// The session of somebody else.
    #[error("the session of somebody else")]
    NotYours,
    /// The calling session has ended, or something failed.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Session(error.into())
    }
}

impl Refuse for Error {
    const CODES: &'static [Code] = &[
        code::INVALID_SESSION_TOKEN,
        code::NO_SESSION_TOKEN,
        code::FOREIGN_SESSION_TOKEN,
    ];

    fn refuse(self) -> Refusal {
        match self {
            Self::NoToken => Refusal::new(code::NO_SESSION_TOKEN),
            Self::NotYours => Refusal::new(code::FOREIGN_SESSION_TOKEN),
            Self::Session(error) => error.refuse(),
        }
    }
}

/// Two stages, two calls: the calling session; the one that ends. One that has ended already is no error.
pub async fn run(deps: &Deps, caller: &Caller, input: Input) -> Result<Output, Error> {
    let (own, _) = caller.live_session(&deps.store, deps.clock.now()).await?;
    let ends = match input.token {
        None => own.id.clone(),
        Some(token) => {
            let claims = deps.verifier.read(&token).map_err(|_| Error::NoToken)?;
            if *claims.user_id() != own.user_id {
                return Err(Error::NotYours);
            }
            claims.session_id()
        }
    };
    deps.store.end_session(&own.user_id, &ends).await?;
    Ok(SignedOut {
        own: ends == own.id,
    })
}
