//! Finds out where in an HTML document a placeholder stands.
//!
//! Follows the tokenizer of the HTML standard (section 13.2.5) as far as mails need it. It is not a
//! parser: where browsers mend a mistake, or where mail programs disagree, the template is refused.

use super::escape::Escape;
use super::placeholder::{Field, excerpt};

/// Reads a template piece by piece and says how a value has to be written at each placeholder.
#[derive(Debug, Default)]
pub(super) struct Scanner {
    state: State,
    /// The tag that we are in, or were in last.
    tag: String,
    /// Whether that is an end tag.
    is_end_tag: bool,
    /// The attribute that we are in, or were in last.
    attribute: String,
    /// The literal text of its value so far.
    value: String,
    /// Whether the value began with a link.
    is_link: bool,
    /// Whether the last literal ended within a character reference.
    in_reference: bool,
}

#[derive(Debug, Default)]
enum State {
    /// Between tags.
    #[default]
    Text,
    /// In an element whose content is text, though with character references: `title`.
    PlainElement,
    /// In an element whose content is not HTML: `style`.
    RawElement,
    /// In a tag, after its name or an attribute's value.
    Tag,
    /// In the value of an attribute, between two of these quotes.
    Value(char),
    /// The literal ended where no placeholder may stand.
    Stuck(Refusal),
}

/// Why a placeholder may not stand where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refusal {
    #[error("may not stand in a tag's name")]
    TagName,
    #[error("may not stand in a tag outside the value of an attribute")]
    AttributeName,
    #[error("may not stand in an attribute without quotes")]
    Unquoted,
    #[error("may not stand in a comment or a doctype")]
    Comment,
    #[error("may not stand in a `{0}` element")]
    Element(String),
    #[error("may not stand in `{0}`: what an event runs is not text")]
    EventHandler(String),
    #[error("may not stand in a `style` attribute")]
    Style,
    #[error(
        "may not stand there in `{0}`: a URL begins with `{{{{token.confirmationURL}}}}` and holds \
         no other placeholder, or it begins with https:// or http://, a host and /, ? or #"
    )]
    Url(String),
    #[error("may not stand in the attribute `{0}`: it is not known to hold plain text")]
    Attribute(String),
    #[error("may not follow an unfinished character reference (write `&amp;` for `&`)")]
    Reference,
}

/// HTML that mail programs may not understand as it is meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}, at `{excerpt}`")]
pub(super) struct Malformed {
    what: &'static str,
    excerpt: String,
}

/// Elements that hold text with character references (RCDATA).
const PLAIN_ELEMENTS: [&str; 2] = ["textarea", "title"];

/// Elements that hold something else than HTML.
const RAW_ELEMENTS: [&str; 2] = ["script", "style"];

/// Elements with rules of their own for what they hold, which no mail needs.
const REFUSED_ELEMENTS: [&str; 8] = [
    "iframe",
    "math",
    "noembed",
    "noframes",
    "noscript",
    "plaintext",
    "svg",
    "xmp",
];

/// Attributes that hold a URL.
const URL_ATTRIBUTES: [&str; 10] = [
    "action",
    "background",
    "cite",
    "data",
    "formaction",
    "href",
    "poster",
    "src",
    "srcset",
    "xlink:href",
];

/// Attributes that hold text for people, besides `aria-…` and `data-…`.
const TEXT_ATTRIBUTES: [&str; 6] = ["abbr", "alt", "label", "placeholder", "summary", "title"];

impl Scanner {
    /// Goes through text between two placeholders.
    pub(super) fn literal(&mut self, literal: &str) -> Result<(), Malformed> {
        self.in_reference = ends_in_reference(literal);
        let mut rest = literal;
        while !rest.is_empty() {
            rest = match self.state {
                State::Text => self.text(rest)?,
                State::PlainElement => self.plain_element(rest)?,
                State::RawElement => self.raw_element(rest)?,
                State::Tag => self.attributes(rest)?,
                State::Value(quote) => self.value(quote, rest),
                State::Stuck(_) => return Err(malformed("the HTML cannot be followed", rest)),
            };
        }
        Ok(())
    }

    /// How a value is to be written at the end of what was read so far.
    pub(super) fn place(&mut self, field: Field) -> Result<Escape, Refusal> {
        match &self.state {
            State::Stuck(refusal) => Err(refusal.clone()),
            State::Tag => Err(Refusal::AttributeName),
            State::RawElement => Err(Refusal::Element(self.tag.clone())),
            _ if self.in_reference => Err(Refusal::Reference),
            State::Text | State::PlainElement => Ok(Escape::Html),
            State::Value(_) => self.place_in_value(field),
        }
    }

    /// Checks that the document is whole.
    pub(super) fn end(&self) -> Result<(), Malformed> {
        let what = match self.state {
            State::Text => return Ok(()),
            State::PlainElement | State::RawElement => "an element is never closed",
            State::Tag | State::Value(_) | State::Stuck(_) => "a tag or comment is never closed",
        };
        Err(malformed(what, &self.tag))
    }

    fn place_in_value(&mut self, field: Field) -> Result<Escape, Refusal> {
        let attribute = self.attribute.as_str();
        if attribute == "style" {
            return Err(Refusal::Style);
        }
        if attribute.starts_with("on") {
            return Err(Refusal::EventHandler(attribute.to_owned()));
        }
        if URL_ATTRIBUTES.contains(&attribute) {
            let is_first = self.value.is_empty() && !self.is_link;
            if is_first && field == Field::ConfirmationUrl {
                self.is_link = true;
                return Ok(Escape::Link);
            }
            if !self.is_link && names_host(&self.value) {
                return Ok(Escape::UrlPart);
            }
            return Err(Refusal::Url(attribute.to_owned()));
        }
        let is_text = TEXT_ATTRIBUTES.contains(&attribute)
            || attribute.starts_with("aria-")
            || attribute.starts_with("data-");
        if !is_text {
            return Err(Refusal::Attribute(attribute.to_owned()));
        }
        Ok(Escape::Html)
    }

    fn text<'a>(&mut self, rest: &'a str) -> Result<&'a str, Malformed> {
        match rest.find('<') {
            Some(at) => self.markup(&rest[at..]),
            None => Ok(""),
        }
    }

    /// Reads what begins with `<`; of a tag, only the name.
    fn markup<'a>(&mut self, rest: &'a str) -> Result<&'a str, Malformed> {
        if let Some(comment) = rest.strip_prefix("<!--") {
            return self.comment(comment);
        }
        if strip_prefix(rest, "<!doctype").is_some() {
            return Ok(self.after(rest, ">", Refusal::Comment));
        }
        let (is_end_tag, after) = match rest.strip_prefix("</") {
            Some(after) => (true, after),
            None => (false, &rest[1..]),
        };
        if after.is_empty() {
            return Ok(self.stuck(Refusal::TagName));
        }
        let (name, after) = split_name(after, |c| matches!(c, '-' | ':'));
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let what = "a `<` that begins no tag (write `&lt;`)";
            return Err(malformed(what, rest));
        }
        if after.is_empty() {
            return Ok(self.stuck(Refusal::TagName));
        }
        self.tag = name.to_ascii_lowercase();
        self.is_end_tag = is_end_tag;
        if REFUSED_ELEMENTS.contains(&self.tag.as_str()) {
            return Err(malformed("an element that does not belong in a mail", rest));
        }
        self.state = State::Tag;
        Ok(after)
    }

    fn comment<'a>(&mut self, rest: &'a str) -> Result<&'a str, Malformed> {
        let comment = rest.split("-->").next().unwrap_or_default();
        // All of these end a comment too, though not for every reader.
        let is_odd = rest.starts_with('>') || rest.starts_with("->") || comment.contains("--!>");
        if is_odd {
            return Err(malformed("a comment that ends oddly", rest));
        }
        Ok(self.after(rest, "-->", Refusal::Comment))
    }

    fn plain_element<'a>(&mut self, rest: &'a str) -> Result<&'a str, Malformed> {
        match rest.find('<') {
            None => Ok(""),
            Some(at) if self.ends_element(&rest[at..]) => self.markup(&rest[at..]),
            Some(at) => Err(malformed("a tag in an element of plain text", &rest[at..])),
        }
    }

    fn raw_element<'a>(&mut self, rest: &'a str) -> Result<&'a str, Malformed> {
        let mut tags = rest.match_indices('<').map(|(at, _)| &rest[at..]);
        // In a script it may hide the end tag.
        let is_odd = |tag: &str| self.tag == "script" && tag.starts_with("<!--");
        match tags.find(|tag| self.ends_element(tag) || is_odd(tag)) {
            None => Ok(""),
            Some(tag) if is_odd(tag) => Err(malformed("a comment in a script", tag)),
            Some(tag) => self.markup(tag),
        }
    }

    /// Whether this is the end tag of the element that we are in.
    fn ends_element(&self, rest: &str) -> bool {
        let after = rest
            .strip_prefix("</")
            .and_then(|name| strip_prefix(name, &self.tag));
        after.is_some_and(|after| after.starts_with(|c| is_space(c) || matches!(c, '/' | '>')))
    }

    /// Reads a tag from the end of its name, or of an attribute's value, on.
    fn attributes<'a>(&mut self, rest: &'a str) -> Result<&'a str, Malformed> {
        let tag = rest.trim_start_matches(is_space);
        let is_spaced = tag.len() < rest.len();
        if matches!(tag, "" | "/") {
            return Ok(self.stuck(Refusal::AttributeName));
        }
        if let Some(after) = tag.strip_prefix('>').or_else(|| tag.strip_prefix("/>")) {
            self.leave_tag();
            return Ok(after);
        }
        let (name, after) = split_name(tag, |c| matches!(c, '-' | ':' | '_' | '.'));
        if name.is_empty() || !is_spaced {
            return Err(malformed("a tag that cannot be followed", tag));
        }
        let value = after.trim_start_matches(is_space);
        if value.is_empty() {
            return Ok(self.stuck(Refusal::AttributeName));
        }
        let Some(value) = value.strip_prefix('=') else {
            return Ok(after);
        };
        let value = value.trim_start_matches(is_space);
        match value.chars().next() {
            None => Ok(self.stuck(Refusal::Unquoted)),
            Some(quote @ ('"' | '\'')) => {
                self.attribute = name.to_ascii_lowercase();
                self.value.clear();
                self.is_link = false;
                self.state = State::Value(quote);
                // Nothing after the quote: the placeholder that follows is the value.
                Ok(&value[1..])
            }
            Some(_) => self.unquoted(value),
        }
    }

    fn unquoted<'a>(&mut self, rest: &'a str) -> Result<&'a str, Malformed> {
        let Some(end) = rest.find(|c| is_space(c) || c == '>') else {
            return Ok(self.stuck(Refusal::Unquoted));
        };
        let (value, after) = rest.split_at(end);
        if value.is_empty() || value.contains(['"', '\'', '<', '=', '`']) {
            return Err(malformed("an attribute whose value needs quotes", rest));
        }
        Ok(after)
    }

    fn value<'a>(&mut self, quote: char, rest: &'a str) -> &'a str {
        let (value, after) = match rest.split_once(quote) {
            Some((value, after)) => {
                self.state = State::Tag;
                (value, after)
            }
            None => (rest, ""),
        };
        self.value.push_str(value);
        after
    }

    fn leave_tag(&mut self) {
        let tag = self.tag.as_str();
        self.state = if self.is_end_tag {
            State::Text
        } else if PLAIN_ELEMENTS.contains(&tag) {
            State::PlainElement
        } else if RAW_ELEMENTS.contains(&tag) {
            State::RawElement
        } else {
            State::Text
        };
    }

    /// What stands after an ending; if that is not there, a placeholder would be refused.
    fn after<'a>(&mut self, rest: &'a str, ending: &str, refusal: Refusal) -> &'a str {
        match rest.split_once(ending) {
            Some((_, after)) => {
                self.state = State::Text;
                after
            }
            None => self.stuck(refusal),
        }
    }

    fn stuck(&mut self, refusal: Refusal) -> &'static str {
        self.state = State::Stuck(refusal);
        ""
    }
}

fn malformed(what: &'static str, rest: &str) -> Malformed {
    Malformed {
        what,
        excerpt: excerpt(rest),
    }
}

/// Whitespace as the HTML standard has it.
fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\n' | '\x0C' | '\r')
}

fn split_name(text: &str, is_sign: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && !is_sign(c));
    text.split_at(end.unwrap_or(text.len()))
}

/// Without regard to case.
fn strip_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Whether a value could become part of something like `&amp;`.
fn ends_in_reference(literal: &str) -> bool {
    let reference = literal.rsplit_once('&').map(|(_, reference)| reference);
    reference.is_some_and(|text| text.chars().all(|c| c.is_ascii_alphanumeric() || c == '#'))
}

/// Whether a URL has come so far that nothing in it changes the host any more.
fn names_host(url: &str) -> bool {
    let after_scheme = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let Some(after_scheme) = after_scheme else {
        return false;
    };
    let Some((host, _)) = after_scheme.split_once(['/', '?', '#']) else {
        return false;
    };
    // A space would begin another URL in `srcset`.
    host.starts_with(|c: char| c.is_ascii_alphanumeric())
        && host
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':'))
        && !url.contains(|c: char| c.is_whitespace() || c.is_control())
}

#[cfg(test)]
mod tests;
