use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// What an app keeps with a user and gets back at the user's top level: any JSON object of
/// 16 KiB at most, whose names are not [`RESERVED_FIELDS`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct UserData(Map<String, Value>);

/// Why an object cannot be kept with a user.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UserDataError {
    /// Names that are ours, or dangerous to whoever copies the object (prototype pollution).
    #[error("must not hold the reserved field {0}")]
    Reserved(String),
    /// A text, or a name, with U+0000 in it.
    #[error("must not hold a NUL character")]
    Nul,
    /// More than [`UserData::MAX_BYTES`] as JSON.
    #[error("must be at most 16 KiB as JSON")]
    TooLarge,
}

/// Names that `userData` may not hold: fields of the user object that the system sets itself,
/// and internals. (`name`, `profilePicture` and the verified flags have rules of their own.)
pub const RESERVED_FIELDS: [&str; 15] = [
    "_id",
    "provider",
    "providerUserId",
    "email",
    "phone",
    "password",
    "signUpAt",
    "lastLoginAt",
    "pk",
    "data",
    "userId",
    "passwordHash",
    "claimableAfter",
    "sessionsNotBefore",
    "securityStamp",
];

/// Harmless here, but a loaded gun in any JavaScript that merges objects.
const POLLUTING_FIELDS: [&str; 3] = ["__proto__", "constructor", "prototype"];

impl UserData {
    /// The most bytes of it, as compact JSON.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Takes a field out: those that have a place of their own in the user.
    pub fn take(&mut self, field: &str) -> Option<Value> {
        self.0.remove(field)
    }

    /// The object as it is stored, `None` if it is empty.
    pub fn to_json(&self) -> Option<String> {
        (!self.0.is_empty()).then(|| Value::Object(self.0.clone()).to_string())
    }

    /// The object as it was stored.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json).map(Self)
    }
}

impl TryFrom<Map<String, Value>> for UserData {
    type Error = UserDataError;

    fn try_from(object: Map<String, Value>) -> Result<Self, UserDataError> {
        let reserved: Vec<&str> = object
            .keys()
            .map(String::as_str)
            .filter(|name| RESERVED_FIELDS.contains(name))
            .collect();
        if !reserved.is_empty() {
            return Err(UserDataError::Reserved(reserved.join(", ")));
        }
        let value = Value::Object(object);
        check(&value)?;
        if value.to_string().len() > Self::MAX_BYTES {
            return Err(UserDataError::TooLarge);
        }
        match value {
            Value::Object(object) => Ok(Self(object)),
            _ => Ok(Self::default()),
        }
    }
}

/// Looks at every name and text, however deep; the JSON parser bounds the depth at 128.
fn check(value: &Value) -> Result<(), UserDataError> {
    match value {
        Value::String(text) if text.contains('\0') => Err(UserDataError::Nul),
        Value::Array(items) => items.iter().try_for_each(check),
        Value::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            if POLLUTING_FIELDS.contains(&name.as_str()) {
                return Err(UserDataError::Reserved(name.clone()));
            }
            if name.contains('\0') {
                return Err(UserDataError::Nul);
            }
            check(value)
        }),
        _ => Ok(()),
    }
}

impl JsonSchema for UserData {
    fn schema_name() -> Cow<'static, str> {
        "UserData".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "Anything the app keeps with a user: 16 KiB of JSON at most, without reserved names.",
            "additionalProperties": true,
            "propertyNames": { "not": { "enum": RESERVED_FIELDS } }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: Value) -> Result<UserData, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    #[test]
    fn what_an_app_passes_is_kept_as_it_is() {
        let value = json!({ "plan": "pro", "tags": [1, 2.5, null, { "a": "ü" }] });
        let data = read(value.clone()).unwrap();
        let stored = data.to_json().unwrap();
        assert_eq!(UserData::from_json(&stored).unwrap(), data);
        assert_eq!(serde_json::to_value(data).unwrap(), value);
    }

    #[test]
    fn every_reserved_name_is_refused_and_named() {
        for name in RESERVED_FIELDS {
            assert!(read(json!({ name: 1 })).unwrap_err().contains(name));
        }
        let two = read(json!({ "_id": 1, "plan": 1, "email": 1 })).unwrap_err();
        assert!(
            two.contains("_id, email") || two.contains("email, _id"),
            "{two}"
        );
    }

    #[test]
    fn names_that_pollute_prototypes_are_refused_however_deep() {
        assert!(read(json!({ "__proto__": {} })).is_err());
        assert!(read(json!({ "a": [{ "b": { "constructor": 1 } }] })).is_err());
    }

    #[test]
    fn nul_and_too_much_are_refused() {
        assert!(read(json!({ "a": "x\0y" })).is_err());
        assert!(read(json!({ "a": "x".repeat(17_000) })).is_err());
        assert!(read(json!({ "a": "x".repeat(16_000) })).is_ok());
    }
}
