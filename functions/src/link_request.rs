//! What `send-magic` and `send-reset` have in common: a verified user asks for a link.

use std::sync::Arc;

use futures_util::TryFutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::domain::{Action, Clock, Email, Provider};
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

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Email authentication is off.
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
    /// The address is not confirmed.
    #[error("the email address has not been verified yet")]
    NotVerified,
    /// Nobody's fault who calls, or too many tries.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl Refuse for Error {
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
            Self::Disabled => Refusal::new(code::EMAIL_VERIFICATION_DISABLED),
            Self::RedirectInvalid => Refusal::new(code::INVALID_REDIRECT_URL),
            Self::NoAccount => Refusal::new(code::INVALID_CREDENTIALS),
            Self::Provider => Refusal::new(code::INVALID_PROVIDER),
            Self::NotVerified => Refusal::new(code::EMAIL_NOT_VERIFIED),
            Self::Unavailable(error) => error.refuse(),
        }
    }
}

impl Resource for Deps {
    fn take(resources: &Resources) -> Result<Self, StartError> {
        Self::start(resources)
    }
}

impl Deps {
    /// Three stages, four calls: guard beside limiter; user; link. Then the message.
    pub async fn send(
        &self,
        input: Input,
        action: Action,
        template: TemplateName,
    ) -> Result<Empty, Error> {
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
        if !user.has_verified_email() {
            return Err(Error::NotVerified);
        }

        let lifetime = self.settings.email.link_lifetime();
        let link = Link::begin(action, &user, &input.email, now, lifetime);
        self.store
            .replace_link(&link)
            .err_into::<Unavailable>()
            .await?;
        let base = self.settings.link_base(input.base_url.as_deref());
        let url = link.url(base, &redirect);
        self.mailer
            .send_link(template, &user, &link, &url)
            .err_into::<Unavailable>()
            .await?;
        Ok(Empty)
    }
}
