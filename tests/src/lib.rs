//! The harness of the acceptance suite.
//!
//! [`App::start`] gives a running system of its own: in this process, on a database in memory and with a clock
//! that moves; or, with `LATCHKEY_BASE_URL` set, the one that runs there (with `tests/settings.json`).
//! Tests make their own people up, so that they can share a system.

mod answer;
mod app;
pub mod jwt;
pub mod recorder;
pub mod snapshot;
mod table;

use futures_util::stream::{self, StreamExt};

pub use answer::{Answer, Mail, parameter};
pub use app::{App, Call, PASSWORD, REDIRECT, signing_key};
pub use table::{Door, doors};

/// Awaits many, some at a time: `cargo lambda watch` locks up when a hundred requests wait for one function.
pub async fn some_at_once<F: Future>(many: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    stream::iter(many).buffered(10).collect().await
}
