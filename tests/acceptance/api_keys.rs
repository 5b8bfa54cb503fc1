//! The API key: who needs one, and which ones are refused.

use std::collections::BTreeSet;

use functions::OPERATIONS;
use harness::{Answer, App, Door, doors, snapshot};
use shared::route::Auth;

/// Operations of the contract that take no key: a browser is sent there, or they say what anybody may know.
const PUBLIC: [&str; 6] = [
    "verify",
    "grant",
    "oauth-start",
    "oauth-callback",
    "jwks",
    "health",
];
/// What is said of a key, and of nothing else.
const CODES: [&str; 5] = [
    "missing_api_key",
    "invalid_api_key",
    "expired_api_key",
    "domain_not_authorized",
    "ip_not_authorized",
];

/// The calls that need a key; fails if an operation other than the public ones has none.
fn guarded() -> Vec<Door> {
    let guarded: Vec<Door> = doors()
        .into_iter()
        .filter(|door| door.auth != Auth::Public)
        .collect();
    let covered: BTreeSet<&str> = guarded.iter().map(|door| door.operation).collect();
    let expected: BTreeSet<&str> = OPERATIONS
        .iter()
        .map(|operation| operation.route.name)
        .filter(|name| !PUBLIC.contains(name))
        .collect();
    assert_eq!(
        covered, expected,
        "an operation takes calls without a key, or needs one and should not"
    );
    guarded
}

/// Fails if the key was refused: the call went on to what else is wrong with it.
#[track_caller]
fn expect_past_the_key(door: &Door, answer: &Answer) {
    let code = answer.code();
    assert!(!CODES.contains(&code.as_str()), "{door:?} {answer:?}");
    assert!(answer.status < 500, "{door:?} {answer:?}");
}

/// One call for the snapshots.
async fn with_key(app: &App, key: &str) -> Answer {
    app.bare_call("GET", "/agnost/auth/user")
        .key(key)
        .send()
        .await
}

#[tokio::test]
async fn every_operation_but_the_public_ones_needs_a_key() {
    let app = App::start().await;
    for door in guarded() {
        app.knock(&door)
            .send()
            .await
            .expect_error(401, "missing_api_key");
        app.knock(&door)
            .key("")
            .send()
            .await
            .expect_error(401, "missing_api_key");
    }
    insta::assert_snapshot!(snapshot::of(&app, &with_key(&app, "").await));
}

#[tokio::test]
async fn public_operations_need_no_key_and_look_at_none() {
    let app = App::start().await;
    let public = doors().into_iter().filter(|door| door.auth == Auth::Public);
    for door in public {
        expect_past_the_key(&door, &app.knock(&door).send().await);
        for key in ["nonsense", "pk_expired", "pk_origin", "pk_elsewhere"] {
            expect_past_the_key(&door, &app.knock(&door).key(key).send().await);
        }
    }
}

#[tokio::test]
async fn no_operation_takes_an_unknown_key() {
    let app = App::start().await;
    let long = "k".repeat(4_000);
    let published = format!("{} {}", app.publishable, app.publishable);
    let bearer = format!("Bearer {}", app.publishable);
    let basic = format!("Basic {}", harness::jwt::encode(&app.publishable));
    let upper = app.publishable.to_ascii_uppercase();
    let shorter = &app.publishable[..app.publishable.len() - 1];
    let longer = format!("{}x", app.publishable);
    for door in guarded() {
        for key in [
            "nonsense", "*", &long, &published, &bearer, &basic, &upper, shorter, &longer,
        ] {
            let answer = app.knock(&door).key(key).send().await;
            answer.expect_error(401, "invalid_api_key");
        }
    }
    insta::assert_snapshot!(snapshot::of(&app, &with_key(&app, &bearer).await));
}

#[tokio::test]
async fn the_hash_of_a_key_is_no_key() {
    let app = App::start().await;
    let hash = "afb48b4af70ad6899f6600850e86afc53b7b7064188825068ff53b1499609ecb";
    with_key(&app, hash)
        .await
        .expect_error(401, "invalid_api_key");
}

#[tokio::test]
async fn a_session_token_is_no_key() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let session = app.session(&email).await;
    for key in [session.clone(), format!("Bearer {session}")] {
        let call = app
            .bare_call("GET", "/agnost/auth/user")
            .session(&session)
            .key(&key);
        call.send().await.expect_error(401, "invalid_api_key");
    }
}

#[tokio::test]
async fn a_known_key_lets_the_call_through() {
    let app = App::start().await;
    for door in guarded() {
        for key in [app.publishable.clone(), app.secret.clone()] {
            expect_past_the_key(&door, &app.knock(&door).key(&key).send().await);
        }
    }
}

#[tokio::test]
async fn no_operation_takes_an_expired_key() {
    let app = App::start().await;
    for door in guarded() {
        let answer = app.knock(&door).key("pk_expired").send().await;
        answer.expect_error(403, "expired_api_key");
    }
    insta::assert_snapshot!(snapshot::of(&app, &with_key(&app, "pk_expired").await));
}

#[tokio::test]
async fn no_operation_takes_a_key_of_another_origin() {
    let app = App::start().await;
    for door in guarded() {
        let without = app.knock(&door).key("pk_origin").send().await;
        without.expect_error(401, "domain_not_authorized");
        for origin in [
            "https://evil.example",
            "http://app.example.com",
            "https://app.example.com:8443",
            "https://app.example.com.evil.example",
            "https://evil-app.example.com",
            "https://x.app.example.com",
            "https://app.example.com@evil.example",
            "https://preview.example.com",
            "https://a.b.preview.example.com",
            "https://.preview.example.com",
            "https://x.preview.example.com.evil.example",
            "https://evil.example/.preview.example.com",
            "https://evil.example#.preview.example.com",
            "app.example.com",
            "null",
            "*",
        ] {
            let call = app.knock(&door).key("pk_origin").header("origin", origin);
            let answer = call.send().await;
            answer.expect_error(401, "domain_not_authorized");
        }
    }
    insta::assert_snapshot!(snapshot::of(&app, &with_key(&app, "pk_origin").await));
}

#[tokio::test]
async fn only_the_origin_header_says_from_which_page_a_call_comes() {
    let app = App::start().await;
    for door in guarded() {
        let call = app
            .knock(&door)
            .key("pk_origin")
            .header("referer", "https://app.example.com/")
            .header("host", "app.example.com")
            .header("x-forwarded-host", "app.example.com");
        call.send().await.expect_error(401, "domain_not_authorized");
    }
}

#[tokio::test]
async fn a_key_of_an_origin_lets_calls_from_there_through() {
    let app = App::start().await;
    for door in guarded() {
        for origin in ["https://app.example.com", "https://x.preview.example.com"] {
            let call = app.knock(&door).key("pk_origin").header("origin", origin);
            expect_past_the_key(&door, &call.send().await);
        }
    }
}

#[tokio::test]
async fn no_operation_takes_a_key_of_another_network() {
    let app = App::start().await;
    for door in guarded() {
        let answer = app.knock(&door).key("pk_elsewhere").send().await;
        answer.expect_error(401, "ip_not_authorized");
    }
    insta::assert_snapshot!(snapshot::of(&app, &with_key(&app, "pk_elsewhere").await));
}

#[tokio::test]
async fn no_header_moves_a_caller_to_another_network() {
    let app = App::start().await;
    for door in guarded() {
        for (name, value) in [
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-for", "203.0.113.7, 127.0.0.1"),
            ("x-forwarded-for", "127.0.0.1, 203.0.113.7"),
            ("forwarded", "for=203.0.113.7"),
            ("forwarded", "for=\"[2001:db8::7]\""),
            ("x-real-ip", "203.0.113.7"),
            ("x-client-ip", "203.0.113.7"),
            ("true-client-ip", "203.0.113.7"),
            ("cf-connecting-ip", "203.0.113.7"),
            ("x-amzn-source-ip", "203.0.113.7"),
        ] {
            let call = app.knock(&door).key("pk_elsewhere").header(name, value);
            call.send().await.expect_error(401, "ip_not_authorized");
        }
    }
}

#[tokio::test]
async fn a_key_of_this_network_lets_calls_from_here_through() {
    let app = App::start().await;
    for door in guarded() {
        let call = app.knock(&door).key("pk_here");
        expect_past_the_key(&door, &call.send().await);
        let call = app
            .knock(&door)
            .key("pk_here")
            .header("x-forwarded-for", "198.51.100.1");
        expect_past_the_key(&door, &call.send().await);
    }
}

#[tokio::test]
async fn the_key_may_come_in_the_query() {
    let app = App::start().await;
    for door in guarded() {
        let knock = async |query: &str| {
            let path = format!("{}?{query}", door.path);
            app.knock(&Door {
                path,
                ..door.clone()
            })
            .send()
            .await
        };
        expect_past_the_key(&door, &knock(&format!("apikey={}", app.publishable)).await);
        knock("apikey=").await.expect_error(401, "missing_api_key");
        knock("apikey=nonsense")
            .await
            .expect_error(401, "invalid_api_key");
        knock("apikey=pk_expired")
            .await
            .expect_error(403, "expired_api_key");
        knock("apikey=pk_origin")
            .await
            .expect_error(401, "domain_not_authorized");
        knock("apikey=pk_elsewhere")
            .await
            .expect_error(401, "ip_not_authorized");
    }
}

#[tokio::test]
async fn a_key_that_stands_twice_in_the_query_is_refused() {
    let app = App::start().await;
    let known = format!("apikey={}", app.publishable);
    for door in guarded() {
        for other in [&known, "apikey=nonsense", "apikey="] {
            for query in [format!("{known}&{other}"), format!("{other}&{known}")] {
                let path = format!("{}?{query}", door.path);
                let answer = app
                    .knock(&Door {
                        path,
                        ..door.clone()
                    })
                    .send()
                    .await;
                answer.expect_error(400, "validation_error");
                assert_eq!(answer.blamed(), ["apikey"], "{answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn the_header_wins_over_the_query() {
    let app = App::start().await;
    for door in guarded() {
        let with = |query: &str| {
            let path = format!("{}?apikey={query}", door.path);
            Door {
                path,
                ..door.clone()
            }
        };
        let answer = app
            .knock(&with(&app.publishable))
            .key("nonsense")
            .send()
            .await;
        answer.expect_error(401, "invalid_api_key");
        let answer = app
            .knock(&with("nonsense"))
            .key(&app.publishable)
            .send()
            .await;
        expect_past_the_key(&door, &answer);
    }
}

#[tokio::test]
async fn a_call_without_a_key_tells_nothing_about_its_body() {
    let app = App::start().await;
    for door in guarded().into_iter().filter(|door| door.method == "POST") {
        for body in ["{", "[]", "\u{0}", &"x".repeat(70_000)] {
            let call = app.bare_call("POST", &door.path);
            let answer = call.body("application/json", body.to_owned()).await;
            answer.expect_error(401, "missing_api_key");
        }
    }
}
