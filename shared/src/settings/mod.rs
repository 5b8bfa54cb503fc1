//! The one document that says how a deployment behaves.
//!
//! JSON, kept as a parameter; Terraform's variable has the same shape. A field that is unknown, missing
//! or out of range stops the function at its start with a message that names the field.
//! Nothing in it is secret: API keys stand here as hashes.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::domain::{Email, OriginPattern, Password, RedirectPattern, RedirectUrl};
use crate::notify::{self, TemplateError, TemplateName, TemplateText};
use crate::secrets::ApiKey;

/// How a deployment behaves. Only `public_url`, `api_keys`, `redirect_urls` and `email.from_address`
/// have to be set.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where the deployment answers, without a slash at the end: the base of every link in a message,
    /// and the issuer of session tokens.
    pub public_url: BaseUrl,
    /// Other base URLs that a caller may ask for in `baseURL`; any other is ignored.
    #[serde(default)]
    pub base_urls: Vec<BaseUrl>,
    /// The audience (`aud`) of session tokens.
    #[serde(default = "default_audience")]
    pub audience: String,
    /// The keys that apps call with.
    pub api_keys: Vec<ApiKey>,
    /// Where links and providers may send a browser back to; `*` stands for one DNS label.
    pub redirect_urls: Vec<RedirectPattern>,
    /// Web origins whose pages may call, with cookies (CORS); `*` stands for one DNS label.
    #[serde(default)]
    pub allowed_origins: Vec<OriginPattern>,
    /// Sign-up and sign-in by email.
    pub email: EmailSettings,
    /// Passwords.
    #[serde(default)]
    pub password: PasswordSettings,
    /// Sessions.
    #[serde(default)]
    pub session: SessionSettings,
    /// How often a caller may try.
    #[serde(default)]
    pub limits: LimitSettings,
    /// Let a publishable key set `emailVerified` at sign-up. Anybody could then claim any address.
    #[serde(default)]
    pub trust_client_verified: bool,
    /// Messages that replace the built-in ones, by name.
    #[serde(default)]
    pub templates: BTreeMap<TemplateName, TemplateText>,
}

/// Sign-up and sign-in by email.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EmailSettings {
    /// Whether people may sign up and in by email at all.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whether a new address must be confirmed before its user can sign in.
    #[serde(default = "yes")]
    pub confirmation: bool,
    /// How long a link in an email works, in seconds (60 to 604,800). An unverified account may be
    /// replaced by a new sign-up once its link has expired.
    #[serde(default = "default_link_seconds")]
    pub link_lifetime_seconds: u32,
    /// How long the access token that a link yields works, in seconds (60 to 86,400).
    #[serde(default = "default_access_seconds")]
    pub access_token_lifetime_seconds: u32,
    /// The address that mails come from; SES must be allowed to send for it.
    pub from_address: Email,
    /// The name that mails come from.
    #[serde(default)]
    pub from_name: String,
}

/// Passwords.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PasswordSettings {
    /// The fewest characters of a new password (6 to 64).
    pub min_length: usize,
    /// The cost of a hash.
    pub argon2: Argon2Settings,
}

/// The cost of a hash with argon2id. A hash with other parameters is renewed at the next sign-in.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Argon2Settings {
    /// Memory in KiB (7,168 to 262,144); the default is OWASP's.
    pub memory_kib: u32,
    /// Passes over the memory (1 to 16).
    pub passes: u32,
    /// Lanes (1 to 16).
    pub lanes: u32,
}

/// Sessions.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SessionSettings {
    /// How long a session lives, in seconds (300 to 34,560,000).
    pub lifetime_seconds: u32,
}

/// How often a caller may try, before 429 `rate_limit_exceeded`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitSettings {
    /// Sign-ups from one address (IPv6: one /64), an hour.
    pub sign_ups_per_caller: u32,
    /// Wrong passwords for one account from one address (IPv6: one /64), a quarter of an hour.
    pub wrong_passwords: u32,
    /// Mails to one address that somebody asked for, an hour.
    pub mails_per_address: u32,
}

/// An `http` or `https` URL without query, fragment, user name and slash at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct BaseUrl(#[schemars(with = "String")] String);

/// The settings cannot be used. Names the field.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// Not JSON, or a field is unknown, missing or of another type.
    #[error("settings: {path}: {reason}")]
    Field {
        /// Where, e.g. `email.from_address`.
        path: String,
        /// What is wrong there.
        reason: String,
    },
    /// A message of the settings that cannot be sent.
    #[error("settings: templates")]
    Template(#[from] TemplateError),
}

impl Settings {
    /// Reads and checks the document.
    pub fn from_json(json: &str) -> Result<Self, SettingsError> {
        let mut deserializer = serde_json::Deserializer::from_str(json);
        let settings: Self =
            serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
                SettingsError::Field {
                    path: error.path().to_string(),
                    reason: error.inner().to_string(),
                }
            })?;
        settings.check()?;
        Ok(settings)
    }

    /// What the types cannot say.
    fn check(&self) -> Result<(), SettingsError> {
        let Argon2Settings {
            memory_kib,
            passes,
            lanes,
        } = self.password.argon2;
        let min_length = u32::try_from(self.password.min_length).unwrap_or(u32::MAX);
        let ranges: [(&str, u32, u32, u32); 10] = [
            (
                "email.link_lifetime_seconds",
                self.email.link_lifetime_seconds,
                60,
                604_800,
            ),
            (
                "email.access_token_lifetime_seconds",
                self.email.access_token_lifetime_seconds,
                60,
                86_400,
            ),
            ("password.min_length", min_length, 6, 64),
            ("password.argon2.memory_kib", memory_kib, 7_168, 262_144),
            ("password.argon2.passes", passes, 1, 16),
            ("password.argon2.lanes", lanes, 1, 16),
            (
                "session.lifetime_seconds",
                self.session.lifetime_seconds,
                300,
                34_560_000,
            ),
            (
                "limits.sign_ups_per_caller",
                self.limits.sign_ups_per_caller,
                1,
                u32::MAX,
            ),
            (
                "limits.wrong_passwords",
                self.limits.wrong_passwords,
                1,
                u32::MAX,
            ),
            (
                "limits.mails_per_address",
                self.limits.mails_per_address,
                1,
                u32::MAX,
            ),
        ];
        for (path, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err(field(path, &format!("must be {least} to {most}")));
            }
        }
        if self.audience.is_empty() {
            return Err(field("audience", "must not be empty"));
        }
        notify::check(&self.templates)?;
        let is_hash = |text: &str| {
            text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        for (index, key) in self.api_keys.iter().enumerate() {
            if !is_hash(&key.sha256) {
                let path = format!("api_keys[{index}].sha256");
                return Err(field(&path, "must be 64 lower-case hexadecimal digits"));
            }
        }
        Ok(())
    }

    /// The URL if it may be followed.
    pub fn redirect(&self, requested: &str) -> Option<RedirectUrl> {
        self.redirect_urls
            .iter()
            .find_map(|pattern| pattern.allows(requested))
    }

    /// The base of a link: what the caller asked for if the deployment knows it, else its own.
    pub fn link_base(&self, requested: Option<&str>) -> &BaseUrl {
        let known = requested.and_then(|requested| {
            let requested = requested.trim_end_matches('/');
            self.base_urls.iter().find(|known| known.0 == requested)
        });
        known.unwrap_or(&self.public_url)
    }

    /// Whether pages of this origin may call, with cookies.
    pub fn allows_origin(&self, origin: &str) -> bool {
        self.allowed_origins
            .iter()
            .any(|pattern| pattern.allows(origin))
    }
}

fn field(path: &str, reason: &str) -> SettingsError {
    SettingsError::Field {
        path: path.to_owned(),
        reason: reason.to_owned(),
    }
}

impl EmailSettings {
    /// How long a link in an email works.
    pub fn link_lifetime(&self) -> SignedDuration {
        SignedDuration::from_secs(self.link_lifetime_seconds.into())
    }

    /// How long an access token works.
    pub fn access_token_lifetime(&self) -> SignedDuration {
        SignedDuration::from_secs(self.access_token_lifetime_seconds.into())
    }
}

impl SessionSettings {
    /// How long a session lives.
    pub fn lifetime(&self) -> SignedDuration {
        SignedDuration::from_secs(self.lifetime_seconds.into())
    }
}

impl BaseUrl {
    /// The text, without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let problem = "must be an http or https URL without query, fragment and user name";
        let text = text.trim_end_matches('/').to_owned();
        let url = Url::parse(&text).map_err(|_| problem.to_owned())?;
        let plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !plain {
            return Err(problem.to_owned());
        }
        Ok(Self(text))
    }
}

impl Default for PasswordSettings {
    fn default() -> Self {
        Self {
            min_length: Password::MIN_LENGTH,
            argon2: Argon2Settings::default(),
        }
    }
}

impl Default for Argon2Settings {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
        }
    }
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            lifetime_seconds: 30 * 86_400,
        }
    }
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            sign_ups_per_caller: 1_000,
            wrong_passwords: 10,
            mails_per_address: 10,
        }
    }
}

fn default_audience() -> String {
    "latchkey".to_owned()
}

fn default_link_seconds() -> u32 {
    86_400
}

fn default_access_seconds() -> u32 {
    3_600
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn document() -> Value {
        json!({
            "public_url": "https://auth.example.com/",
            "api_keys": [],
            "redirect_urls": ["https://app.example.com/done"],
            "email": { "from_address": "no-reply@example.com" }
        })
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        let settings = Settings::from_json(&document().to_string()).unwrap();
        assert_eq!(settings.public_url.as_str(), "https://auth.example.com");
        assert!(settings.email.confirmation);
        assert_eq!(settings.email.link_lifetime_seconds, 86_400);
        assert_eq!(settings.session.lifetime_seconds, 2_592_000);
    }

    #[test]
    fn a_mistake_is_named_by_its_field() {
        let mistakes = [
            ("colour", "/colour", json!("red")),
            ("public_url", "/public_url", json!("ftp://example.com")),
            ("api_keys", "/api_keys", Value::Null),
            ("email.from_address", "/email/from_address", json!("nobody")),
            (
                "redirect_urls[0]",
                "/redirect_urls/0",
                json!("https://*.com"),
            ),
            (
                "password.min_length",
                "/password",
                json!({ "min_length": 3 }),
            ),
            (
                "password.argon2.passes",
                "/password",
                json!({ "argon2": { "passes": 0 } }),
            ),
            (
                "session.lifetime_seconds",
                "/session",
                json!({ "lifetime_seconds": "long" }),
            ),
            (
                "api_keys[0].sha256",
                "/api_keys",
                json!([{ "name": "a", "type": "secret", "sha256": "pk_live" }]),
            ),
        ];
        for (path, pointer, value) in mistakes {
            let mut document = document();
            match document.pointer_mut(pointer) {
                Some(field) => *field = value,
                None => document[&pointer[1..]] = value,
            }
            let problem = Settings::from_json(&document.to_string())
                .unwrap_err()
                .to_string();
            assert!(problem.contains(path), "{path}: {problem}");
        }
    }

    #[test]
    fn a_base_url_that_the_deployment_does_not_know_is_ignored() {
        let mut document = document();
        document["base_urls"] = json!(["https://eu.example.com"]);
        let settings = Settings::from_json(&document.to_string()).unwrap();
        let base = |requested| settings.link_base(requested).as_str().to_owned();
        assert_eq!(
            base(Some("https://eu.example.com/")),
            "https://eu.example.com"
        );
        assert_eq!(
            base(Some("https://evil.example")),
            "https://auth.example.com"
        );
        assert_eq!(base(None), "https://auth.example.com");
    }
}
