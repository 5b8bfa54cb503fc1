//! Logs: one JSON object a line, with the request's id, for CloudWatch to search.
//!
//! Addresses appear only masked, secrets never: the types that hold them do not print themselves.

use std::error::Error;
use std::fmt::{self, Write};

use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::fmt::MakeWriter;

/// Starts logging to standard output. A second call changes nothing.
pub fn init() {
    install(to(std::io::stdout));
}

/// Makes this the log of the process, unless a host program has set one of its own: then that one stays.
pub fn install(log: impl Subscriber + Send + Sync) {
    let _ = tracing::subscriber::set_global_default(log);
}

/// A log that is written there.
pub fn to<W>(writer: W) -> impl Subscriber + Send + Sync
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(LevelFilter::INFO)
        .with_writer(writer)
        .finish()
}

/// An error with all its causes in one line. What other people's errors say may hold an
/// address (SES names the one that it refuses): whatever looks like one is masked.
pub struct Causes<'a>(pub &'a (dyn Error + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.0.to_string();
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(text, ": {cause}")?;
            source = cause.source();
        }
        f.write_str(&masked(&text))
    }
}

/// Leaves the first letter and the domain of everything with an `@` in it.
fn masked(text: &str) -> String {
    let mask = |word: &str| match word.rsplit_once('@') {
        Some((local, domain)) => {
            let first = local
                .trim_start_matches(['<', '"', '\'', '('])
                .chars()
                .next();
            format!("{}…@{domain}", first.map(String::from).unwrap_or_default())
        }
        None => word.to_owned(),
    };
    text.split(' ').map(mask).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the mail was not sent")]
    struct Outer(#[source] Inner);

    #[derive(Debug, thiserror::Error)]
    #[error("MessageRejected: address is not verified: <ada@example.com> in the region")]
    struct Inner;

    #[test]
    fn every_cause_is_told_and_no_address_in_full() {
        assert_eq!(
            Causes(&Outer(Inner)).to_string(),
            "the mail was not sent: MessageRejected: address is not verified: a…@example.com> in the region"
        );
    }
}
