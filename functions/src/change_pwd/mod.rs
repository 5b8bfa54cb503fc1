//! `POST /agnost/auth/change-pwd`: set a new password, knowing the old one. Other sessions end.

use std::sync::Arc;

use futures_util::TryFutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::domain::{Clock, NewPassword, Password, Provider};
use shared::http::{Caller, Code, Empty, Refusal, Refuse, SessionError, Unavailable, code};
use shared::notify::{Mailer, TemplateName, TokenValues};
use shared::secrets::Passwords;
use shared::settings::Settings;
use shared::store::{Limit, Store};
use tokio::try_join;

/// What is set.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// The password as it is.
    pub old_password: Password,
    /// The password as it will be.
    pub new_password: NewPassword,
}

/// Nothing.
pub type Output = Empty;

shared::deps! {
    /// What it may touch.
    pub struct Deps {
        clock: Clock,
        settings: Arc<Settings>,
        store: Store,
        passwords: Passwords,
        mailer: Mailer,
    }
}

/// Why the password stayed as it was.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The old password is wrong.
    #[error("the old password is wrong")]
    Credentials,
    /// The account of a provider, which has no password.
    #[error("the account signs in with a provider")]
    Provider,
    /// The user is gone, and left a session behind.
    #[error("there is no such user")]
    UserNotFound,
    /// The session has ended, too many tries, or something failed.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl From<Unavailable> for Error {
    fn from(error: Unavailable) -> Self {
        Self::Session(error.into())
    }
}

impl Refuse for Error {
    const CODES: &'static [Code] = &[
        code::INVALID_SESSION_TOKEN,
        code::WRONG_PASSWORD,
        code::INVALID_PROVIDER,
        code::USER_NOT_FOUND,
    ];

    fn refuse(self) -> Refusal {
        match self {
            Self::Credentials => Refusal::new(code::WRONG_PASSWORD),
            Self::Provider => Refusal::new(code::INVALID_PROVIDER),
            Self::UserNotFound => Refusal::new(code::USER_NOT_FOUND),
            Self::Session(error) => error.refuse(),
        }
    }
}

/// Two stages, three calls: session and user beside limiter; both hashes; one transaction. Then the notice.
pub async fn run(deps: &Deps, caller: &Caller, input: Input) -> Result<Output, Error> {
    let now = deps.clock.now();
    let claims = caller.session.as_ref().ok_or(SessionError::Ended)?;
    let most = deps.settings.limits.wrong_passwords;
    let limit = Limit::wrong_old_passwords(claims.user_id(), most);
    let ((session, user), ()) = try_join!(
        caller.live_session(&deps.store, now),
        deps.store
            .count(&limit, now)
            .err_into::<Unavailable>()
            .err_into::<SessionError>(),
    )?;
    let user = user.ok_or(Error::UserNotFound)?;
    if user.provider != Provider::Agnost {
        return Err(Error::Provider);
    }
    let verdict = deps
        .passwords
        .verify(user.password_hash.as_ref(), &input.old_password)
        .err_into::<Unavailable>()
        .await?;
    if !verdict.matches {
        return Err(Error::Credentials);
    }
    let hash = deps
        .passwords
        .hash(&input.new_password.0)
        .err_into::<Unavailable>()
        .await?;
    let changed = deps
        .store
        .change_password(&user, &hash, &session, now)
        .err_into::<Unavailable>()
        .await?;
    // Somebody else changed it while we looked at the old one.
    changed.map_err(|_| Error::Credentials)?;
    if let Some(email) = &user.email {
        let told = deps.mailer.tell(
            email,
            TemplateName::PasswordChanged,
            &user,
            TokenValues::default(),
        );
        told.await;
    }
    Ok(Empty)
}
