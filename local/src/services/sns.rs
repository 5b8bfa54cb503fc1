//! SNS: `Publish` to a phone number, in the awsQuery protocol.

use std::borrow::Cow;
use std::collections::HashMap;

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use url::form_urlencoded;

use super::inbox::{Channel, Draft, Inbox};

const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

/// SNS splits a long message into several SMS, up to this many characters together.
const LONGEST_MESSAGE: usize = 1_600;

type Form<'a> = HashMap<Cow<'a, str>, Cow<'a, str>>;

/// As SNS answers them; the name is the wire's.
struct Error {
    code: &'static str,
    message: String,
}

pub(super) fn answer(inbox: &Inbox, body: &[u8], request_id: &str) -> Response {
    let form: Form = form_urlencoded::parse(body).collect();
    let outcome = match form.get("Action").map(Cow::as_ref) {
        Some("Publish") => publish(inbox, &form),
        Some(other) => Err(Error {
            code: "InvalidAction",
            message: format!("The action {other} is not known here"),
        }),
        None => Err(Error {
            code: "MissingAction",
            message: "The request names no action".to_owned(),
        }),
    };
    match outcome {
        Ok(id) => xml(
            StatusCode::OK,
            format!(
                "<PublishResponse xmlns=\"{NAMESPACE}\"><PublishResult><MessageId>{id}</MessageId>\
                 </PublishResult><ResponseMetadata><RequestId>{request_id}</RequestId>\
                 </ResponseMetadata></PublishResponse>"
            ),
        ),
        Err(Error { code, message }) => xml(
            StatusCode::BAD_REQUEST,
            format!(
                "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>Sender</Type><Code>{code}</Code>\
                 <Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
                escape(&message)
            ),
        ),
    }
}

fn publish(inbox: &Inbox, form: &Form) -> Result<String, Error> {
    let to = form
        .get("PhoneNumber")
        .ok_or_else(|| invalid("PhoneNumber is missing; this inbox knows no topics"))?;
    if !is_e164(to) {
        return Err(invalid(&format!(
            "PhoneNumber Reason: {to} is not valid to publish to"
        )));
    }
    let text = form.get("Message").map_or("", Cow::as_ref);
    if text.is_empty() {
        return Err(invalid("Empty message"));
    }
    if text.chars().count() > LONGEST_MESSAGE {
        return Err(invalid("Message too long"));
    }
    let draft = Draft {
        channel: Channel::Sms,
        from: attribute(form, "AWS.SNS.SMS.SenderID")
            .or_else(|| attribute(form, "AWS.MM.SMS.OriginationNumber")),
        to: to.to_string(),
        subject: None,
        text: Some(text.to_owned()),
        html: None,
    };
    inbox
        .deliver(vec![draft])
        .map_err(|refused| invalid(&refused.to_string()))?
        .ok_or_else(|| invalid("PhoneNumber is missing"))
}

/// The text of a message attribute, which the protocol spreads over three
/// numbered form fields.
fn attribute(form: &Form, name: &str) -> Option<String> {
    form.iter()
        .filter(|(_, value)| *value == name)
        .filter_map(|(key, _)| {
            let entry = key
                .strip_prefix("MessageAttributes.entry.")?
                .strip_suffix(".Name")?;
            form.get(format!("MessageAttributes.entry.{entry}.Value.StringValue").as_str())
        })
        .map(ToString::to_string)
        .next()
}

/// `+`, country code, number: ITU-T E.164 allows 15 digits.
fn is_e164(number: &str) -> bool {
    number.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn invalid(reason: &str) -> Error {
    Error {
        code: "InvalidParameter",
        message: format!("Invalid parameter: {reason}"),
    }
}

fn xml(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, "text/xml")], body).into_response()
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // XML 1.0 has no way to write these.
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            _ if character.is_control() && !matches!(character, '\t' | '\n' | '\r') => {
                escaped.push('\u{fffd}');
            }
            _ => escaped.push(character),
        }
    }
    escaped
}
