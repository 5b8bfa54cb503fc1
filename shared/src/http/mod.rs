//! The one way in and out of a request.
//!
//! API Gateway (or the local server) → [`Incoming`] → [`Gate`]: who calls, with which key and session,
//! and what he says → the operation's own `run` → [`Outgoing`].

pub mod code;
mod fields;
mod gate;
mod lambda;
mod operation;
mod outgoing;
mod refusal;
mod request;

use std::net::IpAddr;

use ::http::{HeaderMap, Method};
use bytes::Bytes;

pub use code::Code;
pub use fields::{FieldError, Rules, read_fields};
pub use gate::{Caller, Gate, Serve};
pub use lambda::run;
pub use operation::{Empty, Json, Operation, Output, Published, Redirect, SignedIn, SignedOut};
pub use outgoing::{ErrorEntry, Errors, Origin, Outgoing};
pub use refusal::{Never, Refusal, Refuse, SessionError, Unavailable};

/// The most bytes of a body.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// A request, however it came.
#[derive(Debug)]
pub struct Incoming {
    /// The method.
    pub method: Method,
    /// The path below the base URL.
    pub path: String,
    /// The query as it was sent, without the question mark.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; [`MAX_BODY_BYTES`] and one more at most matter.
    pub body: Bytes,
    /// The address that the request came from, as the gateway knows it and not as a header says.
    pub address: IpAddr,
    /// Names the request in the logs.
    pub request_id: String,
}
