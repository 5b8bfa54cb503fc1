//! `GET /.well-known/jwks.json` and `/.well-known/openid-configuration`: what API Gateway's JWT
//! authorizer, or any JWT library, needs to check a session token (RFC 7517; OpenID Connect Discovery 1.0).

use std::future::{Ready, ready};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{Caller, Never, Published};
use shared::resources::{Resources, StartError};
use shared::secrets::KeySet;

/// Takes nothing.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {}

/// One of the two documents, by the path.
pub type Output = Published<Document>;

/// Nothing can go wrong.
pub type Error = Never;

/// One of the two documents.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Document {
    /// The keys.
    Keys(KeySet),
    /// Where the keys are.
    Discovery(Discovery),
}

/// Where the keys are, and what they sign.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Discovery {
    /// The `iss` of every session token.
    pub issuer: String,
    /// Where the keys are.
    pub jwks_uri: String,
    /// Where a person signs in with a provider.
    pub authorization_endpoint: String,
    /// Session tokens are given out by our own operations and not by an OAuth flow.
    pub response_types_supported: Vec<String>,
    /// Every client sees the same `sub`.
    pub subject_types_supported: Vec<String>,
    /// The one algorithm.
    pub id_token_signing_alg_values_supported: Vec<String>,
}

/// The two documents, ready.
#[derive(Debug)]
pub struct Deps {
    keys: Document,
    discovery: Document,
}

impl Deps {
    /// Makes the documents.
    pub fn start(resources: &Resources) -> Result<Self, StartError> {
        let issuer = resources.settings.public_url.as_str();
        let one = |value: &str| vec![value.to_owned()];
        Ok(Self {
            keys: Document::Keys(resources.public_keys.clone()),
            discovery: Document::Discovery(Discovery {
                issuer: issuer.to_owned(),
                jwks_uri: format!("{issuer}/.well-known/jwks.json"),
                authorization_endpoint: format!("{issuer}/agnost/oauth"),
                response_types_supported: one("token"),
                subject_types_supported: one("public"),
                id_token_signing_alg_values_supported: one("RS256"),
            }),
        })
    }
}

/// Gives the document of the path.
pub fn run(deps: &Deps, caller: &Caller, _: Input) -> Ready<Result<Output, Error>> {
    let document = if caller.path.ends_with("/jwks.json") {
        &deps.keys
    } else {
        &deps.discovery
    };
    ready(Ok(Published(document.clone())))
}
