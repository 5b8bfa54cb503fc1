use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An email address in its one canonical spelling: trimmed, lower case, the domain in ASCII.
///
/// Valid as the HTML standard has it for `input type=email` with the lengths of RFC 5321:
/// 64 characters before the `@`, 254 in all, 63 in a label. The part before the `@` is ASCII,
/// as no mail service of AWS delivers to any other, and so two addresses that look
/// alike are never two accounts. Dots and `+tags` are kept.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("format" = "email", "maxLength" = 254))]
pub struct Email(#[schemars(with = "String")] String);

/// Why a text is not an email address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a valid email address")]
pub struct EmailError;

const MAX_LENGTH: usize = 254;
const MAX_LOCAL_LENGTH: usize = 64;

impl Email {
    /// Reads an address as a person typed it.
    pub fn parse(text: &str) -> Result<Self, EmailError> {
        // A line break is never a slip of the hand: it is how headers are smuggled in.
        if text.contains(['\r', '\n']) {
            return Err(EmailError);
        }
        let (local, domain) = text.trim().rsplit_once('@').ok_or(EmailError)?;
        let local_is_valid = !local.is_empty()
            && local.len() <= MAX_LOCAL_LENGTH
            && local.bytes().all(is_local_part);
        if !local_is_valid {
            return Err(EmailError);
        }
        // Normalises to NFC, lower-cases and refuses what no domain may hold.
        let domain = idna::domain_to_ascii_strict(domain).map_err(|_| EmailError)?;
        let looks_like_a_host =
            domain.split('.').all(is_label) && !domain.rsplit('.').next().is_some_and(is_numeric);
        let address = format!("{}@{domain}", local.to_ascii_lowercase());
        if !looks_like_a_host || address.len() > MAX_LENGTH {
            return Err(EmailError);
        }
        Ok(Self(address))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address as a log may show it: `a…@example.com`.
    pub fn masked(&self) -> String {
        let (local, domain) = self.0.split_once('@').unwrap_or_default();
        let first = local.get(..1).unwrap_or_default();
        format!("{first}…@{domain}")
    }
}

/// The characters that the HTML standard allows before the `@`.
fn is_local_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.len() <= 63
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// No top-level domain is a number, but an IP address ends in one.
fn is_numeric(label: &str) -> bool {
    label.bytes().all(|byte| byte.is_ascii_digit())
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Email {
    type Error = EmailError;

    fn try_from(text: String) -> Result<Self, EmailError> {
        Self::parse(&text)
    }
}

impl From<Email> for String {
    fn from(email: Email) -> Self {
        email.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn canonical(text: &str) -> Option<String> {
        Email::parse(text).ok().map(String::from)
    }

    #[test]
    fn every_spelling_of_one_address_is_one_address() {
        for spelling in [
            "ada@bücher.example",
            "  ADA@BÜCHER.example ",
            "Ada@xn--bcher-kva.EXAMPLE",
            "ada@bu\u{308}cher.example",
        ] {
            assert_eq!(
                canonical(spelling).as_deref(),
                Some("ada@xn--bcher-kva.example"),
                "{spelling}"
            );
        }
    }

    #[test]
    fn dots_and_tags_are_kept() {
        assert_eq!(
            canonical("A.da+news@example.com").as_deref(),
            Some("a.da+news@example.com")
        );
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "@",
            "ada",
            "ada@",
            "@example.com",
            "a b@example.com",
            "ada@example.com\n",
            "ada@example.com\r\nBcc: eve@example.com",
            "ada\u{0}@example.com",
            "ada@exa\u{0}mple.com",
            "ada@@example.com",
            "ada@-example.com",
            "ada@example..com",
            "ada@example.com.",
            "ada@127.0.0.1",
            "ada@[127.0.0.1]",
            "\"ada\"@example.com",
            "ada@exa mple.com",
            "<ada@example.com>",
            "Ada <ada@example.com>",
            "аda@example.com",        // a Cyrillic а
            "ad\u{212a}@example.com", // the Kelvin sign, which lower-cases to k
            "ada\u{200b}@example.com",
        ] {
            assert_eq!(canonical(text), None, "{text:?}");
        }
        assert_eq!(canonical(&format!("{}@example.com", "a".repeat(65))), None);
        assert_eq!(canonical(&format!("a@{}.com", "b".repeat(64))), None);
        let long = format!("a@{}com", format!("{}.", "b".repeat(60)).repeat(5));
        assert_eq!(canonical(&long), None);
    }

    #[test]
    fn a_log_shows_the_first_letter_and_the_domain() {
        assert_eq!(
            Email::parse("ada@example.com").unwrap().masked(),
            "a…@example.com"
        );
    }
}
