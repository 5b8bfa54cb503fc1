use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Email, UserData, iso};
use crate::secrets::random;

/// Names a user for ever. Says nothing and is no secret: 1 to 128 of `A–Z a–z 0–9 _ -`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
pub struct UserId(#[schemars(with = "String")] String);

impl UserId {
    /// A new random one (UUID version 4).
    pub fn random() -> Self {
        Self(random::uuid())
    }

    /// Reads an id; `None` where the text cannot be one.
    pub fn parse(text: &str) -> Option<Self> {
        let valid = (1..=128).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        valid.then(|| Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for UserId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::parse(&text).ok_or("must be a user id")
    }
}

/// Who vouches for a user: our own sign-up, or a provider such as Google.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// Signed up here, with an email address or a phone number and a password.
    Agnost,
    /// Google.
    Google,
    /// Facebook.
    Facebook,
    /// Twitter, now X.
    Twitter,
    /// Apple.
    Apple,
    /// GitHub.
    Github,
    /// Discord.
    Discord,
}

impl Provider {
    const NAMES: [(Self, &'static str); 7] = [
        (Self::Agnost, "agnost"),
        (Self::Google, "google"),
        (Self::Facebook, "facebook"),
        (Self::Twitter, "twitter"),
        (Self::Apple, "apple"),
        (Self::Github, "github"),
        (Self::Discord, "discord"),
    ];

    /// The name on the wire and in the store.
    pub fn as_str(self) -> &'static str {
        let named = Self::NAMES.iter().find(|(provider, _)| *provider == self);
        named.map_or("", |(_, name)| name)
    }

    /// Reads a name; `None` for a provider that we do not know.
    pub fn parse(name: &str) -> Option<Self> {
        let named = Self::NAMES.iter().find(|(_, known)| *known == name);
        named.map(|(provider, _)| *provider)
    }
}

/// A password's hash as a PHC string. It never prints itself.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

/// Counts the changes of a user's address and password. Every link, code and access token
/// carries the stamp it was made under and dies with it, however it was in flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecurityStamp(pub u32);

/// A user, as stored.
#[derive(Clone, Debug)]
pub struct User {
    /// Names the user for ever.
    pub id: UserId,
    /// Who vouches for the user.
    pub provider: Provider,
    /// The user's id there; our own id for [`Provider::Agnost`].
    pub provider_user_id: String,
    /// The email address, verified or not.
    pub email: Option<Email>,
    /// Whether the address is verified; `None` where that is not known.
    pub email_verified: Option<bool>,
    /// What the person is called.
    pub name: Option<String>,
    /// URL of a picture.
    pub profile_picture: Option<String>,
    /// When the account was made.
    pub sign_up_at: Timestamp,
    /// When a session was last begun; at first, when the account was made.
    pub last_login_at: Timestamp,
    /// `None` where the user cannot sign in by password.
    pub password_hash: Option<PasswordHash>,
    /// While the address is unverified: from then on a new sign-up may take it.
    pub claimable_after: Option<Timestamp>,
    /// Sessions that began at this time or before are over.
    pub sessions_not_before: Option<Timestamp>,
    /// Changes with address and password.
    pub security_stamp: SecurityStamp,
    /// What the app passed as `userData`.
    pub data: UserData,
}

impl User {
    /// The user as the wire shows it.
    pub fn view(&self) -> UserView {
        UserView {
            id: self.id.clone(),
            provider: self.provider,
            provider_user_id: self.provider_user_id.clone(),
            email: self.email.clone(),
            name: self.name.clone(),
            profile_picture: self.profile_picture.clone(),
            sign_up_at: iso(self.sign_up_at),
            last_login_at: iso(self.last_login_at),
            email_verified: self.email_verified,
            data: self.data.clone(),
        }
    }

    /// Whether somebody proved to own the address.
    pub fn has_verified_email(&self) -> bool {
        self.email_verified == Some(true)
    }
}

/// A user as an app sees it. What has no value is left out; a password's hash and everything
/// internal is not even here.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "User", extend("additionalProperties" = true))]
pub struct UserView {
    /// Names the user for ever.
    #[serde(rename = "_id")]
    pub id: UserId,
    /// `agnost`, or the provider that the user signs in with.
    pub provider: Provider,
    /// The user's id at the provider; equals `_id` for `agnost`.
    pub provider_user_id: String,
    /// The email address in its canonical spelling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// What the person is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// URL of a picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_picture: Option<String>,
    /// ISO 8601.
    #[schemars(extend("format" = "date-time"))]
    pub sign_up_at: String,
    /// ISO 8601.
    #[schemars(extend("format" = "date-time"))]
    pub last_login_at: String,
    /// Whether the person proved to own the address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email_verified: Option<bool>,
    /// What the app passed as `userData`, at the top level.
    #[serde(flatten)]
    #[schemars(skip)]
    pub data: UserData,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_is_written_the_same_everywhere() {
        for (provider, name) in Provider::NAMES {
            assert_eq!(Provider::parse(name), Some(provider));
            assert_eq!(serde_json::to_value(provider).unwrap(), name);
        }
        assert_eq!(Provider::parse("myspace"), None);
    }

    #[test]
    fn an_id_holds_nothing_that_means_something_elsewhere() {
        assert!(UserId::parse("5f2b-Ab_9").is_some());
        for text in ["", "a b", "a#b", "a.b", "a/b", "ä", &"a".repeat(129)] {
            assert_eq!(UserId::parse(text), None, "{text}");
        }
    }
}
