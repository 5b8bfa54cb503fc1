use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;

/// A password as a person typed it: 6 to 128 characters, any Unicode, NFC-normalised so that
/// one keyboard's `é` is another's (NIST SP 800-63B, 3.1.1.2). It never prints itself.
#[derive(Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(extend("format" = "password", "minLength" = 6, "maxLength" = 128))]
pub struct Password(#[schemars(with = "String")] String);

/// A password that someone is about to set. The setting `password.min_length` may ask more of
/// it than of a [`Password`], which may be older than the setting; `http::input` sees to that.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub struct NewPassword(pub Password);

/// Why a text cannot be a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Fewer characters than the rule asks for.
    #[error("must be at least {0} characters long")]
    TooShort(usize),
    /// More than [`Password::MAX_LENGTH`] characters.
    #[error("must be at most {} characters long", Password::MAX_LENGTH)]
    TooLong,
}

impl Password {
    /// The fewest characters of any password.
    pub const MIN_LENGTH: usize = 6;
    /// The most characters of any password.
    pub const MAX_LENGTH: usize = 128;

    /// Normalises and measures what was typed.
    pub fn parse(text: &str) -> Result<Self, PasswordError> {
        // Normalising a text of megabytes would be work for nothing: no text of four times
        // the length becomes short enough (UAX #15, maximum contraction).
        if text.len() > Self::MAX_LENGTH * 4 * 4 {
            return Err(PasswordError::TooLong);
        }
        let normal: String = text.nfc().collect();
        match normal.chars().count() {
            length if length < Self::MIN_LENGTH => Err(PasswordError::TooShort(Self::MIN_LENGTH)),
            length if length > Self::MAX_LENGTH => Err(PasswordError::TooLong),
            _ => Ok(Self(normal)),
        }
    }

    /// Whether it is at least `min` characters long.
    pub fn at_least(&self, min: usize) -> Result<(), PasswordError> {
        if self.0.chars().count() < min {
            return Err(PasswordError::TooShort(min));
        }
        Ok(())
    }

    /// The bytes to hash.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl TryFrom<String> for Password {
    type Error = PasswordError;

    fn try_from(text: String) -> Result<Self, PasswordError> {
        Self::parse(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_ways_to_type_one_letter_are_one_password() {
        assert_eq!(
            Password::parse("caf\u{e9}-noir"),
            Password::parse("cafe\u{301}-noir")
        );
    }

    #[test]
    fn length_counts_characters_and_not_bytes() {
        assert!(Password::parse("🦀🦀🦀🦀🦀🦀").is_ok());
        assert!(Password::parse(&"🦀".repeat(128)).is_ok());
        assert_eq!(
            Password::parse("🦀🦀🦀🦀🦀"),
            Err(PasswordError::TooShort(6))
        );
        assert_eq!(
            Password::parse(&"a".repeat(129)),
            Err(PasswordError::TooLong)
        );
        assert_eq!(
            Password::parse(&"a".repeat(10_000_000)),
            Err(PasswordError::TooLong)
        );
    }

    #[test]
    fn a_password_never_prints_itself() {
        let password = NewPassword(Password::parse("hunter2-hunter2").unwrap());
        assert!(!format!("{password:?}").contains("hunter2"));
    }
}
