use std::sync::Arc;

use ::http::{StatusCode, header};
use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::outgoing::{self, Outgoing};
use super::{Caller, Refuse};
use crate::domain::{Session, SessionView, UserView};
use crate::resources::{Resources, StartError};
use crate::route::Route;
use crate::secrets::SessionTokens;

/// An operation: what it takes, what it gives, and what it does. Implemented for its `Deps`,
/// all that it may touch, by the route table.
pub trait Operation: Send + Sync + Sized + 'static {
    /// Its row.
    const ROUTE: &'static Route;
    /// Read from the body of a POST, or from the query.
    type Input: DeserializeOwned + JsonSchema + Send;
    /// The success.
    type Output: Output;
    /// The failures.
    type Error: Refuse;

    /// Takes what it needs.
    fn start(resources: &Resources) -> Result<Self, StartError>;

    /// Does it.
    fn run(
        &self,
        caller: &Caller,
        input: Self::Input,
    ) -> impl Future<Output = Result<Self::Output, Self::Error>> + Send;
}

/// A success, as an answer and as documentation.
pub trait Output: Send {
    /// The status.
    const STATUS: StatusCode;

    /// The answer.
    fn answer(self) -> Outgoing;

    /// The schema of its body; `None` for an empty one.
    fn schema(generator: &mut SchemaGenerator) -> Option<Schema>;
}

/// Status 200, no body.
#[derive(Debug)]
pub struct Empty;

impl Output for Empty {
    const STATUS: StatusCode = StatusCode::OK;

    fn answer(self) -> Outgoing {
        outgoing::empty(Self::STATUS)
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

/// Status 200, no body; the answer clears the session's cookie where it is the caller's own that ended.
#[derive(Debug)]
pub struct SignedOut {
    /// Whether the caller's own session ended.
    pub own: bool,
}

impl Output for SignedOut {
    const STATUS: StatusCode = StatusCode::OK;

    fn answer(self) -> Outgoing {
        let mut answer = outgoing::empty(Self::STATUS);
        if self.own {
            outgoing::set(
                &mut answer,
                header::SET_COOKIE,
                &cookie("", Timestamp::UNIX_EPOCH),
            );
        }
        answer
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

/// The cookie that holds a session's token until then.
fn cookie(token: &str, expires_at: Timestamp) -> String {
    let expires = expires_at.strftime("%a, %d %b %Y %H:%M:%S GMT");
    format!("session_token={token}; Path=/; HttpOnly; Secure; SameSite=None; Expires={expires}")
}

/// A value as JSON.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize + JsonSchema + Send> Output for Json<T> {
    const STATUS: StatusCode = StatusCode::OK;

    fn answer(self) -> Outgoing {
        outgoing::json(Self::STATUS, &self.0)
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

/// A value as JSON that anybody may keep for five minutes.
#[derive(Debug)]
pub struct Published<T>(pub T);

impl<T: Serialize + JsonSchema + Send> Output for Published<T> {
    const STATUS: StatusCode = StatusCode::OK;

    fn answer(self) -> Outgoing {
        let mut answer = outgoing::json(Self::STATUS, &self.0);
        outgoing::set(&mut answer, header::CACHE_CONTROL, "public, max-age=300");
        answer
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<T>())
    }
}

/// A browser sent to an allow-listed URL.
#[derive(Debug)]
pub struct Redirect(pub String);

impl Output for Redirect {
    const STATUS: StatusCode = StatusCode::FOUND;

    fn answer(self) -> Outgoing {
        outgoing::redirect(&self.0)
    }

    fn schema(_: &mut SchemaGenerator) -> Option<Schema> {
        None
    }
}

/// A user with a session, if he got one: then the answer sets the cookie as well.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SignedIn {
    /// The user.
    pub user: UserView,
    /// The session; `null` as long as the address has to be confirmed.
    pub session: Option<SessionView>,
    #[serde(skip)]
    expires_at: Option<Timestamp>,
}

impl SignedIn {
    /// A user who has to confirm his address first.
    pub fn not_yet(user: UserView) -> Self {
        Self {
            user,
            session: None,
            expires_at: None,
        }
    }

    /// A user with a session.
    pub fn new(user: UserView, session: &Session, tokens: &Arc<SessionTokens>) -> Self {
        Self {
            user,
            session: Some(tokens.view(session)),
            expires_at: Some(session.expires_at),
        }
    }
}

impl Output for SignedIn {
    const STATUS: StatusCode = StatusCode::OK;

    fn answer(self) -> Outgoing {
        let mut answer = outgoing::json(Self::STATUS, &self);
        if let (Some(session), Some(expires_at)) = (&self.session, self.expires_at) {
            let cookie = cookie(&session.token, expires_at);
            outgoing::set(&mut answer, header::SET_COOKIE, &cookie);
        }
        answer
    }

    fn schema(generator: &mut SchemaGenerator) -> Option<Schema> {
        Some(generator.subschema_for::<Self>())
    }
}
