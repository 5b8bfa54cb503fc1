//! `POST /agnost/auth/signin-email`

use harness::{App, PASSWORD, snapshot};

#[tokio::test]
async fn the_right_password_gives_the_user_and_a_session() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let answer = app.sign_in(&email, PASSWORD).await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));
}
