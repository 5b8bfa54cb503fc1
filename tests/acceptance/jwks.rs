//! `GET /.well-known/jwks.json` and `/.well-known/openid-configuration`

use harness::jwt::{Jwt, member};
use harness::{Answer, App, PASSWORD, snapshot};
use serde_json::Value;

const KEYS: &str = "/.well-known/jwks.json";
const CONFIGURATION: &str = "/.well-known/openid-configuration";

async fn get(app: &App, url: &str) -> Answer {
    app.bare_call("GET", url).send().await
}

/// The answer with a name in place of what each key has of its own.
fn nameless(answer: &Answer) -> Answer {
    let mut body = answer.json();
    for key in body["keys"].as_array_mut().into_iter().flatten() {
        key["kid"] = "[kid]".into();
        key["n"] = "[modulus]".into();
    }
    Answer {
        body: body.to_string(),
        ..answer.clone()
    }
}

#[tokio::test]
async fn the_keys_are_published_for_anybody() {
    let app = App::start().await;
    let answer = get(&app, KEYS).await;
    insta::assert_snapshot!(snapshot::of(&app, &nameless(&answer)));
}

#[tokio::test]
async fn the_configuration_says_where_the_keys_are() {
    let app = App::start().await;
    let answer = get(&app, CONFIGURATION).await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));

    let configuration = answer.json();
    assert_eq!(configuration["issuer"], app.url);
    let uri = configuration["jwks_uri"].as_str().expect("a URL");
    assert_eq!(
        get(&app, uri).await.expect_ok().json(),
        get(&app, KEYS).await.json()
    );
}

#[tokio::test]
async fn a_key_has_no_private_part_and_is_strong() {
    let app = App::start().await;
    let body = get(&app, KEYS).await.json();
    let keys = body["keys"].as_array().expect("keys");
    assert!(!keys.is_empty());
    for key in keys {
        let mut members: Vec<&String> = key.as_object().expect("a key").keys().collect();
        members.sort();
        assert_eq!(members, ["alg", "e", "kid", "kty", "n", "use"]);
        assert!(!key["kid"].as_str().expect("a name").is_empty());
        let modulus = member(key, "n");
        assert!(
            modulus.len() >= 256 && modulus[0] >= 0x80,
            "{} bytes",
            modulus.len()
        );
        assert_eq!(member(key, "e"), [1, 0, 1]);
    }
    let mut names: Vec<&Value> = keys.iter().map(|key| &key["kid"]).collect();
    names.dedup();
    assert_eq!(names.len(), keys.len());
}

#[tokio::test]
async fn both_documents_may_be_kept_for_five_minutes_by_origin() {
    let app = App::start().await;
    for path in [KEYS, CONFIGURATION] {
        let answer = get(&app, path).await;
        assert_eq!(
            answer.header("cache-control"),
            "public, max-age=300",
            "{path}"
        );
        assert_eq!(
            answer.header("vary").to_ascii_lowercase(),
            "origin",
            "{path}"
        );
        assert_eq!(answer.header("set-cookie"), "", "{path}");
    }
}

#[tokio::test]
async fn what_a_caller_adds_changes_neither_document() {
    let app = App::start().await;
    for path in [KEYS, CONFIGURATION] {
        let plain = get(&app, path).await;
        let call = app
            .bare_call("GET", &format!("{path}?a=1&a=2"))
            .key("nonsense")
            .session("nonsense")
            .header("x-forwarded-host", "evil.example")
            .header("x-forwarded-proto", "gopher");
        assert_eq!(call.send().await.expect_ok().body, plain.body, "{path}");
    }
}

#[tokio::test]
async fn a_session_token_is_signed_by_a_published_key() {
    let app = App::start().await;
    let email = app.email("ada");
    let id = app.verified_user(&email).await;
    let signed_in = app.sign_in(&email, PASSWORD).await.json();
    let token = Jwt::read(signed_in["session"]["token"].as_str().expect("a token"));

    let keys = get(&app, KEYS).await.json();
    assert!(token.is_signed_by(&keys), "{token:?} {keys}");
    let mut changed = token.clone();
    changed.message.push('A');
    assert!(
        !changed.is_signed_by(&keys),
        "the check itself checks nothing"
    );

    let mut header: Vec<&String> = token.header.as_object().expect("a header").keys().collect();
    header.sort();
    assert_eq!(header, ["alg", "kid", "typ"]);
    assert_eq!(token.header["alg"], "RS256");
    assert_eq!(token.header["typ"], "JWT");

    let claims = &token.claims;
    let mut names: Vec<&String> = claims.as_object().expect("claims").keys().collect();
    names.sort();
    assert_eq!(names, ["aud", "exp", "iat", "iss", "sid", "sub"]);
    assert_eq!(
        claims["iss"],
        get(&app, CONFIGURATION).await.json()["issuer"]
    );
    assert_eq!(claims["iss"], app.url);
    assert_eq!(claims["aud"], "latchkey");
    assert_eq!(claims["sub"], id);
    assert!(
        claims["sid"].as_str().is_some_and(|sid| sid.len() >= 16),
        "{claims}"
    );
    let (iat, exp) = (
        claims["iat"].as_i64().expect("iat"),
        claims["exp"].as_i64().expect("exp"),
    );
    assert_eq!(exp - iat, 30 * 24 * 60 * 60);
    assert!((app.clock.now().as_second() - iat).abs() < 120, "{claims}");
}

#[tokio::test]
async fn each_session_has_an_id_of_its_own() {
    let app = App::start().await;
    let email = app.email("ada");
    app.verified_user(&email).await;
    let (first, second) = (app.session(&email).await, app.session(&email).await);
    let (first, second) = (Jwt::read(&first).claims, Jwt::read(&second).claims);
    assert_eq!(first["sub"], second["sub"]);
    assert_ne!(first["sid"], second["sid"]);
}
