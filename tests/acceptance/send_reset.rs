//! `POST /agnost/auth/send-reset`

use harness::{App, snapshot};

const OPERATION: &str = "send-reset";

#[tokio::test]
async fn a_verified_user_gets_a_link_that_yields_a_new_password() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let answer = app.ask_for_link(OPERATION, &email).await;
    insta::assert_snapshot!("send_reset_success", snapshot::of(&app, &answer));
    let mails = app.mails(&email).await;
    insta::assert_snapshot!("send_reset_mail", snapshot::of_mail(&app, &mails[0]));
    let followed = app.follow(&mails[0].link()).await;
    assert_eq!(
        followed.sent_with("action").as_deref(),
        Some("reset-pwd"),
        "{followed:?}"
    );
    let token = followed.sent_with("access_token").expect("an access token");
    app.reset(&token, "another password").await.expect_ok();
    app.sign_in(&email, "another password").await.expect_ok();
    app.follow(&mails[0].link())
        .await
        .expect_sent_back("400", "invalid_access_token");
}
