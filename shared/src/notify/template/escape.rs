//! How a value is written, by where it stands.

use std::fmt::Write as _;

use url::Url;

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escape {
    /// In a subject: one line, and not too long.
    Subject,
    /// In plain text: no line of its own.
    Text,
    /// In the text of an HTML document, or in an attribute with quotes.
    Html,
    /// As a URL, in an attribute with quotes.
    Link,
    /// Within a URL, after its host.
    UrlPart,
}

/// What should be a link is not an http or https URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::notify) struct NotALink;

/// The most characters that a value brings to a subject.
const SUBJECT_LENGTH: usize = 200;

impl Escape {
    /// Writes a value so that it stays a value.
    pub(super) fn write(self, value: &str, out: &mut String) -> Result<(), NotALink> {
        match self {
            Self::Subject => out.extend(
                readable(value)
                    .map(|c| {
                        if is_break(c) || c.is_control() {
                            ' '
                        } else {
                            c
                        }
                    })
                    .take(SUBJECT_LENGTH),
            ),
            Self::Text => out.extend(line(value)),
            Self::Html => line(value).for_each(|c| html(c, out)),
            Self::Link if is_link(value) => value.chars().for_each(|c| html(c, out)),
            Self::Link => return Err(NotALink),
            Self::UrlPart => value.bytes().for_each(|byte| percent(byte, out)),
        }
        Ok(())
    }
}

/// The value without the characters that turn the direction of the text around them, which could
/// make a message read as something else (Unicode Standard Annex 9, section 2).
fn readable(value: &str) -> impl Iterator<Item = char> {
    let turns = |c| matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    value.chars().filter(move |c| !turns(*c))
}

/// The value on one line, without control characters.
fn line(value: &str) -> impl Iterator<Item = char> {
    readable(value)
        .map(|c| if is_break(c) { ' ' } else { c })
        .filter(|c| *c == '\t' || !c.is_control())
}

/// Whether a line may end here (Unicode Standard, section 5.8).
fn is_break(c: char) -> bool {
    matches!(c, '\n'..='\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn html(c: char, out: &mut String) {
    match c {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        c => out.push(c),
    }
}

/// Keeps what RFC 3986 section 2.3 calls unreserved.
fn percent(byte: u8, out: &mut String) {
    if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
        out.push(char::from(byte));
    } else {
        // Writing to a String never fails.
        let _ = write!(out, "%{byte:02X}");
    }
}

/// Whether a browser opens the text as it stands, and over http or https.
fn is_link(value: &str) -> bool {
    let plain = !value.contains(|c: char| c.is_control() || c.is_whitespace());
    let web = value.starts_with("https://") || value.starts_with("http://");
    plain && web && Url::parse(value).is_ok_and(|url| url.has_host())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(escape: Escape, value: &str) -> String {
        let mut out = String::new();
        escape.write(value, &mut out).unwrap();
        out
    }

    #[test]
    fn a_subject_stays_one_line() {
        let subject = |value| written(Escape::Subject, value);
        assert_eq!(
            subject("Ada\r\nBcc: eve@example.com"),
            "Ada  Bcc: eve@example.com"
        );
        assert_eq!(subject("a\tb\0c\u{85}d\u{2028}e\u{1b}f"), "a b c d e f");
        assert_eq!(subject("<b>&amp;"), "<b>&amp;");
        assert_eq!(subject(&"é".repeat(300)), "é".repeat(200));
    }

    #[test]
    fn plain_text_gets_no_line_and_no_control_character_from_a_value() {
        let text = |value| written(Escape::Text, value);
        assert_eq!(text("a\nb\rc\u{b}d\u{2029}e"), "a b c d e");
        assert_eq!(text("a\tb\0c\u{7f}d\u{9b}e\u{1b}[31m"), "a\tbcde[31m");
        assert_eq!(text("Ada \u{202E}moc.elpmaxe\u{2066}"), "Ada moc.elpmaxe");
        assert_eq!(text("<b> \"Zoë\" 李"), "<b> \"Zoë\" 李");
    }

    #[test]
    fn html_gets_no_markup_from_a_value() {
        let html = |value| written(Escape::Html, value);
        assert_eq!(
            html("\"><script>alert('1')</script>&lt;\r\n\0"),
            "&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;lt;  "
        );
        assert_eq!(html("javascript:alert(1)"), "javascript:alert(1)");
    }

    #[test]
    fn a_link_is_an_http_or_https_url() {
        assert_eq!(
            written(Escape::Link, "https://example.com/?a=1&b='\"<"),
            "https://example.com/?a=1&amp;b=&#39;&quot;&lt;"
        );
        assert_eq!(
            written(Escape::Link, "http://localhost:1/"),
            "http://localhost:1/"
        );
        for value in [
            "",
            "/confirm",
            "//example.com",
            "https://",
            "https:example.com",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            " https://example.com",
            "java\nscript:alert(1)//https://",
            "https://exam\tple.com",
            "data:text/html,https://example.com",
        ] {
            let mut out = String::new();
            assert_eq!(
                Escape::Link.write(value, &mut out),
                Err(NotALink),
                "{value}"
            );
            assert_eq!(out, "");
        }
    }

    #[test]
    fn within_a_url_only_unreserved_characters_stay() {
        assert_eq!(
            written(Escape::UrlPart, "aZ09-._~ /?#&=+:@%\"<>'\r\nBcc:é"),
            "aZ09-._~%20%2F%3F%23%26%3D%2B%3A%40%25%22%3C%3E%27%0D%0ABcc%3A%C3%A9"
        );
    }
}
