//! Answers and mails as text that is the same in every run: what is random, secret or of the time stands as its name.

use crate::{Answer, App, Mail};

/// The headers that are a part of the wire.
const HEADERS: [&str; 10] = [
    "access-control-allow-credentials",
    "access-control-allow-headers",
    "access-control-allow-methods",
    "access-control-allow-origin",
    "cache-control",
    "content-type",
    "location",
    "referrer-policy",
    "retry-after",
    "set-cookie",
];

/// Status, headers that matter, and body.
pub fn of(app: &App, answer: &Answer) -> String {
    let mut lines = vec![answer.status.to_string()];
    for name in HEADERS {
        for value in answer.headers.get_all(name) {
            let value = value.to_str().unwrap_or("?");
            let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
            let value = if name == "retry-after" && is_number {
                "[seconds]"
            } else {
                value
            };
            lines.push(format!("{name}: {value}"));
        }
    }
    lines.push(String::new());
    lines.push(
        match serde_json::from_str::<serde_json::Value>(&answer.body) {
            Ok(mut json) => {
                // Whoever runs the functions names the requests.
                if let Some(id) = json.pointer_mut("/errors/0/details/requestId") {
                    *id = "[id]".into();
                }
                serde_json::to_string_pretty(&json).unwrap_or_default()
            }
            Err(_) => answer.body.clone(),
        },
    );
    redact(app, &lines.join("\n"))
}

/// A mail as its reader gets it.
pub fn of_mail(app: &App, mail: &Mail) -> String {
    let Mail {
        from,
        to,
        subject,
        text,
        html,
    } = mail;
    let whole = format!("from: {from}\nto: {to}\nsubject: {subject}\n\n{text}\n---\n{html}");
    redact(app, &whole)
}

/// Puts names in place of what differs from run to run.
pub fn redact(app: &App, text: &str) -> String {
    let encoded: String = url::form_urlencoded::byte_serialize(app.url.as_bytes()).collect();
    let text = text.replace(&app.url, "[base]").replace(&encoded, "[base]");
    let text = replace_runs(&text, "eyJ", "[jwt]", |c| {
        c.is_ascii_alphanumeric() || "-_.".contains(c)
    });
    let text = replace_runs(&text, "tk-", "[link token]", is_token);
    let text = replace_runs(&text, "at-", "[access token]", is_token);
    let text = replace_runs(&text, "Expires=", "Expires=[date]", |c| {
        c.is_ascii_alphanumeric() || " ,:".contains(c)
    });
    let words = split_keeping(&text, |c| {
        c.is_ascii_alphanumeric() || c == '-' || c == ':' || c == '.'
    });
    words.into_iter().map(|word| redact_word(&word)).collect()
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.".contains(c)
}

/// Replaces what begins with a prefix, is 8 characters long at least, and goes on as said.
fn replace_runs(text: &str, prefix: &str, name: &str, goes_on: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(prefix) {
        let (before, found) = rest.split_at(at);
        let after = &found[prefix.len()..];
        let length = after.find(|c| !goes_on(c)).unwrap_or(after.len());
        let inside_a_word = before.ends_with(|c: char| c.is_ascii_alphanumeric());
        out.push_str(before);
        if length >= 20 && !inside_a_word {
            out.push_str(name);
        } else {
            out.push_str(&found[..prefix.len() + length]);
        }
        rest = &after[length..];
    }
    out.push_str(rest);
    out
}

fn split_keeping(text: &str, is_word: impl Fn(char) -> bool) -> Vec<String> {
    let mut words: Vec<(bool, String)> = Vec::new();
    for c in text.chars() {
        match words.last_mut() {
            Some((kind, word)) if *kind == is_word(c) => word.push(c),
            _ => words.push((is_word(c), c.to_string())),
        }
    }
    words.into_iter().map(|(_, word)| word).collect()
}

/// An id, a time, or the random end of a made-up name.
fn redact_word(word: &str) -> String {
    let shape: String = word
        .chars()
        .map(|c| {
            if c.is_ascii_hexdigit() && !c.is_ascii_uppercase() {
                'h'
            } else {
                c
            }
        })
        .collect();
    if shape == "hhhhhhhh-hhhh-hhhh-hhhh-hhhhhhhhhhhh" {
        return "[id]".to_owned();
    }
    if shape == "hhhh-hh-hhThh:hh:hh.hhhZ" {
        return "[time]".to_owned();
    }
    match word.rsplit_once('-') {
        Some((name, end)) if end.len() == 8 && end.chars().all(|c| c.is_ascii_hexdigit()) => {
            format!("{name}-[random]")
        }
        _ => word.to_owned(),
    }
}
