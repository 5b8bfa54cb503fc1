//! What an operation takes and gives, for the OpenAPI document (3.1), from its Rust types.

use std::collections::BTreeSet;

use schemars::{Schema, SchemaGenerator};
use serde_json::{Map, Value, json};
use shared::http::{Code, Errors, Operation, Output, Refuse, code};
use shared::route::{Auth, Method, Route};
use shared::secrets::KeySet;

use crate::OPERATIONS;

/// An operation's types.
pub struct Description {
    input: Schema,
    status: u16,
    output: Option<Schema>,
    codes: &'static [Code],
}

/// Describes the operation whose dependencies are `D`.
pub(crate) fn describe<D: Operation>(generator: &mut SchemaGenerator) -> Description {
    Description {
        input: generator.root_schema_for::<D::Input>(),
        status: D::Output::STATUS.as_u16(),
        output: D::Output::schema(generator),
        codes: D::Error::CODES,
    }
}

/// The codes that an operation answers beside those of the common rules.
pub fn own_codes(operation: &crate::Operation) -> &'static [Code] {
    (operation.describe)(&mut SchemaGenerator::default()).codes
}

/// The codes that an operation may answer: its own, and those of the common rules that it comes under.
pub fn codes(route: &Route, own: &[Code]) -> Vec<Code> {
    let mut all = own.to_vec();
    if route.auth != Auth::Public {
        all.extend([
            code::MISSING_API_KEY,
            code::INVALID_API_KEY,
            code::EXPIRED_API_KEY,
            code::DOMAIN_NOT_AUTHORIZED,
            code::IP_NOT_AUTHORIZED,
        ]);
    }
    if route.auth == Auth::KeyAndSession {
        all.extend([code::MISSING_SESSION_TOKEN, code::INVALID_SESSION_TOKEN]);
    }
    if route.methods.contains(&Method::Post) {
        all.extend([
            code::INVALID_BODY_SYNTAX,
            code::VALIDATION,
            code::BODY_TOO_LARGE,
            code::UNSUPPORTED_MEDIA_TYPE,
        ]);
    } else if !route.query.is_empty() {
        all.push(code::VALIDATION);
    }
    if !route.needs.limits.is_empty() {
        all.push(code::RATE_LIMIT_EXCEEDED);
    }
    all.extend([code::INTERNAL, code::UNAVAILABLE]);
    all.sort_unstable();
    all.dedup();
    all
}

/// The OpenAPI document of every operation in the table.
pub fn openapi() -> Value {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12()
        .with(|settings| {
            settings.meta_schema = None;
            settings.definitions_path = "/components/schemas".into();
        })
        .into_generator();
    // Named in the document although only a part of an answer refers to it.
    generator.subschema_for::<KeySet>();
    let mut paths = Map::new();
    for operation in OPERATIONS {
        let description = (operation.describe)(&mut generator);
        for path in operation.route.paths {
            let item = paths.entry(*path).or_insert_with(|| json!({}));
            for method in operation.route.methods {
                let name = method.as_str().to_ascii_lowercase();
                item[name] = describe_operation(operation.route, *method, &description);
            }
        }
    }
    generator.subschema_for::<Errors>();
    let schemas: Map<String, Value> = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Latchkey",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "User accounts and sign-in for apps.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "apiKey": { "type": "apiKey", "in": "header", "name": "Authorization" },
                "apiKeyInQuery": { "type": "apiKey", "in": "query", "name": "apikey" },
                "session": { "type": "apiKey", "in": "header", "name": "Session" },
                "sessionCookie": { "type": "apiKey", "in": "cookie", "name": "session_token" },
            },
        },
    })
}

fn describe_operation(route: &Route, method: Method, description: &Description) -> Value {
    let mut document = json!({
        "operationId": route.name,
        "summary": route.summary,
        "security": security(route.auth),
        "responses": responses(route, description),
    });
    let input = description.input.as_value();
    let properties = input["properties"].as_object().cloned().unwrap_or_default();
    let required: Vec<&str> = input["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let parameters: Vec<Value> = route
        .query
        .iter()
        .map(|name| {
            json!({
                "name": name,
                "in": "query",
                "required": required.contains(name),
                "schema": properties.get(*name),
            })
        })
        .collect();
    if !parameters.is_empty() {
        document["parameters"] = Value::from(parameters);
    }
    if method == Method::Post {
        let in_body = |name: &&str| !route.query.contains(name);
        let required: Vec<&str> = required.into_iter().filter(in_body).collect();
        let properties: Map<String, Value> = properties
            .into_iter()
            .filter(|(name, _)| in_body(&name.as_str()))
            .collect();
        document["requestBody"] = json!({
            "required": !required.is_empty(),
            "content": { "application/json": { "schema": {
                "type": "object",
                "properties": properties,
                "required": required,
                "additionalProperties": false,
            } } },
        });
    }
    document
}

fn security(auth: Auth) -> Value {
    let keys = ["apiKey", "apiKeyInQuery"];
    let sessions = ["session", "sessionCookie"];
    match auth {
        Auth::Public => json!([]),
        Auth::Key => keys.iter().map(|key| json!({ *key: [] })).collect(),
        Auth::KeyAndSession => keys
            .iter()
            .flat_map(|key| sessions.map(|session| json!({ *key: [], session: [] })))
            .collect(),
    }
}

fn responses(route: &Route, description: &Description) -> Value {
    let mut responses = Map::new();
    let success = match (&description.output, description.status) {
        (Some(schema), _) => json!({
            "description": "Success.",
            "content": { "application/json": { "schema": schema } },
        }),
        (None, 302) => json!({
            "description": "Sends the browser to the redirect URL, with what came of it in the query; \
                            errors of the link come that way too.",
            "headers": { "Location": { "schema": { "type": "string", "format": "uri" } } },
        }),
        (None, _) => json!({ "description": "Success, without a body." }),
    };
    responses.insert(description.status.to_string(), success);
    let codes = codes(route, description.codes);
    for status in codes
        .iter()
        .map(|code| code.status)
        .collect::<BTreeSet<_>>()
    {
        let here: Vec<&Code> = codes.iter().filter(|code| code.status == status).collect();
        let lines: Vec<String> = here
            .iter()
            .map(|code| format!("`{}`: {}", code.name, code.message))
            .collect();
        let names: Vec<&str> = here.iter().map(|code| code.name).collect();
        let one_of_these = json!({ "properties": { "errors": { "items": {
            "properties": { "code": { "enum": names } },
        } } } });
        responses.insert(
            status.to_string(),
            json!({
                "description": lines.join("\n"),
                "content": { "application/json": { "schema": {
                    "allOf": [{ "$ref": "#/components/schemas/Errors" }, one_of_these],
                } } },
            }),
        );
    }
    Value::Object(responses)
}
