//! `GET /agnost/auth/sessions`

use futures_util::future::join_all;
use harness::{App, snapshot};

use crate::signout::end;

#[tokio::test]
async fn every_session_is_listed_with_its_token_newest_first() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let first = app.session(&email).await;
    let second = app.session(&email).await;
    let answer = app.sessions(&first).await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    assert_eq!(tokens(&answer), [second.as_str(), first.as_str()]);
    for token in tokens(&answer) {
        app.user(&token).await.expect_ok();
    }
}

#[tokio::test]
async fn nobody_sees_the_sessions_of_somebody_else() {
    let app = App::start().await;
    let (ada, eve) = (app.email("ada"), app.email("eve"));
    app.verified_user(&ada).await;
    app.verified_user(&eve).await;
    let of_ada = app.session(&ada).await;
    let of_eve = app.session(&eve).await;
    assert_eq!(tokens(&app.sessions(&of_ada).await), [of_ada.as_str()]);
    assert_eq!(tokens(&app.sessions(&of_eve).await), [of_eve.as_str()]);
}

#[tokio::test]
async fn a_session_that_ended_by_any_road_is_listed_no_more_and_lists_nothing() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    for road in ["signout", "signout-all"] {
        let ended = app.session(&email).await;
        end(&app, road, &ended).await.expect_ok();
        app.sessions(&ended)
            .await
            .expect_error(401, "invalid_session_token");
        let session = app.session(&email).await;
        assert!(!tokens(&app.sessions(&session).await).contains(&ended));
    }
    let ended = app.session(&email).await;
    let kept = app.session(&email).await;
    end(&app, "signout-all-except", &kept).await.expect_ok();
    app.sessions(&ended)
        .await
        .expect_error(401, "invalid_session_token");
    assert_eq!(tokens(&app.sessions(&kept).await), [kept.as_str()]);
}

#[tokio::test]
async fn thirty_sessions_are_thirty_in_the_list() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let mut begun = Vec::new();
    // Not all at once: a sign-in counts as a try until it has succeeded.
    for _ in 0..6 {
        begun.extend(join_all((0..5).map(|_| app.session(&email))).await);
    }
    let mut listed = tokens(&app.sessions(&begun[0]).await);
    listed.sort();
    begun.sort();
    assert_eq!(listed, begun);
}

fn tokens(answer: &harness::Answer) -> Vec<String> {
    answer.expect_ok();
    let sessions = answer.json().as_array().cloned().unwrap_or_default();
    sessions
        .iter()
        .map(|session| session["token"].as_str().unwrap_or_default().to_owned())
        .collect()
}
