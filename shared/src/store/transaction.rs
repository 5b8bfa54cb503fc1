//! Writes that all happen or none does.

use std::time::Duration;

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure,
    TransactWriteItem, Update,
};

use super::item::{Item, text};
use super::schema::{KEY, Table};
use super::{Store, StoreError};

/// What came of a transaction.
pub(super) enum Outcome {
    /// Every write happened.
    Done,
    /// None did, as conditions failed.
    Refused(Refused),
}

/// The conditions that failed, in the order of the writes.
pub(super) struct Refused(Vec<Option<Failed>>);

/// A failed condition, with the item as it was; `None` where there was none.
pub(super) struct Failed(pub(super) Option<Item>);

impl Refused {
    /// What made the write at this place fail, if it was its own condition.
    pub(super) fn at(&mut self, place: usize) -> Option<Failed> {
        self.0.get_mut(place)?.take()
    }
}

/// How often a transaction that met another on the same items is tried.
const TRIES: u32 = 5;

impl Store {
    /// Writes all or nothing. One call, unless it meets others on the same items: then it is
    /// tried again, as DynamoDB leaves that to the caller.
    pub(super) async fn transact(
        &self,
        writes: Vec<TransactWriteItem>,
    ) -> Result<Outcome, StoreError> {
        for attempt in 1..=TRIES {
            // The SDK adds a token by which DynamoDB knows its retries from new requests.
            let sent = self
                .client
                .transact_write_items()
                .set_transact_items(Some(writes.clone()))
                .send()
                .await;
            let Err(error) = sent else {
                return Ok(Outcome::Done);
            };
            let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
                error.as_service_error()
            else {
                return Err(error.into());
            };
            let reasons = cancelled.cancellation_reasons();
            if has(reasons, "ConditionalCheckFailed") {
                return Ok(Outcome::Refused(refused(reasons)));
            }
            if !has(reasons, "TransactionConflict") {
                return Err(error.into());
            }
            // Half a millisecond to some milliseconds, so that two do not meet again.
            let jitter = u64::from(crate::secrets::random::bytes::<1>()[0]) * 20;
            let pause = Duration::from_micros(500 + jitter * u64::from(attempt));
            tokio::time::sleep(pause).await;
        }
        Err(StoreError::Conflict)
    }

    /// Begins a put. A failed condition tells the item as it was.
    pub(super) fn put(
        &self,
        table: Table,
        item: Item,
    ) -> aws_sdk_dynamodb::types::builders::PutBuilder {
        Put::builder()
            .table_name(self.table(table))
            .set_item(Some(item))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    /// Begins an update of the item with this `pk`.
    pub(super) fn update(
        &self,
        table: Table,
        key: &str,
    ) -> aws_sdk_dynamodb::types::builders::UpdateBuilder {
        Update::builder()
            .table_name(self.table(table))
            .key(KEY, text(key))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    /// Begins a deletion of the item with this `pk`.
    pub(super) fn delete(
        &self,
        table: Table,
        key: &str,
    ) -> aws_sdk_dynamodb::types::builders::DeleteBuilder {
        Delete::builder()
            .table_name(self.table(table))
            .key(KEY, text(key))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    /// Begins a check of the item with this `pk`, which stays as it is.
    pub(super) fn check(
        &self,
        table: Table,
        key: &str,
    ) -> aws_sdk_dynamodb::types::builders::ConditionCheckBuilder {
        ConditionCheck::builder()
            .table_name(self.table(table))
            .key(KEY, text(key))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

/// A finished write, of whatever kind.
pub(super) trait IntoWrite {
    fn write(self) -> TransactWriteItem;
}

/// The builders fail only where a part is missing that the methods above have set.
macro_rules! into_write {
    ($builder:ident, $place:ident) => {
        impl IntoWrite for aws_sdk_dynamodb::types::builders::$builder {
            fn write(self) -> TransactWriteItem {
                let write = self.build().expect("table, key and expression are set");
                TransactWriteItem::builder().$place(write).build()
            }
        }
    };
}

into_write!(PutBuilder, put);
into_write!(UpdateBuilder, update);
into_write!(DeleteBuilder, delete);
into_write!(ConditionCheckBuilder, condition_check);

fn has(reasons: &[CancellationReason], code: &str) -> bool {
    reasons.iter().any(|reason| reason.code() == Some(code))
}

fn refused(reasons: &[CancellationReason]) -> Refused {
    let failed = |reason: &CancellationReason| {
        (reason.code() == Some("ConditionalCheckFailed")).then(|| Failed(reason.item().cloned()))
    };
    Refused(reasons.iter().map(failed).collect())
}
