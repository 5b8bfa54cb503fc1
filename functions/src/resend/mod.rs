//! `POST /agnost/auth/resend`: send the confirmation email again. Older links die.

use std::sync::Arc;

use shared::domain::Action;
use shared::http::{Caller, Code, Empty, Refusal, Refuse, code};
use shared::notify::TemplateName;
use shared::settings::Settings;
use shared::store::Store;

pub use crate::link_request::Input;
use crate::link_request::{self, Deps as Request};

/// Nothing.
pub type Output = Empty;

shared::deps! {
    /// What it may touch.
    pub struct Deps {
        settings: Arc<Settings>,
        store: Store,
        request: Request,
    }
}

/// Why nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing left to confirm.
    #[error("the email address has been verified already")]
    AlreadyVerified,
    /// Nobody was found, or it could not be sent.
    #[error(transparent)]
    Request(#[from] link_request::Error),
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
            Self::AlreadyVerified => Refusal::new(code::EMAIL_ALREADY_VERIFIED),
            Self::Request(error) => error.refuse(),
        }
    }
}

/// Three stages, four calls: guard beside limiter; user; link. Then the message.
pub async fn run(deps: &Deps, _: &Caller, input: Input) -> Result<Output, Error> {
    if !deps.settings.email.confirmation {
        return Err(link_request::Error::Disabled.into());
    }
    let found = deps.request.find(&input).await?;
    if found.user.has_verified_email() {
        return Err(Error::AlreadyVerified);
    }
    let link = deps.request.link(Action::EmailConfirm, &input, &found);
    let renewed = deps.store.renew_confirmation(&found.user, &link).await;
    if !renewed.map_err(|error| link_request::Error::Unavailable(error.into()))? {
        // He followed the older link while we looked.
        return Err(Error::AlreadyVerified);
    }
    let template = TemplateName::ConfirmEmail;
    Ok(deps
        .request
        .deliver(template, &input, &found, &link)
        .await?)
}
