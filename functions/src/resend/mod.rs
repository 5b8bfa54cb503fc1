//! `POST /agnost/auth/resend`: send the confirmation email again. Older links die.

use std::sync::Arc;

use futures_util::TryFutureExt;
use schemars::JsonSchema;
use serde::Deserialize;
use shared::domain::{Action, Clock, Email, Provider};
use shared::http::{Caller, Code, Empty, Refusal, Refuse, Unavailable, code};
use shared::notify::{Mailer, TemplateName};
use shared::settings::Settings;
use shared::store::{Limit, Link, Store};
use tokio::try_join;

/// Who wants another email.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {
    /// The email address that was signed up with.
    pub email: Email,
    /// Where the link in the email leads back to.
    #[serde(rename = "redirectURL")]
    pub redirect_url: String,
    /// Base of the link in the email, if the deployment knows it.
    #[serde(rename = "baseURL")]
    pub base_url: Option<String>,
}

/// Nothing.
pub type Output = Empty;

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
    /// Addresses are not confirmed here.
    #[error("email verification is off")]
    Disabled,
    /// A redirect URL that is not in the list.
    #[error("the redirect URL is not allowed")]
    RedirectInvalid,
    /// No such account.
    #[error("there is no such account")]
    NoAccount,
    /// The account of a provider, which vouches for it.
    #[error("the account signs in with a provider")]
    Provider,
    /// Nothing left to confirm.
    #[error("the email address has been verified already")]
    AlreadyVerified,
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
        code::EMAIL_ALREADY_VERIFIED,
        code::CANNOT_SEND_AUTH_EMAIL,
    ];

    fn refuse(self) -> Refusal {
        match self {
            Self::Disabled => Refusal::new(code::EMAIL_VERIFICATION_DISABLED),
            Self::RedirectInvalid => Refusal::new(code::INVALID_REDIRECT_URL),
            Self::NoAccount => Refusal::new(code::INVALID_CREDENTIALS),
            Self::Provider => Refusal::new(code::INVALID_PROVIDER),
            Self::AlreadyVerified => Refusal::new(code::EMAIL_ALREADY_VERIFIED),
            Self::Unavailable(error) => error.refuse(),
        }
    }
}

/// Three stages, four calls: guard beside limiter; user; link. Then the message.
pub async fn run(deps: &Deps, _: &Caller, input: Input) -> Result<Output, Error> {
    let settings = &deps.settings;
    if !(settings.email.enabled && settings.email.confirmation) {
        return Err(Error::Disabled);
    }
    let redirect = settings.redirect(&input.redirect_url);
    let redirect = redirect.ok_or(Error::RedirectInvalid)?;

    let now = deps.clock.now();
    let limit = Limit::mails(&input.email, settings.limits.mails_per_address);
    let (id, ()) = try_join!(
        deps.store
            .user_id_by_email(&input.email)
            .err_into::<Unavailable>(),
        deps.store.count(&limit, now).err_into::<Unavailable>(),
    )?;
    let id = id.ok_or(Error::NoAccount)?;
    let user = deps.store.user(&id).err_into::<Unavailable>().await?;
    let user = user.ok_or(Error::NoAccount)?;
    if user.provider != Provider::Agnost {
        return Err(Error::Provider);
    }
    if user.has_verified_email() {
        return Err(Error::AlreadyVerified);
    }

    let lifetime = settings.email.link_lifetime();
    let link = Link::begin(Action::EmailConfirm, &user, &input.email, now, lifetime);
    let renewed = deps.store.renew_confirmation(&user, &link).await;
    if !renewed.map_err(Unavailable::from)? {
        // He followed the older link while we looked.
        return Err(Error::AlreadyVerified);
    }
    let url = link.url(settings.link_base(input.base_url.as_deref()), &redirect);
    deps.mailer
        .send_link(TemplateName::ConfirmEmail, &user, &link, &url)
        .await
        .map_err(Unavailable::from)?;
    Ok(Empty)
}
