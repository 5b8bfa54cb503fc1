//! `GET /agnost/auth/user`

use harness::{Answer, App, PASSWORD, REDIRECT, snapshot};
use serde_json::json;

const PATH: &str = "/agnost/auth/user";

/// A user with a session; gives his address and the session token.
async fn signed_in(app: &App, name: &str) -> (String, String) {
    let email = app.email(name);
    app.verified_user(&email).await;
    let session = app.session(&email).await;
    (email, session)
}

async fn with_cookie(app: &App, cookie: &str) -> Answer {
    app.call("GET", PATH).header("cookie", cookie).send().await
}

#[tokio::test]
async fn a_session_gives_its_user() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let signed_in = app.sign_in(&email, PASSWORD).await.json();
    let session = signed_in["session"]["token"].as_str().expect("a token");
    let answer = app.user(session).await;
    assert_eq!(answer.json(), signed_in["user"]);
    insta::assert_snapshot!(snapshot::of(&app, &answer));
}

#[tokio::test]
async fn what_was_passed_at_sign_up_stands_at_the_top_level() {
    let app = App::start().await;
    let email = app.email("ada");
    let body = json!({
        "email": email, "password": PASSWORD, "redirectURL": REDIRECT,
        "userData": { "name": "Ada Løvelace 🧮", "plan": "pro", "seats": 3, "tags": ["a", { "b": null }] },
    });
    let answer = app
        .call("POST", "/agnost/auth/signup-email")
        .json(&body)
        .await;
    answer.expect_ok();
    app.follow(&app.link(&email).await).await;
    let user = app.user(&app.session(&email).await).await.json();
    assert_eq!(user["name"], "Ada Løvelace 🧮");
    assert_eq!(user["plan"], "pro");
    assert_eq!(user["seats"], 3);
    assert_eq!(user["tags"], json!(["a", { "b": null }]));
    assert!(user.get("userData").is_none(), "{user}");
}

#[tokio::test]
async fn the_session_may_come_in_the_cookie() {
    let app = App::start().await;
    let (email, session) = signed_in(&app, "ada").await;
    for cookie in [
        format!("session_token={session}"),
        format!("theme=dark; session_token={session}; lang=en"),
        format!("session_token2=x; xsession_token=y; session_token={session}"),
    ] {
        let answer = with_cookie(&app, &cookie).await;
        assert_eq!(answer.expect_ok().json()["email"], *email, "{cookie}");
    }
}

#[tokio::test]
async fn the_header_wins_over_the_cookie() {
    let app = App::start().await;
    let (ada, header) = signed_in(&app, "ada").await;
    let (_, cookie) = signed_in(&app, "eve").await;
    let both = |header: &str| {
        app.call("GET", PATH)
            .session(header)
            .header("cookie", &format!("session_token={cookie}"))
            .send()
    };
    assert_eq!(both(&header).await.expect_ok().json()["email"], *ada);
    both("nonsense")
        .await
        .expect_error(401, "invalid_session_token");
}

#[tokio::test]
async fn without_a_session_there_is_no_user() {
    let app = App::start().await;
    let answer = app.call("GET", PATH).send().await;
    answer.expect_error(401, "missing_session_token");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    for cookie in [
        "session_token=",
        "session_token",
        "theme=dark",
        "; ;=;",
        "SESSION_TOKEN=x",
    ] {
        let answer = with_cookie(&app, cookie).await;
        answer.expect_error(401, "missing_session_token");
    }
}

#[tokio::test]
async fn a_session_that_is_none_gives_no_user() {
    let app = App::start().await;
    let answer = app.user("nonsense").await;
    answer.expect_error(401, "invalid_session_token");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    let answer = with_cookie(&app, "session_token=nonsense").await;
    answer.expect_error(401, "invalid_session_token");
}

#[tokio::test]
async fn the_cookie_does_not_count_on_a_page_of_another_origin() {
    let app = App::start().await;
    let (_, session) = signed_in(&app, "ada").await;
    for origin in [
        "https://evil.example",
        "",
        "null",
        "https://localhost:3000",
        "http://localhost:3001",
        "http://localhost",
        "http://localhost:3000.evil.example",
        "http://evil.localhost:3000",
        "https://app.example.com",
        "file://",
    ] {
        let call = app
            .call("GET", PATH)
            .header("origin", origin)
            .header("cookie", &format!("session_token={session}"));
        let answer = call.send().await;
        answer.expect_error(401, "missing_session_token");
    }
}

#[tokio::test]
async fn the_cookie_counts_on_a_page_of_a_known_origin() {
    let app = App::start().await;
    let (email, session) = signed_in(&app, "ada").await;
    let call = app
        .call("GET", PATH)
        .header("origin", "http://localhost:3000")
        .header("cookie", &format!("session_token={session}"));
    assert_eq!(call.send().await.expect_ok().json()["email"], *email);
}

#[tokio::test]
async fn the_header_counts_from_any_origin_as_no_browser_adds_it_by_itself() {
    let app = App::start().await;
    let (email, session) = signed_in(&app, "ada").await;
    let call = app
        .call("GET", PATH)
        .header("origin", "https://evil.example")
        .session(&session);
    let answer = call.send().await;
    assert_eq!(answer.expect_ok().json()["email"], *email);
    assert_eq!(
        answer.header("access-control-allow-origin"),
        "",
        "{answer:?}"
    );
}

#[tokio::test]
async fn each_session_shows_its_own_user_only() {
    let app = App::start().await;
    let (ada, adas) = signed_in(&app, "ada").await;
    let (eve, eves) = signed_in(&app, "eve").await;
    for (email, session) in [(&ada, &adas), (&eve, &eves), (&ada, &adas)] {
        assert_eq!(app.user(session).await.json()["email"], **email);
    }
    let adas_id = app.user(&adas).await.json()["_id"].clone();
    let id = adas_id.as_str().expect("an id");
    for query in [
        format!("?_id={id}"),
        format!("?userId={id}"),
        format!("?email={ada}"),
    ] {
        let call = app.call("GET", &format!("{PATH}{query}")).session(&eves);
        assert_eq!(call.send().await.json()["email"], *eve, "{query}");
    }
}

#[tokio::test]
async fn an_answer_holds_no_secret_and_is_kept_by_nobody() {
    let app = App::start().await;
    let (_, session) = signed_in(&app, "ada").await;
    let answer = app.user(&session).await;
    let body = answer.body.to_ascii_lowercase();
    for word in [
        "password",
        "hash",
        "argon2",
        "stamp",
        "claimable",
        "notbefore",
        "tk-",
        "at-",
        &session,
    ] {
        assert!(!body.contains(&word.to_ascii_lowercase()), "{word}: {body}");
    }
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("set-cookie"), "", "{answer:?}");
}
