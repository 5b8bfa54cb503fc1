//! `POST /agnost/auth/signin-email`

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join_all;
use harness::{Answer, App, PASSWORD, snapshot};
use serde_json::{Value, json};

const PATH: &str = "/agnost/auth/signin-email";
const QUARTER: Duration = Duration::from_mins(15);
/// `limits.wrong_passwords`.
const TRIES: usize = 10;

async fn sign_in(app: &App, body: &Value) -> Answer {
    app.call("POST", PATH).json(body).await
}

async fn wrong(app: &App, email: &str) -> Answer {
    app.sign_in(email, "not the password").await
}

/// So that no test meets the end of the limiter's quarter of an hour.
async fn early_in_the_quarter(app: &App) {
    app.room_in_window(QUARTER, Duration::from_secs(30)).await;
}

fn token(answer: &Answer) -> String {
    let token = &answer.json()["session"]["token"];
    token.as_str().expect("a token").to_owned()
}

/// Everything about an answer but what differs from request to request.
fn outside(answer: &Answer) -> (u16, String, BTreeSet<String>) {
    let differs = |name: &str| name == "date" || name.contains("request") || name.contains("trace");
    let headers = answer.headers.iter();
    let headers = headers.filter(|(name, _)| !differs(name.as_str()));
    let headers = headers
        .map(|(name, value)| format!("{name}: {value:?}"))
        .collect();
    (answer.status, answer.body.clone(), headers)
}

// What it gives

#[tokio::test]
async fn the_right_password_gives_the_user_and_a_session() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let answer = app.sign_in(&email, PASSWORD).await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));
}

#[tokio::test]
async fn the_session_is_the_users_own_and_the_cookie_holds_its_token() {
    let app = App::start().await;
    let email = app.email("ada");
    let id = app.verified_user(&email).await;
    let answer = app.sign_in(&email, PASSWORD).await;
    let body = answer.expect_ok().json();
    assert_eq!(body["user"]["_id"], *id);
    assert_eq!(body["session"]["userId"], *id);
    let user = app.user(&token(&answer)).await;
    assert_eq!(user.expect_ok().json(), body["user"]);

    let cookie = answer.header("set-cookie");
    let mut parts = cookie.split("; ");
    assert_eq!(
        parts.next(),
        Some(format!("session_token={}", token(&answer)).as_str())
    );
    let attributes: BTreeSet<&str> = parts.collect();
    for attribute in ["Path=/", "HttpOnly", "Secure", "SameSite=None"] {
        assert!(attributes.contains(attribute), "{cookie}");
    }
    assert!(!cookie.to_lowercase().contains("domain="), "{cookie}");
    let expires = attributes
        .iter()
        .find_map(|part| part.strip_prefix("Expires="));
    assert!(
        expires.is_some_and(|date| date.ends_with(" GMT")),
        "{cookie}"
    );
    assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 1);
}

#[tokio::test]
async fn the_time_of_the_last_sign_in_moves() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let mut before = String::new();
    for _ in 0..3 {
        app.advance(Duration::from_mins(1));
        let answer = app.sign_in(&email, PASSWORD).await;
        let body = answer.expect_ok().json();
        let at = body["user"]["lastLoginAt"].as_str().expect("a time");
        let signed_up = body["user"]["signUpAt"].as_str().expect("a time");
        // ISO 8601 sorts as text.
        assert!(
            at > before.as_str() && at > signed_up,
            "{at} {before} {signed_up}"
        );
        assert_eq!(app.user(&token(&answer)).await.json()["lastLoginAt"], at);
        at.clone_into(&mut before);
    }
}

#[tokio::test]
async fn every_sign_in_begins_a_session_of_its_own() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let mut tokens = BTreeSet::new();
    for _ in 0..3 {
        tokens.insert(app.session(&email).await);
    }
    assert_eq!(tokens.len(), 3);
    for token in &tokens {
        app.user(token).await.expect_ok();
    }
}

#[tokio::test]
async fn an_address_is_known_in_every_spelling() {
    let app = App::start().await;
    let email = app
        .email("ada")
        .replace("@example.com", "@xn--bcher-kva.example");
    let id = app.verified_user(&email).await;
    for spelling in [
        email.to_uppercase(),
        format!("  {email}\t"),
        email.replace("xn--bcher-kva", "bücher"),
        email.replace("xn--bcher-kva", "BU\u{308}CHER"),
    ] {
        let answer = app.sign_in(&spelling, PASSWORD).await;
        assert_eq!(answer.expect_ok().json()["user"]["_id"], *id, "{spelling}");
    }
}

// What is refused

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_get_one_and_the_same_answer() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let unverified = app.email("bob");
    app.sign_up(&unverified).await.expect_ok();
    let known = wrong(&app, &email).await;
    known.expect_error(401, "invalid_sign_in_credentials");
    insta::assert_snapshot!(snapshot::of(&app, &known));
    let unknown = app.sign_in(&app.email("nobody"), PASSWORD).await;
    assert_eq!(outside(&known), outside(&unknown));
    assert_eq!(outside(&known), outside(&wrong(&app, &unverified).await));
    assert_eq!(known.header("set-cookie"), "");
}

#[tokio::test]
async fn that_an_address_is_not_confirmed_is_told_only_with_the_right_password() {
    let app = App::start().await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    let answer = app.sign_in(&email, PASSWORD).await;
    answer.expect_error(401, "email_not_verified");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    assert_eq!(answer.header("set-cookie"), "");
    wrong(&app, &email)
        .await
        .expect_error(401, "invalid_sign_in_credentials");
}

#[tokio::test]
async fn missing_wrong_and_unknown_fields_are_named_all_at_once() {
    let app = App::start().await;
    let answer = sign_in(
        &app,
        &json!({ "email": "ada", "password": 1, "remember": true }),
    )
    .await;
    answer.expect_error(400, "validation_error");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    let answer = sign_in(&app, &json!({})).await;
    assert_eq!(
        answer.expect_error(400, "validation_error").blamed(),
        ["email", "password"]
    );
    let answer = sign_in(
        &app,
        &json!({ "email": { "$ne": "" }, "password": { "$ne": "" } }),
    )
    .await;
    assert_eq!(
        answer.expect_error(400, "validation_error").blamed(),
        ["email", "password"]
    );
}

#[tokio::test]
async fn what_can_be_no_password_is_refused_alike_for_everybody() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    for password in ["", "short", &"x".repeat(129)] {
        let known = app.sign_in(&email, password).await;
        let blamed = known.expect_error(400, "validation_error").blamed();
        assert_eq!(blamed, ["password"]);
        let unknown = app.sign_in(&app.email("nobody"), password).await;
        assert_eq!(outside(&known), outside(&unknown));
    }
}

// How often

#[tokio::test]
async fn after_10_wrong_passwords_nobody_may_try_for_the_rest_of_a_quarter_of_an_hour() {
    let app = App::start().await;
    let (email, other) = (app.email("ada"), app.email("bob"));
    app.verified_user(&email).await;
    app.verified_user(&other).await;
    early_in_the_quarter(&app).await;
    for _ in 0..TRIES {
        wrong(&app, &email)
            .await
            .expect_error(401, "invalid_sign_in_credentials");
    }
    let answer = wrong(&app, &email).await;
    answer.expect_error(429, "rate_limit_exceeded");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    let seconds: u32 = answer.header("retry-after").parse().expect("a number");
    assert!((1..=900).contains(&seconds), "{seconds}");

    // Neither the right password, nor another spelling, nor what a header says about the caller helps.
    app.sign_in(&email, PASSWORD)
        .await
        .expect_error(429, "rate_limit_exceeded");
    let spelled = format!(" {}", email.to_uppercase());
    app.sign_in(&spelled, PASSWORD)
        .await
        .expect_error(429, "rate_limit_exceeded");
    for header in [
        "x-forwarded-for",
        "x-real-ip",
        "true-client-ip",
        "forwarded",
    ] {
        let value = if header == "forwarded" {
            "for=203.0.113.9"
        } else {
            "203.0.113.9"
        };
        let call = app.call("POST", PATH).header(header, value);
        let answer = call
            .json(&json!({ "email": email, "password": PASSWORD }))
            .await;
        answer.expect_error(429, "rate_limit_exceeded");
    }
    app.sign_in(&other, PASSWORD).await.expect_ok();
}

#[tokio::test]
async fn an_address_that_nobody_has_is_limited_alike() {
    let app = App::start().await;
    let email = app.email("nobody");
    early_in_the_quarter(&app).await;
    for _ in 0..TRIES {
        wrong(&app, &email)
            .await
            .expect_error(401, "invalid_sign_in_credentials");
    }
    wrong(&app, &email)
        .await
        .expect_error(429, "rate_limit_exceeded");
}

#[tokio::test]
async fn a_success_forgives_the_wrong_passwords_before_it() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    early_in_the_quarter(&app).await;
    for _ in 0..3 {
        for _ in 1..TRIES {
            wrong(&app, &email)
                .await
                .expect_error(401, "invalid_sign_in_credentials");
        }
        app.sign_in(&email, PASSWORD).await.expect_ok();
    }
}

#[tokio::test]
async fn when_the_seconds_of_retry_after_are_over_the_right_password_works_again() {
    let name = "when_the_seconds_of_retry_after_are_over_the_right_password_works_again";
    let Some(app) = App::with_movable_clock(name).await else {
        return;
    };
    let email = app.email("ada");
    app.verified_user(&email).await;
    early_in_the_quarter(&app).await;
    for _ in 0..TRIES {
        wrong(&app, &email)
            .await
            .expect_error(401, "invalid_sign_in_credentials");
    }
    let answer = app.sign_in(&email, PASSWORD).await;
    answer.expect_error(429, "rate_limit_exceeded");
    let seconds = answer.header("retry-after").parse().expect("a number");
    app.advance(Duration::from_secs(seconds));
    app.sign_in(&email, PASSWORD).await.expect_ok();
}

// Races

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_40_wrong_passwords_at_once_no_more_than_10_are_looked_at() {
    let app = App::start().await;
    let email = app.email("race");
    app.verified_user(&email).await;
    early_in_the_quarter(&app).await;
    let answers = join_all((0..40).map(|_| wrong(&app, &email))).await;
    let looked_at = answers.iter().filter(|answer| answer.status == 401).count();
    assert_eq!(looked_at, TRIES, "{answers:?}");
    for answer in answers.iter().filter(|answer| answer.status != 401) {
        answer.expect_error(429, "rate_limit_exceeded");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_who_sign_in_at_once_get_a_session_each_or_have_to_wait() {
    let app = App::start().await;
    let email = app.email("race");
    app.verified_user(&email).await;
    let answers = join_all((0..50).map(|_| app.sign_in(&email, PASSWORD))).await;
    let mut tokens = BTreeSet::new();
    for answer in &answers {
        // Tries that are still under way count as wrong ones.
        if answer.status == 200 {
            assert!(tokens.insert(token(answer)), "{answer:?}");
        } else {
            answer.expect_error(429, "rate_limit_exceeded");
        }
    }
    assert!(!tokens.is_empty());
    for token in &tokens {
        app.user(token).await.expect_ok();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_people_who_sign_in_at_once_get_a_session_each() {
    let app = App::start().await;
    let people: Vec<String> = (0..50).map(|_| app.email("crowd")).collect();
    join_all(people.iter().map(|email| app.verified_user(email))).await;
    let answers = join_all(people.iter().map(|email| app.sign_in(email, PASSWORD))).await;
    let mut tokens = BTreeSet::new();
    for (email, answer) in people.iter().zip(&answers) {
        assert_eq!(answer.expect_ok().json()["user"]["email"], **email);
        tokens.insert(token(answer));
    }
    assert_eq!(tokens.len(), 50);
}
