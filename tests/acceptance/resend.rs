//! `POST /agnost/auth/resend`

use std::time::Duration;

use futures_util::future::join_all;
use harness::{Answer, App, PASSWORD, REDIRECT, snapshot};
use serde_json::{Value, json};

const PATH: &str = "/agnost/auth/resend";
const HOUR: Duration = Duration::from_hours(1);
/// `limits.mails_per_address`.
const MAILS: usize = 10;

async fn resend(app: &App, body: &Value) -> Answer {
    app.call("POST", PATH).json(body).await
}

/// So that no test meets the end of the limiter's hour.
async fn early_in_the_hour(app: &App) {
    app.room_in_window(HOUR, Duration::from_secs(30)).await;
}

// What it gives

#[tokio::test]
async fn a_new_mail_is_sent_and_the_answer_is_empty() {
    let app = App::start().await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    let answer = app.resend(&email).await;
    assert_eq!(answer.expect_ok().body, "");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    let mails = app.mails(&email).await;
    assert_eq!(mails.len(), 2, "{mails:?}");
    insta::assert_snapshot!(
        "the_mail_that_is_sent_again",
        snapshot::of_mail(&app, &mails[0])
    );
}

#[tokio::test]
async fn older_links_die_and_the_newest_works() {
    let app = App::start().await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    let first = app.link(&email).await;
    app.resend(&email).await.expect_ok();
    let second = app.link(&email).await;
    app.resend(&email).await.expect_ok();
    let third = app.link(&email).await;
    assert!(first != second && second != third);
    for dead in [&first, &second] {
        app.follow(dead)
            .await
            .expect_sent_back("400", "invalid_access_token");
    }
    app.sign_in(&email, PASSWORD)
        .await
        .expect_error(401, "email_not_verified");
    let followed = app.follow(&third).await;
    assert_eq!(
        followed.sent_with("status").as_deref(),
        Some("200"),
        "{followed:?}"
    );
    app.sign_in(&email, PASSWORD).await.expect_ok();
}

#[tokio::test]
async fn an_address_is_known_in_every_spelling_and_written_to_in_its_canonical_one() {
    let app = App::start().await;
    let email = app
        .email("ada")
        .replace("@example.com", "@xn--bcher-kva.example");
    app.sign_up(&email).await.expect_ok();
    let typed = email.to_uppercase().replace("XN--BCHER-KVA", "B\u{dc}CHER");
    app.resend(&format!(" {typed} ")).await.expect_ok();
    let mails = app.mails(&email).await;
    assert_eq!(mails.len(), 2, "{mails:?}");
    assert_eq!(mails[0].to, email);
}

#[tokio::test]
async fn the_link_leads_to_the_redirect_url_of_this_call() {
    let app = App::start().await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    let redirect = "https://app.example.com/done?tab=account";
    let body = json!({ "email": email, "redirectURL": redirect });
    resend(&app, &body).await.expect_ok();
    let followed = app.follow(&app.link(&email).await).await;
    assert!(
        followed.header("location").starts_with(redirect),
        "{followed:?}"
    );
    assert_eq!(
        followed.sent_with("status").as_deref(),
        Some("200"),
        "{followed:?}"
    );
}

#[tokio::test]
async fn only_a_listed_base_url_is_the_base_of_the_link() {
    let app = App::start().await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    for (base, begins) in [
        ("https://auth.example.com", "https://auth.example.com"),
        ("https://evil.example", app.url.as_str()),
        ("https://auth.example.com.evil.example", app.url.as_str()),
    ] {
        let body = json!({ "email": email, "redirectURL": REDIRECT, "baseURL": base });
        let call = app
            .call("POST", PATH)
            .header("x-forwarded-host", "evil.example");
        call.json(&body).await.expect_ok();
        let link = app.link(&email).await;
        assert!(
            link.starts_with(&format!("{begins}/agnost/auth/verify?key=tk-")),
            "{link}"
        );
        assert!(!link.contains("evil"), "{link}");
    }
}

#[tokio::test]
async fn a_link_that_has_expired_can_be_replaced() {
    let Some(app) = App::with_movable_clock("a_link_that_has_expired_can_be_replaced").await else {
        return;
    };
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    let expired = app.link(&email).await;
    app.advance(48 * HOUR);
    app.follow(&expired)
        .await
        .expect_sent_back("400", "invalid_access_token");
    app.resend(&email).await.expect_ok();
    let followed = app.follow(&app.link(&email).await).await;
    assert_eq!(
        followed.sent_with("status").as_deref(),
        Some("200"),
        "{followed:?}"
    );
    app.sign_in(&email, PASSWORD).await.expect_ok();
}

// What is refused

#[tokio::test]
async fn nothing_is_sent_to_an_address_that_nobody_signed_up_with() {
    let app = App::start().await;
    let email = app.email("nobody");
    let answer = app.resend(&email).await;
    answer.expect_error(401, "invalid_credentials");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    assert!(app.mails(&email).await.is_empty());
}

#[tokio::test]
async fn nothing_is_sent_to_an_address_that_is_verified() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let answer = app.resend(&email).await;
    answer.expect_error(401, "email_already_verified");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    assert_eq!(app.mails(&email).await.len(), 1);
}

#[tokio::test]
async fn a_redirect_url_that_is_not_listed_sends_nothing_and_leaves_the_older_link_alone() {
    let app = App::start().await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    let body = |redirect: &str| json!({ "email": email, "redirectURL": redirect });
    let answer = resend(&app, &body("https://evil.example/done")).await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    for redirect in [
        "",
        "/done",
        "https://app.example.com/done",
        "javascript:alert(1)",
    ] {
        let answer = resend(&app, &body(redirect)).await;
        answer.expect_error(400, "invalid_redirect_url");
    }
    assert_eq!(app.mails(&email).await.len(), 1);
    let followed = app.follow(&app.link(&email).await).await;
    assert_eq!(
        followed.sent_with("status").as_deref(),
        Some("200"),
        "{followed:?}"
    );
}

#[tokio::test]
async fn missing_and_unknown_fields_are_named_all_at_once() {
    let app = App::start().await;
    let answer = resend(&app, &json!({ "password": PASSWORD })).await;
    answer.expect_error(400, "validation_error");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    let answer = resend(&app, &json!({})).await;
    assert_eq!(answer.blamed(), ["email", "redirectURL"]);
    let answer = resend(&app, &json!({ "email": null, "redirectURL": null })).await;
    assert_eq!(answer.blamed(), ["email", "redirectURL"]);
    let answer = resend(
        &app,
        &json!({ "email": "ada", "redirectURL": 1, "baseURL": [] }),
    )
    .await;
    assert_eq!(answer.blamed(), ["baseURL", "email", "redirectURL"]);
}

#[tokio::test]
async fn a_mail_that_could_not_be_sent_can_be_asked_for_again() {
    let app = App::start().await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    app.refuse_mail(&email, 1).await;
    let answer = app.resend(&email).await;
    answer.expect_error(502, "cannot_send_auth_email");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    assert!(!answer.body.contains(&email), "{answer:?}");
    assert_eq!(app.mails(&email).await.len(), 1);

    app.resend(&email).await.expect_ok();
    let followed = app.follow(&app.link(&email).await).await;
    assert_eq!(
        followed.sent_with("status").as_deref(),
        Some("200"),
        "{followed:?}"
    );
    app.sign_in(&email, PASSWORD).await.expect_ok();
}

// How often

#[tokio::test]
async fn no_address_is_sent_more_than_10_mails_an_hour() {
    let app = App::start().await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    early_in_the_hour(&app).await;
    for _ in 0..MAILS {
        app.resend(&email).await.expect_ok();
    }
    let answer = app.resend(&email.to_uppercase()).await;
    answer.expect_error(429, "rate_limit_exceeded");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    let seconds: u32 = answer.header("retry-after").parse().expect("a number");
    assert!((1..=3_600).contains(&seconds), "{seconds}");
    assert_eq!(app.mails(&email).await.len(), 1 + MAILS);

    // The last link that was sent still works, and nobody else has to wait.
    let followed = app.follow(&app.link(&email).await).await;
    assert_eq!(
        followed.sent_with("status").as_deref(),
        Some("200"),
        "{followed:?}"
    );
    let other = app.email("bob");
    app.sign_up(&other).await.expect_ok();
    app.resend(&other).await.expect_ok();
}

#[tokio::test]
async fn an_address_that_nobody_has_is_limited_alike() {
    let app = App::start().await;
    let email = app.email("nobody");
    early_in_the_hour(&app).await;
    for _ in 0..MAILS {
        app.resend(&email)
            .await
            .expect_error(401, "invalid_credentials");
    }
    app.resend(&email)
        .await
        .expect_error(429, "rate_limit_exceeded");
}

#[tokio::test]
async fn when_the_seconds_of_retry_after_are_over_a_mail_is_sent_again() {
    let name = "when_the_seconds_of_retry_after_are_over_a_mail_is_sent_again";
    let Some(app) = App::with_movable_clock(name).await else {
        return;
    };
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    early_in_the_hour(&app).await;
    for _ in 0..MAILS {
        app.resend(&email).await.expect_ok();
    }
    let answer = app.resend(&email).await;
    let seconds = answer.header("retry-after").parse().expect("a number");
    app.advance(Duration::from_secs(seconds));
    app.resend(&email).await.expect_ok();
}

// Races

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_30_who_ask_at_once_no_more_than_10_get_a_mail() {
    let app = App::start().await;
    let email = app.email("race");
    app.sign_up(&email).await.expect_ok();
    early_in_the_hour(&app).await;
    let answers = join_all((0..30).map(|_| app.resend(&email))).await;
    let limited = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!(limited, 30 - MAILS, "{answers:?}");
    let sent = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(app.mails(&email).await.len(), 1 + sent);
    for answer in answers.iter().filter(|answer| answer.status == 429) {
        answer.expect_error(429, "rate_limit_exceeded");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_links_that_were_asked_for_at_once_exactly_one_works() {
    let app = App::start().await;
    let email = app.email("race");
    app.sign_up(&email).await.expect_ok();
    for answer in join_all((0..5).map(|_| app.resend(&email))).await {
        answer.expect_ok();
    }
    let mails = app.mails(&email).await;
    assert_eq!(mails.len(), 6, "{mails:?}");
    let mut worked = 0;
    for mail in &mails {
        let followed = app.follow(&mail.link()).await;
        if followed.sent_with("status").as_deref() == Some("200") {
            worked += 1;
        } else {
            followed.expect_sent_back("400", "invalid_access_token");
        }
    }
    assert_eq!(worked, 1);
    app.sign_in(&email, PASSWORD).await.expect_ok();
}
