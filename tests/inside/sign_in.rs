//! Accounts that a request cannot make yet, and what a stranger can tell.

use std::time::{Duration, Instant};

use harness::{App, PASSWORD};
use serde_json::json;
use shared::domain::Password;
use shared::secrets::Passwords;
use shared::settings::Argon2Settings;
use shared::store::schema::Table;

use crate::tables::{client, flag, set, string};
use local::defaults::DEPLOYMENT;

#[tokio::test]
async fn a_providers_account_is_told_so_at_sign_in_and_resend() {
    let app = App::with(json!({})).await;
    let email = app.email("ada");
    let id = app.verified_user(&email).await;
    let session = app.session(&email).await;
    let key = format!("user#{id}");
    set(&app, Table::Users, &key, "provider", string("google")).await;
    let request = client(&app)
        .update_item()
        .table_name(Table::Users.name_in(DEPLOYMENT))
        .key("pk", string(&key))
        .update_expression("REMOVE passwordHash");
    request.send().await.expect("an update");
    app.sign_in(&email, PASSWORD)
        .await
        .expect_error(401, "invalid_provider_sign_in");
    for operation in ["send-magic", "send-reset"] {
        let answer = app.ask_for_link(operation, &email).await;
        answer.expect_error(401, "invalid_provider");
    }
    let call = app
        .call("POST", "/agnost/auth/change-pwd")
        .session(&session);
    let body = json!({ "oldPassword": PASSWORD, "newPassword": PASSWORD });
    call.json(&body).await.expect_error(401, "invalid_provider");
    set(&app, Table::Users, &key, "emailVerified", flag(false)).await;
    app.resend(&email)
        .await
        .expect_error(401, "invalid_provider");
}

#[tokio::test]
async fn an_unknown_address_costs_a_hash_like_a_wrong_password() {
    let passwords = Passwords::new(&Argon2Settings::default());
    let password = Password::parse("not the password").expect("a password");
    let app = App::with(json!({})).await;
    let (mut hash, mut unknown) = (Duration::MAX, Duration::MAX);
    for _ in 0..8 {
        let started = Instant::now();
        passwords.hash(&password).await.expect("a hash");
        hash = hash.min(started.elapsed());
        let nobody = app.email("nobody");
        let started = Instant::now();
        app.sign_in(&nobody, "not the password")
            .await
            .expect_error(401, "invalid_sign_in_credentials");
        unknown = unknown.min(started.elapsed());
    }
    // However slow the machine: what includes a hash takes no less than most of one.
    assert!(
        unknown > hash * 8 / 10,
        "a hash takes {hash:?}, the answer about nobody {unknown:?}"
    );
}

#[tokio::test]
async fn an_answer_about_nobody_is_the_answer_about_a_wrong_password() {
    let app = App::with(json!({})).await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    app.recorder.forget();
    let wrong = app.sign_in(&email, "not the password").await;
    let nobody = app.sign_in(&app.email("bob"), "not the password").await;
    assert_eq!((wrong.status, &wrong.body), (nobody.status, &nobody.body));
    let names = |answer: &harness::Answer| {
        let mut names: Vec<String> = answer.headers.keys().map(ToString::to_string).collect();
        names.sort();
        names
    };
    assert_eq!(names(&wrong), names(&nobody));
}

#[tokio::test]
async fn wrong_passwords_from_one_address_do_not_lock_the_owner_out_for_good() {
    let app = App::with(json!({ "limits": { "wrong_passwords": 3 } })).await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    for _ in 0..3 {
        app.sign_in(&email, "not the password")
            .await
            .expect_error(401, "invalid_sign_in_credentials");
    }
    let answer = app.sign_in(&email, PASSWORD).await;
    answer.expect_error(429, "rate_limit_exceeded");
    let seconds: u64 = answer.header("retry-after").parse().expect("seconds");
    assert!((1..=900).contains(&seconds), "{answer:?}");
    app.advance(Duration::from_secs(seconds));
    app.sign_in(&email, PASSWORD).await.expect_ok();
}
