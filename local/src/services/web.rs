//! What a browser sees of the inbox: `/_inbox` and the paths below it.
//!
//! | path | |
//! |---|---|
//! | `GET /_inbox` | the page |
//! | `GET /_inbox/messages?to=…&limit=…` | the messages as JSON, newest first |
//! | `DELETE /_inbox/messages` | throws them away |
//! | `GET /_inbox/events` | each new message as a server-sent event |
//! | `PUT /_inbox/refusals` | `{"to":"a@b.c","times":1}`: the next message to this recipient fails |
//! | `DELETE /_inbox/refusals` | takes all refusals back |
//! | `GET /_inbox/landing` | where links lead that end in an app |
//!
//! The messages hold live sign-in links, and any web page can send requests to
//! 127.0.0.1: [`guard`] turns those away.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Query, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, ORIGIN, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use serde_json::json;
use tokio_stream::wrappers::BroadcastStream;
use tokio_stream::{Stream, StreamExt};

use super::inbox::{Inbox, Message, Notice};

/// How long a page waits before it connects again after the server went away.
const RECONNECT_AFTER: Duration = Duration::from_secs(1);

pub(super) fn routes(inbox: Inbox) -> Router {
    // A mail's own styles and pictures are shown: its frame inherits this policy.
    let page = Page::new(
        include_str!("inbox.html"),
        "style-src 'unsafe-inline'; img-src data: https:; frame-src 'self'",
    );
    let landing = Page::new(
        include_str!("landing.html"),
        "style-src 'unsafe-inline'; img-src data:",
    );
    Router::new()
        .route("/_inbox", get(|| async move { page.into_response() }))
        .route(
            "/_inbox/landing",
            get(|| async move { landing.into_response() }),
        )
        .route("/_inbox/messages", get(messages).delete(clear))
        .route("/_inbox/events", get(events))
        .route("/_inbox/refusals", put(refuse).delete(accept_all))
        .with_state(inbox)
        .route_layer(from_fn(guard))
}

/// Lets only this machine's own pages and programs in.
///
/// The host must be a loopback name, or a page of another site could give its own
/// name this address (DNS rebinding) and read the answers. What changes something
/// must not come from another origin: a browser names the origin, programs do not.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    match check(request.method(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(message) => refusal(StatusCode::FORBIDDEN, message),
    }
}

fn check(method: &Method, headers: &HeaderMap) -> Result<(), &'static str> {
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .and_then(|host| host.parse::<Authority>().ok())
        .filter(|host| matches!(host.host(), "127.0.0.1" | "localhost" | "[::1]"))
        .ok_or("only requests to 127.0.0.1, localhost or [::1] are answered")?;
    if matches!(*method, Method::GET | Method::HEAD) {
        // Without CORS headers, no other origin can read the answer.
        return Ok(());
    }
    match headers.get(ORIGIN) {
        Some(origin) if origin.as_bytes() != format!("http://{host}").as_bytes() => {
            Err("requests of pages from another origin are refused")
        }
        _ => Ok(()),
    }
}

#[derive(Deserialize)]
struct Filter {
    to: Option<String>,
    limit: Option<usize>,
}

async fn messages(State(inbox): State<Inbox>, Query(filter): Query<Filter>) -> Response {
    // In a query `+` means a space; no recipient begins with one, phone numbers
    // begin with the other, and few people write `%2B` by hand.
    let to = filter.to.map(|to| match to.strip_prefix(' ') {
        Some(number) => format!("+{number}"),
        None => to,
    });
    let messages = inbox.find(to.as_deref(), filter.limit.unwrap_or(usize::MAX));
    let messages: Vec<&Message> = messages.iter().map(AsRef::as_ref).collect();
    (security_headers(), Json(messages)).into_response()
}

async fn clear(State(inbox): State<Inbox>) -> StatusCode {
    inbox.clear();
    StatusCode::NO_CONTENT
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    to: String,
    times: Option<u32>,
}

async fn refuse(State(inbox): State<Inbox>, body: Bytes) -> Response {
    match serde_json::from_slice(&body) {
        Ok(Refusal { to, times }) => {
            inbox.refuse(&to, times);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => refusal(
            StatusCode::BAD_REQUEST,
            &format!(r#"the body must be like {{"to":"a@b.c","times":1}}: {error}"#),
        ),
    }
}

async fn accept_all(State(inbox): State<Inbox>) -> StatusCode {
    inbox.accept_all();
    StatusCode::NO_CONTENT
}

async fn events(State(inbox): State<Inbox>) -> Response {
    match inbox.listen() {
        Some(notices) => (
            security_headers(),
            Sse::new(stream(BroadcastStream::new(notices))).keep_alive(KeepAlive::default()),
        )
            .into_response(),
        None => refusal(
            StatusCode::SERVICE_UNAVAILABLE,
            "the inbox is shutting down",
        ),
    }
}

/// A message is an unnamed event, with the message as data. The event `reload`
/// tells to read the whole inbox again: it was cleared, or the listener was too
/// slow to be told everything.
fn stream(
    notices: BroadcastStream<Notice>,
) -> impl Stream<Item = Result<Event, Infallible>> + Send + 'static {
    // An event without data would not be dispatched.
    let reload = || Event::default().event("reload").data("all");
    let events = notices.map_while(move |notice| match notice {
        Ok(Notice::Arrived(message)) => Some(
            Event::default()
                .json_data(&*message)
                .unwrap_or_else(|_| reload()),
        ),
        Ok(Notice::Cleared) | Err(_) => Some(reload()),
        Ok(Notice::Closed) => None,
    });
    tokio_stream::once(Event::default().retry(RECONNECT_AFTER))
        .chain(events)
        .map(Ok)
}

/// A page of its own script and style, and what it is allowed to do.
#[derive(Clone)]
struct Page {
    html: Arc<str>,
    policy: HeaderValue,
}

impl Page {
    /// Only the script in the file may run; `allowed` is what the page needs beside
    /// that and requests to its own origin.
    fn new(html: &str, allowed: &str) -> Self {
        // A checkout may have made the line ends longer; the browser shortens them
        // before it compares the script with its hash.
        let html = html.replace("\r\n", "\n");
        let script = html
            .split_once("<script>")
            .and_then(|(_, rest)| rest.split_once("</script>"))
            .map_or("", |(script, _)| script);
        let hash = BASE64.encode(ring::digest::digest(
            &ring::digest::SHA256,
            script.as_bytes(),
        ));
        let policy = format!(
            "default-src 'none'; script-src 'sha256-{hash}'; connect-src 'self'; {allowed}; \
             base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        Self {
            html: html.into(),
            policy: HeaderValue::try_from(policy)
                .unwrap_or(HeaderValue::from_static("default-src 'none'")),
        }
    }
}

impl IntoResponse for Page {
    fn into_response(self) -> Response {
        (
            security_headers(),
            [(CONTENT_SECURITY_POLICY, self.policy)],
            Html(self.html.to_string()),
        )
            .into_response()
    }
}

fn security_headers() -> impl axum::response::IntoResponseParts {
    [
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ]
}

fn refusal(status: StatusCode, message: &str) -> Response {
    (status, Json(json!({ "message": message }))).into_response()
}
