use ::http::header::{self, HeaderName, HeaderValue};
use ::http::{Response, StatusCode};
use bytes::Bytes;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::Refusal;

/// An answer, however it goes.
pub type Outgoing = Response<Bytes>;

/// What a caller is told instead of a success.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Errors {
    /// Always one.
    pub errors: Vec<ErrorEntry>,
}

/// An error on the wire.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub struct ErrorEntry {
    /// Whose fault it is.
    pub origin: Origin,
    /// What programs look at.
    pub code: String,
    /// What people read.
    pub message: String,
    /// More, where there is something to tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

/// Whose fault an error is.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The caller's.
    ClientError,
    /// Ours.
    ServerError,
}

/// An empty answer.
pub(super) fn empty(status: StatusCode) -> Outgoing {
    let mut answer = Response::new(Bytes::new());
    *answer.status_mut() = status;
    answer
}

/// An answer in JSON.
pub(super) fn json<T: Serialize>(status: StatusCode, value: &T) -> Outgoing {
    let body = serde_json::to_vec(value).expect("our own types are representable in JSON");
    let mut answer = Response::new(Bytes::from(body));
    *answer.status_mut() = status;
    set(&mut answer, header::CONTENT_TYPE, "application/json");
    answer
}

/// A browser sent elsewhere.
pub(super) fn redirect(url: &str) -> Outgoing {
    let mut answer = empty(StatusCode::FOUND);
    set(&mut answer, header::LOCATION, url);
    // The URL may carry an access token: it shall not travel on in a Referer.
    set(&mut answer, header::REFERRER_POLICY, "no-referrer");
    answer
}

/// An error, as JSON or as parameters of the URL that a person is sent back to.
pub(super) fn refusal(refusal: &Refusal, request_id: &str) -> Outgoing {
    let code = refusal.code;
    if let Some((url, action)) = &refusal.redirect {
        return redirect(&url.with(&[
            ("status", &code.status.to_string()),
            ("code", code.name),
            ("action", action.as_str()),
            ("error", code.message),
        ]));
    }
    let is_ours = code.status >= 500;
    let body = Errors {
        errors: vec![ErrorEntry {
            origin: if is_ours {
                Origin::ServerError
            } else {
                Origin::ClientError
            },
            code: code.name.to_owned(),
            message: code.message.to_owned(),
            details: if is_ours {
                Some(json!({ "requestId": request_id }))
            } else {
                refusal.details.clone()
            },
        }],
    };
    let status = StatusCode::from_u16(code.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = json(status, &body);
    if let Some(seconds) = refusal.retry_after_seconds {
        answer
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// Sets a header; a value that no header can hold is left out.
pub(super) fn set(answer: &mut Outgoing, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        answer.headers_mut().insert(name, value);
    }
}
