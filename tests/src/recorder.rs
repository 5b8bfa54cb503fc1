//! Counts what the SDK sends, and makes it fail on purpose: stands in for the SDK's HTTP client.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

/// A call that the SDK made.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Such as `TransactWriteItems`, or `SendEmail`.
    pub operation: String,
    /// Every permission it takes, as `action on table or key prefix`.
    pub permissions: BTreeSet<String>,
    began: Instant,
    ended: Instant,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The service answers with an error of its own.
    Error,
    /// The service asks to slow down.
    Throttle,
    /// The connection breaks before the service hears of it.
    Reset,
    /// The service does it, and its answer is lost.
    AnswerLost,
    /// DynamoDB met another transaction on the same items.
    Conflict,
}

/// Remembers calls, and fails those that it is told to.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<Sent>,
    faults: Vec<(usize, Fault)>,
    begun: usize,
}

impl Recorder {
    /// The client to give to the SDK.
    pub fn client(&self) -> SharedHttpClient {
        SharedHttpClient::new(RecordingClient {
            inner: shared::aws::plain_http_client(),
            recorder: self.clone(),
        })
    }

    /// Forgets every call so far, and every fault.
    pub fn forget(&self) {
        *self.lock() = State::default();
    }

    /// The calls since, in the order in which they ended.
    pub fn sent(&self) -> Vec<Sent> {
        self.lock().sent.clone()
    }

    /// Makes the attempt of this number, counted from the next call on from 0, fail.
    pub fn fail(&self, attempt: usize, fault: Fault) {
        let mut state = self.lock();
        let at = state.begun + attempt;
        state.faults.push((at, fault));
    }

    /// Makes the next so many attempts fail: as many as the SDK retries, and the call fails.
    pub fn fail_next(&self, attempts: usize, fault: Fault) {
        (0..attempts).for_each(|attempt| self.fail(attempt, fault));
    }

    /// How many calls to DynamoDB there were, and how many of them had to wait for one another: the
    /// longest chain in which each began after the one before had ended.
    pub fn stages_and_calls(&self) -> (usize, usize) {
        let mut calls: Vec<Sent> = self.sent();
        calls.retain(|sent| sent.operation != "SendEmail");
        calls.sort_by_key(|sent| sent.began);
        let mut depths: Vec<usize> = Vec::with_capacity(calls.len());
        for (index, call) in calls.iter().enumerate() {
            let before = calls[..index].iter().zip(&depths);
            let waited = before.filter(|(other, _)| other.ended <= call.began);
            depths.push(1 + waited.map(|(_, depth)| *depth).max().unwrap_or(0));
        }
        (depths.into_iter().max().unwrap_or(0), calls.len())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn begin(&self) -> Option<Fault> {
        let mut state = self.lock();
        let attempt = state.begun;
        state.begun += 1;
        let fault = state.faults.iter().find(|(at, _)| *at == attempt);
        fault.map(|(_, fault)| *fault)
    }
}

#[derive(Debug)]
struct RecordingClient {
    inner: SharedHttpClient,
    recorder: Recorder,
}

impl HttpClient for RecordingClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(RecordingConnector {
            inner: self.inner.http_connector(settings, components),
            recorder: self.recorder.clone(),
        })
    }
}

#[derive(Debug)]
struct RecordingConnector {
    inner: SharedHttpConnector,
    recorder: Recorder,
}

impl HttpConnector for RecordingConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (operation, permissions) = read(&request);
        let fault = self.recorder.begin();
        let recorder = self.recorder.clone();
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            let began = Instant::now();
            let answer = match fault {
                None => inner.call(request).await,
                Some(fault) => fail(&inner, request, fault).await,
            };
            recorder.lock().sent.push(Sent {
                operation,
                permissions,
                began,
                ended: Instant::now(),
            });
            answer
        })
    }
}

async fn fail(
    inner: &SharedHttpConnector,
    request: HttpRequest,
    fault: Fault,
) -> Result<HttpResponse, ConnectorError> {
    let reset = || Err(ConnectorError::io("the connection was reset".into()));
    match fault {
        Fault::Reset => reset(),
        Fault::AnswerLost => {
            // The service does what it is asked; nobody hears of it.
            drop(inner.call(request).await);
            tokio::time::sleep(Duration::from_millis(1)).await;
            reset()
        }
        Fault::Error => Ok(error(
            500,
            r#"{"__type":"InternalServerError","message":"on purpose"}"#,
        )),
        Fault::Throttle => Ok(error(
            400,
            r#"{"__type":"ThrottlingException","message":"on purpose"}"#,
        )),
        Fault::Conflict => Ok(error(
            400,
            r#"{"__type":"TransactionCanceledException","message":"on purpose",
                "CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"None"}]}"#,
        )),
    }
}

fn error(status: u16, body: &'static str) -> HttpResponse {
    let status = StatusCode::try_from(status).expect("a status");
    HttpResponse::new(status, SdkBody::from(body))
}

/// The operation of a request, and the permissions that IAM would ask for.
fn read(request: &HttpRequest) -> (String, BTreeSet<String>) {
    let target = request.headers().get("x-amz-target").unwrap_or_default();
    let Some(operation) = target.strip_prefix("DynamoDB_20120810.") else {
        let operation = if request.uri().contains("/v2/email/") {
            "SendEmail"
        } else {
            target
        };
        return (operation.to_owned(), BTreeSet::new());
    };
    let body = request.body().bytes().unwrap_or_default();
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let mut permissions = BTreeSet::new();
    let mut note = |action: &str, part: &serde_json::Value| {
        let table = part["TableName"].as_str().unwrap_or_default();
        let key = ["Key", "Item"]
            .iter()
            .find_map(|name| part[name]["pk"]["S"].as_str());
        permissions.insert(permission(action, table, key));
    };
    match operation {
        "TransactWriteItems" => {
            for write in body["TransactItems"].as_array().into_iter().flatten() {
                for (kind, action) in [
                    ("Put", "PutItem"),
                    ("Update", "UpdateItem"),
                    ("Delete", "DeleteItem"),
                    ("ConditionCheck", "ConditionCheckItem"),
                ] {
                    if write[kind].is_object() {
                        note(action, &write[kind]);
                    }
                }
            }
        }
        "BatchGetItem" | "BatchWriteItem" => {
            for table in body["RequestItems"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name)
            {
                permissions.insert(permission(operation, table, None));
            }
        }
        _ => note(operation, &body),
    }
    (operation.to_owned(), permissions)
}

/// Such as `PutItem tokens email-confirm`: table `tokens` is told apart by the kind of token.
fn permission(action: &str, table: &str, key: Option<&str>) -> String {
    let table = table.rsplit('-').next().unwrap_or_default();
    match key.and_then(|key| key.split_once('#')) {
        Some((prefix, _)) if table == "tokens" => format!("{action} {table} {prefix}"),
        _ => format!("{action} {table}"),
    }
}
