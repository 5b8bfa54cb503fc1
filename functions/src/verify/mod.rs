//! `GET /agnost/auth/verify?key&action&redirect`: follow the link in an email.
//!
//! Who follows it is a person in a browser: he is sent back to the app, with an access token or with what went
//! wrong, but only to a URL that the deployment allows.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use shared::domain::{AccessToken, Action, Clock, LinkToken, RedirectUrl};
use shared::http::{Caller, Code, Redirect, Refusal, Refuse, Unavailable, code};
use shared::notify::{Mailer, TemplateName, TokenValues};
use shared::settings::Settings;
use shared::store::{EmailChange, EmailChangeError, Exchange, LinkError, Store, StoreError};

/// The link's parameters.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// The link's token.
    pub key: Option<String>,
    /// What the link is for.
    pub action: Option<Action>,
    /// Where the person comes back to.
    pub redirect: Option<String>,
}

/// The browser, sent back to the app.
pub type Output = Redirect;

shared::deps! {
    /// What it may touch.
    pub struct Deps {
        clock: Clock,
        settings: Arc<Settings>,
        store: Store,
        mailer: Mailer,
    }
}

/// Why the link did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No key at all.
    #[error("the link has no key")]
    Missing,
    /// A place to come back to that is not in the list.
    #[error("the redirect URL is not allowed")]
    RedirectInvalid,
    /// The person is sent back with this.
    #[error("the link did not work")]
    SentBack(RedirectUrl, Action, #[source] Problem),
}

/// What a person is sent back with.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// Unknown, used, replaced, expired.
    #[error("the link is unknown, used or expired")]
    Invalid,
    /// The address is confirmed.
    #[error("the email address has been verified already")]
    AlreadyVerified,
    /// The address is not confirmed, and this link is not for that.
    #[error("the email address has not been verified yet")]
    NotVerified,
    /// The user is gone.
    #[error("there is no such user")]
    UserNotFound,
    /// Somebody else has the new address.
    #[error("the email address is taken")]
    EmailTaken,
    /// Email authentication is off.
    #[error("email authentication is off")]
    Disabled,
    /// Nobody's fault who calls.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<LinkError> for Problem {
    fn from(error: LinkError) -> Self {
        match error {
            LinkError::Invalid => Self::Invalid,
            LinkError::UserNotFound => Self::UserNotFound,
            LinkError::AlreadyVerified => Self::AlreadyVerified,
            LinkError::NotVerified => Self::NotVerified,
            LinkError::Store(error) => Self::from(error),
        }
    }
}

impl From<EmailChangeError> for Problem {
    fn from(error: EmailChangeError) -> Self {
        match error {
            EmailChangeError::Invalid => Self::Invalid,
            EmailChangeError::UserNotFound => Self::UserNotFound,
            EmailChangeError::NotVerified => Self::NotVerified,
            EmailChangeError::EmailTaken => Self::EmailTaken,
            EmailChangeError::Store(error) => Self::from(error),
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl Refuse for Error {
    const CODES: &'static [Code] = &[
        code::MISSING_ACCESS_TOKEN,
        code::INVALID_REDIRECT_URL,
        code::INVALID_LINK,
        code::EMAIL_ALREADY_VERIFIED,
        code::EMAIL_NOT_VERIFIED,
        code::USER_NOT_FOUND,
        code::EMAIL_ALREADY_EXISTS,
        code::EMAIL_AUTH_DISABLED,
    ];

    fn refuse(self) -> Refusal {
        let (url, action, problem) = match self {
            Self::Missing => return Refusal::new(code::MISSING_ACCESS_TOKEN),
            Self::RedirectInvalid => return Refusal::new(code::INVALID_REDIRECT_URL),
            Self::SentBack(url, action, problem) => (url, action, problem),
        };
        let refusal = match problem {
            Problem::Invalid => Refusal::new(code::INVALID_LINK),
            Problem::AlreadyVerified => Refusal::new(code::EMAIL_ALREADY_VERIFIED),
            Problem::NotVerified => Refusal::new(code::EMAIL_NOT_VERIFIED),
            Problem::UserNotFound => Refusal::new(code::USER_NOT_FOUND),
            Problem::EmailTaken => Refusal::new(code::EMAIL_ALREADY_EXISTS),
            Problem::Disabled => Refusal::new(code::EMAIL_AUTH_DISABLED),
            Problem::Unavailable(error) => error.refuse(),
        };
        refusal.sent_back_to(url, action)
    }
}

/// One call for every link but that of a change, which takes two stages and three calls.
pub async fn run(deps: &Deps, _: &Caller, input: Input) -> Result<Output, Error> {
    let key = input.key.filter(|key| !key.is_empty());
    let key = key.ok_or(Error::Missing)?;
    let requested = input.redirect.unwrap_or_default();
    let redirect = deps.settings.redirect(&requested);
    let redirect = redirect.ok_or(Error::RedirectInvalid)?;
    // A link without an action is no link of ours; its person gets the answer of the most common one.
    let action = input.action.unwrap_or(Action::EmailConfirm);
    let token = LinkToken::parse(&key).filter(|_| input.action.is_some());
    match follow(deps, action, token).await {
        Ok(access_token) => {
            let mut parameters = vec![("status", "200"), ("action", action.as_str())];
            if let Some(token) = &access_token {
                parameters.push(("access_token", token.expose()));
            }
            Ok(Redirect(redirect.with(&parameters)))
        }
        Err(problem) => Err(Error::SentBack(redirect, action, problem)),
    }
}

async fn follow(
    deps: &Deps,
    action: Action,
    token: Option<LinkToken>,
) -> Result<Option<AccessToken>, Problem> {
    if !deps.settings.email.enabled {
        return Err(Problem::Disabled);
    }
    let token = token.ok_or(Problem::Invalid)?;
    let now = deps.clock.now();
    let Some(purpose) = action.yields() else {
        let change = deps.store.confirm_email_change(&token, now).await?;
        tell_old_address(deps, &change).await;
        return Ok(None);
    };
    let access_token = AccessToken::random(token.user_id(), token.stamp());
    let exchange = Exchange {
        access_token: &access_token,
        purpose,
        expires_at: now + deps.settings.email.access_token_lifetime(),
    };
    deps.store
        .follow_link(action, &token, &exchange, now)
        .await?;
    Ok(Some(access_token))
}

async fn tell_old_address(deps: &Deps, change: &EmailChange) {
    let Some(old) = &change.old else { return };
    let values = TokenValues {
        email: Some(change.new.as_str()),
        ..TokenValues::default()
    };
    deps.mailer
        .tell(old, TemplateName::EmailChanged, &change.before, values)
        .await;
}
