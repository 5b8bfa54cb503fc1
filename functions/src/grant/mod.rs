//! `GET /agnost/auth/grant?key`: exchange an access token for the user and a session.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use shared::domain::{AccessToken, Clock, Session};
use shared::http::{Caller, Code, Refusal, Refuse, SignedIn, Unavailable, code};
use shared::secrets::SessionTokens;
use shared::settings::Settings;
use shared::store::{GrantError, Store, StoreError};
use tokio::join;

/// What is exchanged.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// The access token that a link or a provider's sign-in yielded.
    pub key: Option<String>,
}

/// The user, with a session.
pub type Output = SignedIn;

shared::deps! {
    /// What it may touch.
    pub struct Deps {
        clock: Clock,
        settings: Arc<Settings>,
        store: Store,
        session_tokens: Arc<SessionTokens>,
    }
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No token at all.
    #[error("the access token is missing")]
    Missing,
    /// Not a token, or one that does not work any more.
    #[error("the access token is unknown, used or expired")]
    Invalid,
    /// Good for something else.
    #[error("the access token is good for something else")]
    WrongType,
    /// Its user is gone.
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

impl From<GrantError> for Error {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Invalid => Self::Invalid,
            GrantError::WrongType => Self::WrongType,
            GrantError::UserNotFound => Self::UserNotFound,
            GrantError::Store(error) => error.into(),
        }
    }
}

impl Refuse for Error {
    const CODES: &'static [Code] = &[
        code::MISSING_ACCESS_TOKEN,
        code::INVALID_ACCESS_TOKEN,
        code::INVALID_TOKEN_TYPE,
        code::USER_NOT_FOUND,
    ];

    fn refuse(self) -> Refusal {
        match self {
            Self::Missing => Refusal::new(code::MISSING_ACCESS_TOKEN),
            Self::Invalid => Refusal::new(code::INVALID_ACCESS_TOKEN),
            Self::WrongType => Refusal::new(code::INVALID_TOKEN_TYPE),
            Self::UserNotFound => Refusal::new(code::USER_NOT_FOUND),
            Self::Unavailable(error) => error.refuse(),
        }
    }
}

/// One stage, two calls: the exchange beside the user's read.
pub async fn run(deps: &Deps, caller: &Caller, input: Input) -> Result<Output, Error> {
    let key = input.key.filter(|key| !key.is_empty());
    let key = key.ok_or(Error::Missing)?;
    let token = AccessToken::parse(&key).ok_or(Error::Invalid)?;

    let now = deps.clock.now();
    let lifetime = deps.settings.session.lifetime();
    let session = Session::begin(token.user_id(), now, lifetime, &caller.user_agent);
    let (granted, user) = join!(
        deps.store.grant(&token, &session),
        deps.store.user(token.user_id()),
    );
    granted?;
    let mut user = user?.ok_or(Error::UserNotFound)?;
    // The read may have come before the write beside it.
    user.last_login_at = now;
    Ok(SignedIn::new(user.view(), &session, &deps.session_tokens))
}
