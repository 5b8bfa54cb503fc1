//! Which web pages may call (CORS, Fetch standard).

use harness::{Answer, App, Door, REDIRECT, doors, snapshot};

const WELCOME: &str = "http://localhost:3000";

const STRANGERS: [&str; 11] = [
    "https://evil.example",
    "null",
    "*",
    "https://localhost:3000",
    "http://localhost:3001",
    "http://localhost",
    "http://localhost:30000",
    "http://localhost:3000.evil.example",
    "http://evil.localhost:3000",
    "http://evil.example?http://localhost:3000",
    "https://app.example.com",
];

async fn preflight(app: &App, door: &Door, origin: &str) -> Answer {
    app.bare_call("OPTIONS", &door.path)
        .header("origin", origin)
        .header("access-control-request-method", door.method)
        .header(
            "access-control-request-headers",
            "authorization,content-type,session,x-client",
        )
        .send()
        .await
}

/// The entries of a header that lists, in lower case.
fn listed(answer: &Answer, name: &str) -> Vec<String> {
    let values = answer.header(name).split(',');
    values
        .map(|value| value.trim().to_ascii_lowercase())
        .collect()
}

#[track_caller]
fn expect_welcome(answer: &Answer) {
    assert_eq!(
        answer.header("access-control-allow-origin"),
        WELCOME,
        "{answer:?}"
    );
    assert_eq!(
        answer.header("access-control-allow-credentials"),
        "true",
        "{answer:?}"
    );
    assert!(
        listed(answer, "vary").contains(&"origin".to_owned()),
        "{answer:?}"
    );
}

#[track_caller]
fn expect_unwelcome(answer: &Answer) {
    for name in answer.headers.keys() {
        assert!(!name.as_str().starts_with("access-control-"), "{answer:?}");
    }
    assert!(
        listed(answer, "vary").contains(&"origin".to_owned()),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_page_of_a_known_origin_may_call_every_operation() {
    let app = App::start().await;
    for door in doors() {
        let answer = preflight(&app, &door, WELCOME).await;
        assert!((200..300).contains(&answer.status), "{door:?} {answer:?}");
        assert_eq!(answer.body, "", "{door:?}");
        expect_welcome(&answer);
        let methods = listed(&answer, "access-control-allow-methods");
        assert!(
            methods.contains(&door.method.to_ascii_lowercase()),
            "{door:?} {answer:?}"
        );
        let headers = listed(&answer, "access-control-allow-headers");
        for header in ["authorization", "session", "content-type", "x-client"] {
            assert!(
                headers.iter().any(|listed| listed == header),
                "{door:?} {answer:?}"
            );
        }
        for name in [
            "access-control-allow-methods",
            "access-control-allow-headers",
        ] {
            assert!(!answer.header(name).contains('*'), "{door:?} {answer:?}");
        }
    }
}

#[tokio::test]
async fn a_preflight_says_what_a_page_may_send() {
    let app = App::start().await;
    let doors = doors();
    let door = doors
        .iter()
        .find(|door| door.operation == "signin-email")
        .expect("the operation");
    let answer = preflight(&app, door, WELCOME).await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));
}

#[tokio::test]
async fn a_page_of_another_origin_may_call_nothing() {
    let app = App::start().await;
    for door in doors() {
        for origin in STRANGERS {
            let answer = preflight(&app, &door, origin).await;
            assert!(answer.status < 500, "{door:?} {answer:?}");
            expect_unwelcome(&answer);
        }
    }
}

#[tokio::test]
async fn the_answer_itself_can_be_read_by_a_known_origin_only() {
    let app = App::start().await;
    for door in doors() {
        let knock = || app.knock(&door).key(&app.publishable);
        expect_welcome(&knock().header("origin", WELCOME).send().await);
        for origin in STRANGERS {
            expect_unwelcome(&knock().header("origin", origin).send().await);
        }
        expect_unwelcome(&knock().send().await);
    }
}

#[tokio::test]
async fn an_error_can_be_read_by_a_known_origin_too() {
    let app = App::start().await;
    for door in doors() {
        for key in ["", "nonsense", "pk_expired", "pk_origin", "pk_elsewhere"] {
            let call = app.knock(&door).key(key).header("origin", WELCOME);
            expect_welcome(&call.send().await);
            let call = app.knock(&door).key(key).header("origin", STRANGERS[0]);
            expect_unwelcome(&call.send().await);
        }
    }
    for body in ["{", "[]", &"x".repeat(70_000)] {
        let call = app
            .call("POST", "/agnost/auth/signin-email")
            .header("origin", WELCOME);
        let answer = call.body("application/json", body.to_owned()).await;
        assert!(answer.status >= 400, "{answer:?}");
        expect_welcome(&answer);
    }
}

#[tokio::test]
async fn a_success_can_be_read_by_a_known_origin() {
    let app = App::start().await;
    let email = app.email("ada");
    let token = app.access_token(&email).await;
    let path = format!("/agnost/auth/grant?key={token}");
    let granted = app
        .bare_call("GET", &path)
        .header("origin", WELCOME)
        .send()
        .await;
    granted.expect_ok();
    expect_welcome(&granted);

    let session = app.session(&email).await;
    let user = app
        .call("GET", "/agnost/auth/user")
        .session(&session)
        .header("origin", WELCOME);
    let user = user.send().await;
    user.expect_ok();
    expect_welcome(&user);
    insta::assert_snapshot!(snapshot::of(&app, &user));
}

#[tokio::test]
async fn a_page_can_read_when_it_may_try_again() {
    let app = App::start().await;
    let call = app.bare_call("GET", "/health").header("origin", WELCOME);
    let answer = call.send().await;
    let exposed = listed(&answer, "access-control-expose-headers");
    assert!(exposed.contains(&"retry-after".to_owned()), "{answer:?}");
}

#[tokio::test]
async fn a_preflight_does_nothing() {
    let app = App::start().await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    let link = app.link(&email).await;
    let call = app
        .bare_call("OPTIONS", &link)
        .header("origin", WELCOME)
        .header("access-control-request-method", "GET");
    let answer = call.send().await;
    expect_welcome(&answer);
    assert_eq!(answer.header("location"), "", "{answer:?}");
    let followed = app.follow(&link).await;
    assert_eq!(
        followed.sent_with("status").as_deref(),
        Some("200"),
        "{followed:?}"
    );
    assert!(
        followed.header("location").starts_with(REDIRECT),
        "{followed:?}"
    );
}
