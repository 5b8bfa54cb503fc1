//! `POST /agnost/auth/send-magic`: send a link that signs a user in without a password.

use shared::domain::Action;
use shared::http::{Caller, Empty};
use shared::notify::TemplateName;

pub use crate::link_request::{Deps as Request, Error, Input};

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
        .send(input, Action::MagicLink, TemplateName::MagicLink);
    send.await
}
