//! `POST /agnost/auth/signup-email`: sign up with an email address and a password.
//!
//! That the address is free is a condition of the write that takes it. If the message cannot be sent, the
//! sign-up is taken back, so that the person can try again.

use std::sync::Arc;

use futures_util::TryFutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use shared::domain::{
    Action, Clock, Email, NewPassword, Provider, SecurityStamp, Session, User, UserData, UserId,
};
use shared::http::{Caller, Code, Refusal, Refuse, SignedIn, Unavailable, code};
use shared::notify::{Mailer, TemplateName};
use shared::secrets::{ApiKeyKind, Passwords, SessionTokens};
use shared::settings::Settings;
use shared::store::{Limit, Link, Opening, SignUpError, Store};
use shared::telemetry::Causes;
use tokio::try_join;
use tracing::error;

/// Who signs up.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Input {
    /// The email address, in any spelling.
    pub email: Email,
    /// The password.
    pub password: NewPassword,
    /// Where the link in the confirmation email leads back to; needed if addresses are confirmed.
    #[serde(rename = "redirectURL")]
    pub redirect_url: Option<String>,
    /// Kept with the user. `emailVerified: true` skips the confirmation, with a secret key.
    #[schemars(with = "Option<UserData>")]
    pub user_data: Option<Profile>,
    /// Base of the link in the email, if the deployment knows it.
    #[serde(rename = "baseURL")]
    pub base_url: Option<String>,
}

/// The user; with a session, unless the address has to be confirmed first.
pub type Output = SignedIn;

shared::deps! {
    /// What it may touch.
    pub struct Deps {
        clock: Clock,
        settings: Arc<Settings>,
        store: Store,
        passwords: Passwords,
        mailer: Mailer,
        session_tokens: Arc<SessionTokens>,
    }
}

/// Why nobody was signed up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Email authentication is off, or the key may not vouch for an address.
    #[error("not allowed")]
    NotAllowed,
    /// The address has to be confirmed, and there is no place to come back to.
    #[error("the redirect URL is missing")]
    RedirectMissing,
    /// A redirect URL that is not in the list.
    #[error("the redirect URL is not allowed")]
    RedirectInvalid,
    /// The address belongs to somebody.
    #[error("the email address is taken")]
    EmailNotUnique(Email),
    /// Nobody's fault who calls, or too many tries.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Refuse for Error {
    const CODES: &'static [Code] = &[
        code::NOT_ALLOWED,
        code::REDIRECT_URL_MISSING,
        code::INVALID_REDIRECT_URL,
        code::EMAIL_NOT_UNIQUE,
        code::CANNOT_SEND_AUTH_EMAIL,
    ];

    fn refuse(self) -> Refusal {
        match self {
            Self::NotAllowed => Refusal::new(code::NOT_ALLOWED),
            Self::RedirectMissing => Refusal::new(code::REDIRECT_URL_MISSING),
            Self::RedirectInvalid => Refusal::new(code::INVALID_REDIRECT_URL),
            Self::EmailNotUnique(email) => Refusal::new(code::EMAIL_NOT_UNIQUE)
                .with_details(json!({ "value": email, "param": "email" })),
            Self::Unavailable(error) => error.refuse(),
        }
    }
}

/// Two stages, two calls: limiter beside the hash, then one transaction. Then the message.
pub async fn run(deps: &Deps, caller: &Caller, input: Input) -> Result<Output, Error> {
    let settings = &deps.settings;
    if !settings.email.enabled {
        return Err(Error::NotAllowed);
    }
    let redirect = match &input.redirect_url {
        None => None,
        Some(url) => Some(settings.redirect(url).ok_or(Error::RedirectInvalid)?),
    };
    let profile = input.user_data.unwrap_or_default();
    if profile.email_verified && !may_vouch(settings, caller) {
        return Err(Error::NotAllowed);
    }
    let confirmation = if profile.email_verified || !settings.email.confirmation {
        None
    } else {
        Some(redirect.ok_or(Error::RedirectMissing)?)
    };

    let now = deps.clock.now();
    let limit = Limit::sign_ups(caller.address, settings.limits.sign_ups_per_caller);
    let (password_hash, ()) = try_join!(
        deps.passwords
            .hash(&input.password.0)
            .err_into::<Unavailable>(),
        deps.store.count(&limit, now).err_into::<Unavailable>(),
    )?;
    let id = UserId::random();
    let mut user = User {
        provider: Provider::Agnost,
        provider_user_id: id.to_string(),
        id,
        email: Some(input.email.clone()),
        email_verified: Some(profile.email_verified),
        name: profile.name,
        profile_picture: profile.picture,
        sign_up_at: now,
        last_login_at: now,
        password_hash: Some(password_hash),
        claimable_after: None,
        sessions_not_before: None,
        security_stamp: SecurityStamp::default(),
        data: profile.data,
    };

    let Some(redirect) = confirmation else {
        let lifetime = settings.session.lifetime();
        let session = Session::begin(&user.id, now, lifetime, &caller.user_agent);
        add(deps, &user, &input.email, Opening::Session(&session)).await?;
        return Ok(SignedIn::new(user.view(), &session, &deps.session_tokens));
    };

    let lifetime = settings.email.link_lifetime();
    let link = Link::begin(Action::EmailConfirm, &user, &input.email, now, lifetime);
    user.claimable_after = Some(link.expires_at);
    add(deps, &user, &input.email, Opening::Link(&link)).await?;
    let url = link.url(settings.link_base(input.base_url.as_deref()), &redirect);
    let sent = deps
        .mailer
        .send_link(TemplateName::ConfirmEmail, &user, &link, &url)
        .await;
    if let Err(error) = sent {
        take_back(deps, &user, &input.email).await;
        return Err(Unavailable::from(error).into());
    }
    Ok(SignedIn::not_yet(user.view()))
}

async fn add(deps: &Deps, user: &User, email: &Email, opening: Opening<'_>) -> Result<(), Error> {
    match deps
        .store
        .sign_up(user, email, opening, user.sign_up_at)
        .await
    {
        Ok(()) => Ok(()),
        Err(SignUpError::EmailTaken) => Err(Error::EmailNotUnique(email.clone())),
        Err(SignUpError::Store(error)) => {
            // The write may have happened, and only its answer been lost.
            take_back(deps, user, email).await;
            Err(Unavailable::from(error).into())
        }
    }
}

/// Leaves nothing of a sign-up behind. If this fails too, the account stays unverified, and gives way when its
/// confirmation has expired.
async fn take_back(deps: &Deps, user: &User, email: &Email) {
    if let Err(error) = deps.store.undo_sign_up(&user.id, email).await {
        let cause = Causes(&error).to_string();
        error!(cause, user = %user.id, "a sign-up could not be taken back");
    }
}

/// Who may say that an address is verified: a server that holds a secret key.
fn may_vouch(settings: &Settings, caller: &Caller) -> bool {
    caller.key == Some(ApiKeyKind::Secret) || settings.trust_client_verified
}

/// What `userData` says about the user himself, apart from what is only kept for the app.
#[derive(Debug, Default, Deserialize)]
#[serde(try_from = "UserData")]
pub struct Profile {
    email_verified: bool,
    name: Option<String>,
    picture: Option<String>,
    data: UserData,
}

impl TryFrom<UserData> for Profile {
    type Error = String;

    fn try_from(mut data: UserData) -> Result<Self, String> {
        let email_verified = match data.take("emailVerified") {
            None | Some(Value::Null | Value::Bool(false)) => false,
            Some(Value::Bool(true)) => true,
            Some(_) => return Err("emailVerified must be true or false".to_owned()),
        };
        if data.take("phoneVerified").is_some() {
            return Err("must not hold phoneVerified without a phone number".to_owned());
        }
        let mut text = |field: &str| match data.take(field) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(format!("{field} must be text")),
        };
        Ok(Self {
            email_verified,
            name: text("name")?,
            picture: text("profilePicture")?,
            data,
        })
    }
}
