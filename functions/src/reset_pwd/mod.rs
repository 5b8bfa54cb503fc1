//! `POST /agnost/auth/reset-pwd?key`: set a new password with the access token of a reset link.
//!
//! The token, the password, the end of every session and the death of every other link and token are one write.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::domain::{AccessToken, Clock, NewPassword};
use shared::http::{Caller, Code, Empty, Refusal, Refuse, Unavailable, code};
use shared::secrets::Passwords;
use shared::store::{GrantError, Store};

/// What is set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// The access token that a reset link yielded.
    pub key: Option<String>,
    /// The new password.
    pub new_password: NewPassword,
}

/// Nothing.
pub type Output = Empty;

shared::deps! {
    /// What it may touch.
    pub struct Deps {
        clock: Clock,
        store: Store,
        passwords: Passwords,
    }
}

/// Why the password stayed as it was.
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

impl From<GrantError> for Error {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::Invalid => Self::Invalid,
            GrantError::WrongType => Self::WrongType,
            GrantError::UserNotFound => Self::UserNotFound,
            GrantError::Store(error) => Self::Unavailable(error.into()),
        }
    }
}

impl Refuse for Error {
    const CODES: &'static [Code] = &[
        code::MISSING_ACCESS_TOKEN,
        code::INVALID_ACCESS_TOKEN,
        code::INVALID_TOKEN_TYPE,
        code::USER_GONE,
    ];

    fn refuse(self) -> Refusal {
        match self {
            Self::Missing => Refusal::new(code::MISSING_ACCESS_TOKEN),
            Self::Invalid => Refusal::new(code::INVALID_ACCESS_TOKEN),
            Self::WrongType => Refusal::new(code::INVALID_TOKEN_TYPE),
            Self::UserNotFound => Refusal::new(code::USER_GONE),
            Self::Unavailable(error) => error.refuse(),
        }
    }
}

/// After the hash one transaction.
pub async fn run(deps: &Deps, _: &Caller, input: Input) -> Result<Output, Error> {
    let key = input.key.filter(|key| !key.is_empty());
    let key = key.ok_or(Error::Missing)?;
    let token = AccessToken::parse(&key).ok_or(Error::Invalid)?;
    let hash = deps.passwords.hash(&input.new_password.0).await;
    let hash = hash.map_err(Unavailable::from)?;
    deps.store
        .reset_password(&token, &hash, deps.clock.now())
        .await?;
    Ok(Empty)
}
