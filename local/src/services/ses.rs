//! SES, API version 2: `SendEmail`, in the restJson1 protocol.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::inbox::{Channel, Draft, Inbox, Refused};

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: Option<String>,
    destination: Option<Destination>,
    content: Option<Content>,
}

#[derive(Deserialize)]
struct Destination {
    #[serde(rename = "ToAddresses")]
    to: Option<Vec<String>>,
    #[serde(rename = "CcAddresses")]
    cc: Option<Vec<String>>,
    #[serde(rename = "BccAddresses")]
    bcc: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Option<Simple>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Part,
    body: Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    text: Option<Part>,
    html: Option<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    data: String,
}

/// As SES answers them; the name is the wire's.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    Rejected(#[from] Refused),
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let name = match self {
            Self::BadRequest(_) => "BadRequestException",
            Self::Rejected(_) => "MessageRejected",
        };
        (
            StatusCode::BAD_REQUEST,
            [("x-amzn-errortype", name)],
            Json(json!({ "message": self.to_string() })),
        )
            .into_response()
    }
}

pub(super) fn send_email(inbox: &Inbox, body: &[u8]) -> Response {
    match capture(inbox, body) {
        Ok(id) => Json(json!({ "MessageId": id })).into_response(),
        Err(error) => error.into_response(),
    }
}

fn capture(inbox: &Inbox, body: &[u8]) -> Result<String, Error> {
    let request: SendEmail =
        serde_json::from_slice(body).map_err(|error| Error::BadRequest(error.to_string()))?;
    let from = request
        .from_email_address
        .ok_or_else(|| bad_request("FromEmailAddress is missing"))?;
    address(&from)?;
    let message = request
        .content
        .and_then(|content| content.simple)
        .ok_or_else(|| bad_request("Content.Simple is missing; this inbox takes no other"))?;
    if message.body.text.is_none() && message.body.html.is_none() {
        return Err(bad_request("Body has neither Text nor Html"));
    }
    let text = message.body.text.map(|part| part.data);
    let html = message.body.html.map(|part| part.data);

    let drafts = recipients(request.destination)?
        .into_iter()
        .map(|to| Draft {
            channel: Channel::Email,
            from: Some(from.clone()),
            to,
            subject: Some(message.subject.data.clone()),
            text: text.clone(),
            html: html.clone(),
        })
        .collect();
    inbox
        .deliver(drafts)?
        .ok_or_else(|| bad_request("Destination names no recipient"))
}

fn recipients(destination: Option<Destination>) -> Result<Vec<String>, Error> {
    let Some(destination) = destination else {
        return Ok(Vec::new());
    };
    [destination.to, destination.cc, destination.bcc]
        .into_iter()
        .flatten()
        .flatten()
        .map(|mailbox| address(&mailbox).map(ToOwned::to_owned))
        .collect()
}

/// The bare address of `Name <address>` or `address`, which SES takes in ASCII only.
fn address(mailbox: &str) -> Result<&str, Error> {
    let mailbox = mailbox.trim();
    let address = match mailbox.strip_suffix('>') {
        Some(named) => named.rsplit_once('<').map(|(_, address)| address),
        None => Some(mailbox),
    }
    .ok_or_else(|| bad_request("Missing '<' in address"))?;
    let (local, domain) = address
        .rsplit_once('@')
        .ok_or_else(|| bad_request("Missing final '@domain'"))?;
    let visible = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic());
    if !visible(local) {
        return Err(bad_request("Local address contains control or whitespace"));
    }
    if !visible(domain) {
        return Err(bad_request("Domain contains control or whitespace"));
    }
    Ok(address)
}

fn bad_request(message: &str) -> Error {
    Error::BadRequest(message.to_owned())
}
