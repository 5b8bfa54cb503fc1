use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::digest;
use crate::domain::OriginPattern;

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApiKeyKind {
    /// Ships in apps; anybody can read it there, so it proves nothing about who calls.
    Publishable,
    /// Stays on a server; its calls may set `emailVerified` and `phoneVerified` at sign-up.
    Secret,
}

/// A key that apps call with. Only its SHA-256 is kept: the key itself is random.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// What people call it.
    pub name: String,
    /// `publishable` or `secret`.
    #[serde(rename = "type")]
    pub kind: ApiKeyKind,
    /// SHA-256 of the key in lower-case hexadecimal.
    #[schemars(regex(pattern = "^[0-9a-f]{64}$"))]
    pub sha256: String,
    /// From then on the key is refused; RFC 3339. Empty: never.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    pub expires_at: Option<Timestamp>,
    /// Web origins it may be used from, e.g. `https://app.example.com`. Empty: from anywhere.
    #[serde(default)]
    pub origins: Vec<OriginPattern>,
    /// Address ranges it may be used from, e.g. `203.0.113.0/24`. Empty: from anywhere.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub ip_ranges: Vec<IpNet>,
}

/// The keys of a deployment.
#[derive(Clone, Debug)]
pub struct ApiKeys(Vec<ApiKey>);

/// Why a key was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// No such key.
    #[error("unknown API key")]
    Unknown,
    /// Its time is over.
    #[error("expired API key")]
    Expired,
    /// Not to be used from the web page that calls.
    #[error("API key used from another origin")]
    Origin,
    /// Not to be used from the address that calls.
    #[error("API key used from another address")]
    Address,
}

impl ApiKeys {
    /// The keys of the settings.
    pub fn new(keys: Vec<ApiKey>) -> Self {
        Self(keys)
    }

    /// What a key may do, called from here and now.
    pub fn check(
        &self,
        key: &str,
        origin: Option<&str>,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<ApiKeyKind, ApiKeyError> {
        let hash = digest::sha256_hex(key.as_bytes());
        // Every key is compared, so that the time tells nothing about which one was near.
        let found = self.0.iter().fold(None, |found, key| {
            if digest::equal(&key.sha256, &hash) {
                Some(key)
            } else {
                found
            }
        });
        let key = found.ok_or(ApiKeyError::Unknown)?;
        if key.expires_at.is_some_and(|expiry| expiry <= now) {
            return Err(ApiKeyError::Expired);
        }
        let from_there = |origin| key.origins.iter().any(|pattern| pattern.allows(origin));
        if !key.origins.is_empty() && !origin.is_some_and(from_there) {
            return Err(ApiKeyError::Origin);
        }
        let address = address.to_canonical();
        if !key.ip_ranges.is_empty() && !key.ip_ranges.iter().any(|range| range.contains(&address))
        {
            return Err(ApiKeyError::Address);
        }
        Ok(key.kind)
    }
}
