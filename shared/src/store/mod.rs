//! Users, tokens, sessions and limits in DynamoDB.
//!
//! Uniqueness and single use are conditions of a write, never "find, then write". An expired item is
//! dead although DynamoDB has not deleted it yet: every read and every condition checks the time itself.
//! Each method says how many calls it makes; those of one operation add up to its budget.

mod access_tokens;
mod email_changes;
mod item;
mod limits;
mod links;
pub mod schema;
mod sessions;
mod sign_up;
mod transaction;
mod users;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BoxError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::RequestId;

pub use access_tokens::GrantError;
pub use email_changes::{EmailChange, EmailChangeError};
pub use item::DamagedItem;
pub use limits::{Limit, LimitError};
pub use links::{Exchange, Link, LinkError};
pub use sign_up::{Opening, SignUpError};
pub use users::ChangedMeanwhile;

use schema::Table;

/// The four tables of a deployment.
#[derive(Clone, Debug)]
pub struct Store {
    client: Client,
    deployment: String,
}

/// DynamoDB did not do what was asked of it, or holds what we did not write.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A call failed, after its retries.
    #[error("DynamoDB failed ({code})")]
    Call {
        /// DynamoDB's own name for it, or the kind of failure on the way there.
        code: String,
        /// The rest.
        #[source]
        source: BoxError,
    },
    /// A transaction kept meeting others on the same items.
    #[error("DynamoDB reported a transaction conflict, again and again")]
    Conflict,
    /// DynamoDB left a part of a batch undone, again and again.
    #[error("DynamoDB left a part of a batch undone")]
    Unprocessed,
    /// A stored item lacks an attribute or holds a wrong one.
    #[error(transparent)]
    Damaged(#[from] DamagedItem),
}

impl Store {
    /// Over this client, for the deployment of this name.
    pub fn new(client: Client, deployment: &str) -> Self {
        Self {
            client,
            deployment: deployment.to_owned(),
        }
    }

    /// The table's name in the account.
    fn table(&self, table: Table) -> String {
        table.name_in(&self.deployment)
    }
}

impl<E, R> From<SdkError<E, R>> for StoreError
where
    E: std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
    SdkError<E, R>: RequestId,
{
    fn from(error: SdkError<E, R>) -> Self {
        let code = match &error {
            SdkError::ServiceError(context) => context.err().code().unwrap_or("unnamed"),
            SdkError::TimeoutError(_) => "time-out",
            SdkError::DispatchFailure(_) => "no connection",
            SdkError::ResponseError(_) => "unreadable answer",
            _ => "not sent",
        };
        Self::Call {
            code: code.to_owned(),
            source: error.into(),
        }
    }
}
