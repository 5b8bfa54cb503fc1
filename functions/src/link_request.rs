//! What `resend`, `send-magic` and `send-reset` have in common: somebody asks for a link.

use std::sync::Arc;

use futures_util::TryFutureExt;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::domain::{Action, Clock, Email, Provider, RedirectUrl, User};
use shared::http::{Code, Empty, Refusal, Refuse, Unavailable, code};
use shared::notify::{Mailer, TemplateName};
use shared::resources::{Resource, Resources, StartError};
use shared::settings::Settings;
use shared::store::{Limit, Link, Store};
use tokio::try_join;

/// Who wants a link.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// The email address of the account.
    pub email: Email,
    /// Where the link in the email leads back to.
    #[serde(rename = "redirectURL")]
    pub redirect_url: String,
    /// Base of the link in the email, if the deployment knows it.
    #[serde(rename = "baseURL")]
    pub base_url: Option<String>,
}

shared::deps! {
    /// What it may touch.
    pub struct Deps {
        clock: Clock,
        settings: Arc<Settings>,
        store: Store,
        mailer: Mailer,
    }
}

/// Why nobody was found who may have a link.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Email authentication, or what the link is for, is off.
    #[error("email authentication is off")]
    Disabled,
    /// A redirect URL that is not in the list.
    #[error("the redirect URL is not allowed")]
    RedirectInvalid,
    /// No such account.
    #[error("there is no such account")]
    NoAccount,
    /// The account of a provider, which has no password.
    #[error("the account signs in with a provider")]
    Provider,
    /// Nobody's fault who calls, or too many tries.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Error {
    /// The answer.
    pub fn refuse(self) -> Refusal {
        match self {
            Self::Disabled => Refusal::new(code::EMAIL_VERIFICATION_DISABLED),
            Self::RedirectInvalid => Refusal::new(code::INVALID_REDIRECT_URL),
            Self::NoAccount => Refusal::new(code::INVALID_CREDENTIALS),
            Self::Provider => Refusal::new(code::INVALID_PROVIDER),
            Self::Unavailable(error) => error.refuse(),
        }
    }
}

/// Why nothing was sent to a user who has to be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifiedError {
    /// The address is not confirmed.
    #[error("the email address has not been verified yet")]
    NotVerified,
    /// Nobody was found, or it could not be sent.
    #[error(transparent)]
    Request(#[from] Error),
}

impl Refuse for VerifiedError {
    const CODES: &'static [Code] = &[
        code::EMAIL_VERIFICATION_DISABLED,
        code::INVALID_REDIRECT_URL,
        code::INVALID_CREDENTIALS,
        code::INVALID_PROVIDER,
        code::EMAIL_NOT_VERIFIED,
        code::CANNOT_SEND_AUTH_EMAIL,
    ];

    fn refuse(self) -> Refusal {
        match self {
            Self::NotVerified => Refusal::new(code::EMAIL_NOT_VERIFIED),
            Self::Request(error) => error.refuse(),
        }
    }
}

/// A user who asks for a link, and where it leads back to.
pub struct Found {
    /// The user.
    pub user: User,
    /// When he asked.
    pub now: Timestamp,
    redirect: RedirectUrl,
}

impl Resource for Deps {
    fn take(resources: &Resources) -> Result<Self, StartError> {
        Self::start(resources)
    }
}

impl Deps {
    /// Who asks, if he signed up here. Two stages, three calls: guard beside limiter; user.
    pub async fn find(&self, input: &Input) -> Result<Found, Error> {
        if !self.settings.email.enabled {
            return Err(Error::Disabled);
        }
        let redirect = self.settings.redirect(&input.redirect_url);
        let redirect = redirect.ok_or(Error::RedirectInvalid)?;

        let now = self.clock.now();
        let limit = Limit::mails(&input.email, self.settings.limits.mails_per_address);
        let (id, ()) = try_join!(
            self.store
                .user_id_by_email(&input.email)
                .err_into::<Unavailable>(),
            self.store.count(&limit, now).err_into::<Unavailable>(),
        )?;
        let id = id.ok_or(Error::NoAccount)?;
        let user = self.store.user(&id).err_into::<Unavailable>().await?;
        let user = user.ok_or(Error::NoAccount)?;
        if user.provider != Provider::Agnost {
            return Err(Error::Provider);
        }
        Ok(Found {
            user,
            now,
            redirect,
        })
    }

    /// A new link for who asked; it works when the store has it.
    pub fn link(&self, action: Action, input: &Input, found: &Found) -> Link {
        let lifetime = self.settings.email.link_lifetime();
        Link::begin(action, &found.user, &input.email, found.now, lifetime)
    }

    /// Sends the message with a link that the store has.
    pub async fn deliver(
        &self,
        template: TemplateName,
        input: &Input,
        found: &Found,
        link: &Link,
    ) -> Result<Empty, Error> {
        let base = self.settings.link_base(input.base_url.as_deref());
        let url = link.url(base, &found.redirect);
        self.mailer
            .send_link(template, &found.user, link, &url)
            .err_into::<Unavailable>()
            .await?;
        Ok(Empty)
    }

    /// Sends a link to a verified user. Three stages, four calls; then the message.
    pub async fn send_to_verified(
        &self,
        input: &Input,
        action: Action,
        template: TemplateName,
    ) -> Result<Empty, VerifiedError> {
        let found = self.find(input).await?;
        if !found.user.has_verified_email() {
            return Err(VerifiedError::NotVerified);
        }
        let link = self.link(action, input, &found);
        let replaced = self.store.replace_link(&link).await;
        replaced.map_err(|error| Error::Unavailable(error.into()))?;
        Ok(self.deliver(template, input, &found, &link).await?)
    }
}
