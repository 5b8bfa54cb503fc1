//! The SSM parameter store, in the awsJson1.1 protocol.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

const JSON: &str = "application/x-amz-json-1.1";

/// As many names as one `GetParameters` may ask for.
const MOST_NAMES: usize = 10;

/// The parameters, in memory. Clones share them.
#[derive(Clone, Default)]
pub struct Parameters {
    entries: Arc<Mutex<BTreeMap<String, Entry>>>,
}

#[derive(Clone)]
struct Entry {
    kind: String,
    value: String,
    version: u64,
}

impl fmt::Debug for Parameters {
    /// Names only: the values are secrets.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_set()
            .entries(self.entries().keys())
            .finish()
    }
}

impl Parameters {
    /// Sets a parameter, as a `SecureString`; its version counts up.
    pub fn put(&self, name: impl Into<String>, value: impl Into<String>) {
        put(
            &mut self.entries(),
            name.into(),
            value.into(),
            "SecureString".to_owned(),
        );
    }

    /// The value of a parameter.
    pub fn get(&self, name: &str) -> Option<String> {
        self.entries().get(name).map(|entry| entry.value.clone())
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        // No update can stop half-way, so what a panicking thread left is whole.
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn put(entries: &mut BTreeMap<String, Entry>, name: String, value: String, kind: String) -> u64 {
    let version = entries.get(&name).map_or(0, |entry| entry.version) + 1;
    let entry = Entry {
        kind,
        value,
        version,
    };
    entries.insert(name, entry);
    version
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameter {
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetParameters {
    names: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PutParameter {
    name: String,
    value: String,
    #[serde(rename = "Type")]
    kind: Option<String>,
    #[serde(default)]
    overwrite: bool,
}

/// As SSM answers them; the name is the wire's.
struct Error {
    name: &'static str,
    message: String,
}

pub(super) fn answer(parameters: &Parameters, target: &HeaderValue, body: &[u8]) -> Response {
    let outcome = match target.as_bytes() {
        b"AmazonSSM.GetParameter" => get_parameter(parameters, body),
        b"AmazonSSM.GetParameters" => get_parameters(parameters, body),
        b"AmazonSSM.PutParameter" => put_parameter(parameters, body),
        other => Err(Error {
            name: "UnknownOperationException",
            message: format!(
                "the target {} is not known here",
                String::from_utf8_lossy(other)
            ),
        }),
    };
    let (status, body) = match outcome {
        Ok(body) => (StatusCode::OK, body),
        Err(Error { name, message }) => (
            StatusCode::BAD_REQUEST,
            json!({ "__type": name, "message": message }),
        ),
    };
    (status, [(CONTENT_TYPE, JSON)], body.to_string()).into_response()
}

fn get_parameter(parameters: &Parameters, body: &[u8]) -> Result<Value, Error> {
    let GetParameter { name } = read(body)?;
    match parameters.entries().get(&name) {
        Some(entry) => Ok(json!({ "Parameter": parameter(&name, entry) })),
        None => Err(Error {
            name: "ParameterNotFound",
            message: format!("the parameter {name} does not exist"),
        }),
    }
}

fn get_parameters(parameters: &Parameters, body: &[u8]) -> Result<Value, Error> {
    let GetParameters { names } = read(body)?;
    if names.is_empty() || names.len() > MOST_NAMES {
        return Err(validation("Names must name between 1 and 10 parameters"));
    }
    let entries = parameters.entries();
    let mut found = Vec::new();
    let mut invalid = Vec::new();
    for name in names {
        match entries.get(&name) {
            Some(entry) => found.push(parameter(&name, entry)),
            None => invalid.push(name),
        }
    }
    Ok(json!({ "Parameters": found, "InvalidParameters": invalid }))
}

fn put_parameter(parameters: &Parameters, body: &[u8]) -> Result<Value, Error> {
    let request: PutParameter = read(body)?;
    if request.name.is_empty() || request.value.is_empty() {
        return Err(validation("Name and Value must not be empty"));
    }
    let mut entries = parameters.entries();
    let existing = entries.get(&request.name).map(|entry| entry.kind.clone());
    if existing.is_some() && !request.overwrite {
        return Err(Error {
            name: "ParameterAlreadyExists",
            message: "the parameter exists; set Overwrite to replace it".to_owned(),
        });
    }
    let kind = request
        .kind
        .or(existing)
        .ok_or_else(|| validation("Type must be given for a new parameter"))?;
    let version = put(&mut entries, request.name, request.value, kind);
    Ok(json!({ "Version": version, "Tier": "Standard" }))
}

fn parameter(name: &str, entry: &Entry) -> Value {
    json!({
        "Name": name,
        "Type": entry.kind,
        "Value": entry.value,
        "Version": entry.version,
        "DataType": "text",
    })
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| validation(&error.to_string()))
}

fn validation(message: &str) -> Error {
    Error {
        name: "ValidationException",
        message: message.to_owned(),
    }
}
