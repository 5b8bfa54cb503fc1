//! What operations may do, by the route table, against what they were seen to do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use functions::OPERATIONS;
use harness::{App, PASSWORD};
use serde_json::json;
use shared::domain::Action::{ChangeEmail, MagicLink, ResetPwd};
use shared::route::{Access, Needs};

use crate::tables::put_link;

/// The permissions that a row declares, as the recorder writes them.
fn declared(needs: &Needs) -> BTreeSet<String> {
    let name = |access: Access| <&str>::from(access).trim_start_matches("dynamodb:");
    let mut all = BTreeSet::new();
    for (table, accesses) in [
        ("users", needs.users),
        ("sessions", needs.sessions),
        ("limits", needs.limits),
    ] {
        all.extend(
            accesses
                .iter()
                .map(|access| format!("{} {table}", name(*access))),
        );
    }
    for (kind, accesses) in needs.tokens {
        let prefix = kind.prefix();
        all.extend(
            accesses
                .iter()
                .map(|access| format!("{} tokens {prefix}", name(*access))),
        );
    }
    all
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one walk through every operation")]
async fn an_operation_may_do_what_it_does_and_no_more() {
    let app = App::with(json!({})).await;
    let mut seen: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut note = |operation: &'static str| {
        let used = app
            .recorder
            .sent()
            .into_iter()
            .flat_map(|sent| sent.permissions);
        seen.entry(operation).or_default().extend(used);
        app.recorder.forget();
    };
    let email = app.email("ada");
    app.refuse_mail(&email, 1).await;
    app.sign_up(&email)
        .await
        .expect_error(502, "cannot_send_auth_email");
    app.sign_up(&email).await.expect_ok();
    app.advance(Duration::from_hours(24));
    app.sign_up(&email).await.expect_ok();
    let server = json!({ "email": app.email("bob"), "password": PASSWORD, "userData": { "emailVerified": true } });
    let call = app
        .call("POST", "/agnost/auth/signup-email")
        .key(&app.secret);
    call.json(&server).await.expect_ok();
    note("signup-email");
    app.resend(&email).await.expect_ok();
    note("resend");
    let followed = app.follow(&app.link(&email).await).await;
    let token = followed.sent_with("access_token").expect("an access token");
    note("verify");
    let granted = app.grant(&token).await;
    note("grant");
    let id = granted.json()["user"]["_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    for action in [MagicLink, ResetPwd] {
        app.follow(&put_link(&app, action, &id, 0, &email).await)
            .await;
    }
    let squatted = app.email("squatted");
    app.recorder.forget();
    app.sign_up(&squatted).await.expect_ok();
    app.advance(Duration::from_hours(24));
    app.recorder.forget();
    for action in [MagicLink, ResetPwd] {
        app.follow(&put_link(&app, action, &id, 0, &email).await)
            .await;
    }
    let moved = app
        .follow(&put_link(&app, ChangeEmail, &id, 0, &squatted).await)
        .await;
    assert_eq!(
        moved.sent_with("status").as_deref(),
        Some("200"),
        "{moved:?}"
    );
    note("verify");
    let session = app.session(&squatted).await;
    note("signin-email");
    app.user(&session).await.expect_ok();
    note("user");
    app.call("GET", "/agnost/auth/sessions")
        .session(&session)
        .send()
        .await
        .expect_ok();
    note("sessions");
    app.ask_for_link("send-magic", &squatted).await.expect_ok();
    note("send-magic");
    app.ask_for_link("send-reset", &squatted).await.expect_ok();
    note("send-reset");
    let followed = app.follow(&app.link(&squatted).await).await;
    let token = followed.sent_with("access_token").expect("an access token");
    app.recorder.forget();
    app.reset(&token, PASSWORD).await.expect_ok();
    note("reset-pwd");
    app.advance(Duration::from_millis(2));
    let session = app.session(&squatted).await;
    app.recorder.forget();
    let body = json!({ "oldPassword": PASSWORD, "newPassword": PASSWORD });
    let call = app
        .call("POST", "/agnost/auth/change-pwd")
        .session(&session);
    call.json(&body).await.expect_ok();
    note("change-pwd");
    for operation in ["signout-all-except", "signout-all", "signout"] {
        let session = app.session(&squatted).await;
        app.recorder.forget();
        let path = format!("/agnost/auth/{operation}");
        app.call("POST", &path)
            .session(&session)
            .send()
            .await
            .expect_ok();
        note(operation);
        app.advance(Duration::from_millis(2));
    }

    for operation in OPERATIONS {
        let name = operation.route.name;
        let declared = declared(&operation.route.needs);
        let used = seen.remove(name).unwrap_or_default();
        println!(
            "{name:<14} {}",
            declared.iter().cloned().collect::<Vec<_>>().join(", ")
        );
        assert_eq!(
            declared, used,
            "{name}: what it may do (left) and what it did (right)"
        );
    }
    assert!(seen.is_empty());
}
