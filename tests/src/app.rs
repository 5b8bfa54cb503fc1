use std::sync::OnceLock;
use std::time::Duration;

use local::services::Storage;
use local::{Functions, Laptop, LaptopOptions, keys};
use reqwest::{Client, Method, RequestBuilder, redirect};
use serde_json::{Value, json};
use shared::domain::Clock;
use shared::secrets::random;
use tokio::net::TcpListener;
use url::form_urlencoded;

use crate::recorder::Recorder;
use crate::{Answer, Door, Mail};

/// A password.
pub const PASSWORD: &str = "correct horse battery";
/// An allow-listed URL.
pub const REDIRECT: &str = "http://localhost:3000/auth/callback";

/// A running system.
pub struct App {
    /// Its base URL.
    pub url: String,
    /// The publishable key.
    pub publishable: String,
    /// The secret key.
    pub secret: String,
    /// Its clock; moves in process only.
    pub clock: Clock,
    /// What it asks of AWS; in process only.
    pub recorder: Recorder,
    /// Its insides; in process only.
    pub laptop: Option<Laptop>,
    inbox: String,
    http: Client,
}

/// A request that a test makes up.
pub struct Call<'a> {
    request: RequestBuilder,
    app: &'a App,
}

impl App {
    /// A system with the settings of `tests/settings.json`, here or where `LATCHKEY_BASE_URL` says.
    pub async fn start() -> Self {
        match std::env::var("LATCHKEY_BASE_URL") {
            Ok(url) => Self::elsewhere(&url),
            Err(_) => Self::with(json!({})).await,
        }
    }

    /// A system whose clock moves; `None`, and a line that names the test, where it runs elsewhere.
    pub async fn with_movable_clock(test: &str) -> Option<Self> {
        if std::env::var_os("LATCHKEY_BASE_URL").is_some() {
            // Not `eprintln!`: the test runner would swallow it.
            use std::io::Write;
            let _ = writeln!(
                std::io::stderr(),
                "skipped, as it needs a movable clock: {test}"
            );
            return None;
        }
        Some(Self::with(json!({})).await)
    }

    /// A system in this process, with settings of its own on top of `tests/settings.json`.
    pub async fn with(settings: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let clock = Clock::movable();
        let recorder = Recorder::default();
        let laptop = Laptop::start(LaptopOptions {
            listener,
            functions: Functions::Here,
            storage: Storage::Memory,
            settings: Some(overlay(settings)),
            signing_key: signing_key().to_owned(),
            clock: clock.clone(),
            http: Some(recorder.client()),
        })
        .await
        .expect("the system starts");
        recorder.forget();
        Self {
            url: laptop.url.clone(),
            inbox: laptop.services.url().to_owned(),
            publishable: local::defaults::PUBLISHABLE_KEY.to_owned(),
            secret: local::defaults::SECRET_KEY.to_owned(),
            clock,
            recorder,
            laptop: Some(laptop),
            http: client(),
        }
    }

    fn elsewhere(url: &str) -> Self {
        let variable = |name: &str, otherwise: &str| {
            std::env::var(name).unwrap_or_else(|_| otherwise.to_owned())
        };
        Self {
            inbox: variable("LATCHKEY_INBOX_URL", url),
            publishable: variable("LATCHKEY_PUBLISHABLE_KEY", local::defaults::PUBLISHABLE_KEY),
            secret: variable("LATCHKEY_SECRET_KEY", local::defaults::SECRET_KEY),
            url: url.trim_end_matches('/').to_owned(),
            clock: Clock::system(),
            recorder: Recorder::default(),
            laptop: None,
            http: client(),
        }
    }

    /// Moves the clock ahead.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Sees to it that so much of the present window of a limit is left: moves the clock to the next, or waits
    /// for it.
    pub async fn room_in_window(&self, window: Duration, needed: Duration) {
        let now = u64::try_from(self.clock.now().as_millisecond()).unwrap_or_default();
        let into =
            Duration::from_millis(now % u64::try_from(window.as_millis()).unwrap_or(u64::MAX));
        let left = window.saturating_sub(into);
        if left >= needed {
            return;
        }
        match self.laptop {
            Some(_) => self.advance(left),
            None => tokio::time::sleep(left).await,
        }
    }

    /// An address that nobody has used yet.
    pub fn email(&self, name: &str) -> String {
        format!("{name}-{}@example.com", &random::uuid()[..8])
    }

    /// A request with the publishable key.
    pub fn call(&self, method: &str, path: &str) -> Call<'_> {
        self.bare_call(method, path).key(&self.publishable)
    }

    /// A request with nothing at all.
    pub fn bare_call(&self, method: &str, path: &str) -> Call<'_> {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.url)
        };
        Call {
            request: self.http.request(method, url),
            app: self,
        }
    }

    /// A request to an operation, with nothing to show; a POST has an empty object for its body.
    pub fn knock(&self, door: &Door) -> Call<'_> {
        let call = self.bare_call(door.method, &door.path);
        if door.method != "POST" {
            return call;
        }
        let call = call.header("content-type", "application/json");
        Call {
            request: call.request.body("{}"),
            app: self,
        }
    }

    /// `signup-email` with a redirect URL.
    pub async fn sign_up(&self, email: &str) -> Answer {
        let body = json!({ "email": email, "password": PASSWORD, "redirectURL": REDIRECT });
        self.call("POST", "/agnost/auth/signup-email")
            .json(&body)
            .await
    }

    /// A user who followed his link; gives his id.
    pub async fn verified_user(&self, email: &str) -> String {
        let answer = self.sign_up(email).await;
        answer.expect_ok();
        let followed = self.follow(&self.link(email).await).await;
        assert_eq!(
            followed.sent_with("status").as_deref(),
            Some("200"),
            "{followed:?}"
        );
        answer.json()["user"]["_id"]
            .as_str()
            .expect("an id")
            .to_owned()
    }

    /// `signin-email`.
    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        self.call("POST", "/agnost/auth/signin-email")
            .json(&body)
            .await
    }

    /// `signin-email`; gives the session token.
    pub async fn session(&self, email: &str) -> String {
        let answer = self.sign_in(email, PASSWORD).await;
        answer.expect_ok();
        answer.json()["session"]["token"]
            .as_str()
            .expect("a token")
            .to_owned()
    }

    /// `resend`.
    pub async fn resend(&self, email: &str) -> Answer {
        let body = json!({ "email": email, "redirectURL": REDIRECT });
        self.call("POST", "/agnost/auth/resend").json(&body).await
    }

    /// `user`.
    pub async fn user(&self, session: &str) -> Answer {
        self.call("GET", "/agnost/auth/user")
            .session(session)
            .send()
            .await
    }

    /// `send-magic` or `send-reset`.
    pub async fn ask_for_link(&self, operation: &str, email: &str) -> Answer {
        let body = json!({ "email": email, "redirectURL": REDIRECT });
        let path = format!("/agnost/auth/{operation}");
        self.call("POST", &path).json(&body).await
    }

    /// The access token of a reset link that was asked for and followed.
    ///
    /// # Panics
    /// If there is none.
    pub async fn reset_token(&self, email: &str) -> String {
        self.ask_for_link("send-reset", email).await.expect_ok();
        let followed = self.follow(&self.link(email).await).await;
        followed.sent_with("access_token").expect("an access token")
    }

    /// `reset-pwd`.
    pub async fn reset(&self, token: &str, password: &str) -> Answer {
        let path = format!("/agnost/auth/reset-pwd?key={token}");
        let body = json!({ "newPassword": password });
        self.call("POST", &path).json(&body).await
    }

    /// `sessions`.
    pub async fn sessions(&self, session: &str) -> Answer {
        let call = self.call("GET", "/agnost/auth/sessions");
        call.session(session).send().await
    }

    /// `grant`.
    pub async fn grant(&self, access_token: &str) -> Answer {
        let path = format!("/agnost/auth/grant?key={access_token}");
        self.bare_call("GET", &path).send().await
    }

    /// `verify` with these parameters.
    pub async fn verify(&self, parameters: &[(&str, &str)]) -> Answer {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(parameters)
            .finish();
        self.follow(&format!("/agnost/auth/verify?{query}")).await
    }

    /// Signs somebody up, and follows the link; gives the access token.
    pub async fn access_token(&self, email: &str) -> String {
        self.sign_up(email).await.expect_ok();
        let followed = self.follow(&self.link(email).await).await;
        let token = followed.sent_with("access_token");
        token.unwrap_or_else(|| panic!("no access token: {followed:?}"))
    }

    /// Opens a link as a browser does, but stays where it is sent away.
    pub async fn follow(&self, link: &str) -> Answer {
        self.bare_call("GET", link).send().await
    }

    /// The link in the newest mail to an address.
    pub async fn link(&self, email: &str) -> String {
        let mails = self.mails(email).await;
        mails.first().expect("a mail").link()
    }

    /// The mails to an address, newest first.
    pub async fn mails(&self, email: &str) -> Vec<Mail> {
        let url = format!("{}/_inbox/messages", self.inbox);
        let request = self.http.get(url).query(&[("to", email)]);
        let answer = Answer::read(request.send().await.expect("an inbox")).await;
        let text =
            |message: &Value, name: &str| message[name].as_str().unwrap_or_default().to_owned();
        let read = |message: &Value| Mail {
            to: text(message, "to"),
            from: text(message, "from"),
            subject: text(message, "subject"),
            text: text(message, "text"),
            html: text(message, "html"),
        };
        answer
            .json()
            .as_array()
            .expect("a list")
            .iter()
            .map(read)
            .collect()
    }

    /// Makes the mail service refuse the next so many mails to an address.
    pub async fn refuse_mail(&self, email: &str, times: u32) {
        let url = format!("{}/_inbox/refusals", self.inbox);
        let request = self
            .http
            .put(url)
            .json(&json!({ "to": email, "times": times }));
        let answer = request.send().await.expect("an inbox");
        assert!(answer.status().is_success(), "{answer:?}");
    }
}

impl Call<'_> {
    /// With this API key, or none if it is empty.
    #[must_use]
    pub fn key(self, key: &str) -> Self {
        self.header("authorization", key)
    }

    /// With this session token.
    #[must_use]
    pub fn session(self, token: &str) -> Self {
        self.header("session", token)
    }

    /// With this header, in place of one of the same name.
    #[must_use]
    pub fn header(self, name: &str, value: &str) -> Self {
        let name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).expect("a name");
        let value = reqwest::header::HeaderValue::from_str(value).expect("a value");
        let headers = [(name, value)].into_iter().collect();
        Self {
            request: self.request.headers(headers),
            app: self.app,
        }
    }

    /// Sends a JSON body.
    pub async fn json(self, body: &Value) -> Answer {
        self.body("application/json", body.to_string()).await
    }

    /// Sends a body of this type.
    pub async fn body(self, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
        let app = self.app;
        let request = self.header("content-type", content_type).request.body(body);
        Call { request, app }.send().await
    }

    /// Sends a body that has no type.
    pub async fn untyped(self, body: impl Into<reqwest::Body>) -> Answer {
        let app = self.app;
        Call {
            request: self.request.body(body),
            app,
        }
        .send()
        .await
    }

    /// Sends a JSON body to whom may hang up before its end; `None` if he did.
    pub async fn try_json(self, body: String) -> Option<Answer> {
        let request = self
            .header("content-type", "application/json")
            .request
            .body(body);
        match request.send().await {
            Ok(response) => Some(Answer::read(response).await),
            Err(_) => None,
        }
    }

    /// Sends it without a body.
    pub async fn send(self) -> Answer {
        Answer::read(self.request.send().await.expect("an answer")).await
    }
}

fn client() -> Client {
    Client::builder()
        .redirect(redirect::Policy::none())
        .user_agent("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0")
        .build()
        .expect("an HTTP client")
}

/// `tests/settings.json` with a test's own on top. Objects are merged at their first level.
fn overlay(settings: Value) -> Value {
    let mut base: Value =
        serde_json::from_str(include_str!("../settings.json")).expect("settings in JSON");
    let Value::Object(settings) = settings else {
        return base;
    };
    for (name, value) in settings {
        match (base[&name].as_object_mut(), value) {
            (Some(base), Value::Object(value)) => base.extend(value),
            (_, value) => base[&name] = value,
        }
    }
    base
}

/// One key for all: making one takes longer than most tests.
pub fn signing_key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| keys::generate().expect("a signing key"))
}
