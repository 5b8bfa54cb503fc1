//! `POST /agnost/auth/signin-email`: sign in with an email address and a password.
//!
//! An unknown address, a provider's account and a wrong password take the same time, so that a stranger learns
//! nothing (OWASP ASVS 5.0, 6.3.8).

use std::sync::Arc;

use futures_util::TryFutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::domain::{Clock, Email, Password, Provider, Session};
use shared::http::{Caller, Code, Refusal, Refuse, SignedIn, Unavailable, code};
use shared::secrets::{Passwords, SessionTokens};
use shared::settings::Settings;
use shared::store::{Limit, Store};
use tokio::try_join;

/// Who signs in.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// The email address, in any spelling.
    pub email: Email,
    /// The password.
    pub password: Password,
}

/// The user, with a session.
pub type Output = SignedIn;

shared::deps! {
    /// What it may touch.
    pub struct Deps {
        clock: Clock,
        settings: Arc<Settings>,
        store: Store,
        passwords: Passwords,
        session_tokens: Arc<SessionTokens>,
    }
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Email authentication is off.
    #[error("email authentication is off")]
    NotAllowed,
    /// No such account, or the wrong password.
    #[error("no such account, or the wrong password")]
    Credentials,
    /// The account of a provider, which has no password.
    #[error("the account signs in with a provider")]
    Provider,
    /// The password is right, but the address is not confirmed.
    #[error("the email address has not been verified yet")]
    NotVerified,
    /// Nobody's fault who calls, or too many tries.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Refuse for Error {
    const CODES: &'static [Code] = &[
        code::NOT_ALLOWED,
        code::INVALID_SIGN_IN_CREDENTIALS,
        code::INVALID_PROVIDER_SIGN_IN,
        code::EMAIL_NOT_VERIFIED,
    ];

    fn refuse(self) -> Refusal {
        match self {
            Self::NotAllowed => Refusal::new(code::NOT_ALLOWED),
            Self::Credentials => Refusal::new(code::INVALID_SIGN_IN_CREDENTIALS),
            Self::Provider => Refusal::new(code::INVALID_PROVIDER_SIGN_IN),
            Self::NotVerified => Refusal::new(code::EMAIL_NOT_VERIFIED),
            Self::Unavailable(error) => error.refuse(),
        }
    }
}

/// Three stages, five calls: guard beside limiter; user; hash; user's update beside the session.
pub async fn run(deps: &Deps, caller: &Caller, input: Input) -> Result<Output, Error> {
    if !deps.settings.email.enabled {
        return Err(Error::NotAllowed);
    }
    // The session begins before the user is read: should his sessions be ended meanwhile, it ends too.
    let now = deps.clock.now();
    let most = deps.settings.limits.wrong_passwords;
    let limit = Limit::wrong_passwords(&input.email, caller.address, most);
    let (id, ()) = try_join!(
        deps.store
            .user_id_by_email(&input.email)
            .err_into::<Unavailable>(),
        deps.store.count(&limit, now).err_into::<Unavailable>(),
    )?;
    let user = match &id {
        Some(id) => deps.store.user(id).err_into::<Unavailable>().await?,
        None => None,
    };

    let stored = user.as_ref().and_then(|user| user.password_hash.as_ref());
    let verdict = deps.passwords.verify(stored, &input.password);
    let verdict = verdict.err_into::<Unavailable>().await?; // the same work for nobody
    let user = user.ok_or(Error::Credentials)?;
    if user.provider != Provider::Agnost {
        return Err(Error::Provider);
    }
    if !verdict.matches {
        return Err(Error::Credentials);
    }
    if deps.settings.email.confirmation && !user.has_verified_email() {
        return Err(Error::NotVerified);
    }
    let renewed = if verdict.is_outdated {
        let hash = deps.passwords.hash(&input.password);
        Some(hash.err_into::<Unavailable>().await?)
    } else {
        None
    };

    let lifetime = deps.settings.session.lifetime();
    let session = Session::begin(&user.id, now, lifetime, &caller.user_agent);
    let (user, ()) = try_join!(
        deps.store.record_sign_in(&user, now, renewed.as_ref()),
        deps.store.begin_session(&session, &limit),
    )
    .map_err(Unavailable::from)?;
    // His password changed while we looked at the old one.
    let user = user.map_err(|_| Error::Credentials)?;
    Ok(SignedIn::new(user.view(), &session, &deps.session_tokens))
}
