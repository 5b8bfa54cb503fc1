//! Calls to DynamoDB, counted at the HTTP layer of the SDK, against the budget of each operation.

use harness::{App, PASSWORD};
use serde_json::json;

#[tokio::test]
async fn every_operation_keeps_its_budget() {
    let app = App::with(json!({})).await;
    let email = app.email("ada");
    let mut table = Vec::new();
    let mut note = |operation: &str, budget: (usize, usize)| {
        let counted = app.recorder.stages_and_calls();
        table.push(format!("{operation:<14} {:>6} {:>5}", counted.0, counted.1));
        assert_eq!(counted, budget, "{operation}: {:#?}", app.recorder.sent());
        app.recorder.forget();
    };

    app.sign_up(&email).await.expect_ok();
    note("signup-email", (2, 2));
    app.resend(&email).await.expect_ok();
    note("resend", (3, 4));
    let followed = app.follow(&app.link(&email).await).await;
    note("verify", (1, 1));
    let token = followed.sent_with("access_token").expect("an access token");
    app.grant(&token).await.expect_ok();
    note("grant", (1, 2));
    let signed_in = app.sign_in(&email, PASSWORD).await;
    note("signin-email", (3, 5));
    let session = signed_in.json()["session"]["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    app.user(&session).await.expect_ok();
    note("user", (1, 1));
    app.call("GET", "/agnost/auth/sessions")
        .session(&session)
        .send()
        .await
        .expect_ok();
    note("sessions", (1, 2));
    for operation in ["send-magic", "send-reset"] {
        app.ask_for_link(operation, &email).await.expect_ok();
        note(operation, (3, 4));
    }
    let followed = app.follow(&app.link(&email).await).await;
    let token = followed.sent_with("access_token").expect("an access token");
    app.recorder.forget();
    app.reset(&token, PASSWORD).await.expect_ok();
    note("reset-pwd", (1, 1));
    app.advance(std::time::Duration::from_millis(2));
    let session = app.session(&email).await;
    app.recorder.forget();
    let body = json!({ "oldPassword": PASSWORD, "newPassword": PASSWORD });
    let call = app
        .call("POST", "/agnost/auth/change-pwd")
        .session(&session);
    call.json(&body).await.expect_ok();
    note("change-pwd", (2, 3));
    for operation in ["signout-all-except", "signout-all", "signout"] {
        let session = app.session(&email).await;
        app.recorder.forget();
        let path = format!("/agnost/auth/{operation}");
        app.call("POST", &path)
            .session(&session)
            .send()
            .await
            .expect_ok();
        note(operation, (2, 2));
        app.advance(std::time::Duration::from_millis(2));
    }
    app.bare_call("GET", "/.well-known/jwks.json")
        .send()
        .await
        .expect_ok();
    note("jwks", (0, 0));
    app.bare_call("GET", "/health").send().await.expect_ok();
    note("health", (0, 0));

    println!("operation      stages calls\n{}", table.join("\n"));
}
