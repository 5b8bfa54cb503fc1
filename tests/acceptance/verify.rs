//! `GET /agnost/auth/verify`

use std::time::Duration;

use futures_util::future::join_all;
use harness::{Answer, App, PASSWORD, REDIRECT, parameter, snapshot, some_at_once};
use serde_json::json;

/// What a link may be for.
const ACTIONS: [&str; 4] = ["email-confirm", "magic-link", "reset-pwd", "change-email"];

/// A link that was sent to somebody, and not yet followed.
struct Link {
    email: String,
    url: String,
    key: String,
}

async fn link(app: &App, name: &str) -> Link {
    link_back_to(app, name, REDIRECT).await
}

async fn link_back_to(app: &App, name: &str, redirect: &str) -> Link {
    let email = app.email(name);
    let body = json!({ "email": email, "password": PASSWORD, "redirectURL": redirect });
    let answer = app
        .call("POST", "/agnost/auth/signup-email")
        .json(&body)
        .await;
    answer.expect_ok();
    let url = app.link(&email).await;
    let key = parameter(&url, "key").expect("a key in the link");
    Link { email, url, key }
}

/// `verify` as the link says, but with another key.
async fn confirm(app: &App, key: &str) -> Answer {
    app.verify(&[
        ("key", key),
        ("action", "email-confirm"),
        ("redirect", REDIRECT),
    ])
    .await
}

/// Fails unless the link still does what it was sent for: whatever went before has not used it up.
#[track_caller]
fn expect_followed(answer: &Answer) {
    assert_eq!(answer.status, 302, "{answer:?}");
    assert_eq!(
        answer.sent_with("status").as_deref(),
        Some("200"),
        "{answer:?}"
    );
    let token = answer.sent_with("access_token").unwrap_or_default();
    assert!(token.starts_with("at-"), "{answer:?}");
}

/// Fails unless the caller is refused without being sent anywhere.
#[track_caller]
fn expect_refused(answer: &Answer) {
    assert!((400..500).contains(&answer.status), "{answer:?}");
    assert_eq!(answer.header("location"), "", "{answer:?}");
}

#[tokio::test]
async fn a_link_leads_back_to_the_app_with_an_access_token() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    app.sign_in(&link.email, PASSWORD)
        .await
        .expect_error(401, "email_not_verified");

    let answer = app.follow(&link.url).await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));

    let signed_in = app.sign_in(&link.email, PASSWORD).await;
    assert_eq!(signed_in.json()["user"]["emailVerified"], true);
}

#[tokio::test]
async fn the_link_in_the_mail_names_the_action_and_the_redirect_url() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    assert!(link.key.starts_with("tk-"), "{}", link.url);
    assert_eq!(
        parameter(&link.url, "action").as_deref(),
        Some("email-confirm")
    );
    assert_eq!(parameter(&link.url, "redirect").as_deref(), Some(REDIRECT));
}

#[tokio::test]
async fn a_link_works_once() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    expect_followed(&app.follow(&link.url).await);
    for _ in 0..2 {
        let again = app.follow(&link.url).await;
        again.expect_sent_back("400", "invalid_access_token");
        assert_eq!(again.sent_with("action").as_deref(), Some("email-confirm"));
    }
    let again = app.follow(&link.url).await;
    insta::assert_snapshot!(snapshot::of(&app, &again));
}

#[tokio::test]
async fn of_fifty_who_follow_one_link_at_once_one_gets_in() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    let answers = join_all((0..50).map(|_| app.follow(&link.url))).await;
    let (lucky, others): (Vec<&Answer>, Vec<&Answer>) = answers
        .iter()
        .partition(|answer| answer.sent_with("access_token").is_some());
    assert_eq!(lucky.len(), 1, "{answers:?}");
    expect_followed(lucky[0]);
    for other in others {
        other.expect_sent_back("400", "invalid_access_token");
    }
    let token = lucky[0].sent_with("access_token").expect("a token");
    app.grant(&token).await.expect_ok();
}

#[tokio::test]
async fn links_followed_at_once_by_many_people_work_for_each() {
    let app = App::start().await;
    let links = join_all((0..20).map(|_| link(&app, "crowd"))).await;
    let answers = join_all(links.iter().map(|link| app.follow(&link.url))).await;
    let mut tokens: Vec<_> = answers
        .iter()
        .map(|answer| answer.sent_with("access_token"))
        .collect();
    answers.iter().for_each(expect_followed);
    tokens.sort();
    tokens.dedup();
    assert_eq!(tokens.len(), 20);
}

#[tokio::test]
async fn looking_at_a_link_without_opening_it_does_not_use_it_up() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    for method in ["HEAD", "PUT", "PATCH", "DELETE", "POST"] {
        expect_refused(&app.bare_call(method, &link.url).send().await);
    }
    let preflight = app.bare_call("OPTIONS", &link.url).send().await;
    assert_eq!(preflight.header("location"), "", "{preflight:?}");
    expect_followed(&app.follow(&link.url).await);
}

#[tokio::test]
async fn a_key_that_nobody_was_sent_does_not_work() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    let other_prefix = link.key.replacen("tk-", "at-", 1);
    let doubled = link.key.repeat(2);
    let long = format!("tk-{}", "a".repeat(4_000));
    let unprefixed = link.key.trim_start_matches("tk-");
    let upper = link.key.to_ascii_uppercase();
    for key in [
        "nonsense",
        "tk-",
        "tk-.",
        "tk-0123456789abcdefghijklmnopqrstuv1.nobody",
        "tk-0123456789abcdefghijklmnopqrstuv1.00000000-0000-4000-8000-000000000000",
        "tk-0123456789abcdefghijklmnopqrstuv99999999999999999999.ada",
        "tk-0123456789abcdefghijklmnopqrstuv-1.ada",
        "undefined",
        "null",
        "' OR '1'='1",
        "../../etc/passwd",
        "tk-\u{0}\u{0}",
        "🗝️",
        "é",
        &other_prefix,
        &doubled,
        &long,
        unprefixed,
        &upper,
        &format!(" {}", link.key),
        &format!("{}\n", link.key),
        &format!("{}#", link.key),
    ] {
        let answer = confirm(&app, key).await;
        answer.expect_sent_back("400", "invalid_access_token");
        assert!(
            answer.header("location").starts_with(REDIRECT),
            "{answer:?}"
        );
    }
    expect_followed(&app.follow(&link.url).await);
}

#[tokio::test]
async fn a_key_with_any_character_changed_left_out_or_added_does_not_work() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    let mut changed = Vec::new();
    for (at, old) in link.key.char_indices() {
        let (before, after) = (&link.key[..at], &link.key[at + 1..]);
        let other = if old == '2' { '3' } else { '2' };
        changed.push(format!("{before}{other}{after}"));
        changed.push(format!("{before}{after}"));
        changed.push(format!("{before}0{old}{after}"));
    }
    changed.push(format!("{}0", link.key));
    for answer in some_at_once(changed.iter().map(|key| confirm(&app, key))).await {
        answer.expect_sent_back("400", "invalid_access_token");
    }
    expect_followed(&app.follow(&link.url).await);
}

#[tokio::test]
async fn a_key_with_another_users_id_verifies_nobody() {
    let app = App::start().await;
    let (ada, eve) = (link(&app, "ada").await, link(&app, "eve").await);
    let id = |key: &str| {
        key.split_once('.')
            .map(|(_, id)| id.to_owned())
            .expect("an id")
    };
    let stolen = eve.key.replace(&id(&eve.key), &id(&ada.key));
    assert_ne!(stolen, eve.key);
    confirm(&app, &stolen)
        .await
        .expect_sent_back("400", "invalid_access_token");
    for link in [ada, eve] {
        app.sign_in(&link.email, PASSWORD)
            .await
            .expect_error(401, "email_not_verified");
        expect_followed(&app.follow(&link.url).await);
    }
}

#[tokio::test]
async fn a_link_is_good_for_no_other_action() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    for action in ACTIONS
        .into_iter()
        .filter(|action| *action != "email-confirm")
    {
        let parameters = [
            ("key", &*link.key),
            ("action", action),
            ("redirect", REDIRECT),
        ];
        let answer = app.verify(&parameters).await;
        answer.expect_sent_back("400", "invalid_access_token");
        assert_eq!(
            answer.sent_with("action").as_deref(),
            Some(action),
            "{answer:?}"
        );
    }
    expect_followed(&app.follow(&link.url).await);
}

#[tokio::test]
async fn a_used_link_is_good_for_no_other_action_either() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    expect_followed(&app.follow(&link.url).await);
    for action in ACTIONS {
        let parameters = [
            ("key", &*link.key),
            ("action", action),
            ("redirect", REDIRECT),
        ];
        app.verify(&parameters)
            .await
            .expect_sent_back("400", "invalid_access_token");
    }
}

#[tokio::test]
async fn an_access_token_is_no_link() {
    let app = App::start().await;
    let token = app.access_token(&app.email("ada")).await;
    for key in [token.clone(), token.replacen("at-", "tk-", 1)] {
        confirm(&app, &key)
            .await
            .expect_sent_back("400", "invalid_access_token");
    }
    app.grant(&token).await.expect_ok();
}

#[tokio::test]
async fn a_link_works_for_almost_a_day() {
    let Some(app) = App::with_movable_clock("a_link_works_for_almost_a_day").await else {
        return;
    };
    let link = link(&app, "ada").await;
    app.advance(Duration::from_mins(23 * 60 + 59));
    expect_followed(&app.follow(&link.url).await);
}

#[tokio::test]
async fn a_link_is_dead_after_a_day() {
    let Some(app) = App::with_movable_clock("a_link_is_dead_after_a_day").await else {
        return;
    };
    let link = link(&app, "ada").await;
    app.advance(Duration::from_secs(24 * 60 * 60 + 1));
    let answer = app.follow(&link.url).await;
    answer.expect_sent_back("400", "invalid_access_token");
    app.sign_in(&link.email, PASSWORD)
        .await
        .expect_error(401, "email_not_verified");
}

#[tokio::test]
async fn without_a_key_nobody_is_sent_anywhere() {
    let app = App::start().await;
    let absent = [("action", "email-confirm"), ("redirect", REDIRECT)];
    let answer = app.verify(&absent).await;
    answer.expect_error(400, "missing_access_token");
    expect_refused(&answer);
    insta::assert_snapshot!(snapshot::of(&app, &answer));

    let empty = confirm(&app, "").await;
    empty.expect_error(400, "missing_access_token");
    expect_refused(&empty);
    expect_refused(&app.verify(&[]).await);
}

#[tokio::test]
async fn a_redirect_url_that_is_not_listed_is_not_followed_and_the_link_lives_on() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    for redirect in [
        "https://evil.example/",
        "",
        "http://localhost:3000/other",
        REDIRECT.trim_end_matches('k'),
    ] {
        let parameters = [
            ("key", &*link.key),
            ("action", "email-confirm"),
            ("redirect", redirect),
        ];
        let answer = app.verify(&parameters).await;
        answer.expect_error(400, "invalid_redirect_url");
        expect_refused(&answer);
    }
    let absent = app
        .verify(&[("key", &link.key), ("action", "email-confirm")])
        .await;
    absent.expect_error(400, "invalid_redirect_url");
    expect_refused(&absent);
    insta::assert_snapshot!(snapshot::of(&app, &absent));
    expect_followed(&app.follow(&link.url).await);
}

#[tokio::test]
async fn a_bad_key_is_not_sent_to_a_redirect_url_that_is_not_listed() {
    let app = App::start().await;
    for key in ["tk-nonsense", "at-nonsense"] {
        let parameters = [
            ("key", key),
            ("action", "email-confirm"),
            ("redirect", "https://evil.example/"),
        ];
        let answer = app.verify(&parameters).await;
        answer.expect_error(400, "invalid_redirect_url");
        expect_refused(&answer);
    }
}

#[tokio::test]
async fn a_parameter_that_is_given_twice_is_refused() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    for (name, value) in [
        ("key", &*link.key),
        ("key", "tk-other"),
        ("action", "email-confirm"),
        ("action", "reset-pwd"),
        ("redirect", REDIRECT),
        ("redirect", "https://evil.example/"),
        ("redirect", ""),
    ] {
        let good = [
            ("key", &*link.key),
            ("action", "email-confirm"),
            ("redirect", REDIRECT),
        ];
        let after = [&good[..], &[(name, value)]].concat();
        let before = [&[(name, value)], &good[..]].concat();
        for parameters in [after, before] {
            let answer = app.verify(&parameters).await;
            expect_refused(&answer);
            assert_eq!(answer.blamed(), [name], "{answer:?}");
        }
    }
    expect_followed(&app.follow(&link.url).await);
}

#[tokio::test]
async fn an_unknown_action_is_refused_by_name() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    for action in [
        "explode",
        "",
        "EMAIL-CONFIRM",
        "email_confirm",
        "email-confirm ",
        "oauth-signin",
    ] {
        let parameters = [
            ("key", &*link.key),
            ("action", action),
            ("redirect", REDIRECT),
        ];
        let answer = app.verify(&parameters).await;
        expect_refused(&answer);
        assert_eq!(answer.blamed(), ["action"], "{action}: {answer:?}");
    }
    let answer = app
        .verify(&[
            ("key", &link.key),
            ("action", "explode"),
            ("redirect", REDIRECT),
        ])
        .await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    expect_followed(&app.follow(&link.url).await);
}

#[tokio::test]
async fn a_link_without_an_action_is_sent_back_and_lives_on() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    let answer = app
        .verify(&[("key", &link.key), ("redirect", REDIRECT)])
        .await;
    answer.expect_sent_back("400", "invalid_access_token");
    expect_followed(&app.follow(&link.url).await);
}

#[tokio::test]
async fn what_others_hang_on_a_link_is_ignored() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    let tracked = format!(
        "{}&utm_source=mail&utm_source=again&fbclid=x&&=&access_token=at-evil&status=500&__proto__=1",
        link.url,
    );
    let answer = app.follow(&tracked).await;
    expect_followed(&answer);
    let location = answer.header("location");
    assert!(
        !location.contains("utm_") && !location.contains("evil"),
        "{location}"
    );
}

#[tokio::test]
async fn parameters_count_in_any_order() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    let parameters = [
        ("redirect", REDIRECT),
        ("key", &*link.key),
        ("action", "email-confirm"),
    ];
    expect_followed(&app.verify(&parameters).await);
}

#[tokio::test]
async fn a_redirect_url_keeps_a_query_of_its_own() {
    let app = App::start().await;
    let own = "https://app.example.com/done?tab=account";
    let link = link_back_to(&app, "ada", own).await;
    let answer = app.follow(&link.url).await;
    expect_followed(&answer);
    assert!(
        answer.header("location").starts_with(&format!("{own}&")),
        "{answer:?}"
    );
    assert_eq!(answer.sent_with("tab").as_deref(), Some("account"));
    let again = app.follow(&link.url).await;
    again.expect_sent_back("400", "invalid_access_token");
    assert!(
        again.header("location").starts_with(&format!("{own}&")),
        "{again:?}"
    );
}

#[tokio::test]
async fn a_redirect_url_may_match_a_wildcard() {
    let app = App::start().await;
    let preview = "https://branch-7.preview.example.com/auth/callback";
    let link = link_back_to(&app, "ada", preview).await;
    let answer = app.follow(&link.url).await;
    expect_followed(&answer);
    assert!(
        answer
            .header("location")
            .starts_with(&format!("{preview}?")),
        "{answer:?}"
    );
}

#[tokio::test]
async fn nobody_needs_a_key_and_no_header_changes_where_a_link_leads() {
    let app = App::start().await;
    let link = link(&app, "ada").await;
    let call = app
        .bare_call("GET", &link.url)
        .header("authorization", "Bearer nonsense")
        .header("session", "nonsense")
        .header("cookie", "session_token=nonsense")
        .header("origin", "https://evil.example")
        .header("referer", "https://evil.example/")
        .header("x-forwarded-host", "evil.example")
        .header("x-original-url", "/health");
    let answer = call.send().await;
    expect_followed(&answer);
    assert!(
        answer.header("location").starts_with(REDIRECT),
        "{answer:?}"
    );
    assert_eq!(answer.header("set-cookie"), "", "{answer:?}");
}
