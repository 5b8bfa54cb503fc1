//! `POST /agnost/auth/signout-all-except`

use harness::{App, snapshot};

use crate::signout::end;

#[tokio::test]
async fn only_the_calling_session_lives_on() {
    let app = App::start().await;
    let (email, other) = (app.email("ada"), app.email("eve"));
    app.verified_user(&email).await;
    app.verified_user(&other).await;
    let of_eve = app.session(&other).await;
    let before = app.session(&email).await;
    let own = app.session(&email).await;
    let after = app.session(&email).await;
    let answer = end(&app, "signout-all-except", &own).await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    for session in [&before, &after] {
        app.user(session)
            .await
            .expect_error(401, "invalid_session_token");
        let refused = end(&app, "signout-all-except", session).await;
        refused.expect_error(401, "invalid_session_token");
    }
    app.user(&own).await.expect_ok();
    app.user(&of_eve).await.expect_ok();
    app.user(&app.session(&email).await).await.expect_ok();
}

#[tokio::test]
async fn the_kept_session_is_kept_again_and_ends_with_all_the_same() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let own = app.session(&email).await;
    for _ in 0..2 {
        end(&app, "signout-all-except", &own).await.expect_ok();
        app.user(&own).await.expect_ok();
    }
    end(&app, "signout-all", &own).await.expect_ok();
    app.user(&own)
        .await
        .expect_error(401, "invalid_session_token");
}
