//! Session tokens that are signed with the right key and wrong all the same, and sessions that have ended.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use harness::App;
use local::defaults::DEPLOYMENT;
use serde_json::json;
use shared::domain::{Session, SessionId, UserId};
use shared::secrets::{SessionTokens, SigningKey};
use shared::store::schema::Table;

use crate::tables::{client, number, scan, set, text};

/// Signs a session with the deployment's own key, for any issuer and audience.
fn forge(session: &Session, issuer: &str, audience: &str) -> String {
    let key = SigningKey::from_json(harness::signing_key()).expect("the key");
    SessionTokens::new(key, issuer, audience).sign(session)
}

/// Signs a session with the deployment's own key under another name.
fn forge_under_another_name(session: &Session, issuer: &str) -> String {
    let mut key: serde_json::Value = serde_json::from_str(harness::signing_key()).expect("the key");
    key["kid"] = json!("another");
    let key = SigningKey::from_json(&key.to_string()).expect("the key");
    SessionTokens::new(key, issuer, "latchkey").sign(session)
}

async fn stored_session(app: &App) -> (Session, String) {
    let email = app.email("ada");
    let id = app.verified_user(&email).await;
    let token = app.session(&email).await;
    let items = scan(app, Table::Sessions).await;
    let now = app.clock.now();
    let session = Session {
        user_id: UserId::parse(&id).expect("an id"),
        id: SessionId(text(&items[0], "sessionId").to_owned()),
        created_at: now,
        expires_at: now + Duration::from_hours(1),
        kept_at: None,
        user_agent: String::new(),
    };
    (session, token)
}

#[tokio::test]
async fn the_right_key_does_not_make_up_for_another_issuer_audience_session_or_time() {
    let app = App::with(json!({})).await;
    let (session, _) = stored_session(&app).await;
    // Forged as it should be, it works: so what follows fails for the reason it names.
    app.user(&forge(&session, &app.url, "latchkey"))
        .await
        .expect_ok();

    let refused = [
        forge_under_another_name(&session, &app.url),
        forge(&session, "https://evil.example", "latchkey"),
        forge(&session, &format!("{}/", app.url), "latchkey"),
        forge(&session, &app.url, "another audience"),
        forge(&session, &app.url, ""),
        forge(
            &Session {
                id: SessionId::random(),
                ..session.clone()
            },
            &app.url,
            "latchkey",
        ),
        forge(
            &Session {
                user_id: UserId::random(),
                ..session.clone()
            },
            &app.url,
            "latchkey",
        ),
        forge(
            &Session {
                expires_at: session.created_at,
                ..session.clone()
            },
            &app.url,
            "latchkey",
        ),
    ];
    for token in refused {
        app.user(&token)
            .await
            .expect_error(401, "invalid_session_token");
    }
}

#[tokio::test]
async fn a_session_that_was_deleted_or_ended_with_all_others_is_refused_at_once() {
    let app = App::with(json!({})).await;
    let (session, token) = stored_session(&app).await;
    app.user(&token).await.expect_ok();
    let key = format!("user#{}", session.user_id);
    let now = app.clock.now().as_millisecond();
    set(&app, Table::Users, &key, "sessionsNotBefore", number(now)).await;
    app.user(&token)
        .await
        .expect_error(401, "invalid_session_token");
    set(&app, Table::Users, &key, "sessionsNotBefore", number(0)).await;
    app.user(&token).await.expect_ok();

    let request = client(&app)
        .delete_item()
        .table_name(Table::Sessions.name_in(DEPLOYMENT))
        .key("userId", AttributeValue::S(session.user_id.to_string()))
        .key("sessionId", AttributeValue::S(session.id.0));
    request.send().await.expect("a deletion");
    app.user(&token)
        .await
        .expect_error(401, "invalid_session_token");
}
