//! `POST /agnost/auth/signout-all`

use harness::{App, snapshot};

use crate::signout::end;

#[tokio::test]
async fn every_session_ends_at_once_and_the_cookie_is_cleared() {
    let app = App::start().await;
    let (email, other) = (app.email("ada"), app.email("eve"));
    app.verified_user(&email).await;
    app.verified_user(&other).await;
    let of_eve = app.session(&other).await;
    let sessions = [
        app.session(&email).await,
        app.session(&email).await,
        app.session(&email).await,
    ];
    let answer = end(&app, "signout-all", &sessions[1]).await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    for session in &sessions {
        app.user(session)
            .await
            .expect_error(401, "invalid_session_token");
        end(&app, "signout-all", session)
            .await
            .expect_error(401, "invalid_session_token");
    }
    app.user(&of_eve).await.expect_ok();
}

#[tokio::test]
async fn a_new_session_begins_after_all_have_ended() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let old = app.session(&email).await;
    end(&app, "signout-all", &old).await.expect_ok();
    let new = app.session(&email).await;
    app.user(&new).await.expect_ok();
    app.user(&old)
        .await
        .expect_error(401, "invalid_session_token");
}
