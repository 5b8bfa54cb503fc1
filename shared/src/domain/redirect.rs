//! Where a browser may be sent, and from where an app may call.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Position, Url};

/// A URL that the deployment's allow-list holds; nothing else is ever followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUrl(Url);

impl RedirectUrl {
    /// The URL with these parameters added to its query.
    pub fn with(&self, parameters: &[(&str, &str)]) -> String {
        let mut url = self.0.clone();
        url.query_pairs_mut().extend_pairs(parameters);
        url.into()
    }

    /// The URL itself.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

/// An entry of the setting `redirect_urls`: a whole URL, compared as a whole
/// (RFC 9700, 4.1.1), but for one thing: `*` stands for one DNS label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectPattern(#[schemars(with = "String")] Pattern);

/// An entry of the setting `allowed_origins`: scheme, host and port; `*` stands for one DNS label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct OriginPattern(#[schemars(with = "String")] Pattern);

/// Why a text cannot be an entry of an allow-list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Not an absolute URL, or one that holds what no allow-list should.
    #[error("must be an absolute URL without user name, fragment or white space")]
    NotAUrl,
    /// A scheme that runs or reads things instead of fetching a page.
    #[error("must not use this scheme")]
    Scheme,
    /// `*` anywhere but as one whole DNS label below a domain of two labels or more.
    #[error("may hold `*` only for one whole DNS label, below a domain such as example.com")]
    Wildcard,
    /// More than scheme, host and port.
    #[error("must be scheme, host and port only")]
    NotAnOrigin,
}

/// Stands in for `*` while the URL parser reads a pattern; no registered name holds a `_`.
const WILDCARD: &str = "_latchkey_wildcard_";

#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    url: Url,
    wildcard: bool,
}

impl RedirectPattern {
    /// The URL as this entry allows it, or nothing.
    pub fn allows(&self, requested: &str) -> Option<RedirectUrl> {
        let url = parse_plain(requested)?;
        let same = self.0.same_origin(&url)
            && self.0.url[Position::BeforePath..] == url[Position::BeforePath..];
        same.then_some(RedirectUrl(url))
    }
}

impl OriginPattern {
    /// Whether a call from this origin is welcome.
    pub fn allows(&self, origin: &str) -> bool {
        parse_plain(origin).is_some_and(|url| is_bare_origin(&url) && self.0.same_origin(&url))
    }
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, PatternError> {
        let wildcard = text.contains('*');
        let readable = text.replacen('*', WILDCARD, 1);
        let url = parse_plain(&readable).ok_or(PatternError::NotAUrl)?;
        if matches!(
            url.scheme(),
            "javascript" | "data" | "vbscript" | "file" | "blob" | "about"
        ) {
            return Err(PatternError::Scheme);
        }
        if wildcard {
            // `https://*.com` would let every shop on earth in.
            let labels: Vec<&str> = url.host_str().unwrap_or_default().split('.').collect();
            let one_label = labels.iter().filter(|label| **label == WILDCARD).count() == 1;
            let below_a_domain =
                labels.len() >= 3 && !labels[labels.len() - 2..].contains(&WILDCARD);
            let stars = text.matches('*').count();
            if !(one_label
                && below_a_domain
                && stars == 1
                && matches!(url.scheme(), "https" | "http"))
            {
                return Err(PatternError::Wildcard);
            }
        }
        Ok(Self { url, wildcard })
    }

    /// Same scheme, host and port, where `*` matches one label.
    fn same_origin(&self, other: &Url) -> bool {
        let hosts = (self.url.host_str(), other.host_str());
        let same_host = match hosts {
            (Some(pattern), Some(host)) if self.wildcard => labels_match(pattern, host),
            (pattern, host) => pattern == host,
        };
        same_host
            && self.url.scheme() == other.scheme()
            && self.url.port_or_known_default() == other.port_or_known_default()
    }
}

fn labels_match(pattern: &str, host: &str) -> bool {
    let (mut pattern, mut host) = (pattern.split('.'), host.split('.'));
    loop {
        match (pattern.next(), host.next()) {
            (None, None) => return true,
            (Some(WILDCARD), Some(label)) if is_label(label) => {}
            (Some(wanted), Some(label)) if wanted == label => {}
            _ => return false,
        }
    }
}

/// A label as hosts have it (RFC 952, RFC 1123): a URL parser lets others pass, a `*` among them.
fn is_label(label: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    !label.is_empty() && label.bytes().all(is_letter)
}

/// Parses a URL and refuses what parsers are known to disagree about: backslashes, white space
/// and control characters, user names, fragments, and hosts that are encoded.
fn parse_plain(text: &str) -> Option<Url> {
    let suspicious = text
        .chars()
        .any(|c| c == '\\' || c.is_whitespace() || c.is_control());
    let authority = text.split_once("://")?.1;
    let authority = authority.split(['/', '?', '#']).next()?;
    if suspicious || authority.contains(['@', '%']) || authority.is_empty() {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
        && url.has_host();
    plain.then_some(url)
}

fn is_bare_origin(url: &Url) -> bool {
    matches!(url.path(), "" | "/") && url.query().is_none()
}

impl FromStr for RedirectPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Pattern::parse(text).map(Self)
    }
}

impl FromStr for OriginPattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let pattern = Pattern::parse(text)?;
        if !is_bare_origin(&pattern.url) || text.ends_with('/') {
            return Err(PatternError::NotAnOrigin);
        }
        Ok(Self(pattern))
    }
}

impl TryFrom<String> for RedirectPattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        text.parse()
    }
}

impl TryFrom<String> for OriginPattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        text.parse()
    }
}

impl From<RedirectPattern> for String {
    fn from(pattern: RedirectPattern) -> Self {
        pattern.0.to_string()
    }
}

impl From<OriginPattern> for String {
    fn from(pattern: OriginPattern) -> Self {
        pattern.0.url[..Position::BeforePath].replace(WILDCARD, "*")
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url.as_str().replace(WILDCARD, "*"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(entry: &str, requested: &str) -> bool {
        RedirectPattern::from_str(entry)
            .unwrap()
            .allows(requested)
            .is_some()
    }

    #[test]
    fn only_the_very_url_is_allowed() {
        let entry = "https://app.example.com/auth/callback";
        assert!(allowed(entry, entry));
        assert!(allowed(entry, "https://app.example.com:443/auth/callback"));
        assert!(allowed(entry, "HTTPS://APP.example.com/auth/callback"));
        for trick in [
            "",
            "/auth/callback",
            "//app.example.com/auth/callback",
            "https:app.example.com/auth/callback",
            "https:/app.example.com/auth/callback",
            "https:\\\\app.example.com/auth/callback",
            "https://app.example.com\\@evil.example/auth/callback",
            "https://app.example.com@evil.example/auth/callback",
            "https://evil.example@app.example.com/auth/callback",
            "https://:@app.example.com/auth/callback",
            "https://app.example.com.evil.example/auth/callback",
            "https://app.example.com:8443/auth/callback",
            "http://app.example.com/auth/callback",
            "https://app.example.com/auth/callback/",
            "https://app.example.com/auth/callback/../../evil",
            "https://app.example.com/auth/callback%2f..",
            "https://app.example.com/auth%2fcallback",
            "https://app.example.com/auth/callbackevil",
            "https://app.example.com/auth/callback?access_token=at-evil",
            "https://app.example.com/auth/callback#x",
            "https://app.example.com /auth/callback",
            "https://app.example.com/auth/call\nback",
            "\thttps://app.example.com/auth/callback",
            "https://app%2eexample.com/auth/callback",
            "https://app。example.com.evil.example/auth/callback",
            "javascript://app.example.com/auth/callback",
            "javascript:alert(1)//https://app.example.com/auth/callback",
            "data:text/html,x",
            "https://*/auth/callback",
        ] {
            assert!(!allowed(entry, trick), "{trick:?}");
        }
    }

    #[test]
    fn a_star_is_one_label_and_no_more() {
        let entry = "https://*.preview.example.com/done";
        assert!(allowed(entry, "https://branch-7.preview.example.com/done"));
        for trick in [
            "https://preview.example.com/done",
            "https://.preview.example.com/done",
            "https://a.b.preview.example.com/done",
            "https://evil.example/.preview.example.com/done",
            "https://evil.example#.preview.example.com/done",
            "https://a.preview.example.com.evil.example/done",
            "https://a.preview.example.com/other",
            "https://*.preview.example.com/done",
            "https://a&b.preview.example.com/done",
        ] {
            assert!(!allowed(entry, trick), "{trick:?}");
        }
    }

    #[test]
    fn a_star_stands_nowhere_else() {
        for entry in [
            "https://*",
            "https://*.com/",
            "https://example.*/",
            "https://app.*.com/",
            "https://pre*.example.com/",
            "https://*.*.example.com/",
            "https://app.example.com/*",
            "https://app.example.com:*/",
            "*://app.example.com/",
            "https://app.example.com/?next=*",
        ] {
            assert!(RedirectPattern::from_str(entry).is_err(), "{entry}");
        }
    }

    #[test]
    fn an_apps_own_scheme_may_be_listed_but_no_scheme_that_runs_code() {
        assert!(allowed(
            "com.example.app://auth/done",
            "com.example.app://auth/done"
        ));
        for entry in ["javascript://x/", "data://x/", "file://x/", "vbscript://x/"] {
            assert!(RedirectPattern::from_str(entry).is_err(), "{entry}");
        }
    }

    #[test]
    fn an_origin_is_compared_by_scheme_host_and_port() {
        let pattern = OriginPattern::from_str("http://localhost:3000").unwrap();
        assert!(pattern.allows("http://localhost:3000"));
        for other in [
            "http://localhost:3001",
            "https://localhost:3000",
            "http://localhost",
            "null",
            "",
            "http://localhost:3000.evil.example",
        ] {
            assert!(!pattern.allows(other), "{other}");
        }
        assert!(OriginPattern::from_str("http://localhost:3000/").is_err());
        assert!(OriginPattern::from_str("http://localhost:3000/app").is_err());
    }

    #[test]
    fn parameters_join_a_query_that_is_there_already() {
        let entry = RedirectPattern::from_str("https://app.example.com/cb?tab=1").unwrap();
        let url = entry.allows("https://app.example.com/cb?tab=1").unwrap();
        assert_eq!(
            url.with(&[("status", "200"), ("error", "it’s a & b")]),
            "https://app.example.com/cb?tab=1&status=200&error=it%E2%80%99s+a+%26+b"
        );
    }

    #[test]
    fn an_entry_is_written_as_it_was_read() {
        let text = "https://*.preview.example.com/done";
        assert_eq!(String::from(RedirectPattern::from_str(text).unwrap()), text);
        let text = "https://*.example.com:8443";
        assert_eq!(String::from(OriginPattern::from_str(text).unwrap()), text);
    }
}
