//! `GET /agnost/auth/sessions`: the user's sessions, newest first.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use shared::domain::{Clock, SessionView};
use shared::http::{Caller, Json, SessionError};
use shared::secrets::SessionTokens;
use shared::store::Store;

/// Takes nothing but the session.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {}

/// The sessions, each with its token.
pub type Output = Json<Vec<SessionView>>;

/// The session may have ended.
pub type Error = SessionError;

shared::deps! {
    /// What it may touch.
    pub struct Deps {
        clock: Clock,
        store: Store,
        session_tokens: Arc<SessionTokens>,
    }
}

/// One stage, two calls: the sessions beside the user, who may have ended them. The calling session is among them.
pub async fn run(deps: &Deps, caller: &Caller, _: Input) -> Result<Output, Error> {
    let claims = caller.session.as_ref().ok_or(Error::Ended)?;
    let sessions = deps
        .store
        .live_sessions(claims.user_id(), deps.clock.now())
        .await?;
    let own = claims.session_id();
    if !sessions.iter().any(|session| session.id == own) {
        return Err(Error::Ended);
    }
    let view = |session| deps.session_tokens.view(session);
    Ok(Json(sessions.iter().map(view).collect()))
}
