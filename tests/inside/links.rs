//! The links that other operations will send: `verify` knows them all.

use harness::App;
use serde_json::json;
use shared::domain::Action::{ChangeEmail, EmailConfirm, MagicLink, ResetPwd};
use shared::store::schema::Table;

use crate::tables::{delete, expect_consistent, flag, number, put_link, scan, set, text};

#[tokio::test]
async fn a_magic_link_signs_in_a_verified_user_and_no_other() {
    let app = App::with(json!({})).await;
    let email = app.email("ada");
    let id = app.verified_user(&email).await;
    let followed = app
        .follow(&put_link(&app, MagicLink, &id, 0, &email).await)
        .await;
    assert_eq!(followed.sent_with("action").as_deref(), Some("magic-link"));
    let token = followed.sent_with("access_token").expect("an access token");
    app.grant(&token).await.expect_ok();

    let eve = app.email("eve");
    let unverified = app.sign_up(&eve).await.json()["user"]["_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    for action in [MagicLink, ResetPwd, ChangeEmail] {
        let link = put_link(&app, action, &unverified, 0, &app.email("new")).await;
        app.follow(&link)
            .await
            .expect_sent_back("401", "email_not_verified");
    }
}

#[tokio::test]
async fn a_reset_link_yields_a_token_that_signs_nobody_in() {
    let app = App::with(json!({})).await;
    let email = app.email("ada");
    let id = app.verified_user(&email).await;
    let followed = app
        .follow(&put_link(&app, ResetPwd, &id, 0, &email).await)
        .await;
    let token = followed.sent_with("access_token").expect("an access token");
    app.grant(&token)
        .await
        .expect_error(401, "invalid_token_type");
    // It was not used up by that.
    app.grant(&token)
        .await
        .expect_error(401, "invalid_token_type");
    app.advance(std::time::Duration::from_hours(2));
    app.grant(&token)
        .await
        .expect_error(403, "invalid_access_token");
}

#[tokio::test]
async fn a_change_link_moves_the_user_tells_the_old_address_and_kills_what_was_sent_there() {
    let app = App::with(json!({})).await;
    let (old, new) = (app.email("old"), app.email("new"));
    let id = app.verified_user(&old).await;
    let magic = put_link(&app, MagicLink, &id, 0, &old).await;
    let link = put_link(&app, ChangeEmail, &id, 0, &new).await;
    let followed = app.follow(&link).await;
    assert_eq!(followed.status, 302);
    assert_eq!(followed.sent_with("status").as_deref(), Some("200"));
    assert_eq!(
        followed.sent_with("action").as_deref(),
        Some("change-email")
    );
    assert_eq!(followed.sent_with("access_token"), None);

    app.sign_in(&old, harness::PASSWORD)
        .await
        .expect_error(401, "invalid_sign_in_credentials");
    let user = app.sign_in(&new, harness::PASSWORD).await.json()["user"].clone();
    assert_eq!(
        (user["_id"].as_str(), user["email"].as_str()),
        (Some(id.as_str()), Some(new.as_str()))
    );
    let told = &app.mails(&old).await[0];
    assert!(told.text.contains(&new), "{told:?}");
    app.follow(&magic)
        .await
        .expect_sent_back("400", "invalid_access_token");
    app.follow(&link)
        .await
        .expect_sent_back("400", "invalid_access_token");
    app.sign_up(&old).await.expect_ok();
    expect_consistent(&app).await;
}

#[tokio::test]
async fn a_change_to_an_address_that_somebody_took_meanwhile_leaves_both_as_they_were() {
    let app = App::with(json!({})).await;
    let (ada, bob) = (app.email("ada"), app.email("bob"));
    let id = app.verified_user(&ada).await;
    let link = put_link(&app, ChangeEmail, &id, 0, &bob).await;
    app.verified_user(&bob).await;
    let before = scan(&app, Table::Users).await.len();
    app.follow(&link)
        .await
        .expect_sent_back("401", "email_already_exists");
    assert_eq!(scan(&app, Table::Users).await.len(), before);
    app.session(&ada).await;
    app.session(&bob).await;
    expect_consistent(&app).await;
}

#[tokio::test]
async fn a_change_to_an_address_whose_claim_has_expired_succeeds() {
    let app = App::with(json!({})).await;
    let (ada, squatted) = (app.email("ada"), app.email("squatted"));
    let id = app.verified_user(&ada).await;
    app.sign_up(&squatted).await.expect_ok();
    let link = put_link(&app, ChangeEmail, &id, 0, &squatted).await;
    app.follow(&link)
        .await
        .expect_sent_back("401", "email_already_exists");
    app.advance(std::time::Duration::from_hours(24));
    let link = put_link(&app, ChangeEmail, &id, 0, &squatted).await;
    assert_eq!(
        app.follow(&link).await.sent_with("status").as_deref(),
        Some("200")
    );
    app.session(&squatted).await;
}

#[tokio::test]
async fn a_link_dies_when_the_security_stamp_moves_whatever_it_says_itself() {
    let app = App::with(json!({})).await;
    let email = app.email("ada");
    let id = app.verified_user(&email).await;
    let link = put_link(&app, MagicLink, &id, 0, &email).await;
    let followed = app.follow(&link).await;
    let token = followed.sent_with("access_token").expect("an access token");
    let link = put_link(&app, MagicLink, &id, 0, &email).await;
    set(
        &app,
        Table::Users,
        &format!("user#{id}"),
        "securityStamp",
        number(1),
    )
    .await;
    app.follow(&link)
        .await
        .expect_sent_back("400", "invalid_access_token");
    app.grant(&token)
        .await
        .expect_error(403, "invalid_access_token");
}

#[tokio::test]
async fn a_confirmation_of_what_is_confirmed_says_so() {
    let app = App::with(json!({})).await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    let link = app.link(&email).await;
    let items = scan(&app, Table::Users).await;
    let user = items
        .iter()
        .find(|item| text(item, "pk").starts_with("user#"))
        .expect("the user");
    set(
        &app,
        Table::Users,
        text(user, "pk"),
        "emailVerified",
        flag(true),
    )
    .await;
    app.follow(&link)
        .await
        .expect_sent_back("401", "email_already_verified");
}

#[tokio::test]
async fn what_belongs_to_a_user_who_is_gone_says_so() {
    let app = App::with(json!({})).await;
    let email = app.email("ada");
    let id = app.verified_user(&email).await;
    let session = app.session(&email).await;
    let reset = app.reset_token(&email).await;
    let followed = app
        .follow(&put_link(&app, MagicLink, &id, 0, &email).await)
        .await;
    let token = followed.sent_with("access_token").expect("an access token");
    let mut links = Vec::new();
    for action in [EmailConfirm, MagicLink, ResetPwd, ChangeEmail] {
        links.push(put_link(&app, action, &id, 0, &email).await);
    }
    delete(&app, Table::Users, &format!("user#{id}")).await;
    app.reset(&reset, "a new password")
        .await
        .expect_error(401, "user_not_found");
    let call = app
        .call("POST", "/agnost/auth/change-pwd")
        .session(&session);
    let body = json!({ "oldPassword": harness::PASSWORD, "newPassword": harness::PASSWORD });
    call.json(&body).await.expect_error(404, "user_not_found");
    let sessions = app.sessions(&session).await;
    sessions.expect_error(401, "invalid_session_token");
    for link in links {
        app.follow(&link)
            .await
            .expect_sent_back("404", "user_not_found");
    }
    app.grant(&token).await.expect_error(404, "user_not_found");
    app.user(&session).await.expect_error(404, "user_not_found");
    app.sign_in(&email, harness::PASSWORD)
        .await
        .expect_error(401, "invalid_sign_in_credentials");
    app.resend(&email)
        .await
        .expect_error(401, "invalid_credentials");
}
