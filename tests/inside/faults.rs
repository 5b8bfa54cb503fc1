//! AWS misbehaves: whichever attempt of whichever operation fails, and however, the tables stay consistent
//! and the person's next try succeeds.

use harness::recorder::Fault::{AnswerLost, Conflict, Error, Reset, Throttle};
use harness::{Answer, App, PASSWORD};
use serde_json::json;

use crate::tables::expect_consistent;

/// As many attempts as the SDK makes of one call.
const ATTEMPTS: usize = 3;

/// A fault is a fault of the service and never one that the caller could mend.
fn expect_tidy(answer: &Answer) {
    let tidy = answer.status < 400
        || answer.status == 502
        || answer.status == 503
        || answer.sent_with("status").is_some_and(|status| status == "503")
        // What was written although its answer was lost is seen by the SDK's own retry.
        || ["email_not_unique", "invalid_access_token", "email_already_verified"].contains(&answer.code().as_str());
    assert!(tidy, "{answer:?}");
    if answer.status == 503 {
        assert!(!answer.header("retry-after").is_empty(), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_up_survives_a_failure_of_any_call() {
    let app = App::with(json!({})).await;
    for fault in [Error, Throttle, Reset, AnswerLost] {
        for attempt in 0..4 {
            for times in [1, ATTEMPTS] {
                let email = app.email("ada");
                app.recorder.forget();
                (0..times).for_each(|more| app.recorder.fail(attempt + more, fault));
                let first = app.sign_up(&email).await;
                app.recorder.forget();
                expect_tidy(&first);
                expect_consistent(&app).await;
                if first.status != 200 {
                    // His next try succeeds; or he is told that he has an account, and the link is there
                    // or can be asked for again.
                    let again = app.sign_up(&email).await;
                    if again.status != 200 {
                        again.expect_error(400, "email_not_unique");
                        app.resend(&email).await.expect_ok();
                    }
                }
                let followed = app.follow(&app.link(&email).await).await;
                let at = format!("{fault:?}, attempt {attempt}, {times} times");
                assert_eq!(
                    followed.sent_with("status").as_deref(),
                    Some("200"),
                    "{at}: {followed:?}"
                );
                app.sign_in(&email, PASSWORD).await.expect_ok();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_and_its_token_survive_a_failure_of_any_call() {
    let app = App::with(json!({})).await;
    for fault in [Error, Throttle, Reset, AnswerLost] {
        for attempt in 0..3 {
            for times in [1, ATTEMPTS] {
                let email = app.email("ada");
                app.sign_up(&email).await.expect_ok();
                let link = app.link(&email).await;
                app.recorder.forget();
                (0..times).for_each(|more| app.recorder.fail(attempt + more, fault));
                let followed = app.follow(&link).await;
                app.recorder.forget();
                expect_tidy(&followed);
                expect_consistent(&app).await;
                let mut followed = followed;
                if followed.sent_with("access_token").is_none() {
                    followed = app.follow(&link).await;
                }
                let Some(token) = followed.sent_with("access_token") else {
                    // The link was used up, and its answer lost: the address is verified.
                    assert_eq!(fault, AnswerLost);
                    app.sign_in(&email, PASSWORD).await.expect_ok();
                    continue;
                };
                app.recorder.forget();
                (0..times).for_each(|more| app.recorder.fail(attempt + more, fault));
                let granted = app.grant(&token).await;
                app.recorder.forget();
                expect_tidy(&granted);
                expect_consistent(&app).await;
                app.sign_in(&email, PASSWORD).await.expect_ok();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_and_a_session_check_survive_a_failure_of_any_call() {
    let app = App::with(json!({ "limits": { "wrong_passwords": 1_000_000 } })).await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    for fault in [Error, Throttle, Reset, AnswerLost] {
        for attempt in 0..6 {
            for times in [1, ATTEMPTS] {
                app.recorder.forget();
                (0..times).for_each(|more| app.recorder.fail(attempt + more, fault));
                let first = app.sign_in(&email, PASSWORD).await;
                app.recorder.forget();
                expect_tidy(&first);
                expect_consistent(&app).await;
                let session = app.session(&email).await;
                app.recorder.forget();
                app.recorder.fail_next(times, fault);
                expect_tidy(&app.user(&session).await);
                app.recorder.forget();
                app.user(&session).await.expect_ok();
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_password_survives_a_failure_of_any_call() {
    let app = App::with(
        json!({ "limits": { "wrong_passwords": 1_000_000, "mails_per_address": 1_000_000 } }),
    )
    .await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let mut password = PASSWORD.to_owned();
    for fault in [Error, Throttle, Reset, AnswerLost] {
        for attempt in 0..4 {
            for times in [1, ATTEMPTS] {
                let new = format!("{fault:?} {attempt} {times} by reset");
                let token = app.reset_token(&email).await;
                app.recorder.forget();
                (0..times).for_each(|more| app.recorder.fail(attempt + more, fault));
                expect_tidy(&app.reset(&token, &new).await);
                app.recorder.forget();
                expect_consistent(&app).await;
                if app.sign_in(&email, &new).await.status != 200 {
                    // It stayed as it was, and so did the token.
                    app.sign_in(&email, &password).await.expect_ok();
                    app.reset(&token, &new).await.expect_ok();
                }
                password = new;

                app.advance(std::time::Duration::from_millis(2));
                let answer = app.sign_in(&email, &password).await;
                let session = answer.json()["session"]["token"]
                    .as_str()
                    .expect("a token")
                    .to_owned();
                let new = format!("{fault:?} {attempt} {times} by change");
                let body = json!({ "oldPassword": password, "newPassword": new });
                let change = || {
                    app.call("POST", "/agnost/auth/change-pwd")
                        .session(&session)
                        .json(&body)
                };
                app.recorder.forget();
                (0..times).for_each(|more| app.recorder.fail(attempt + more, fault));
                let changed = change().await;
                app.recorder.forget();
                assert!([200, 401, 503].contains(&changed.status), "{changed:?}");
                expect_consistent(&app).await;
                if app.sign_in(&email, &new).await.status != 200 {
                    change().await.expect_ok();
                }
                // Whatever was lost on the way, the session that asked lives on.
                app.user(&session).await.expect_ok();
                password = new;
                app.advance(std::time::Duration::from_millis(2));
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resend_survives_a_failure_of_any_call() {
    let app = App::with(json!({ "limits": { "mails_per_address": 1_000_000 } })).await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    for fault in [Error, Throttle, Reset, AnswerLost] {
        for attempt in 0..6 {
            for times in [1, ATTEMPTS] {
                app.recorder.forget();
                (0..times).for_each(|more| app.recorder.fail(attempt + more, fault));
                expect_tidy(&app.resend(&email).await);
                app.recorder.forget();
                expect_consistent(&app).await;
                app.resend(&email).await.expect_ok();
            }
        }
    }
    let followed = app.follow(&app.link(&email).await).await;
    assert_eq!(followed.sent_with("status").as_deref(), Some("200"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_for_a_link_survives_a_failure_of_any_call() {
    let app = App::with(json!({ "limits": { "mails_per_address": 1_000_000 } })).await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    for operation in ["send-magic", "send-reset"] {
        for fault in [Error, Throttle, Reset, AnswerLost] {
            for attempt in 0..6 {
                for times in [1, ATTEMPTS] {
                    app.recorder.forget();
                    (0..times).for_each(|more| app.recorder.fail(attempt + more, fault));
                    expect_tidy(&app.ask_for_link(operation, &email).await);
                    app.recorder.forget();
                    expect_consistent(&app).await;
                    app.ask_for_link(operation, &email).await.expect_ok();
                }
            }
        }
        let followed = app.follow(&app.link(&email).await).await;
        assert_eq!(followed.sent_with("status").as_deref(), Some("200"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_list_of_sessions_and_their_end_survive_a_failure_of_any_call() {
    let app = App::with(json!({ "limits": { "wrong_passwords": 1_000_000 } })).await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    for (method, operation, lives_on) in [
        ("GET", "sessions", true),
        ("POST", "signout-all-except", true),
        ("POST", "signout-all", false),
        ("POST", "signout", false),
    ] {
        let path = format!("/agnost/auth/{operation}");
        for fault in [Error, Throttle, Reset, AnswerLost] {
            for attempt in 0..3 {
                for times in [1, ATTEMPTS] {
                    app.advance(std::time::Duration::from_millis(2));
                    let session = app.session(&email).await;
                    let call = || app.call(method, &path).session(&session).send();
                    app.recorder.forget();
                    (0..times).for_each(|more| app.recorder.fail(attempt + more, fault));
                    let first = call().await;
                    app.recorder.forget();
                    assert!([200, 503].contains(&first.status), "{operation}: {first:?}");
                    expect_consistent(&app).await;
                    let again = call().await;
                    if lives_on {
                        again.expect_ok();
                        app.user(&session).await.expect_ok();
                    } else {
                        // Ended by the first try, or by the second.
                        assert!([200, 401].contains(&again.status), "{operation}: {again:?}");
                        app.user(&session)
                            .await
                            .expect_error(401, "invalid_session_token");
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn a_transaction_that_meets_another_is_tried_again_and_then_given_up() {
    let app = App::with(json!({})).await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    let link = app.link(&email).await;
    app.recorder.forget();
    app.recorder.fail_next(2, Conflict);
    let followed = app.follow(&link).await;
    assert_eq!(
        followed.sent_with("status").as_deref(),
        Some("200"),
        "{followed:?}"
    );

    let eve = app.email("eve");
    app.sign_up(&eve).await.expect_ok();
    let link = app.link(&eve).await;
    app.recorder.forget();
    app.recorder.fail_next(5, Conflict);
    app.follow(&link)
        .await
        .expect_sent_back("503", "internal_server_error");
    app.recorder.forget();
    assert_eq!(
        app.follow(&link).await.sent_with("status").as_deref(),
        Some("200")
    );
}

#[tokio::test]
async fn a_failure_says_nothing_but_a_request_id() {
    let app = App::with(json!({})).await;
    app.recorder.forget();
    app.recorder.fail_next(100, Error);
    let answer = app.sign_in(&app.email("ada"), PASSWORD).await;
    answer.expect_error(503, "internal_server_error");
    let details = answer.json()["errors"][0]["details"].clone();
    assert!(
        details["requestId"]
            .as_str()
            .is_some_and(|id| !id.is_empty())
    );
    assert_eq!(details.as_object().map(serde_json::Map::len), Some(1));
    for inner in ["Dynamo", "dynamo", "on purpose", "table", "AWS"] {
        assert!(!answer.body.contains(inner), "{answer:?}");
    }
}
