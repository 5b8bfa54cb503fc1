//! Logs: one JSON object a line, with the request's id, for CloudWatch to search.
//!
//! Addresses appear only masked, secrets never: the types that hold them do not print themselves.

use std::error::Error;
use std::fmt::{self, Write};

use tracing::level_filters::LevelFilter;

/// Starts logging to standard output. A second call changes nothing.
pub fn init() {
    let logs = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(LevelFilter::INFO)
        .finish();
    // An error says that a host program has set a subscriber of its own: then that one logs.
    drop(tracing::subscriber::set_global_default(logs));
}

/// An error with all its causes in one line.
pub struct Causes<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            let mut text = String::new();
            write!(text, "{cause}")?;
            write!(f, ": {text}")?;
            source = cause.source();
        }
        Ok(())
    }
}
