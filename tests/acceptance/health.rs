//! `GET /health`

use futures_util::future::join_all;
use harness::{App, snapshot};

#[tokio::test]
async fn a_service_that_is_well_says_so_to_anybody() {
    let app = App::start().await;
    let answer = app.bare_call("GET", "/health").send().await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));
}

#[tokio::test]
async fn nothing_that_a_caller_adds_changes_it() {
    let app = App::start().await;
    let call = app
        .bare_call("GET", "/health?x=1&x=2&apikey=nonsense")
        .key("nonsense")
        .session("nonsense")
        .header("cookie", "session_token=nonsense");
    assert_eq!(call.send().await.expect_ok().body, r#"{"status":"ok"}"#);
}

#[tokio::test]
async fn it_answers_many_at_once() {
    let app = App::start().await;
    let calls = (0..20).map(|_| app.bare_call("GET", "/health").send());
    for answer in join_all(calls).await {
        answer.expect_ok();
    }
}
