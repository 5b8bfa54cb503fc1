use reqwest::header::HeaderMap;
use serde_json::Value;
use url::Url;

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Reads a response.
    pub async fn read(response: reqwest::Response) -> Self {
        Self {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text().await.expect("a body in UTF-8"),
        }
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// If it is none.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// A header's text; empty if there is none.
    pub fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    }

    /// The code of the one error; empty if the body holds none.
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["errors"][0]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// The names of the fields that a validation error blames, sorted.
    pub fn blamed(&self) -> Vec<String> {
        let body: Value = serde_json::from_str(&self.body).unwrap_or_default();
        let fields = body["errors"][0]["details"]["fields"].as_array().cloned();
        let mut names: Vec<String> = fields
            .unwrap_or_default()
            .iter()
            .map(|field| field["field"].as_str().unwrap_or_default().to_owned())
            .collect();
        names.sort();
        names
    }

    /// A parameter of the URL that a redirect leads to.
    pub fn sent_with(&self, name: &str) -> Option<String> {
        parameter(self.header("location"), name)
    }

    /// Fails the test unless this is the error of this status and code, in the form of the wire.
    #[track_caller]
    pub fn expect_error(&self, status: u16, code: &str) -> &Self {
        assert_eq!(
            (self.status, self.code().as_str()),
            (status, code),
            "{self:?}"
        );
        let body = self.json();
        assert_eq!(body["errors"].as_array().map(Vec::len), Some(1), "{self:?}");
        let origin = if status >= 500 {
            "server_error"
        } else {
            "client_error"
        };
        assert_eq!(body["errors"][0]["origin"], origin, "{self:?}");
        assert!(body["errors"][0]["message"].is_string(), "{self:?}");
        self
    }

    /// Fails the test unless a person is sent back to his app with this error.
    #[track_caller]
    pub fn expect_sent_back(&self, status: &str, code: &str) -> &Self {
        let sent = (self.sent_with("status"), self.sent_with("code"));
        assert_eq!(self.status, 302, "{self:?}");
        assert_eq!(
            sent,
            (Some(status.to_owned()), Some(code.to_owned())),
            "{self:?}"
        );
        assert!(
            self.sent_with("error").is_some_and(|text| !text.is_empty()),
            "{self:?}"
        );
        assert!(self.sent_with("access_token").is_none(), "{self:?}");
        self
    }

    /// Fails the test unless this is a success.
    #[track_caller]
    pub fn expect_ok(&self) -> &Self {
        assert_eq!(self.status, 200, "{self:?}");
        self
    }
}

/// A parameter of a URL, decoded.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let found = url.query_pairs().find(|(known, _)| known == name);
    found.map(|(_, value)| value.into_owned())
}

/// A message in the inbox.
#[derive(Clone, Debug)]
pub struct Mail {
    /// To whom.
    pub to: String,
    /// From whom.
    pub from: String,
    /// What it is about.
    pub subject: String,
    /// As plain text.
    pub text: String,
    /// As HTML.
    pub html: String,
}

impl Mail {
    /// The one link in it that leads to `verify`.
    ///
    /// # Panics
    /// If there is none.
    #[track_caller]
    pub fn link(&self) -> String {
        let words = self.text.split_whitespace();
        let mut links = words.filter(|word| word.contains("/agnost/auth/verify?"));
        links.next().expect("a link in the mail").to_owned()
    }
}
