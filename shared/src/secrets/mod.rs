//! Randomness, digests, password hashes, signed session tokens and API keys.

mod api_keys;
pub mod digest;
mod passwords;
pub mod random;
mod session_tokens;

pub use api_keys::{ApiKey, ApiKeyError, ApiKeyKind, ApiKeys};
pub use passwords::{HashError, Passwords};
pub use session_tokens::{
    InvalidSessionToken, Jwk, KeySet, SessionClaims, SessionTokens, SessionVerifier, SigningKey,
    SigningKeyError,
};
