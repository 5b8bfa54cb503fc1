//! Session tokens: JWTs signed with RS256, the one algorithm that API Gateway's own JWT
//! authorizer takes, pinned at verification (RFC 8725, 3.1).

use std::sync::Once;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey, Validation};
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::{Clock, Session, SessionId, SessionView, UserId};

/// The public keys of a deployment, as published (RFC 7517).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KeySet {
    /// Every key that a token now alive may be signed with.
    pub keys: Vec<Jwk>,
}

/// One public RSA key (RFC 7518, 6.3.1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Jwk {
    /// Always `RSA`.
    pub kty: String,
    /// Names the key within its set.
    pub kid: String,
    /// Always `RS256`.
    pub alg: String,
    /// Always `sig`.
    pub r#use: String,
    /// The modulus, base64url.
    pub n: String,
    /// The exponent, base64url.
    pub e: String,
}

/// The private key that signs, as it lies in the secret store: JSON with `kid` and `pkcs8`
/// (PKCS #8 DER in base64). It never prints itself.
pub struct SigningKey {
    kid: String,
    pair: KeyPair,
}

/// The secret store holds no usable key.
#[derive(Debug, thiserror::Error)]
pub enum SigningKeyError {
    /// Not the JSON that is expected; it is not quoted, being a secret.
    #[error("the signing key is not JSON with kid and pkcs8")]
    Syntax,
    /// Not an RSA key of 2048 bits or more.
    #[error("the signing key is no RSA key in PKCS #8: {0}")]
    Key(String),
}

/// What a session token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionClaims {
    iss: String,
    aud: String,
    sub: UserId,
    sid: String,
    iat: i64,
    exp: i64,
}

/// A token that is not one of ours, or not any more. Why does not matter to who sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session token is not valid")]
pub struct InvalidSessionToken;

/// Makes session tokens.
pub struct SessionTokens {
    key: SigningKey,
    issuer: String,
    audience: String,
}

/// Checks session tokens by the public keys.
pub struct SessionVerifier {
    keys: Vec<(String, DecodingKey)>,
    validation: Validation,
    clock: Clock,
}

impl SigningKey {
    /// Reads what the secret store holds.
    pub fn from_json(json: &str) -> Result<Self, SigningKeyError> {
        #[derive(Deserialize)]
        struct Stored {
            kid: String,
            pkcs8: String,
        }
        let stored: Stored = serde_json::from_str(json).map_err(|_| SigningKeyError::Syntax)?;
        let der = STANDARD
            .decode(stored.pkcs8)
            .map_err(|_| SigningKeyError::Syntax)?;
        let pair =
            KeyPair::from_pkcs8(&der).map_err(|error| SigningKeyError::Key(error.to_string()))?;
        Ok(Self {
            kid: stored.kid,
            pair,
        })
    }

    /// The form that the secret store holds.
    pub fn to_json(kid: &str, pkcs8_der: &[u8]) -> String {
        serde_json::json!({ "kid": kid, "pkcs8": STANDARD.encode(pkcs8_der) }).to_string()
    }

    /// The public half, to publish.
    pub fn jwk(&self) -> Jwk {
        let public: PublicKeyComponents<Vec<u8>> = self.pair.public().into();
        Jwk {
            kty: "RSA".into(),
            kid: self.kid.clone(),
            alg: "RS256".into(),
            r#use: "sig".into(),
            n: URL_SAFE_NO_PAD.encode(public.n),
            e: URL_SAFE_NO_PAD.encode(public.e),
        }
    }

    fn sign(&self, message: &str) -> Vec<u8> {
        #[expect(
            clippy::disallowed_methods,
            reason = "ring blinds the private key with it, and takes no other source"
        )]
        let randomness = ring::rand::SystemRandom::new();
        let mut signature = vec![0; self.pair.public().modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &randomness,
                message.as_bytes(),
                &mut signature,
            )
            .expect("a 2048-bit key signs a SHA-256 hash");
        signature
    }
}

impl SessionTokens {
    /// Signs with this key, for this issuer (the deployment's public URL) and audience.
    pub fn new(key: SigningKey, issuer: &str, audience: &str) -> Self {
        Self {
            key,
            issuer: issuer.to_owned(),
            audience: audience.to_owned(),
        }
    }

    /// A session as the wire shows it, with its token.
    pub fn view(&self, session: &Session) -> SessionView {
        session.view(self.sign(session))
    }

    /// The token of a session: the same claims whenever it is made.
    pub fn sign(&self, session: &Session) -> String {
        let header = serde_json::json!({ "typ": "JWT", "alg": "RS256", "kid": self.key.kid });
        let claims = SessionClaims {
            iss: self.issuer.clone(),
            aud: self.audience.clone(),
            sub: session.user_id.clone(),
            sid: session.id.0.clone(),
            iat: session.created_at.as_second(),
            exp: session.expires_at.as_second(),
        };
        let claims = serde_json::json!(claims);
        let message = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header.to_string()),
            URL_SAFE_NO_PAD.encode(claims.to_string()),
        );
        // Not `jsonwebtoken::encode`: that would parse the key anew for every token.
        let signature = self.key.sign(&message);
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl SessionVerifier {
    /// Trusts these keys, this issuer and this audience, and nothing else.
    pub fn new(keys: &KeySet, issuer: &str, audience: &str, clock: Clock) -> Self {
        install_crypto();
        let keys = keys
            .keys
            .iter()
            .filter(|key| key.kty == "RSA" && key.alg == "RS256")
            .filter_map(|key| {
                let decoding = DecodingKey::from_rsa_components(&key.n, &key.e).ok()?;
                Some((key.kid.clone(), decoding))
            })
            .collect();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[issuer]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp"]);
        // `exp` is checked in `verify`, by our clock.
        validation.validate_exp = false;
        Self {
            keys,
            validation,
            clock,
        }
    }

    /// What a token says, if it is one of ours and has not expired. Whether its session has
    /// been ended since, the store must tell.
    pub fn verify(&self, token: &str) -> Result<SessionClaims, InvalidSessionToken> {
        let claims = self.read(token)?;
        if claims.exp <= self.clock.now().as_second() {
            return Err(InvalidSessionToken);
        }
        Ok(claims)
    }

    /// What a token says, if it is one of ours, expired or not.
    pub fn read(&self, token: &str) -> Result<SessionClaims, InvalidSessionToken> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| InvalidSessionToken)?;
        let kid = header.kid.ok_or(InvalidSessionToken)?;
        let (_, key) = self
            .keys
            .iter()
            .find(|(known, _)| *known == kid)
            .ok_or(InvalidSessionToken)?;
        let claims = jsonwebtoken::decode::<SessionClaims>(token, key, &self.validation)
            .map_err(|_| InvalidSessionToken)?
            .claims;
        Ok(claims)
    }
}

impl SessionClaims {
    /// Whose session.
    pub fn user_id(&self) -> &UserId {
        &self.sub
    }

    /// Which of the user's sessions.
    pub fn session_id(&self) -> SessionId {
        SessionId(self.sid.clone())
    }
}

/// Lets `jsonwebtoken` verify with `ring`, which the rest of the binary uses already; everything
/// else it could do is refused.
fn install_crypto() {
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: |_: &Algorithm, _: &EncodingKey| -> Result<Box<dyn JwtSigner>, _> {
            Err(ErrorKind::UnsupportedAlgorithm.into())
        },
        verifier_factory: |algorithm, key| match (algorithm, key.kind()) {
            (Algorithm::RS256, DecodingKeyKind::RsaModulusExponent { n, e }) => {
                Ok(Box::new(RingVerifier(PublicKeyComponents {
                    n: n.clone(),
                    e: e.clone(),
                })))
            }
            _ => Err(ErrorKind::InvalidAlgorithm.into()),
        },
        key_utils: KeyUtils::new_unimplemented(),
    };
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error says that a host program has installed a provider of its own.
        let _ = PROVIDER.install_default();
    });
}

struct RingVerifier(PublicKeyComponents<Vec<u8>>);

impl signature::Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        self.0
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            .map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::RS256
    }
}
