//! Tokens that travel in links and addresses: what they look like, and what they are good for.
//!
//! `tk-` or `at-`, 192 random bits, the user's security stamp, a dot, the user's id. Only the
//! SHA-256 of the whole text is stored: a leaked table opens nothing, and no part of a token can be
//! exchanged. That the stamp stands in the text lets one conditional write check it without a read.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{SecurityStamp, UserId};
use crate::secrets::{digest, random};

/// What the link in an email is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Proves that a new user owns the address.
    EmailConfirm,
    /// Signs in without a password.
    MagicLink,
    /// Lets a user set a new password.
    ResetPwd,
    /// Proves that a user owns the address that he changes to.
    ChangeEmail,
}

impl Action {
    /// The name in links and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EmailConfirm => "email-confirm",
            Self::MagicLink => "magic-link",
            Self::ResetPwd => "reset-pwd",
            Self::ChangeEmail => "change-email",
        }
    }

    /// What the access token is good for that the link yields, if it yields one.
    pub fn yields(self) -> Option<Purpose> {
        match self {
            Self::EmailConfirm | Self::MagicLink => Some(Purpose::SignIn),
            Self::ResetPwd => Some(Purpose::ResetPwd),
            Self::ChangeEmail => None,
        }
    }
}

/// What an access token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A session, by `grant`.
    SignIn,
    /// A new password, by `reset-pwd`, and nothing else.
    ResetPwd,
}

impl Purpose {
    /// The name in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::ResetPwd => "reset-pwd",
        }
    }
}

/// SHA-256 of a whole token, in hexadecimal: what is stored in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenHash(pub String);

/// The `tk-` in a link.
#[derive(Clone, PartialEq, Eq)]
pub struct LinkToken(Token);

/// The `at-` that a link or a provider's sign-in yields.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(Token);

#[derive(Clone, PartialEq, Eq)]
struct Token {
    text: String,
    user_id: UserId,
    stamp: SecurityStamp,
}

/// Random bytes in a token; 24 fill 32 characters of base64 without padding.
const SECRET_BYTES: usize = 24;
const SECRET_LENGTH: usize = 32;

impl Token {
    fn random(prefix: &str, user_id: &UserId, stamp: SecurityStamp) -> Self {
        let secret = random::text::<SECRET_BYTES>();
        Self {
            text: format!("{prefix}{secret}{}.{user_id}", stamp.0),
            user_id: user_id.clone(),
            stamp,
        }
    }

    fn parse(prefix: &str, text: &str) -> Option<Self> {
        let (secret, rest) = text.strip_prefix(prefix)?.split_at_checked(SECRET_LENGTH)?;
        let (stamp, user_id) = rest.split_once('.')?;
        let secret_is_plain = secret
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let digits = stamp.bytes().all(|byte| byte.is_ascii_digit());
        if !secret_is_plain || !digits {
            return None;
        }
        Some(Self {
            text: text.to_owned(),
            user_id: UserId::parse(user_id)?,
            stamp: SecurityStamp(stamp.parse().ok()?),
        })
    }
}

/// The two kinds differ in their prefix only; a macro gives both the same methods.
macro_rules! token_kind {
    ($kind:ident, $prefix:literal) => {
        impl $kind {
            /// A new one, for this user as he is now.
            pub fn random(user_id: &UserId, stamp: SecurityStamp) -> Self {
                Self(Token::random($prefix, user_id, stamp))
            }

            /// Reads one; `None` where the text cannot be one.
            pub fn parse(text: &str) -> Option<Self> {
                Token::parse($prefix, text).map(Self)
            }

            /// The whole text: a secret, for a message to its owner only.
            pub fn expose(&self) -> &str {
                &self.0.text
            }

            /// What is stored in its place.
            pub fn hash(&self) -> TokenHash {
                TokenHash(digest::sha256_hex(self.0.text.as_bytes()))
            }

            /// Whose token it claims to be; true only if the hash is found.
            pub fn user_id(&self) -> &UserId {
                &self.0.user_id
            }

            /// The user's security stamp when it was made; true only if the hash is found.
            pub fn stamp(&self) -> SecurityStamp {
                self.0.stamp
            }
        }

        impl fmt::Debug for $kind {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($kind), "({}…)"), $prefix)
            }
        }
    };
}

token_kind!(LinkToken, "tk-");
token_kind!(AccessToken, "at-");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_as_it_was_made() {
        let user_id = UserId::random();
        let token = LinkToken::random(&user_id, SecurityStamp(7));
        let read = LinkToken::parse(token.expose()).unwrap();
        assert_eq!(read.user_id(), &user_id);
        assert_eq!(read.stamp(), SecurityStamp(7));
        assert_eq!(read.hash(), token.hash());
    }

    #[test]
    fn changing_any_part_of_a_token_changes_its_hash() {
        let token = AccessToken::random(&UserId::parse("ada").unwrap(), SecurityStamp(1));
        let other_stamp = token.expose().replace("1.ada", "2.ada");
        let other_user = token.expose().replace("1.ada", "1.eve");
        for changed in [other_stamp, other_user] {
            assert_ne!(AccessToken::parse(&changed).unwrap().hash(), token.hash());
        }
    }

    #[test]
    fn one_kind_is_never_read_as_the_other_nor_is_rubbish() {
        let link = LinkToken::random(&UserId::random(), SecurityStamp(1));
        assert!(AccessToken::parse(link.expose()).is_none());
        for text in ["", "tk-", "tk-short.1", "tk-ä", &"tk-".repeat(100)] {
            assert!(LinkToken::parse(text).is_none(), "{text}");
        }
        let dotless = link.expose().replace('.', "");
        assert!(LinkToken::parse(&dotless).is_none());
    }

    #[test]
    fn a_token_never_prints_itself() {
        let token = LinkToken::random(&UserId::random(), SecurityStamp(1));
        assert!(!format!("{token:?}").contains(&token.expose()[4..20]));
    }
}
