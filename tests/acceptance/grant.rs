//! `GET /agnost/auth/grant`

use std::time::Duration;

use futures_util::future::join_all;
use harness::jwt::Jwt;
use harness::{Answer, App, parameter, snapshot, some_at_once};
use jiff::Timestamp;
use jiff::fmt::rfc2822;

const PATH: &str = "/agnost/auth/grant";
const THIRTY_DAYS: i64 = 30 * 24 * 60 * 60;

async fn access_token(app: &App) -> String {
    app.access_token(&app.email("ada")).await
}

fn time(value: &serde_json::Value) -> Timestamp {
    value.as_str().expect("a time").parse().expect("ISO 8601")
}

#[tokio::test]
async fn an_access_token_gives_the_user_and_a_session() {
    let app = App::start().await;
    let answer = app.grant(&access_token(&app).await).await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));

    let body = answer.json();
    let id = &body["user"]["_id"];
    assert_eq!(&body["session"]["userId"], id);
    assert_eq!(&body["user"]["providerUserId"], id);
    let session = body["session"]["token"].as_str().expect("a token");
    assert_eq!(app.user(session).await.json(), body["user"]);
}

#[tokio::test]
async fn the_cookie_holds_the_session_for_as_long_as_it_lives() {
    let app = App::start().await;
    let answer = app.grant(&access_token(&app).await).await;
    let body = answer.json();
    let token = body["session"]["token"].as_str().expect("a token");
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    assert_eq!(cookies.len(), 1, "{answer:?}");
    let cookie: Vec<&str> = answer.header("set-cookie").split("; ").collect();
    let [
        value,
        "Path=/",
        "HttpOnly",
        "Secure",
        "SameSite=None",
        expires,
    ] = cookie[..]
    else {
        panic!("{cookie:?}");
    };
    assert_eq!(value, format!("session_token={token}"));
    let expires = expires.strip_prefix("Expires=").expect("an end");
    let expires = rfc2822::parse(expires).expect("a date").timestamp();
    let claims = Jwt::read(token).claims;
    assert_eq!(Some(expires.as_second()), claims["exp"].as_i64());
    let began = time(&body["session"]["creationDtm"]);
    assert_eq!(expires.as_second() - began.as_second(), THIRTY_DAYS);
    assert!((app.clock.now().as_second() - began.as_second()).abs() < 120);
}

#[tokio::test]
async fn a_grant_is_a_sign_in() {
    let app = App::start().await;
    let token = access_token(&app).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let body = app.grant(&token).await.json();
    let user = &body["user"];
    assert!(
        time(&user["lastLoginAt"]) > time(&user["signUpAt"]),
        "{user}"
    );
    assert_eq!(user["lastLoginAt"], body["session"]["creationDtm"]);
    assert_eq!(user["emailVerified"], true);
}

#[tokio::test]
async fn an_access_token_works_once() {
    let app = App::start().await;
    let token = access_token(&app).await;
    app.grant(&token).await.expect_ok();
    let again = app.grant(&token).await;
    again.expect_error(403, "invalid_access_token");
    assert_eq!(again.header("set-cookie"), "", "{again:?}");
    insta::assert_snapshot!(snapshot::of(&app, &again));
}

#[tokio::test]
async fn of_fifty_who_use_one_access_token_at_once_one_gets_in() {
    let app = App::start().await;
    let token = access_token(&app).await;
    let answers = join_all((0..50).map(|_| app.grant(&token))).await;
    let (lucky, others): (Vec<&Answer>, Vec<&Answer>) =
        answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(lucky.len(), 1, "{answers:?}");
    for other in others {
        other.expect_error(403, "invalid_access_token");
        assert_eq!(other.header("set-cookie"), "", "{other:?}");
    }
    let body = lucky[0].json();
    let session = body["session"]["token"].as_str().expect("a token");
    app.user(session).await.expect_ok();
}

#[tokio::test]
async fn without_an_access_token_nobody_gets_in() {
    let app = App::start().await;
    let absent = app.bare_call("GET", PATH).send().await;
    absent.expect_error(400, "missing_access_token");
    insta::assert_snapshot!(snapshot::of(&app, &absent));
    for query in ["?key=", "?key", "?KEY=x", "?access_token=x"] {
        let answer = app.bare_call("GET", &format!("{PATH}{query}")).send().await;
        answer.expect_error(400, "missing_access_token");
    }
}

#[tokio::test]
async fn an_access_token_that_is_given_twice_is_refused() {
    let app = App::start().await;
    let token = access_token(&app).await;
    for query in [
        format!("key={token}&key={token}"),
        format!("key=x&key={token}"),
        format!("key={token}&key="),
    ] {
        let answer = app
            .bare_call("GET", &format!("{PATH}?{query}"))
            .send()
            .await;
        answer.expect_error(400, "validation_error");
        assert_eq!(answer.blamed(), ["key"]);
    }
    app.grant(&token).await.expect_ok();
}

#[tokio::test]
async fn what_is_no_access_token_does_not_work() {
    let app = App::start().await;
    let token = access_token(&app).await;
    let other_prefix = token.replacen("at-", "tk-", 1);
    let long = format!("at-{}", "a".repeat(4_000));
    for key in [
        "nonsense",
        "at-",
        "at-.",
        "at-0123456789abcdefghijklmnopqrstuv1.nobody",
        "at-0123456789abcdefghijklmnopqrstuv1.00000000-0000-4000-8000-000000000000",
        "at-0123456789abcdefghijklmnopqrstuv99999999999999999999.ada",
        "at-%00%00",
        "%F0%9F%97%9D",
        "%ff%fe",
        "%",
        "undefined",
        &other_prefix,
        &long,
        &token.repeat(2),
        &token.to_ascii_uppercase(),
        &format!("%20{token}"),
        &format!("{token}%0a"),
    ] {
        let answer = app.grant(key).await;
        answer.expect_error(403, "invalid_access_token");
        assert_eq!(answer.header("set-cookie"), "", "{answer:?}");
    }
    app.grant(&token).await.expect_ok();
}

#[tokio::test]
async fn an_access_token_with_any_character_changed_left_out_or_added_does_not_work() {
    let app = App::start().await;
    let token = access_token(&app).await;
    let mut changed = vec![format!("{token}0")];
    for (at, old) in token.char_indices() {
        let (before, after) = (&token[..at], &token[at + 1..]);
        let other = if old == '2' { '3' } else { '2' };
        changed.push(format!("{before}{other}{after}"));
        changed.push(format!("{before}{after}"));
        changed.push(format!("{before}0{old}{after}"));
    }
    for answer in some_at_once(changed.iter().map(|key| app.grant(key))).await {
        answer.expect_error(403, "invalid_access_token");
    }
    app.grant(&token).await.expect_ok();
}

#[tokio::test]
async fn an_access_token_with_another_users_id_lets_nobody_in() {
    let app = App::start().await;
    let (ada, eve) = (access_token(&app).await, access_token(&app).await);
    let id = |token: &str| {
        token
            .split_once('.')
            .map(|(_, id)| id.to_owned())
            .expect("an id")
    };
    let stolen = eve.replace(&id(&eve), &id(&ada));
    assert_ne!(stolen, eve);
    app.grant(&stolen)
        .await
        .expect_error(403, "invalid_access_token");
    for token in [ada, eve] {
        app.grant(&token).await.expect_ok();
    }
}

#[tokio::test]
async fn a_link_is_no_access_token() {
    let app = App::start().await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    let link = app.link(&email).await;
    let key = parameter(&link, "key").expect("a key");
    for key in [key.clone(), key.replacen("tk-", "at-", 1)] {
        app.grant(&key)
            .await
            .expect_error(403, "invalid_access_token");
    }
    let followed = app.follow(&link).await;
    assert_eq!(
        followed.sent_with("status").as_deref(),
        Some("200"),
        "{followed:?}"
    );
}

#[tokio::test]
async fn an_access_token_works_for_almost_an_hour() {
    let Some(app) = App::with_movable_clock("an_access_token_works_for_almost_an_hour").await
    else {
        return;
    };
    let token = access_token(&app).await;
    app.advance(Duration::from_mins(59));
    app.grant(&token).await.expect_ok();
}

#[tokio::test]
async fn an_access_token_is_dead_after_an_hour() {
    let Some(app) = App::with_movable_clock("an_access_token_is_dead_after_an_hour").await else {
        return;
    };
    let token = access_token(&app).await;
    app.advance(Duration::from_secs(60 * 60 + 1));
    app.grant(&token)
        .await
        .expect_error(403, "invalid_access_token");
}

#[tokio::test]
async fn other_methods_do_not_use_an_access_token_up() {
    let app = App::start().await;
    let token = access_token(&app).await;
    let path = format!("{PATH}?key={token}");
    for method in ["HEAD", "PUT", "PATCH", "DELETE", "POST"] {
        let answer = app.bare_call(method, &path).send().await;
        assert!((400..500).contains(&answer.status), "{method}: {answer:?}");
        assert_eq!(answer.header("set-cookie"), "", "{answer:?}");
    }
    app.bare_call("OPTIONS", &path).send().await;
    app.grant(&token).await.expect_ok();
}

#[tokio::test]
async fn the_access_token_counts_in_the_parameter_only() {
    let app = App::start().await;
    let token = access_token(&app).await;
    let call = app
        .bare_call("GET", PATH)
        .header("key", &token)
        .header("authorization", &token)
        .header("session", &token)
        .header("cookie", &format!("key={token}; session_token={token}"));
    call.send().await.expect_error(400, "missing_access_token");
    app.grant(&token).await.expect_ok();
}

#[tokio::test]
async fn a_user_may_hold_sessions_beside_each_other() {
    let app = App::start().await;
    let email = app.email("ada");
    let granted = app.grant(&app.access_token(&email).await).await.json();
    let granted = granted["session"]["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    let signed_in = app.session(&email).await;
    assert_ne!(granted, signed_in);
    for session in [granted, signed_in] {
        app.user(&session).await.expect_ok();
    }
}
