use std::error::Error;

use serde_json::{Value, json};

use super::code::{self, Code};
use super::fields::FieldError;
use crate::domain::{Action, RedirectUrl};
use crate::notify::SendError;
use crate::secrets::HashError;
use crate::store::{LimitError, StoreError};

/// What a caller is told instead of a success.
#[derive(Debug)]
pub struct Refusal {
    /// Which error.
    pub code: Code,
    /// More, where there is something to tell.
    pub details: Option<Value>,
    /// When to try again.
    pub retry_after_seconds: Option<u32>,
    /// For a person in a browser: the allow-listed URL that he is sent back to with the error.
    pub redirect: Option<(RedirectUrl, Action)>,
    /// What only the log may say.
    pub cause: Option<Box<dyn Error + Send + Sync>>,
}

/// An error of an operation: what it tells the caller.
pub trait Refuse: Send {
    /// Every code it may give, beside the common ones. The OpenAPI document and the tests take
    /// them from here.
    const CODES: &'static [Code];

    /// The answer.
    fn refuse(self) -> Refusal;
}

impl Refusal {
    /// This error and no more.
    pub fn new(code: Code) -> Self {
        Self {
            code,
            details: None,
            retry_after_seconds: None,
            redirect: None,
            cause: None,
        }
    }

    /// With details.
    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = Some(details);
        self
    }

    /// Sent back to a page of the app instead of answered as JSON.
    #[must_use]
    pub fn sent_back_to(mut self, url: RedirectUrl, action: Action) -> Self {
        self.redirect = Some((url, action));
        self
    }

    /// With a cause for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Error + Send + Sync + 'static) -> Self {
        self.cause = Some(Box::new(cause));
        self
    }

    /// These fields are wrong.
    pub fn validation(fields: &[FieldError]) -> Self {
        Self::new(code::VALIDATION).with_details(json!({ "fields": fields }))
    }
}

/// The error of an operation that cannot fail.
#[derive(Debug)]
pub enum Never {}

impl Refuse for Never {
    const CODES: &'static [Code] = &[];

    fn refuse(self) -> Refusal {
        match self {}
    }
}

/// The common ways to fail that no caller can do anything about.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// Too many tries.
    #[error("too many, for the next {retry_after_seconds} seconds")]
    Limited {
        /// When to try again.
        retry_after_seconds: u32,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A password could not be hashed or checked.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// A message could not be sent.
    #[error(transparent)]
    Send(#[from] SendError),
}

/// All that can go wrong in many an operation that needs a session.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The session has ended, or its user is gone.
    #[error("the session has ended")]
    Ended,
    /// Nobody's fault who calls.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<StoreError> for SessionError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl Refuse for SessionError {
    const CODES: &'static [Code] = &[code::INVALID_SESSION_TOKEN];

    fn refuse(self) -> Refusal {
        match self {
            Self::Ended => Refusal::new(code::INVALID_SESSION_TOKEN),
            Self::Unavailable(error) => error.refuse(),
        }
    }
}

impl From<LimitError> for Unavailable {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Reached {
                retry_after_seconds,
            } => Self::Limited {
                retry_after_seconds,
            },
            LimitError::Store(error) => Self::Store(error),
        }
    }
}

impl Unavailable {
    /// The answer.
    pub fn refuse(self) -> Refusal {
        match self {
            Self::Limited {
                retry_after_seconds,
            } => Refusal {
                retry_after_seconds: Some(retry_after_seconds),
                ..Refusal::new(code::RATE_LIMIT_EXCEEDED)
            },
            // What we wrote ourselves will not become readable by waiting.
            Self::Store(StoreError::Damaged(_)) | Self::Hash(HashError::Unreadable) => {
                Refusal::new(code::INTERNAL).because(self)
            }
            Self::Send(_) => Refusal::new(code::CANNOT_SEND_AUTH_EMAIL).because(self),
            _ => Refusal {
                retry_after_seconds: Some(1),
                ..Refusal::new(code::UNAVAILABLE).because(self)
            },
        }
    }
}
