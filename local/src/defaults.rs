//! The settings of the laptop.

use serde_json::{Map, Value, json};
use shared::secrets::digest::sha256_hex;

/// The publishable key of the laptop.
pub const PUBLISHABLE_KEY: &str = "pk_local";
/// The secret key of the laptop.
pub const SECRET_KEY: &str = "sk_local";
/// Begins the name of every table and parameter.
pub const DEPLOYMENT: &str = "latchkey-local";

/// The settings of a laptop that answers at this address, with what a file says in their place.
pub fn settings(public_url: &str, file: Option<Value>) -> Value {
    let mut settings = json!({
        "public_url": public_url,
        "api_keys": [
            { "name": "local app", "type": "publishable", "sha256": sha256_hex(PUBLISHABLE_KEY.as_bytes()) },
            { "name": "local server", "type": "secret", "sha256": sha256_hex(SECRET_KEY.as_bytes()) },
        ],
        "redirect_urls": [
            "http://localhost:3000/auth/callback",
            "http://127.0.0.1:9000/_inbox/landing",
            format!("{public_url}/_inbox/landing"),
        ],
        "allowed_origins": ["http://localhost:3000"],
        "email": { "from_address": "no-reply@latchkey.localhost", "from_name": "Latchkey" },
    });
    if let Some(file) = file {
        merge(&mut settings, file);
    }
    settings
}

/// Puts what a patch says in place of what a document says (JSON Merge Patch, RFC 7396).
fn merge(document: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *document = patch;
        return;
    };
    if !document.is_object() {
        *document = Value::Object(Map::new());
    }
    let Some(fields) = document.as_object_mut() else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            fields.remove(&name);
        } else {
            merge(fields.entry(name).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_changes_what_it_names_and_leaves_the_rest() {
        let file = json!({ "email": { "confirmation": false, "from_name": null } });
        let settings = settings("http://127.0.0.1:9000", Some(file));
        assert_eq!(settings["email"]["confirmation"], false);
        assert_eq!(
            settings["email"]["from_address"],
            "no-reply@latchkey.localhost"
        );
        assert!(settings["email"].get("from_name").is_none());
        assert_eq!(settings["api_keys"].as_array().unwrap().len(), 2);
    }
}
