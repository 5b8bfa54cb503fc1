//! `POST /agnost/auth/change-pwd`

use futures_util::future::join_all;
use harness::{Answer, App, PASSWORD, snapshot};
use serde_json::json;

const NEW: &str = "a new and better one";

async fn change(app: &App, session: &str, old: &str, new: &str) -> Answer {
    let call = app.call("POST", "/agnost/auth/change-pwd").session(session);
    call.json(&json!({ "oldPassword": old, "newPassword": new }))
        .await
}

#[tokio::test]
async fn the_new_password_works_other_sessions_end_and_the_owner_is_told() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let own = app.session(&email).await;
    let other = app.session(&email).await;
    let answer = change(&app, &own, PASSWORD, NEW).await;
    insta::assert_snapshot!("change_pwd_success", snapshot::of(&app, &answer));
    app.user(&own).await.expect_ok();
    app.user(&other)
        .await
        .expect_error(401, "invalid_session_token");
    app.sign_in(&email, PASSWORD)
        .await
        .expect_error(401, "invalid_sign_in_credentials");
    app.sign_in(&email, NEW).await.expect_ok();
    let mails = app.mails(&email).await;
    insta::assert_snapshot!("change_pwd_mail", snapshot::of_mail(&app, &mails[0]));
}

#[tokio::test]
async fn a_change_is_a_change_even_if_its_owner_cannot_be_told() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let own = app.session(&email).await;
    app.refuse_mail(&email, 1).await;
    change(&app, &own, PASSWORD, NEW).await.expect_ok();
    app.sign_in(&email, NEW).await.expect_ok();
}

#[tokio::test]
async fn every_link_and_token_of_the_user_dies_with_the_old_password() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let own = app.session(&email).await;
    let token = app.reset_token(&email).await;
    app.ask_for_link("send-magic", &email).await.expect_ok();
    let link = app.link(&email).await;
    change(&app, &own, PASSWORD, NEW).await.expect_ok();
    app.reset(&token, "of an attacker")
        .await
        .expect_error(403, "invalid_access_token");
    app.follow(&link)
        .await
        .expect_sent_back("400", "invalid_access_token");
}

#[tokio::test]
async fn a_wrong_old_password_changes_nothing_and_is_limited() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let own = app.session(&email).await;
    let answer = change(&app, &own, "not the password", NEW).await;
    answer.expect_error(401, "invalid_credentials");
    app.sign_in(&email, PASSWORD).await.expect_ok();
    let mut limited = 0;
    // Ten a quarter of an hour; a new one may begin in between.
    for _ in 0..20 {
        let answer = change(&app, &own, "not the password", NEW).await;
        if answer.status == 429 {
            answer.expect_error(429, "rate_limit_exceeded");
            limited += 1;
        }
    }
    assert!(limited > 0);
    app.user(&own).await.expect_ok();
}

#[tokio::test]
async fn a_new_password_that_is_none_is_named() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let own = app.session(&email).await;
    let answer = change(&app, &own, PASSWORD, "short").await;
    answer.expect_error(400, "validation_error");
    assert_eq!(answer.blamed(), ["newPassword"]);
}

#[tokio::test]
async fn of_many_changes_at_once_one_wins_and_its_password_works() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let own = app.session(&email).await;
    let passwords: Vec<String> = (0..8).map(|n| format!("password {n}")).collect();
    let changes = passwords
        .iter()
        .map(|new| change(&app, &own, PASSWORD, new));
    let answers = join_all(changes).await;
    let won: Vec<usize> = (0..8).filter(|n| answers[*n].status == 200).collect();
    assert_eq!(won.len(), 1, "{answers:?}");
    app.user(&own).await.expect_ok();
    app.sign_in(&email, &passwords[won[0]]).await.expect_ok();
}
