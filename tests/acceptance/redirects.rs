//! The list of redirect URLs, and the tricks to get past it (RFC 9700, 4.1.1; OWASP, unvalidated redirects).

use futures_util::future::join_all;
use harness::{Answer, App, PASSWORD, REDIRECT, parameter};
use serde_json::json;

/// What the settings list, with a name in place of the star.
const LISTED: [&str; 3] = [
    REDIRECT,
    "https://app.example.com/done?tab=account",
    "https://branch-7.preview.example.com/auth/callback",
];

/// What must be refused: a browser would go elsewhere, or two programs could read it differently.
const TRICKS: &[&str] = &[
    // No absolute URL.
    "/",
    "//evil.example",
    "//evil.example/auth/callback",
    "///evil.example",
    "////evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "evil.example",
    "localhost:3000/auth/callback",
    "//localhost:3000/auth/callback",
    "/auth/callback",
    "auth/callback",
    "?x",
    "#x",
    " ",
    "http:",
    "http:/",
    "http://",
    "http:localhost:3000/auth/callback",
    "http:/localhost:3000/auth/callback",
    "http:///localhost:3000/auth/callback",
    "https:evil.example",
    "https:///evil.example",
    "://evil.example",
    // Backslashes.
    "http:\\\\localhost:3000\\auth\\callback",
    "http:/\\localhost:3000/auth/callback",
    "http://localhost:3000\\auth\\callback",
    "http://localhost:3000\\@evil.example/auth/callback",
    "http://evil.example\\@localhost:3000/auth/callback",
    "http://evil.example\\.localhost:3000/auth/callback",
    "https://evil.example\\.preview.example.com/auth/callback",
    // User names.
    "http://localhost:3000@evil.example/auth/callback",
    "http://localhost:3000:x@evil.example/auth/callback",
    "http://evil.example@localhost:3000/auth/callback",
    "http://user:password@localhost:3000/auth/callback",
    "http://@localhost:3000/auth/callback",
    "http://:@localhost:3000/auth/callback",
    "http://localhost:3000%40evil.example/auth/callback",
    "https://app.example.com@evil.example/done?tab=account",
    "https://x@branch-7.preview.example.com/auth/callback",
    // Other hosts that begin or end alike.
    "http://evil.example/auth/callback",
    "http://localhost.evil.example:3000/auth/callback",
    "http://evillocalhost:3000/auth/callback",
    "http://evil.localhost:3000/auth/callback",
    "http://localhost.:3000/auth/callback",
    "http://127.0.0.1:3000/auth/callback",
    "http://[::1]:3000/auth/callback",
    "http://2130706433:3000/auth/callback",
    "https://app.example.com.evil.example/done?tab=account",
    "https://app.example.com./done?tab=account",
    "https://evil-app.example.com/done?tab=account",
    "https://xapp.example.com/done?tab=account",
    "https://example.com/done?tab=account",
    "https://app.example.co/done?tab=account",
    "https://evil.example/?https://app.example.com/done?tab=account",
    "https://evil.example/https://app.example.com/done?tab=account",
    "https://evil.example#https://app.example.com/done?tab=account",
    // A star is one label.
    "https://preview.example.com/auth/callback",
    "https://.preview.example.com/auth/callback",
    "https://a.b.preview.example.com/auth/callback",
    "https://a%2eb.preview.example.com/auth/callback",
    "https://a\u{3002}b.preview.example.com/auth/callback",
    "https://evil.example/.preview.example.com/auth/callback",
    "https://evil.example?.preview.example.com/auth/callback",
    "https://evil.example#.preview.example.com/auth/callback",
    "https://evil.example%2f.preview.example.com/auth/callback",
    "https://evil.example%23.preview.example.com/auth/callback",
    "https://evil.example%00.preview.example.com/auth/callback",
    "https://evil.example\u{ff0f}.preview.example.com/auth/callback",
    "https://evil.example\u{ff1f}.preview.example.com/auth/callback",
    "https://evil.example\u{ff03}.preview.example.com/auth/callback",
    "https://evil.example\u{ff20}branch-7.preview.example.com/auth/callback",
    "https://evil.ex\u{2100}mple.preview.example.com/auth/callback",
    "https://evil.example:443.preview.example.com/auth/callback",
    "https://x.preview.example.com.evil.example/auth/callback",
    "https://x.preview.example.com:8443/auth/callback",
    "http://x.preview.example.com/auth/callback",
    "https://x.preview.example.com/other",
    "https://x.preview.example.com/auth/callback?x=1",
    "https://x.preview.example.com/auth/callback/",
    // Other ports.
    "http://localhost/auth/callback",
    "http://localhost:/auth/callback",
    "http://localhost:80/auth/callback",
    "http://localhost:3001/auth/callback",
    "http://localhost:30000/auth/callback",
    "http://localhost:3000:80/auth/callback",
    "http://localhost:68536/auth/callback",
    "http://localhost:-3000/auth/callback",
    "https://app.example.com:8443/done?tab=account",
    // Other schemes.
    "https://localhost:3000/auth/callback",
    "http://app.example.com/done?tab=account",
    "ftp://localhost:3000/auth/callback",
    "ws://localhost:3000/auth/callback",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "javascript://localhost:3000/auth/callback",
    "javascript://localhost:3000/auth/callback%0aalert(1)",
    "javascript:alert(1)//http://localhost:3000/auth/callback",
    "java\tscript:alert(1)",
    "java\nscript:alert(1)",
    "\u{1}javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "data:text/html;base64,PHNjcmlwdD4=",
    "data://localhost:3000/auth/callback",
    "vbscript:msgbox(1)",
    "file:///etc/passwd",
    "file://localhost:3000/auth/callback",
    "blob:http://localhost:3000/auth/callback",
    "view-source:http://localhost:3000/auth/callback",
    "about:blank",
    "intent://localhost:3000/auth/callback",
    "mailto:eve@evil.example",
    // Other paths.
    "http://localhost:3000",
    "http://localhost:3000/",
    "http://localhost:3000/auth",
    "http://localhost:3000/auth/callback/",
    "http://localhost:3000/auth/callback//",
    "http://localhost:3000//auth/callback",
    "http://localhost:3000/auth//callback",
    "http://localhost:3000/auth/callbackevil",
    "http://localhost:3000/auth/callback;x",
    "http://localhost:3000/auth/callback.html",
    "http://localhost:3000/AUTH/callback",
    "http://localhost:3000/auth/callback/..",
    "http://localhost:3000/auth/callback/../evil",
    "http://localhost:3000/auth/callback/../../evil",
    "http://localhost:3000/auth/callback/%2e%2e/evil",
    "http://localhost:3000/auth/callback/.%2e/evil",
    "http://localhost:3000/auth/callback/.",
    "http://localhost:3000/auth/callback/..%2fevil",
    "http://localhost:3000/auth/callback/..;/evil",
    "http://localhost:3000/auth/callback%2f..",
    "http://localhost:3000/auth/callback%2f..%2fevil",
    "http://localhost:3000/auth%2fcallback",
    "http://localhost:3000/auth/call%62ack",
    "http://localhost:3000/auth/callback%00",
    "http://localhost:3000/auth/callback%20",
    "http://localhost:3000/auth/callback%0d%0aSet-Cookie:x=y",
    "http://localhost:3000/auth/callback\u{2025}/evil",
    // Other queries and fragments.
    "http://localhost:3000/auth/callback?",
    "http://localhost:3000/auth/callback?x=1",
    "http://localhost:3000/auth/callback?next=https://evil.example",
    "http://localhost:3000/auth/callback?access_token=at-evil",
    "http://localhost:3000/auth/callback&x=1",
    "http://localhost:3000/auth/callback#",
    "http://localhost:3000/auth/callback#x",
    "http://localhost:3000/auth/callback#access_token=at-evil",
    "https://app.example.com/done",
    "https://app.example.com/done?",
    "https://app.example.com/done?tab=other",
    "https://app.example.com/done?tab=account&tab=other",
    "https://app.example.com/done?x=1&tab=account",
    "https://app.example.com/done?tab=account&x=1",
    "https://app.example.com/done?tab=account#x",
    "https://app.example.com/done?tab=accoun%74",
    "https://app.example.com/done%3ftab=account",
    // White space and control characters.
    " http://localhost:3000/auth/callback",
    "http://localhost:3000/auth/callback ",
    "\thttp://localhost:3000/auth/callback",
    "http://localhost:3000/auth/callback\n",
    "http://localhost:3000/auth/call\nback",
    "http://localhost:3000/auth/call\tback",
    "ht\ntp://localhost:3000/auth/callback",
    "http:/\t/localhost:3000/auth/callback",
    "http://local\thost:3000/auth/callback",
    "http://localhost:3000/auth/callback\r\nSet-Cookie: x=y",
    "http://localhost:3000/auth/callback\u{0}",
    "\u{0}http://localhost:3000/auth/callback",
    "\u{a0}http://localhost:3000/auth/callback",
    "http://localhost:3000/auth/callback\u{2028}",
    "http://localhost:3000/auth/callback\u{85}",
    "http:// localhost:3000/auth/callback",
    // Encoded hosts and others that only look alike.
    "http://local%68ost:3000/auth/callback",
    "http%3a%2f%2flocalhost:3000%2fauth%2fcallback",
    "http%3A//localhost:3000/auth/callback",
    "https://app%2eexample.com/done?tab=account",
    "https://app%E3%80%82example.com/done?tab=account",
    "https://app\u{3002}example.com.evil.example/done?tab=account",
    "https://app.example.com\u{3002}evil.example/done?tab=account",
    "https://app.example.com\u{ff0f}.evil.example/done?tab=account",
    "https://\u{430}pp.example.com/done?tab=account",
    "https://xn--pp-6kc.example.com/done?tab=account",
    "https://app.ex\u{e4}mple.com/done?tab=account",
    // Several.
    "http://localhost:3000/auth/callback,https://evil.example",
    "https://evil.example,http://localhost:3000/auth/callback",
    "http://localhost:3000/auth/callback https://evil.example",
    "https://*.preview.example.com.evil.example/auth/callback",
    "*",
    "https://*",
];

/// Other spellings of a listed URL: whether they are refused or not, nobody must get anywhere else.
const SPELLINGS: &[&str] = &[
    "HTTP://LOCALHOST:3000/auth/callback",
    "http://localhost:03000/auth/callback",
    "http://localhost:3000/./auth/callback",
    "http://localhost:3000/auth/./callback",
    "http://localhost:3000/x/../auth/callback",
    "http://localhost:3000/../auth/callback",
    "http://localhost:3000/%2e%2e/auth/callback",
    "http://loc\u{ad}alhost:3000/auth/callback",
    "http://ｌocalhost:3000/auth/callback",
    "https://app.example.com:443/done?tab=account",
    "https://app\u{3002}example\u{ff0e}com/done?tab=account",
    "https://APP.EXAMPLE.COM/done?tab=account",
    "https://branch-7\u{ff61}preview.example.com/auth/callback",
];

/// A URL so long that no browser would take it.
fn long() -> String {
    format!("{REDIRECT}?{}", "x".repeat(4_000))
}

#[track_caller]
fn expect_refused(trick: &str, answer: &Answer) {
    assert_eq!(
        (answer.status, &*answer.code()),
        (400, "invalid_redirect_url"),
        "{trick:?} {answer:?}"
    );
    assert_eq!(answer.header("location"), "", "{trick:?} {answer:?}");
    assert_eq!(answer.header("set-cookie"), "", "{trick:?} {answer:?}");
    assert_eq!(answer.header("refresh"), "", "{trick:?} {answer:?}");
}

/// Whether a URL is a listed one, with parameters added or without.
fn is_listed(url: &str) -> bool {
    LISTED.iter().any(|listed| {
        url.strip_prefix(listed)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['?', '&']))
    })
}

async fn sign_up(app: &App, email: &str, redirect: &str) -> Answer {
    let body = json!({ "email": email, "password": PASSWORD, "redirectURL": redirect });
    app.call("POST", "/agnost/auth/signup-email")
        .json(&body)
        .await
}

async fn resend(app: &App, email: &str, redirect: &str) -> Answer {
    let body = json!({ "email": email, "redirectURL": redirect });
    app.call("POST", "/agnost/auth/resend").json(&body).await
}

async fn verify(app: &App, key: &str, redirect: &str) -> Answer {
    app.verify(&[
        ("key", key),
        ("action", "email-confirm"),
        ("redirect", redirect),
    ])
    .await
}

#[tokio::test]
async fn every_listed_url_is_followed() {
    let app = App::start().await;
    for listed in LISTED {
        let email = app.email("ada");
        sign_up(&app, &email, listed).await.expect_ok();
        let first = app.link(&email).await;
        assert_eq!(parameter(&first, "redirect").as_deref(), Some(listed));
        resend(&app, &email, listed).await.expect_ok();
        let second = app.link(&email).await;
        assert_ne!(first, second);
        assert_eq!(parameter(&second, "redirect").as_deref(), Some(listed));
        let answer = app.follow(&second).await;
        assert_eq!(
            answer.sent_with("status").as_deref(),
            Some("200"),
            "{answer:?}"
        );
        assert!(is_listed(answer.header("location")), "{answer:?}");
    }
}

#[tokio::test]
async fn no_trick_gets_another_redirect_url_past_a_sign_up() {
    let app = App::start().await;
    let email = app.email("eve");
    for trick in TRICKS.iter().copied().chain([&*long()]) {
        expect_refused(trick, &sign_up(&app, &email, trick).await);
    }
    assert!(app.mails(&email).await.is_empty());
    // Nothing was created on the way.
    sign_up(&app, &email, REDIRECT).await.expect_ok();
}

#[tokio::test]
async fn no_trick_gets_another_redirect_url_past_resend() {
    let app = App::start().await;
    let email = app.email("eve");
    sign_up(&app, &email, REDIRECT).await.expect_ok();
    for trick in TRICKS.iter().copied().chain([&*long()]) {
        expect_refused(trick, &resend(&app, &email, trick).await);
    }
    let mails = app.mails(&email).await;
    assert_eq!(mails.len(), 1);
    // The link that was sent lives on.
    let answer = app.follow(&mails[0].link()).await;
    assert_eq!(
        answer.sent_with("status").as_deref(),
        Some("200"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn no_trick_sends_a_browser_elsewhere_from_a_link() {
    let app = App::start().await;
    let email = app.email("eve");
    sign_up(&app, &email, REDIRECT).await.expect_ok();
    let link = app.link(&email).await;
    let key = parameter(&link, "key").expect("a key");
    for key in [&key, "tk-nonsense"] {
        for trick in TRICKS.iter().copied().chain([&*long()]) {
            expect_refused(trick, &verify(&app, key, trick).await);
        }
    }
    let answer = app.follow(&link).await;
    assert_eq!(
        answer.sent_with("status").as_deref(),
        Some("200"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_link_in_the_query_without_encoding_leads_nowhere_else() {
    let app = App::start().await;
    let email = app.email("eve");
    sign_up(&app, &email, REDIRECT).await.expect_ok();
    let link = app.link(&email).await;
    let key = parameter(&link, "key").expect("a key");
    for redirect in [
        "http://localhost:3000/auth/callback@evil.example",
        "//evil.example",
        "https://evil.example/%0d%0aLocation:https://evil.example",
        "%68ttps://evil.example",
        "https%253a%252f%252fevil.example",
        "http://localhost:3000/auth/callback%ff",
        "%ff%fe",
        "http://localhost:3000/auth/callback+",
    ] {
        let path =
            format!("/agnost/auth/verify?key={key}&action=email-confirm&redirect={redirect}");
        expect_refused(redirect, &app.follow(&path).await);
    }
    let answer = app.follow(&link).await;
    assert_eq!(
        answer.sent_with("status").as_deref(),
        Some("200"),
        "{answer:?}"
    );
}

#[tokio::test]
async fn another_spelling_of_a_listed_url_leads_to_that_url_or_nowhere() {
    let app = App::start().await;
    let tried = SPELLINGS.iter().map(async |spelling| {
        let email = app.email("ada");
        let signed_up = sign_up(&app, &email, spelling).await;
        if signed_up.status == 200 {
            let link = app.link(&email).await;
            let redirect = parameter(&link, "redirect").unwrap_or_default();
            assert!(LISTED.contains(&&*redirect), "{spelling:?} {link}");
        } else {
            expect_refused(spelling, &signed_up);
            sign_up(&app, &email, REDIRECT).await.expect_ok();
        }
        let key = parameter(&app.link(&email).await, "key").expect("a key");
        let answer = verify(&app, &key, spelling).await;
        if answer.status == 302 {
            assert!(
                is_listed(answer.header("location")),
                "{spelling:?} {answer:?}"
            );
        } else {
            expect_refused(spelling, &answer);
        }
    });
    join_all(tried).await;
}

#[tokio::test]
async fn what_is_no_text_is_no_redirect_url() {
    let app = App::start().await;
    let email = app.email("eve");
    for redirect in [
        json!(1),
        json!(true),
        json!([REDIRECT]),
        json!({ "url": REDIRECT }),
    ] {
        let body = json!({ "email": email, "password": PASSWORD, "redirectURL": redirect });
        let answer = app
            .call("POST", "/agnost/auth/signup-email")
            .json(&body)
            .await;
        answer.expect_error(400, "validation_error");
        assert_eq!(answer.blamed(), ["redirectURL"]);
        let body = json!({ "email": email, "redirectURL": redirect });
        let answer = app.call("POST", "/agnost/auth/resend").json(&body).await;
        answer.expect_error(400, "validation_error");
        assert_eq!(answer.blamed(), ["redirectURL"]);
    }
    assert!(app.mails(&email).await.is_empty());
}
