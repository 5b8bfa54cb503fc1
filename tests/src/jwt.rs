//! JSON Web Tokens, read and written without the product's own code (RFC 7515).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde_json::Value;

/// A token, taken apart.
#[derive(Clone, Debug)]
pub struct Jwt {
    /// The header.
    pub header: Value,
    /// The payload.
    pub claims: Value,
    /// What the signature signs.
    pub message: String,
    /// The signature.
    pub signature: Vec<u8>,
}

impl Jwt {
    /// Takes a token apart.
    ///
    /// # Panics
    /// If it is none.
    #[track_caller]
    pub fn read(token: &str) -> Self {
        let parts: Vec<&str> = token.split('.').collect();
        let [header, claims, signature] = parts[..] else {
            panic!("not three parts: {token}");
        };
        let json = |part| serde_json::from_slice(&decode(part)).expect("JSON in a token");
        Self {
            header: json(header),
            claims: json(claims),
            message: format!("{header}.{claims}"),
            signature: decode(signature),
        }
    }

    /// Whether the key of a JWK set that its header names has signed it with RS256.
    pub fn is_signed_by(&self, keys: &Value) -> bool {
        let keys = keys["keys"].as_array().cloned().unwrap_or_default();
        let Some(key) = keys.iter().find(|key| key["kid"] == self.header["kid"]) else {
            return false;
        };
        let public = RsaPublicKeyComponents {
            n: member(key, "n"),
            e: member(key, "e"),
        };
        self.header["alg"] == "RS256"
            && public
                .verify(
                    &RSA_PKCS1_2048_8192_SHA256,
                    self.message.as_bytes(),
                    &self.signature,
                )
                .is_ok()
    }
}

/// What a token's signature signs.
pub fn message(header: &Value, claims: &Value) -> String {
    format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims.to_string())
    )
}

/// Base64 as JWTs have it.
pub fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A binary member of a JWK.
///
/// # Panics
/// If the key has no such member.
#[track_caller]
pub fn member(key: &Value, name: &str) -> Vec<u8> {
    decode(key[name].as_str().expect("a member of the key"))
}

#[track_caller]
fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD
        .decode(text)
        .expect("base64url without padding")
}
