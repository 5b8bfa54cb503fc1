//! The captured messages, and who shall not get any.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use tokio::sync::broadcast;

use super::Clock;

/// How many messages are kept; the oldest go first.
const CAPACITY: usize = 1_000;

/// How far a listener may fall behind before it has to read the whole inbox again.
const BACKLOG: usize = 256;

/// How a message was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// By SES.
    Email,
    /// By SNS.
    Sms,
}

/// A message to one recipient, before it has arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// How it is sent.
    pub channel: Channel,
    /// The sender as given, `Name <address>` included; an SMS may have none.
    pub from: Option<String>,
    /// The recipient's bare address or number.
    pub to: String,
    /// Emails have one.
    pub subject: Option<String>,
    /// The text part.
    pub text: Option<String>,
    /// The HTML part.
    pub html: Option<String>,
}

/// A captured message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Unique in this inbox; also the id that SES or SNS answered, if there was
    /// one recipient.
    pub id: String,
    /// How it was sent.
    pub channel: Channel,
    /// The sender as given, `Name <address>` included; an SMS may have none.
    pub from: Option<String>,
    /// The recipient's bare address or number.
    pub to: String,
    /// Emails have one.
    pub subject: Option<String>,
    /// The text part.
    pub text: Option<String>,
    /// The HTML part.
    pub html: Option<String>,
    /// When it was captured; in JSON to the millisecond.
    #[serde(serialize_with = "to_the_millisecond")]
    pub received_at: Timestamp,
}

/// The recipient is one that [`Inbox::refuse`] named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the inbox was told to refuse messages to {to}")]
pub struct Refused {
    /// The refused recipient.
    pub to: String,
}

/// What listeners hear.
#[derive(Clone, Debug)]
pub(super) enum Notice {
    Arrived(Arc<Message>),
    Cleared,
    Closed,
}

/// The captured messages. Clones share them.
#[derive(Clone)]
pub struct Inbox {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Clock,
    notices: broadcast::Sender<Notice>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Newest first.
    messages: VecDeque<Arc<Message>>,
    /// By lower-cased recipient: how often yet; `None` is for ever.
    refusals: HashMap<String, Option<u32>>,
    captured: u64,
    closed: bool,
}

impl fmt::Debug for Inbox {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Inbox")
            .field("messages", &self.state().messages.len())
            .finish_non_exhaustive()
    }
}

impl Inbox {
    /// An empty inbox.
    pub fn new(clock: Clock) -> Self {
        Self {
            shared: Arc::new(Shared {
                clock,
                notices: broadcast::Sender::new(BACKLOG),
                state: Mutex::default(),
            }),
        }
    }

    /// The messages, newest first; with `to` only those to this recipient,
    /// whatever the case of its letters.
    pub fn messages(&self, to: Option<&str>) -> Vec<Message> {
        self.find(to, usize::MAX)
            .iter()
            .map(|message| Message::clone(message))
            .collect()
    }

    pub(super) fn find(&self, to: Option<&str>, limit: usize) -> Vec<Arc<Message>> {
        let to = to.map(fold);
        self.state()
            .messages
            .iter()
            .filter(|message| to.as_ref().is_none_or(|to| fold(&message.to) == *to))
            .take(limit)
            .cloned()
            .collect()
    }

    /// Captures a message once for each draft, or none of them if one recipient
    /// is refused. Answers the id of the first; `None` without drafts.
    pub fn deliver(&self, drafts: Vec<Draft>) -> Result<Option<String>, Refused> {
        let received_at = (self.shared.clock)();
        let mut state = self.state();
        for draft in &drafts {
            if state.refuses(&draft.to) {
                return Err(Refused {
                    to: draft.to.clone(),
                });
            }
        }
        let mut first = None;
        for draft in drafts {
            let message = state.capture(draft, received_at);
            first.get_or_insert_with(|| message.id.clone());
            // Fails when nobody listens, which is as good. Sent while the lock is
            // held, so that listeners hear of messages in the order they stand in.
            let _ = self.shared.notices.send(Notice::Arrived(message));
        }
        Ok(first)
    }

    /// Throws all messages away.
    pub fn clear(&self) {
        let mut state = self.state();
        state.messages.clear();
        let _ = self.shared.notices.send(Notice::Cleared);
    }

    /// Makes the next messages to this recipient fail: `times` of them, or with
    /// `None` all until [`Inbox::accept_all`]. Zero takes a refusal back.
    pub fn refuse(&self, to: &str, times: Option<u32>) {
        let mut state = self.state();
        if times == Some(0) {
            state.refusals.remove(&fold(to));
        } else {
            state.refusals.insert(fold(to), times);
        }
    }

    /// Takes all refusals back.
    pub fn accept_all(&self) {
        self.state().refusals.clear();
    }

    /// Ends all event streams, those open now and those asked for later: a server
    /// that shuts down gracefully would wait for them for ever.
    pub fn close_streams(&self) {
        let mut state = self.state();
        state.closed = true;
        let _ = self.shared.notices.send(Notice::Closed);
    }

    /// What happens from now on; `None` once the streams are closed.
    pub(super) fn listen(&self) -> Option<broadcast::Receiver<Notice>> {
        let state = self.state();
        (!state.closed).then(|| self.shared.notices.subscribe())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No update can stop half-way, so what a panicking thread left is whole.
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether this recipient is refused; counts the refusal.
    fn refuses(&mut self, to: &str) -> bool {
        let to = fold(to);
        match self.refusals.get_mut(&to) {
            None => false,
            Some(None) => true,
            Some(Some(times)) => {
                *times = times.saturating_sub(1);
                if *times == 0 {
                    self.refusals.remove(&to);
                }
                true
            }
        }
    }

    fn capture(&mut self, draft: Draft, received_at: Timestamp) -> Arc<Message> {
        self.captured += 1;
        let message = Arc::new(Message {
            // With the time in it, an id that a page still shows is not given
            // away again by the next process.
            id: format!(
                "{:012x}-{:06x}",
                received_at.as_millisecond(),
                self.captured
            ),
            channel: draft.channel,
            from: draft.from,
            to: draft.to,
            subject: draft.subject,
            text: draft.text,
            html: draft.html,
            received_at,
        });
        self.messages.push_front(message.clone());
        self.messages.truncate(CAPACITY);
        message
    }
}

/// Recipients are compared without regard to case.
fn fold(to: &str) -> String {
    to.to_lowercase()
}

fn to_the_millisecond<S: Serializer>(time: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{time:.3}"))
}
