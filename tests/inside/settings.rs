//! What settings change.

use std::time::Duration;

use harness::{App, PASSWORD, REDIRECT, snapshot};
use serde_json::{Value, json};
use shared::store::schema::Table;

use crate::tables::{scan, set, string, text};

async fn sign_up_with(app: &App, body: Value) -> harness::Answer {
    let mut whole = json!({ "password": PASSWORD, "redirectURL": REDIRECT });
    whole
        .as_object_mut()
        .expect("an object")
        .extend(body.as_object().expect("an object").clone());
    app.call("POST", "/agnost/auth/signup-email")
        .json(&whole)
        .await
}

#[tokio::test]
async fn without_email_authentication_nobody_signs_up_or_in_and_no_link_works() {
    let app = App::with(json!({ "email": { "enabled": false } })).await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_error(401, "not_allowed");
    app.sign_in(&email, PASSWORD)
        .await
        .expect_error(401, "not_allowed");
    app.resend(&email)
        .await
        .expect_error(401, "email_verification_disabled");
    for operation in ["send-magic", "send-reset"] {
        let answer = app.ask_for_link(operation, &email).await;
        answer.expect_error(401, "email_verification_disabled");
    }
    let key = shared::domain::LinkToken::random(
        &shared::domain::UserId::random(),
        shared::domain::SecurityStamp(0),
    );
    let link = format!(
        "/agnost/auth/verify?key={}&action=email-confirm&redirect={REDIRECT}",
        key.expose()
    );
    app.follow(&link)
        .await
        .expect_sent_back("401", "email_auth_disabled");
}

#[tokio::test]
async fn without_confirmation_a_sign_up_gives_a_session_at_once_and_sends_nothing() {
    let app = App::with(json!({ "email": { "confirmation": false } })).await;
    let email = app.email("ada");
    let body = json!({ "email": email, "password": PASSWORD });
    let answer = app
        .call("POST", "/agnost/auth/signup-email")
        .json(&body)
        .await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    assert_eq!(app.mails(&email).await.len(), 0);
    let session = answer.json()["session"]["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    assert_eq!(app.user(&session).await.json(), answer.json()["user"]);
    app.sign_in(&email, PASSWORD).await.expect_ok();
    app.resend(&email)
        .await
        .expect_error(401, "email_verification_disabled");
    // An account that never had to be confirmed is not up for grabs.
    app.advance(Duration::from_hours(1_000));
    app.sign_up(&email)
        .await
        .expect_error(400, "email_not_unique");
}

#[tokio::test]
async fn a_deployment_may_trust_its_app_with_verified_addresses() {
    let app = App::with(json!({ "trust_client_verified": true })).await;
    let body = json!({ "email": app.email("ada"), "userData": { "emailVerified": true } });
    let answer = sign_up_with(&app, body).await;
    assert_eq!(answer.json()["user"]["emailVerified"], true);
    assert!(answer.json()["session"]["token"].is_string());
}

#[tokio::test]
async fn a_longer_minimum_counts_for_new_passwords_and_is_named_with_every_other_mistake() {
    let app = App::with(json!({ "password": { "min_length": 12 } })).await;
    let body = json!({ "email": "nobody", "password": "elevenchars", "redirectURL": REDIRECT });
    let answer = app
        .call("POST", "/agnost/auth/signup-email")
        .json(&body)
        .await;
    answer.expect_error(400, "validation_error");
    assert_eq!(answer.blamed(), ["email", "password"]);
    assert!(answer.body.contains("at least 12 characters"), "{answer:?}");
    // A password from before the setting still signs in, as far as its length goes.
    app.sign_in(&app.email("ada"), "elevenchars")
        .await
        .expect_error(401, "invalid_sign_in_credentials");
}

#[tokio::test]
async fn a_hash_with_other_parameters_is_renewed_at_the_next_sign_in() {
    let app = App::with(json!({})).await;
    let email = app.email("ada");
    let id = app.verified_user(&email).await;
    let key = format!("user#{id}");
    // phc-winner-argon2, test.c: "password", t=2, m=2^8.
    let old =
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
    set(&app, Table::Users, &key, "passwordHash", string(old)).await;
    app.sign_in(&email, "passwort")
        .await
        .expect_error(401, "invalid_sign_in_credentials");
    app.sign_in(&email, "password").await.expect_ok();
    let items = scan(&app, Table::Users).await;
    let user = items
        .iter()
        .find(|item| text(item, "pk") == key)
        .expect("the user");
    assert!(text(user, "passwordHash").starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    app.sign_in(&email, "password").await.expect_ok();
}

#[tokio::test]
async fn a_deployment_sends_its_own_words() {
    let template = json!({
        "subject": "Welcome {{user.name}}",
        "html": "<p>Hi {{user.name}}, <a href=\"{{token.confirmationURL}}\">go</a></p>",
        "text": "Hi {{user.name}}: {{token.confirmationURL}} ({{token.expiresIn}})",
    });
    let app = App::with(json!({
        "email": { "from_name": "Ada & Co" },
        "templates": { "confirm_email": template },
    }))
    .await;
    let email = app.email("ada");
    let body = json!({ "email": email, "userData": { "name": "<b>\r\nBcc: eve@example.com" } });
    sign_up_with(&app, body).await.expect_ok();
    let mails = app.mails(&email).await;
    insta::assert_snapshot!(snapshot::of_mail(&app, &mails[0]));
}

#[tokio::test]
async fn a_link_lives_as_long_as_the_setting_says_and_so_does_a_session() {
    let app = App::with(json!({
        "email": { "link_lifetime_seconds": 60, "access_token_lifetime_seconds": 60 },
        "session": { "lifetime_seconds": 300 },
    }))
    .await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    let link = app.link(&email).await;
    app.advance(Duration::from_secs(61));
    app.follow(&link)
        .await
        .expect_sent_back("400", "invalid_access_token");
    app.resend(&email).await.expect_ok();
    app.follow(&app.link(&email).await).await;
    let session = app.session(&email).await;
    app.advance(Duration::from_secs(290));
    app.user(&session).await.expect_ok();
    app.advance(Duration::from_secs(11));
    app.user(&session)
        .await
        .expect_error(401, "invalid_session_token");
}

#[tokio::test]
async fn sign_ups_from_one_address_are_limited_and_say_when_to_try_again() {
    let app = App::with(json!({ "limits": { "sign_ups_per_caller": 3 } })).await;
    for name in ["ada", "bob", "cyd"] {
        app.sign_up(&app.email(name)).await.expect_ok();
    }
    let answer = app.sign_up(&app.email("dan")).await;
    answer.expect_error(429, "rate_limit_exceeded");
    let seconds: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=3_600).contains(&seconds), "{answer:?}");
    app.advance(Duration::from_secs(seconds));
    app.sign_up(&app.email("dan")).await.expect_ok();
}
