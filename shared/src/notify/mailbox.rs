//! Who a mail is from, as a header field has it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::Email;

/// The most bytes of text in an encoded word: 75 characters (RFC 2047 section 2) less `=?UTF-8?B?`
/// and `?=`, in base64.
const WORD_BYTES: usize = 45;

/// An address with a display name (RFC 5322 section 3.4), or the address alone if there is no name.
///
/// The name cannot leave its place: line breaks and other control characters are dropped, what is
/// ASCII is quoted, anything else is encoded (RFC 2047).
pub(super) fn write(name: &str, address: &Email) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    match name.trim() {
        "" => address.to_string(),
        name if name.is_ascii() => format!("{} <{address}>", quoted(name)),
        name => format!("{} <{address}>", encoded(name)),
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', r"\\").replace('"', "\\\""))
}

/// Encoded words, each of whole characters (RFC 2047 section 5).
fn encoded(name: &str) -> String {
    let mut words: Vec<String> = vec![String::new()];
    for c in name.chars() {
        match words.last_mut() {
            Some(word) if word.len() + c.len_utf8() <= WORD_BYTES => word.push(c),
            _ => words.push(c.to_string()),
        }
    }
    let words = words
        .iter()
        .map(|word| format!("=?UTF-8?B?{}?=", STANDARD.encode(word)));
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(name: &str) -> String {
        write(name, &Email::parse("a@example.com").unwrap())
    }

    #[test]
    fn without_a_name_the_address_stands_alone() {
        assert_eq!(from(""), "a@example.com");
        assert_eq!(from(" \r\n "), "a@example.com");
    }

    #[test]
    fn an_ascii_name_is_quoted() {
        assert_eq!(
            from(" Example, Inc. "),
            r#""Example, Inc." <a@example.com>"#
        );
        assert_eq!(from(r#"A "B" \ C"#), r#""A \"B\" \\ C" <a@example.com>"#);
    }

    #[test]
    fn a_name_brings_no_header_and_no_address_of_its_own() {
        assert_eq!(
            from("Eve\r\nBcc: b@example.com"),
            r#""EveBcc: b@example.com" <a@example.com>"#
        );
        assert_eq!(
            from(r#"Eve" <eve@example.com>, "x\"#),
            r#""Eve\" <eve@example.com>, \"x\\" <a@example.com>"#
        );
    }

    #[test]
    fn any_other_name_is_encoded_in_words_of_whole_characters() {
        assert_eq!(from("Jörg\u{85}"), "=?UTF-8?B?SsO2cmc=?= <a@example.com>");
        let name = "Ünï\"cödé \u{1F511} ".repeat(20);
        let written = from(&name);
        let words = written.strip_suffix(" <a@example.com>").unwrap();
        let mut decoded = String::new();
        for word in words.split(' ') {
            assert!(word.len() <= 75, "{word}");
            let base64 = word.strip_prefix("=?UTF-8?B?").unwrap();
            let bytes = STANDARD.decode(base64.strip_suffix("?=").unwrap()).unwrap();
            decoded.push_str(&String::from_utf8(bytes).unwrap());
        }
        assert_eq!(decoded, name.trim());
    }
}
