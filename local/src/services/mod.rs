//! The AWS services that Latchkey uses, emulated in this process.
//!
//! The unchanged AWS SDK clients talk to them over HTTP; only their endpoint
//! differs. `DynamoDB` is [`dynoxide`] on a listener of its own. SES, SNS and the
//! SSM parameter store share the caller's listener: what they are asked to send
//! is captured in an [`Inbox`] instead, and shown at `/_inbox`.
//!
//! Everything belongs to one [`Services`] value, so a process can hold many,
//! one per test.

mod dynamo;
mod inbox;
mod ses;
mod sns;
mod ssm;
mod web;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use inbox::{Channel, Draft, Inbox, Message, Refused};
pub use ssm::Parameters;

/// How long requests that are under way may take to finish at shutdown.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(1);

/// Tells the time. Stamps messages, and in memory decides which items have expired.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Where `DynamoDB` keeps its items.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// In memory: gone with the [`Services`] value.
    Memory,
    /// In the file `dynamodb.sqlite` of this folder, which is made when absent.
    Directory(PathBuf),
}

/// What [`Services::start`] needs.
pub struct ServicesOptions {
    /// Where SES, SNS, SSM and the inbox answer. Bound by the caller, who can
    /// then tell a person that the port is taken; should be a loopback address.
    pub listener: TcpListener,
    /// Where `DynamoDB` keeps its items.
    pub storage: Storage,
    /// Tells the time.
    pub clock: Clock,
}

impl fmt::Debug for ServicesOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ServicesOptions")
            .field("listener", &self.listener)
            .field("storage", &self.storage)
            .finish_non_exhaustive()
    }
}

/// Why the services did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServicesError {
    /// The folder is not there and cannot be made.
    #[error("cannot create the folder {} for the database", folder.display())]
    Folder {
        /// The folder asked for.
        folder: PathBuf,
        /// What the file system said.
        #[source]
        source: std::io::Error,
    },
    /// The folder is there, but no database can be opened in it.
    #[error("cannot open the database dynamodb.sqlite in the folder {}", folder.display())]
    Database {
        /// The folder asked for.
        folder: PathBuf,
        /// What `SQLite` said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No database in memory.
    #[error("cannot open a database in memory")]
    Memory(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A listener cannot be set up.
    #[error("cannot listen on 127.0.0.1")]
    Listener(#[source] std::io::Error),
}

/// The running services. Dropping them stops them too, without waiting.
pub struct Services {
    url: String,
    dynamodb_url: String,
    parameters: Parameters,
    inbox: Inbox,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl fmt::Debug for Services {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Services")
            .field("url", &self.url)
            .field("dynamodb_url", &self.dynamodb_url)
            .finish_non_exhaustive()
    }
}

impl Services {
    /// Opens the database and starts to serve. They answer when this returns.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    pub fn start(options: ServicesOptions) -> Result<Self, ServicesError> {
        let ServicesOptions {
            listener,
            storage,
            clock,
        } = options;
        let address = listener.local_addr().map_err(ServicesError::Listener)?;
        let (dynamodb_listener, dynamodb_address) =
            dynamo::listen().map_err(ServicesError::Listener)?;
        let database = dynamo::open(&storage, clock.clone())?;

        let inbox = Inbox::new(clock);
        let parameters = Parameters::default();
        let app = app(&inbox, &parameters);
        let (stop, stopped) = watch::channel(false);
        let tasks = vec![
            tokio::spawn(serve(listener, app, stopped.clone())),
            tokio::spawn(dynamo::serve(
                dynamodb_listener,
                database.clone(),
                stopping(stopped.clone()),
            )),
            tokio::spawn(dynamo::sweep(database, stopping(stopped))),
        ];
        Ok(Self {
            url: url(address),
            dynamodb_url: url(dynamodb_address),
            parameters,
            inbox,
            stop,
            tasks,
        })
    }

    /// Where SES, SNS, SSM and `/_inbox` answer: `http://127.0.0.1:PORT`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Where `DynamoDB` answers: `http://127.0.0.1:PORT`.
    pub fn dynamodb_url(&self) -> &str {
        &self.dynamodb_url
    }

    /// What the SSM parameter store holds.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The captured messages.
    pub fn inbox(&self) -> &Inbox {
        &self.inbox
    }

    /// The `/_inbox` routes alone, to be served beside the app on its own address.
    ///
    /// A server that shuts down gracefully waits for open event streams: call
    /// [`Inbox::close_streams`] (or [`Services::shutdown`]) first.
    pub fn router(&self) -> Router {
        web::routes(self.inbox.clone())
    }

    /// Stops both servers. Requests under way may finish, within a second;
    /// idle connections and event streams are closed.
    pub async fn shutdown(mut self) {
        self.begin_to_stop();
        let grace = tokio::time::Instant::now() + SHUTDOWN_GRACE;
        for mut task in std::mem::take(&mut self.tasks) {
            if tokio::time::timeout_at(grace, &mut task).await.is_err() {
                task.abort();
            }
        }
    }

    fn begin_to_stop(&self) {
        self.inbox.close_streams();
        self.stop.send_replace(true);
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        self.begin_to_stop();
    }
}

/// The routes of the shared listener.
fn app(inbox: &Inbox, parameters: &Parameters) -> Router {
    let sinks = Sinks {
        inbox: inbox.clone(),
        parameters: parameters.clone(),
        requests: Arc::default(),
    };
    Router::new()
        .route(
            "/",
            get(|| async { Redirect::temporary("/_inbox") }).post(by_protocol),
        )
        .route("/v2/email/outbound-emails", post(send_email))
        .with_state(sinks)
        .merge(web::routes(inbox.clone()))
        // Parameters hold signing keys, and a forged message could carry a forged
        // link: what guards the inbox guards the sinks as well.
        .layer(axum::middleware::from_fn(web::guard))
}

/// What the sinks share.
#[derive(Clone)]
struct Sinks {
    inbox: Inbox,
    parameters: Parameters,
    requests: Arc<AtomicU64>,
}

impl Sinks {
    /// An identifier for a request, as every AWS answer carries one.
    fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("00000000-0000-4000-8000-{number:012x}")
    }
}

async fn send_email(State(sinks): State<Sinks>, body: Bytes) -> Response {
    let id = sinks.request_id();
    with_request_id(ses::send_email(&sinks.inbox, &body), &id)
}

/// SNS and SSM both live at `POST /`; only SSM's protocol names its target in a header.
async fn by_protocol(State(sinks): State<Sinks>, headers: HeaderMap, body: Bytes) -> Response {
    let id = sinks.request_id();
    let answer = match headers.get("x-amz-target") {
        Some(target) => ssm::answer(&sinks.parameters, target, &body),
        None => sns::answer(&sinks.inbox, &body, &id),
    };
    with_request_id(answer, &id)
}

fn with_request_id(mut response: Response, id: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(id) {
        response
            .headers_mut()
            .insert(HeaderName::from_static("x-amzn-requestid"), value);
    }
    response
}

async fn serve(listener: TcpListener, app: Router, stopped: watch::Receiver<bool>) {
    // Accepting is retried inside, so serving ends only with `stopped`.
    let _ = axum::serve(listener, app)
        .with_graceful_shutdown(stopping(stopped))
        .await;
}

/// Ends when the services shall stop, be it by `shutdown` or because they were dropped.
async fn stopping(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

fn url(address: SocketAddr) -> String {
    format!("http://{address}")
}
