//! `POST /agnost/auth/signout`

use std::time::Duration;

use futures_util::future::join_all;
use harness::{Answer, App, snapshot};
use serde_json::json;

/// Ends a session, or others, by one of the operations for that.
pub(crate) async fn end(app: &App, operation: &str, session: &str) -> Answer {
    let path = format!("/agnost/auth/{operation}");
    app.call("POST", &path).session(session).send().await
}

async fn end_other(app: &App, session: &str, token: &str) -> Answer {
    let call = app.call("POST", "/agnost/auth/signout").session(session);
    call.json(&json!({ "token": token })).await
}

async fn two_sessions(app: &App, name: &str) -> (String, String) {
    let email = app.email(name);
    app.verified_user(&email).await;
    (app.session(&email).await, app.session(&email).await)
}

#[tokio::test]
async fn a_session_ends_at_once_and_its_cookie_is_cleared() {
    let app = App::start().await;
    let (own, other) = two_sessions(&app, "ada").await;
    let answer = end(&app, "signout", &own).await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    app.user(&own)
        .await
        .expect_error(401, "invalid_session_token");
    end(&app, "signout", &own)
        .await
        .expect_error(401, "invalid_session_token");
    app.user(&other).await.expect_ok();
}

#[tokio::test]
async fn another_session_of_the_same_user_ends_and_the_own_lives_on_with_its_cookie() {
    let app = App::start().await;
    let (own, other) = two_sessions(&app, "ada").await;
    let answer = end_other(&app, &own, &other).await;
    answer.expect_ok();
    assert_eq!(
        (answer.body.as_str(), answer.header("set-cookie")),
        ("", "")
    );
    app.user(&other)
        .await
        .expect_error(401, "invalid_session_token");
    app.user(&own).await.expect_ok();
}

#[tokio::test]
async fn the_own_session_may_be_named_as_well() {
    let app = App::start().await;
    let (own, _) = two_sessions(&app, "ada").await;
    let answer = end_other(&app, &own, &own).await;
    assert!(
        answer.header("set-cookie").starts_with("session_token=;"),
        "{answer:?}"
    );
    app.user(&own)
        .await
        .expect_error(401, "invalid_session_token");
}

#[tokio::test]
async fn to_end_what_has_ended_is_no_error() {
    let app = App::start().await;
    let (own, other) = two_sessions(&app, "ada").await;
    for _ in 0..3 {
        end_other(&app, &own, &other).await.expect_ok();
    }
}

#[tokio::test]
async fn an_expired_session_may_be_ended() {
    let Some(app) = App::with_movable_clock("an_expired_session_may_be_ended").await else {
        return;
    };
    let email = app.email("ada");
    app.verified_user(&email).await;
    let old = app.session(&email).await;
    app.advance(Duration::from_hours(31 * 24));
    let own = app.session(&email).await;
    end_other(&app, &own, &old).await.expect_ok();
}

#[tokio::test]
async fn what_is_no_session_token_and_what_is_somebody_elses_is_refused() {
    let app = App::start().await;
    let (own, other) = two_sessions(&app, "ada").await;
    let (of_eve, _) = two_sessions(&app, "eve").await;
    let foreign = end_other(&app, &own, &of_eve).await;
    insta::assert_snapshot!("somebody_elses_session", snapshot::of(&app, &foreign));
    foreign.expect_error(403, "invalid_session_token");
    app.user(&of_eve).await.expect_ok();
    let none = end_other(&app, &own, "not a token").await;
    insta::assert_snapshot!("no_session_token", snapshot::of(&app, &none));
    for token in [
        "",
        "a.b.c",
        &other[1..],
        &format!("{other}x"),
        "tk-x",
        "at-x",
    ] {
        end_other(&app, &own, token)
            .await
            .expect_error(404, "invalid_session_token");
    }
    app.user(&own).await.expect_ok();
    app.user(&other).await.expect_ok();
}

#[tokio::test]
async fn a_token_that_is_no_text_is_a_wrong_field() {
    let app = App::start().await;
    let (own, _) = two_sessions(&app, "ada").await;
    let call = app.call("POST", "/agnost/auth/signout").session(&own);
    let answer = call.json(&json!({ "token": 7 })).await;
    answer.expect_error(400, "validation_error");
    assert_eq!(answer.blamed(), ["token"]);
    app.user(&own).await.expect_ok();
}

#[tokio::test]
async fn of_many_who_end_one_session_at_once_nobody_fails() {
    let app = App::start().await;
    let (own, other) = two_sessions(&app, "ada").await;
    for answer in join_all((0..20).map(|_| end_other(&app, &own, &other))).await {
        answer.expect_ok();
    }
    app.user(&own).await.expect_ok();
}
