//! `POST /agnost/auth/signout-all-except`: end every session of the user but the calling one.

use schemars::JsonSchema;
use serde::Deserialize;
use shared::domain::Clock;
use shared::http::{Caller, SessionError, SignedOut};
use shared::store::Store;

/// Takes nothing but the session.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {}

/// Nothing.
pub type Output = SignedOut;

/// The session may have ended.
pub type Error = SessionError;

shared::deps! {
    /// What it may touch.
    pub struct Deps {
        clock: Clock,
        store: Store,
    }
}

/// Two stages, two calls: the calling session; one transaction that ends all and keeps it.
pub async fn run(deps: &Deps, caller: &Caller, _: Input) -> Result<Output, Error> {
    let now = deps.clock.now();
    let (session, _) = caller.live_session(&deps.store, now).await?;
    deps.store.end_other_sessions(&session, now).await?;
    Ok(SignedOut { own: false })
}
