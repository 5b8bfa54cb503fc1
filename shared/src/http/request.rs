//! What a request says: the fields of its query and of its body.

use std::fmt;

use ::http::Method;
use ::http::header;
use bytes::Bytes;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::fields::FieldError;
use super::{Incoming, MAX_BODY_BYTES, Refusal, code};
use crate::route::Route;

/// The parameters of a query, in their order.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    pub(super) fn parse(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// A parameter that stands there once: two could be read differently by two programs.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, Refusal> {
        let mut found = self.0.iter().filter(|(known, _)| known == name);
        let first = found.next().map(|(_, value)| value.as_str());
        if found.next().is_some() {
            return Err(Refusal::validation(&[FieldError {
                field: name.to_owned(),
                message: "is given more than once".to_owned(),
            }]));
        }
        Ok(first)
    }
}

/// The fields of a request: those of the query that the route names, and the body's.
pub(super) fn read_request(
    route: &Route,
    request: &Incoming,
    query: &Query,
) -> Result<Map<String, Value>, Refusal> {
    let mut fields = match request.method {
        Method::POST => read_body(request)?,
        _ => Map::new(),
    };
    for name in route.query {
        // A secret belongs where the operation looks for it, and a field of the query is none of the body.
        if fields.contains_key(*name) {
            return Err(Refusal::validation(&[FieldError {
                field: (*name).to_owned(),
                message: "belongs in the query".to_owned(),
            }]));
        }
        if let Some(value) = query.one(name)? {
            fields.insert((*name).to_owned(), Value::from(value));
        }
    }
    Ok(fields)
}

fn read_body(request: &Incoming) -> Result<Map<String, Value>, Refusal> {
    if request.body.len() > MAX_BODY_BYTES {
        return Err(Refusal::new(code::BODY_TOO_LARGE));
    }
    if let Some(media_type) = request.headers.get(header::CONTENT_TYPE) {
        let media_type = media_type.to_str().unwrap_or("?");
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            return Err(Refusal::new(code::UNSUPPORTED_MEDIA_TYPE));
        }
    }
    if request.body.is_empty() {
        return Ok(Map::new());
    }
    parse_object(&request.body).ok_or_else(|| Refusal::new(code::INVALID_BODY_SYNTAX))
}

/// A JSON object in which no name stands twice, at any depth: two readers could take two different ones.
fn parse_object(body: &Bytes) -> Option<Map<String, Value>> {
    match serde_json::from_slice::<Strict>(body) {
        Ok(Strict(Value::Object(fields))) => Some(fields),
        _ => None,
    }
}

/// Any JSON value without a name that stands twice.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = seq.next_element()? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some((name, Strict(value))) = map.next_entry::<String, _>()? {
            if fields.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(Value::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parses(json: &str) -> bool {
        parse_object(&Bytes::from(json.to_owned())).is_some()
    }

    #[test]
    fn only_an_object_without_doubles_is_a_body() {
        assert!(parses(r#"{"a":{"b":[1,-2,3.5,null,true,"x"]},"c":{}}"#));
        for json in [
            "",
            "null",
            "[]",
            "\"text\"",
            "{",
            r#"{"a":1}{"#,
            r#"{"a":1,"a":2}"#,
            r#"{"x":[{"a":1,"a":1}]}"#,
            r#"{"a":"\ud800"}"#,
            "{\"a\":\"\0\"}",
            r#"{"a":1e999}"#,
            &format!("{}{}", r#"{"a":"#.repeat(200), "}".repeat(200)),
        ] {
            assert!(!parses(json), "{json}");
        }
        assert!(parse_object(&Bytes::from_static(b"{\"a\":\"\xff\"}")).is_none());
    }

    #[test]
    fn a_parameter_that_stands_twice_is_refused() {
        let query = Query::parse("a=1&b=%20x+y&a=2");
        assert_eq!(query.one("b").unwrap(), Some(" x y"));
        assert!(query.one("a").is_err());
        assert_eq!(query.one("c").unwrap(), None);
    }
}
