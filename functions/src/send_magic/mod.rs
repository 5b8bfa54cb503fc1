//! `POST /agnost/auth/send-magic`: send a link that signs a user in without a password.

use shared::domain::Action;
use shared::http::{Caller, Empty};
use shared::notify::TemplateName;

use crate::link_request::Deps as Request;
pub use crate::link_request::{Input, VerifiedError as Error};

/// Nothing.
pub type Output = Empty;

shared::deps! {
    /// What it may touch.
    pub struct Deps {
        request: Request,
    }
}

/// Three stages, four calls; then the message.
pub async fn run(deps: &Deps, _: &Caller, input: Input) -> Result<Output, Error> {
    let send = deps
        .request
        .send_to_verified(&input, Action::MagicLink, TemplateName::MagicLink);
    send.await
}
