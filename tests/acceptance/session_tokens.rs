//! The session token: who needs one, and that only what we signed ourselves is one.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use functions::OPERATIONS;
use harness::jwt::{self, Jwt, encode, member};
use harness::{App, Door, doors};
use ring::rsa::{KeyPair, PublicKeyComponents};
use ring::signature::RSA_PKCS1_SHA256;
use ring::{hmac, rand};
use serde_json::{Value, json};
use shared::route::Auth;

/// Operations of the contract that need a session.
const WITH_SESSION: [&str; 8] = [
    "change-pwd",
    "change-email",
    "change-phone",
    "user",
    "sessions",
    "signout",
    "signout-all",
    "signout-all-except",
];

/// The calls that need a session; fails if an operation that should need one has none.
fn guarded() -> Vec<Door> {
    let guarded: Vec<Door> = doors()
        .into_iter()
        .filter(|door| door.auth == Auth::KeyAndSession)
        .collect();
    let covered: BTreeSet<&str> = guarded.iter().map(|door| door.operation).collect();
    let expected: BTreeSet<&str> = OPERATIONS
        .iter()
        .map(|operation| operation.route.name)
        .filter(|name| WITH_SESSION.contains(name))
        .collect();
    assert_eq!(
        covered, expected,
        "an operation takes calls without a session, or needs one and should not"
    );
    guarded
}

async fn session(app: &App) -> String {
    let email = app.email("ada");
    app.verified_user(&email).await;
    app.session(&email).await
}

async fn keys(app: &App) -> Value {
    app.bare_call("GET", "/.well-known/jwks.json")
        .send()
        .await
        .json()
}

/// Fails unless every operation refuses the token, in the header and in the cookie.
async fn expect_invalid(app: &App, token: &str) {
    for door in guarded() {
        let call = app.knock(&door).key(&app.publishable).session(token);
        call.send().await.expect_error(401, "invalid_session_token");
        let cookie = format!("session_token={token}");
        let call = app
            .knock(&door)
            .key(&app.publishable)
            .header("cookie", &cookie);
        call.send().await.expect_error(401, "invalid_session_token");
    }
}

/// A key pair that the deployment does not know.
fn other_pair() -> &'static KeyPair {
    static PAIR: OnceLock<KeyPair> = OnceLock::new();
    PAIR.get_or_init(|| {
        let stored = local::keys::generate().expect("a key");
        let stored: Value = serde_json::from_str(&stored).expect("JSON");
        let der = STANDARD.decode(stored["pkcs8"].as_str().expect("PKCS #8"));
        KeyPair::from_pkcs8(&der.expect("base64")).expect("a key pair")
    })
}

/// The public half of it, as an attacker would offer it.
fn other_jwk(kid: &Value) -> Value {
    let public: PublicKeyComponents<Vec<u8>> = other_pair().public().into();
    json!({ "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": encode(public.n), "e": encode(public.e) })
}

/// Signs with the key that the deployment does not know.
fn sign_with_other(header: &Value, claims: &Value) -> String {
    let message = jwt::message(header, claims);
    let mut signature = vec![0; other_pair().public().modulus_len()];
    #[expect(
        clippy::disallowed_methods,
        reason = "ring takes no other source to blind a key with"
    )]
    let randomness = rand::SystemRandom::new();
    other_pair()
        .sign(
            &RSA_PKCS1_SHA256,
            &randomness,
            message.as_bytes(),
            &mut signature,
        )
        .expect("a signature");
    format!("{message}.{}", encode(signature))
}

/// DER: a tag, a length and a content.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let length = &length[length.iter().take_while(|byte| **byte == 0).count()..];
    let mut out = vec![tag];
    if content.len() < 0x80 {
        out.extend(
            length
                .iter()
                .copied()
                .chain(content.is_empty().then_some(0)),
        );
    } else {
        out.push(0x80 | u8::try_from(length.len()).expect("a short length"));
        out.extend(length);
    }
    out.extend(content);
    out
}

/// A public key as PKCS #1 and as SPKI, both in DER.
fn public_der(key: &Value) -> (Vec<u8>, Vec<u8>) {
    let integer = |name| {
        let mut bytes = member(key, name);
        if bytes[0] >= 0x80 {
            bytes.insert(0, 0);
        }
        der(2, &bytes)
    };
    let pkcs1 = der(0x30, &[integer("n"), integer("e")].concat());
    let rsa_encryption = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    let algorithm = der(0x30, &[der(6, &rsa_encryption), der(5, &[])].concat());
    let bits = der(3, &[&[0], &pkcs1[..]].concat());
    let spki = der(0x30, &[algorithm, bits].concat());
    (pkcs1, spki)
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len())
        .step_by(64)
        .map(|at| &text[at..text.len().min(at + 64)])
        .collect();
    format!(
        "-----BEGIN {label}-----\n{}\n-----END {label}-----\n",
        lines.join("\n")
    )
}

#[tokio::test]
async fn every_operation_with_a_session_needs_one() {
    let app = App::start().await;
    for door in guarded() {
        let knock = || app.knock(&door).key(&app.publishable);
        knock()
            .send()
            .await
            .expect_error(401, "missing_session_token");
        knock()
            .session("")
            .send()
            .await
            .expect_error(401, "missing_session_token");
        let empty = knock().header("cookie", "session_token=").send().await;
        empty.expect_error(401, "missing_session_token");
        let elsewhere = knock()
            .header("cookie", "session_token=x")
            .header("origin", "https://evil.example");
        elsewhere
            .send()
            .await
            .expect_error(401, "missing_session_token");
    }
}

#[tokio::test]
async fn a_call_without_a_key_tells_nothing_about_its_session() {
    let app = App::start().await;
    let session = session(&app).await;
    for door in guarded() {
        for token in [&session, "nonsense"] {
            let answer = app.knock(&door).session(token).send().await;
            answer.expect_error(401, "missing_api_key");
        }
    }
}

#[tokio::test]
async fn what_is_no_token_is_no_session() {
    let app = App::start().await;
    let long = "a".repeat(4_000);
    for token in [
        "nonsense",
        ".",
        "..",
        "...",
        "a.b.c",
        "null",
        "undefined",
        "e30.e30.e30",
        "e30.e30.",
        &long,
    ] {
        expect_invalid(&app, token).await;
    }
}

#[tokio::test]
async fn a_token_of_another_kind_is_no_session() {
    let app = App::start().await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    let link = app.link(&email).await;
    let key = harness::parameter(&link, "key").expect("a key");
    expect_invalid(&app, &key).await;
    let followed = app.follow(&link).await;
    let access_token = followed.sent_with("access_token").expect("a token");
    expect_invalid(&app, &access_token).await;
    expect_invalid(&app, &app.publishable).await;
    app.grant(&access_token).await.expect_ok();
}

#[tokio::test]
async fn a_token_that_is_not_whole_is_no_session() {
    let app = App::start().await;
    let token = session(&app).await;
    let (message, signature) = token.rsplit_once('.').expect("a signature");
    let (header, claims) = message.split_once('.').expect("claims");
    for cut in [
        1,
        2,
        3,
        4,
        10,
        100,
        signature.len(),
        signature.len() + 1,
        token.len() - 1,
    ] {
        expect_invalid(&app, &token[..token.len() - cut]).await;
    }
    for other in [
        format!("{token}="),
        format!("{token}A"),
        format!("{token}."),
        format!("{token}.{signature}"),
        format!("{token},{token}"),
        format!("{message}.{signature}{signature}"),
        format!("{claims}.{header}.{signature}"),
        format!(".{claims}.{signature}"),
        format!("{header}..{signature}"),
        format!("Bearer {token}"),
        token.to_ascii_lowercase(),
        token.replace('.', " "),
    ] {
        expect_invalid(&app, &other).await;
    }
    app.user(&token).await.expect_ok();
}

#[tokio::test]
async fn a_signature_with_any_character_changed_is_no_signature() {
    let app = App::start().await;
    let token = session(&app).await;
    let signature = token.rfind('.').expect("a signature") + 1;
    let last = token.len() - 1;
    for at in (signature..last).step_by(37).chain([last]) {
        for other in ['A', 'B', 'Q', '_'] {
            if token[at..].starts_with(other) {
                continue;
            }
            let changed = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            app.user(&changed)
                .await
                .expect_error(401, "invalid_session_token");
        }
    }
    app.user(&token).await.expect_ok();
}

#[tokio::test]
async fn changed_claims_are_no_session_under_the_old_signature() {
    let app = App::start().await;
    let token = session(&app).await;
    let eve = session(&app).await;
    let (genuine, other) = (Jwt::read(&token), Jwt::read(&eve));
    let change = |name: &str, value: Value| {
        let mut claims = genuine.claims.clone();
        claims[name] = value;
        claims
    };
    for claims in [
        other.claims.clone(),
        change("sub", other.claims["sub"].clone()),
        change("sid", other.claims["sid"].clone()),
        change("exp", json!(4_102_444_800_u32)),
        change("iat", json!(0)),
        change("iss", json!("https://evil.example")),
        change("admin", json!(true)),
    ] {
        let message = jwt::message(&genuine.header, &claims);
        expect_invalid(&app, &format!("{message}.{}", encode(&genuine.signature))).await;
    }
    app.user(&token).await.expect_ok();
}

#[tokio::test]
async fn a_token_without_a_signature_is_no_session() {
    let app = App::start().await;
    let token = session(&app).await;
    let genuine = Jwt::read(&token);
    let kid = &genuine.header["kid"];
    for algorithm in ["none", "None", "NONE", "nOnE", "", "null"] {
        for header in [
            json!({ "alg": algorithm, "typ": "JWT" }),
            json!({ "alg": algorithm, "kid": kid }),
        ] {
            let message = jwt::message(&header, &genuine.claims);
            for signature in [String::new(), encode("x"), encode(&genuine.signature)] {
                expect_invalid(&app, &format!("{message}.{signature}")).await;
            }
            expect_invalid(&app, &message).await;
        }
    }
    let message = jwt::message(&genuine.header, &genuine.claims);
    expect_invalid(&app, &format!("{message}.")).await;
    for header in [
        json!({ "kid": kid }),
        json!({ "alg": null, "kid": kid }),
        json!({ "alg": 1, "kid": kid }),
    ] {
        let message = jwt::message(&header, &genuine.claims);
        expect_invalid(&app, &format!("{message}.{}", encode(&genuine.signature))).await;
    }
}

#[tokio::test]
async fn the_public_key_is_no_secret_to_sign_with() {
    let app = App::start().await;
    let token = session(&app).await;
    let genuine = Jwt::read(&token);
    let keys = keys(&app).await;
    let key = &keys["keys"][0];
    let (pkcs1, spki) = public_der(key);
    let text = |name: &str| key[name].as_str().expect("a text").as_bytes().to_vec();
    let spki_pem = pem("PUBLIC KEY", &spki);
    let secrets = [
        member(key, "n"),
        text("n"),
        text("kid"),
        key.to_string().into_bytes(),
        keys.to_string().into_bytes(),
        spki_pem.trim_end().as_bytes().to_vec(),
        spki_pem.into_bytes(),
        pem("RSA PUBLIC KEY", &pkcs1).into_bytes(),
        spki,
        pkcs1,
        Vec::new(),
    ];
    for (name, algorithm) in [
        ("HS256", hmac::HMAC_SHA256),
        ("HS384", hmac::HMAC_SHA384),
        ("HS512", hmac::HMAC_SHA512),
    ] {
        let header = json!({ "typ": "JWT", "alg": name, "kid": genuine.header["kid"] });
        let message = jwt::message(&header, &genuine.claims);
        // The token also says RS256, for a checker that goes by the key it finds.
        let honest = jwt::message(&genuine.header, &genuine.claims);
        for secret in &secrets {
            let secret = hmac::Key::new(algorithm, secret);
            for message in [&message, &honest] {
                let signature = encode(hmac::sign(&secret, message.as_bytes()));
                app.user(&format!("{message}.{signature}"))
                    .await
                    .expect_error(401, "invalid_session_token");
            }
        }
        let signature = encode(hmac::sign(
            &hmac::Key::new(algorithm, &secrets[5]),
            message.as_bytes(),
        ));
        expect_invalid(&app, &format!("{message}.{signature}")).await;
    }
}

#[tokio::test]
async fn a_token_of_another_key_is_no_session_whatever_its_header_says() {
    let app = App::start().await;
    let token = session(&app).await;
    let Jwt { header, claims, .. } = Jwt::read(&token);
    let kid = &header["kid"];
    let jwk = other_jwk(kid);
    // The forgery itself is sound: with its own key in the set it would pass.
    let forged = sign_with_other(&header, &claims);
    assert!(Jwt::read(&forged).is_signed_by(&json!({ "keys": [jwk] })));

    let url = "https://evil.example/jwks.json";
    for header in [
        header.clone(),
        json!({ "alg": "RS256", "typ": "JWT" }),
        json!({ "alg": "RS256", "kid": null }),
        json!({ "alg": "RS256", "kid": "" }),
        json!({ "alg": "RS256", "kid": "unknown" }),
        json!({ "alg": "RS256", "kid": "../../../dev/null" }),
        json!({ "alg": "RS256", "kid": 0 }),
        json!({ "alg": "RS256", "kid": [kid] }),
        json!({ "alg": "RS256", "kid": kid, "jwk": jwk }),
        json!({ "alg": "RS256", "jwk": jwk }),
        json!({ "alg": "RS256", "kid": kid, "jku": url }),
        json!({ "alg": "RS256", "jku": url }),
        json!({ "alg": "RS256", "kid": kid, "x5u": url }),
        json!({ "alg": "RS256", "kid": kid, "x5c": ["MIIB"] }),
        json!({ "alg": "RS256", "kid": kid, "crit": ["exp"] }),
        json!({ "alg": "RS384", "kid": kid }),
        json!({ "alg": "PS256", "kid": kid }),
        json!({ "alg": "ES256", "kid": kid }),
        json!({ "alg": "EdDSA", "kid": kid }),
    ] {
        expect_invalid(&app, &sign_with_other(&header, &claims)).await;
    }
}

#[tokio::test]
async fn our_own_signature_under_another_header_is_no_session() {
    let app = App::start().await;
    let token = session(&app).await;
    let Jwt {
        header,
        claims,
        signature,
        ..
    } = Jwt::read(&token);
    let kid = &header["kid"];
    for header in [
        json!({ "alg": "RS256" }),
        json!({ "alg": "RS256", "kid": "unknown" }),
        json!({ "alg": "PS256", "kid": kid }),
        json!({ "alg": "RS256", "kid": kid, "jku": "https://evil.example/jwks.json" }),
    ] {
        let message = jwt::message(&header, &claims);
        expect_invalid(&app, &format!("{message}.{}", encode(&signature))).await;
    }
}

#[tokio::test]
async fn an_expired_token_of_another_key_is_no_session_either() {
    let app = App::start().await;
    let token = session(&app).await;
    let Jwt {
        header, mut claims, ..
    } = Jwt::read(&token);
    for exp in [
        json!(1_000_000_000),
        json!(0),
        json!(-1),
        json!("never"),
        json!(null),
        json!(1e300),
    ] {
        claims["exp"] = exp;
        expect_invalid(&app, &sign_with_other(&header, &claims)).await;
    }
}

#[tokio::test]
async fn a_session_lives_for_almost_thirty_days() {
    let Some(app) = App::with_movable_clock("a_session_lives_for_almost_thirty_days").await else {
        return;
    };
    let token = session(&app).await;
    app.advance(Duration::from_mins(30 * 24 * 60 - 1));
    app.user(&token).await.expect_ok();
}

#[tokio::test]
async fn a_session_is_over_after_thirty_days() {
    let Some(app) = App::with_movable_clock("a_session_is_over_after_thirty_days").await else {
        return;
    };
    let token = session(&app).await;
    app.advance(Duration::from_secs(30 * 24 * 60 * 60 + 1));
    expect_invalid(&app, &token).await;
}

#[tokio::test]
async fn signing_in_again_ends_no_session_and_extends_none() {
    let test = "signing_in_again_ends_no_session_and_extends_none";
    let Some(app) = App::with_movable_clock(test).await else {
        return;
    };
    let email = app.email("ada");
    app.verified_user(&email).await;
    let first = app.session(&email).await;
    app.advance(Duration::from_hours(20 * 24));
    let second = app.session(&email).await;
    app.user(&first).await.expect_ok();
    app.advance(Duration::from_hours(10 * 24 + 1));
    app.user(&first)
        .await
        .expect_error(401, "invalid_session_token");
    app.user(&second).await.expect_ok();
}
