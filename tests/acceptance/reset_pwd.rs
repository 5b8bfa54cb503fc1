//! `POST /agnost/auth/reset-pwd?key`

use std::time::Duration;

use futures_util::future::join_all;
use harness::{App, PASSWORD, snapshot};
use serde_json::json;

const NEW: &str = "a new and better one";

#[tokio::test]
async fn the_new_password_works_the_old_does_not_and_every_session_has_ended() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let sessions = [app.session(&email).await, app.session(&email).await];
    let token = app.reset_token(&email).await;
    let answer = app.reset(&token, NEW).await;
    insta::assert_snapshot!("reset_pwd_success", snapshot::of(&app, &answer));
    for session in &sessions {
        app.user(session)
            .await
            .expect_error(401, "invalid_session_token");
    }
    app.sign_in(&email, PASSWORD)
        .await
        .expect_error(401, "invalid_sign_in_credentials");
    app.sign_in(&email, NEW).await.expect_ok();
}

#[tokio::test]
async fn every_other_link_and_token_of_the_user_dies_with_the_old_password() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    app.ask_for_link("send-magic", &email).await.expect_ok();
    let followed = app.follow(&app.link(&email).await).await;
    let magic_token = followed.sent_with("access_token").expect("an access token");
    app.ask_for_link("send-magic", &email).await.expect_ok();
    let magic_link = app.link(&email).await;
    let token = app.reset_token(&email).await;
    let other_token = app.reset_token(&email).await;
    app.reset(&token, NEW).await.expect_ok();
    app.grant(&magic_token)
        .await
        .expect_error(403, "invalid_access_token");
    app.follow(&magic_link)
        .await
        .expect_sent_back("400", "invalid_access_token");
    app.reset(&other_token, "yet another one")
        .await
        .expect_error(403, "invalid_access_token");
    app.sign_in(&email, NEW).await.expect_ok();
}

#[tokio::test]
async fn a_token_works_once_however_many_use_it_at_once() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let token = app.reset_token(&email).await;
    let passwords: Vec<String> = (0..20).map(|n| format!("password {n}")).collect();
    let answers = join_all(passwords.iter().map(|password| app.reset(&token, password))).await;
    let won: Vec<usize> = (0..20).filter(|n| answers[*n].status == 200).collect();
    assert_eq!(won.len(), 1, "{won:?}");
    app.sign_in(&email, &passwords[won[0]]).await.expect_ok();
}

#[tokio::test]
async fn no_token_and_none_that_is_good_for_it_are_told_apart() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let call = app.call("POST", "/agnost/auth/reset-pwd");
    let missing = call.json(&json!({ "newPassword": NEW })).await;
    missing.expect_error(400, "missing_access_token");
    app.reset("", NEW)
        .await
        .expect_error(400, "missing_access_token");
    let token = app.reset_token(&email).await;
    for wrong in [
        "x",
        "at-x",
        "tk-x",
        &token[..token.len() - 1],
        &format!("{token}x"),
    ] {
        app.reset(wrong, NEW)
            .await
            .expect_error(403, "invalid_access_token");
    }
    app.ask_for_link("send-magic", &email).await.expect_ok();
    let followed = app.follow(&app.link(&email).await).await;
    let magic = followed.sent_with("access_token").expect("an access token");
    app.reset(&magic, NEW)
        .await
        .expect_error(401, "invalid_token_type");
    app.grant(&token)
        .await
        .expect_error(401, "invalid_token_type");
    // Neither was used up by that.
    app.grant(&magic).await.expect_ok();
    app.reset(&token, NEW).await.expect_ok();
}

#[tokio::test]
async fn a_password_that_is_none_leaves_the_token_as_it_was() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let token = app.reset_token(&email).await;
    let answer = app.reset(&token, "short").await;
    answer.expect_error(400, "validation_error");
    assert_eq!(answer.blamed(), ["newPassword"]);
    app.reset(&token, NEW).await.expect_ok();
}

#[tokio::test]
async fn a_token_is_dead_after_an_hour() {
    let Some(app) = App::with_movable_clock("a_token_is_dead_after_an_hour").await else {
        return;
    };
    let email = app.email("ada");
    app.verified_user(&email).await;
    let token = app.reset_token(&email).await;
    app.advance(Duration::from_mins(61));
    app.reset(&token, NEW)
        .await
        .expect_error(403, "invalid_access_token");
    app.sign_in(&email, PASSWORD).await.expect_ok();
}
