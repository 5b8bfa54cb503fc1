use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use super::{UserAgent, UserId, iso};
use crate::secrets::random;

/// Names a session within its user's sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionId(pub String);

impl SessionId {
    /// A new random one (UUID version 4).
    pub fn random() -> Self {
        Self(random::uuid())
    }
}

/// A session, as stored. The token is not: it can be made anew from this at any time.
#[derive(Clone, Debug)]
pub struct Session {
    /// Whose session it is.
    pub user_id: UserId,
    /// Names it within the user's sessions.
    pub id: SessionId,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends by itself.
    pub expires_at: Timestamp,
    /// When its user ended all others and kept this one; `None` if he never did.
    pub kept_at: Option<Timestamp>,
    /// The `User-Agent` header of the call that began it.
    pub user_agent: String,
}

impl Session {
    /// A new one, from now on and for so long.
    pub fn begin(
        user_id: &UserId,
        now: Timestamp,
        lifetime: SignedDuration,
        user_agent: &str,
    ) -> Self {
        Self {
            user_id: user_id.clone(),
            id: SessionId::random(),
            created_at: now,
            expires_at: now + lifetime,
            kept_at: None,
            user_agent: user_agent.to_owned(),
        }
    }

    /// Whether it is alive at a time: it has not expired, and its user did not end it with all others.
    pub fn is_alive(&self, now: Timestamp, sessions_not_before: Option<Timestamp>) -> bool {
        let since = self.kept_at.unwrap_or(self.created_at);
        let ended = sessions_not_before.is_some_and(|not_before| since <= not_before);
        self.expires_at > now && !ended
    }

    /// The session as the wire shows it, with its signed token.
    pub fn view(&self, token: String) -> SessionView {
        SessionView {
            user_id: self.user_id.clone(),
            token,
            creation_dtm: iso(self.created_at),
            user_agent: UserAgent::read(&self.user_agent),
        }
    }
}

/// A session as an app sees it.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Session")]
pub struct SessionView {
    /// Whose session it is.
    pub user_id: UserId,
    /// The session token, a JWT: goes into the header `Session` of later calls.
    pub token: String,
    /// When the session began, ISO 8601.
    #[schemars(extend("format" = "date-time"))]
    pub creation_dtm: String,
    /// What the session was begun with.
    pub user_agent: UserAgent,
}
