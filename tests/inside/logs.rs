//! Logs: what every part of the system says while people sign up and in holds no secret and no address.

use std::io;
use std::sync::{Arc, Mutex, OnceLock};

use harness::{App, PASSWORD};
use serde_json::json;

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for Buffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a buffer").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Everything that this process logs, at the level of production.
fn logs() -> &'static Buffer {
    static LOGS: OnceLock<Buffer> = OnceLock::new();
    LOGS.get_or_init(|| {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let subscriber = shared::telemetry::to(move || writer.clone());
        shared::telemetry::install(subscriber);
        buffer
    })
}

#[tokio::test]
async fn no_log_line_holds_a_secret_or_an_address() {
    let logs = logs();
    let app = App::with(json!({})).await;
    let email = app.email("logged");
    app.refuse_mail(&email, 1).await;
    app.sign_up(&email)
        .await
        .expect_error(502, "cannot_send_auth_email");
    app.sign_up(&email).await.expect_ok();
    let link = app.link(&email).await;
    let followed = app.follow(&link).await;
    let access = followed.sent_with("access_token").expect("an access token");
    app.grant(&access).await.expect_ok();
    app.grant(&access)
        .await
        .expect_error(403, "invalid_access_token");
    let session = app.session(&email).await;
    app.user(&session).await.expect_ok();
    app.sign_in(&email, "a wrong password")
        .await
        .expect_error(401, "invalid_sign_in_credentials");
    let body = json!({ "email": "not an address", "password": "a strange password", "x": "strange value" });
    app.call("POST", "/agnost/auth/signin-email")
        .json(&body)
        .await
        .expect_error(400, "validation_error");
    app.user(&format!("{session}x"))
        .await
        .expect_error(401, "invalid_session_token");

    let logged = String::from_utf8(logs.0.lock().expect("a buffer").clone()).expect("text");
    assert!(
        logged.contains("answered") && logged.contains("MessageRejected"),
        "nothing was logged"
    );
    let key = link
        .split("key=")
        .nth(1)
        .and_then(|rest| rest.split('&').next())
        .expect("a key");
    for secret in [
        &email,
        PASSWORD,
        "a wrong password",
        "a strange password",
        "strange value",
        key,
        &access,
        &session,
        "$argon2id",
        "pk_local",
        "not an address",
    ] {
        assert!(!logged.contains(secret), "the logs hold {secret}");
    }
    for line in logged.lines() {
        let parsed: serde_json::Value = serde_json::from_str(line).expect("a JSON object a line");
        assert!(parsed.is_object());
    }
}
