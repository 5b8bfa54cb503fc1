//! What `send-magic` and `send-reset` have in common.

use futures_util::future::join_all;
use harness::App;
use serde_json::json;

const OPERATIONS: [&str; 2] = ["send-magic", "send-reset"];

#[tokio::test]
async fn a_newer_link_kills_the_older() {
    let app = App::start().await;
    for operation in OPERATIONS {
        let email = app.email("ada");
        app.verified_user(&email).await;
        app.ask_for_link(operation, &email).await.expect_ok();
        let older = app.link(&email).await;
        app.ask_for_link(operation, &email).await.expect_ok();
        app.follow(&older)
            .await
            .expect_sent_back("400", "invalid_access_token");
        let followed = app.follow(&app.link(&email).await).await;
        assert_eq!(
            followed.sent_with("status").as_deref(),
            Some("200"),
            "{followed:?}"
        );
    }
}

#[tokio::test]
async fn nobody_and_an_unverified_user_get_none() {
    let app = App::start().await;
    for operation in OPERATIONS {
        let (ada, bob) = (app.email("ada"), app.email("bob"));
        let nobody = app.ask_for_link(operation, &ada).await;
        nobody.expect_error(401, "invalid_credentials");
        app.sign_up(&bob).await.expect_ok();
        let unverified = app.ask_for_link(operation, &bob).await;
        unverified.expect_error(401, "email_not_verified");
        assert_eq!(
            (app.mails(&ada).await.len(), app.mails(&bob).await.len()),
            (0, 1)
        );
    }
}

#[tokio::test]
async fn a_redirect_url_that_is_not_listed_and_missing_fields_are_refused() {
    let app = App::start().await;
    for operation in OPERATIONS {
        let email = app.email("ada");
        app.verified_user(&email).await;
        let path = format!("/agnost/auth/{operation}");
        let body = json!({ "email": email, "redirectURL": "https://evil.example/" });
        let evil = app.call("POST", &path).json(&body).await;
        evil.expect_error(400, "invalid_redirect_url");
        let empty = app.call("POST", &path).json(&json!({})).await;
        empty.expect_error(400, "validation_error");
        assert_eq!(empty.blamed(), ["email", "redirectURL"]);
        assert_eq!(app.mails(&email).await.len(), 1);
    }
}

#[tokio::test]
async fn a_mail_that_cannot_be_sent_is_told_and_the_next_try_succeeds() {
    let app = App::start().await;
    for operation in OPERATIONS {
        let email = app.email("ada");
        app.verified_user(&email).await;
        app.refuse_mail(&email, 1).await;
        let refused = app.ask_for_link(operation, &email).await;
        refused.expect_error(502, "cannot_send_auth_email");
        app.ask_for_link(operation, &email).await.expect_ok();
    }
}

#[tokio::test]
async fn one_address_gets_so_many_mails_and_no_more() {
    let app = App::start().await;
    for operation in OPERATIONS {
        let email = app.email("ada");
        app.verified_user(&email).await;
        let answers = join_all((0..15).map(|_| app.ask_for_link(operation, &email))).await;
        let sent = answers.iter().filter(|answer| answer.status == 200).count();
        let refused: Vec<_> = answers
            .iter()
            .filter(|answer| answer.status != 200)
            .collect();
        // Ten an hour; a new hour may have begun in between.
        assert!((10..=15).contains(&sent), "{sent}");
        for answer in refused {
            answer.expect_error(429, "rate_limit_exceeded");
            assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
        }
    }
}
