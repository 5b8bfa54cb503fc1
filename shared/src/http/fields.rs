//! Reads an operation's input, and names every field that is wrong, not only the first.
//!
//! Inputs are plain serde structs. Their own `Deserialize` stops at the first bad field, so it is run once for
//! each field with that field in front: whatever it stops at is that field's own fault. The work is
//! done twice only where there is an error to report.

use std::cell::RefCell;
use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, Visitor,
};
use serde::{Deserialize, Serialize, forward_to_deserialize_any};
use serde_json::{Map, Value};

use crate::domain::Password;

/// One wrong field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Its name on the wire.
    pub field: String,
    /// What is wrong with it, without its value.
    pub message: String,
}

/// What the settings ask of fields beyond their types.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// The fewest characters of a `NewPassword`.
    pub min_password_length: usize,
}

/// Reads an input from the fields of a body or a query.
pub fn read_fields<I: DeserializeOwned>(
    fields: &Map<String, Value>,
    rules: Rules,
) -> Result<I, Vec<FieldError>> {
    let attempt = |first: Option<&str>| {
        let run = Run {
            first,
            fields,
            rules,
            known: RefCell::default(),
            failed: RefCell::default(),
        };
        let read = I::deserialize(&run);
        (read, run.known.into_inner(), run.failed.into_inner())
    };
    let (read, known, failed) = attempt(None);
    let unknown: Vec<FieldError> = fields
        .keys()
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| FieldError {
            field: name.chars().take(64).collect(),
            message: "is not a field of this operation".to_owned(),
        })
        .collect();
    if let (Ok(input), true) = (read, unknown.is_empty()) {
        return Ok(input);
    }
    let mut errors: Vec<FieldError> = known
        .iter()
        .filter_map(|name| attempt(Some(name)).2.filter(|error| error.field == *name))
        .collect();
    if errors.is_empty() {
        errors.extend(failed);
    }
    errors.extend(unknown);
    Err(errors)
}

/// One run of a struct's `Deserialize`.
struct Run<'a> {
    first: Option<&'a str>,
    fields: &'a Map<String, Value>,
    rules: Rules,
    known: RefCell<Vec<&'static str>>,
    failed: RefCell<Option<FieldError>>,
}

/// What is wrong, without the value: it may be a password.
#[derive(Debug)]
struct Problem(String);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Problem {}

impl serde::de::Error for Problem {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }
}

impl<'de> Deserializer<'de> for &Run<'_> {
    type Error = Problem;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        names: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        *self.known.borrow_mut() = names.to_vec();
        let rest = names
            .iter()
            .copied()
            .filter(|name| Some(*name) != self.first);
        let mut order: Vec<&str> = rest.rev().collect();
        order.extend(
            names
                .iter()
                .copied()
                .filter(|name| Some(*name) == self.first),
        );
        visitor.visit_map(InOrder { run: self, order })
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

/// Hands out the fields, the last of `order` first.
struct InOrder<'a> {
    run: &'a Run<'a>,
    order: Vec<&'a str>,
}

impl<'de> MapAccess<'de> for InOrder<'_> {
    type Error = Problem;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Problem> {
        let Some(name) = self.order.last() else {
            return Ok(None);
        };
        let name: StrDeserializer<'_, Problem> = (*name).into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Problem> {
        let name = self.order.pop().unwrap_or_default();
        let field = Field {
            // A field that is null is a field that is not there: JavaScript makes no difference.
            value: self.run.fields.get(name).filter(|value| !value.is_null()),
            rules: self.run.rules,
        };
        seed.deserialize(field).inspect_err(|problem| {
            *self.run.failed.borrow_mut() = Some(FieldError {
                field: name.to_owned(),
                message: problem.0.clone(),
            });
        })
    }
}

/// One field's value, or that there is none.
#[derive(Clone, Copy)]
struct Field<'a> {
    value: Option<&'a Value>,
    rules: Rules,
}

impl Field<'_> {
    fn required(&self) -> Result<&Value, Problem> {
        self.value.ok_or_else(|| Problem("is required".to_owned()))
    }
}

impl<'de> Deserializer<'de> for Field<'_> {
    type Error = Problem;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        let value = self.required()?.clone();
        value
            .deserialize_any(visitor)
            .map_err(|error| Problem(error.to_string()))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.value {
            None => visitor.visit_none(),
            Some(_) => visitor.visit_some(self),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.required()? {
            Value::String(text) => visitor.visit_str(text),
            _ => Err(Problem("must be text".to_owned())),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        self.deserialize_string(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Problem> {
        match self.required()? {
            Value::Object(_) => self.deserialize_any(visitor),
            _ => Err(Problem("must be an object".to_owned())),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Problem> {
        let text = match self.required()? {
            Value::String(text) if variants.contains(&text.as_str()) => text.as_str(),
            _ => {
                let known = variants.join(", ");
                return Err(Problem(format!("must be one of {known}")));
            }
        };
        let text: StrDeserializer<'_, Problem> = text.into_deserializer();
        text.deserialize_enum(name, variants, visitor)
    }

    /// Where a setting has a say in what a type accepts, it is said here, by the type's name.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Problem> {
        if name == "NewPassword" {
            Password::deserialize(self)?
                .at_least(self.rules.min_password_length)
                .map_err(|error| Problem(error.to_string()))?;
        }
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit
        unit_struct seq tuple tuple_struct struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{Action, Email, NewPassword, UserData};

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Input {
        email: Email,
        password: NewPassword,
        #[serde(rename = "redirectURL")]
        redirect_url: Option<String>,
        user_data: Option<UserData>,
        action: Option<Action>,
    }

    fn read(value: &Value) -> Result<Input, Vec<(String, String)>> {
        let rules = Rules {
            min_password_length: 10,
        };
        let named = |error: FieldError| (error.field, error.message);
        read_fields(value.as_object().unwrap(), rules)
            .map_err(|errors| errors.into_iter().map(named).collect())
    }

    #[test]
    fn a_whole_input_is_read() {
        let input = read(&json!({
            "email": "Ada@Example.com", "password": "long enough", "redirectURL": "x",
            "userData": { "plan": "pro" }, "action": "magic-link",
        }))
        .unwrap();
        assert_eq!(input.email.as_str(), "ada@example.com");
        assert_eq!(input.password.0.as_bytes(), b"long enough");
        assert_eq!(input.redirect_url.as_deref(), Some("x"));
        assert!(input.user_data.is_some());
        assert_eq!(input.action, Some(Action::MagicLink));
    }

    #[test]
    fn a_field_that_is_null_is_not_there() {
        let input = json!({ "email": "a@b.c", "password": "long enough", "redirectURL": null });
        assert_eq!(read(&input).unwrap().redirect_url, None);
    }

    #[test]
    fn every_wrong_field_is_named_at_once_and_no_value_is_repeated() {
        let errors = read(&json!({
            "email": 5_550_123, "password": "shorter", "redirectURL": ["x"], "userData": "text",
            "action": "explode", "colour": "red",
        }))
        .unwrap_err();
        let expected = [
            ("email", "must be text"),
            ("password", "must be at least 10 characters long"),
            ("redirectURL", "must be text"),
            ("userData", "must be an object"),
            (
                "action",
                "must be one of email-confirm, magic-link, reset-pwd, change-email",
            ),
            ("colour", "is not a field of this operation"),
        ];
        let expected = expected.map(|(field, message)| (field.to_owned(), message.to_owned()));
        assert_eq!(errors, expected);
    }

    #[test]
    fn what_is_missing_is_named_too() {
        let errors = read(&json!({ "userData": { "_id": 1 } })).unwrap_err();
        let expected = [
            ("email", "is required"),
            ("password", "is required"),
            ("userData", "must not hold the reserved field _id"),
        ];
        let expected = expected.map(|(field, message)| (field.to_owned(), message.to_owned()));
        assert_eq!(errors, expected);
    }
}
