//! Reading and writing attributes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;

/// An item as DynamoDB has it.
pub(super) type Item = HashMap<String, AttributeValue>;

/// A stored item lacks an attribute, or holds one that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("a stored item has no usable attribute {0}")]
pub struct DamagedItem(pub &'static str);

/// A text.
pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number.
pub(super) fn number(value: impl Into<i64>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// A time, in milliseconds since 1970.
pub(super) fn time(at: Timestamp) -> AttributeValue {
    number(at.as_millisecond())
}

/// A time in whole seconds since 1970, as DynamoDB's own deletion wants it.
pub(super) fn expiry(at: Timestamp) -> AttributeValue {
    number(at.as_second())
}

/// Reads the attributes of an item.
pub(super) trait ReadItem {
    fn maybe_text(&self, name: &'static str) -> Option<&str>;
    fn maybe_number(&self, name: &'static str) -> Result<Option<i64>, DamagedItem>;
    fn maybe_flag(&self, name: &'static str) -> Option<bool>;

    fn text(&self, name: &'static str) -> Result<&str, DamagedItem> {
        self.maybe_text(name).ok_or(DamagedItem(name))
    }

    fn number(&self, name: &'static str) -> Result<i64, DamagedItem> {
        self.maybe_number(name)?.ok_or(DamagedItem(name))
    }

    fn maybe_time(&self, name: &'static str) -> Result<Option<Timestamp>, DamagedItem> {
        let read = |ms| Timestamp::from_millisecond(ms).map_err(|_| DamagedItem(name));
        self.maybe_number(name)?.map(read).transpose()
    }

    fn time(&self, name: &'static str) -> Result<Timestamp, DamagedItem> {
        self.maybe_time(name)?.ok_or(DamagedItem(name))
    }

    fn expiry(&self, name: &'static str) -> Result<Timestamp, DamagedItem> {
        Timestamp::from_second(self.number(name)?).map_err(|_| DamagedItem(name))
    }
}

impl ReadItem for Item {
    fn maybe_text(&self, name: &'static str) -> Option<&str> {
        self.get(name)?.as_s().ok().map(String::as_str)
    }

    fn maybe_number(&self, name: &'static str) -> Result<Option<i64>, DamagedItem> {
        let read = |value: &AttributeValue| value.as_n().ok()?.parse().ok();
        match self.get(name) {
            None => Ok(None),
            Some(value) => read(value).map(Some).ok_or(DamagedItem(name)),
        }
    }

    fn maybe_flag(&self, name: &'static str) -> Option<bool> {
        self.get(name)?.as_bool().ok().copied()
    }
}
