//! `POST /agnost/auth/signup-email`

use std::time::Duration;

use futures_util::future::join_all;
use harness::{Answer, App, PASSWORD, REDIRECT, parameter, snapshot};
use serde_json::{Value, json};

const PATH: &str = "/agnost/auth/signup-email";
const DAY: Duration = Duration::from_hours(24);
const ALMOST_A_DAY: Duration = Duration::from_mins(24 * 60 - 1);
const SECOND: Duration = Duration::from_secs(1);

/// A whole body, with some fields of one's own.
fn body(email: &str, own: Value) -> Value {
    let mut body = json!({ "email": email, "password": PASSWORD, "redirectURL": REDIRECT });
    if let (Some(body), Value::Object(own)) = (body.as_object_mut(), own) {
        body.extend(own);
    }
    body
}

async fn sign_up(app: &App, email: &str, own: Value) -> Answer {
    app.call("POST", PATH).json(&body(email, own)).await
}

async fn sign_up_from_a_server(app: &App, email: &str, own: Value) -> Answer {
    let call = app.bare_call("POST", PATH).key(&app.secret);
    call.json(&body(email, own)).await
}

async fn confirm(app: &App, email: &str) {
    let followed = app.follow(&app.link(email).await).await;
    assert_eq!(
        followed.sent_with("status").as_deref(),
        Some("200"),
        "{followed:?}"
    );
}

/// Fails the test unless nobody holds the address.
async fn expect_free(app: &App, email: &str) {
    app.resend(email)
        .await
        .expect_error(401, "invalid_credentials");
    app.sign_in(email, PASSWORD)
        .await
        .expect_error(401, "invalid_sign_in_credentials");
}

fn has_code(answers: &[Answer], status: u16, code: &str) -> usize {
    let same = |answer: &&Answer| answer.status == status && answer.code() == code;
    answers.iter().filter(same).count()
}

// What a sign-up gives

#[tokio::test]
async fn signing_up_gives_the_user_and_sends_a_link_to_confirm_the_address() {
    let app = App::start().await;
    let email = app.email("ada");
    let answer = app.sign_up(&email).await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    let mails = app.mails(&email).await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    insta::assert_snapshot!(
        "the_mail_that_confirms_an_address",
        snapshot::of_mail(&app, &mails[0])
    );
}

#[tokio::test]
async fn a_new_user_has_signed_in_when_he_signed_up_and_has_no_session() {
    let app = App::start().await;
    let answer = app.sign_up(&app.email("ada")).await;
    let user = &answer.expect_ok().json()["user"];
    assert_eq!(user["lastLoginAt"], user["signUpAt"]);
    assert_eq!(user["providerUserId"], user["_id"]);
    assert_eq!(user["provider"], "agnost");
    assert_eq!(user["emailVerified"], false);
    for absent in [
        "phone",
        "phoneVerified",
        "name",
        "profilePicture",
        "password",
    ] {
        assert!(user.get(absent).is_none(), "{absent}");
    }
    assert_eq!(answer.json()["session"], Value::Null);
    assert_eq!(answer.header("set-cookie"), "");
}

#[tokio::test]
async fn an_address_is_kept_and_written_to_in_its_canonical_spelling() {
    let app = App::start().await;
    let local = app.email("ada").replace("@example.com", "");
    let canonical = format!("{local}@xn--bcher-kva.example");
    let typed = format!(" \t{}@BU\u{308}CHER.Example  ", local.to_uppercase());
    let answer = sign_up(&app, &typed, json!({})).await;
    assert_eq!(answer.expect_ok().json()["user"]["email"], *canonical);
    let mails = app.mails(&canonical).await;
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert_eq!(mails[0].to, canonical);

    confirm(&app, &canonical).await;
    for spelling in [&canonical, &format!("{local}@bücher.example"), &typed] {
        let answer = app.sign_in(spelling, PASSWORD).await;
        assert_eq!(answer.expect_ok().json()["user"]["email"], *canonical);
    }
}

#[tokio::test]
async fn dots_and_tags_make_another_address() {
    let app = App::start().await;
    let email = app.email("ada.l");
    app.sign_up(&email).await.expect_ok();
    app.sign_up(&email.replace("ada.l", "adal"))
        .await
        .expect_ok();
    let tagged = email.replace('@', "+news@");
    let answer = app.sign_up(&tagged).await;
    assert_eq!(answer.expect_ok().json()["user"]["email"], *tagged);
}

#[tokio::test]
async fn what_an_app_passes_in_user_data_stands_at_the_top_level_from_then_on() {
    let app = App::start().await;
    let email = app.email("ada");
    let data = json!({
        "plan": "pro", "age": 36, "ratio": 0.1, "terms": true, "nothing": null, "": "no name",
        "tags": [1, "ü", { "deep": [{}] }], "größe": "\u{1f980}", "_private": 1, "$ne": { ".": 2 },
    });
    let answer = sign_up(&app, &email, json!({ "userData": data })).await;
    answer.expect_ok();
    confirm(&app, &email).await;
    let signed_in = app.sign_in(&email, PASSWORD).await;
    signed_in.expect_ok();
    for (name, value) in data.as_object().expect("an object") {
        assert_eq!(answer.json()["user"].get(name), Some(value), "{name}");
        assert_eq!(signed_in.json()["user"].get(name), Some(value), "{name}");
    }
    assert!(answer.json()["user"].get("userData").is_none());
}

#[tokio::test]
async fn name_and_picture_are_fields_of_the_user() {
    let app = App::start().await;
    let email = app.email("ada");
    let data = json!({ "name": "Ada Lovelace", "profilePicture": "https://example.com/ada.png" });
    let answer = sign_up(&app, &email, json!({ "userData": data })).await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    confirm(&app, &email).await;
    let user = &app.sign_in(&email, PASSWORD).await.json()["user"];
    assert_eq!(
        (&user["name"], &user["profilePicture"]),
        (&data["name"], &data["profilePicture"])
    );
}

#[tokio::test]
async fn user_data_of_16_kib_is_kept_and_one_byte_more_is_refused() {
    let app = App::start().await;
    let frame = json!({ "a": "" }).to_string().len();
    let data = |bytes: usize| json!({ "userData": { "a": "x".repeat(bytes - frame) } });
    let email = app.email("ada");
    let answer = sign_up(&app, &email, data(16 * 1024 + 1)).await;
    assert_eq!(
        answer.expect_error(400, "validation_error").blamed(),
        ["userData"]
    );
    sign_up(&app, &email, data(16 * 1024)).await.expect_ok();
    confirm(&app, &email).await;
    let user = &app.sign_in(&email, PASSWORD).await.json()["user"];
    assert_eq!(user["a"].as_str().map(str::len), Some(16 * 1024 - frame));
}

#[tokio::test]
async fn fields_that_are_null_are_not_there() {
    let app = App::start().await;
    let nothing = json!({ "userData": null, "baseURL": null });
    sign_up(&app, &app.email("ada"), nothing).await.expect_ok();
    let nothing = json!({ "userData": { "name": null, "emailVerified": null } });
    let answer = sign_up(&app, &app.email("bob"), nothing).await;
    assert!(answer.expect_ok().json()["user"].get("name").is_none());
}

// Who may vouch for an address

#[tokio::test]
async fn a_server_that_vouches_for_the_address_gets_a_session_at_once() {
    let app = App::start().await;
    let email = app.email("ada");
    let own = json!({ "userData": { "emailVerified": true }, "redirectURL": null });
    let answer = sign_up_from_a_server(&app, &email, own).await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    let body = answer.json();
    assert_eq!(body["user"]["lastLoginAt"], body["user"]["signUpAt"]);
    assert_eq!(body["session"]["userId"], body["user"]["_id"]);
    let token = body["session"]["token"].as_str().expect("a token");
    assert!(
        answer
            .header("set-cookie")
            .starts_with(&format!("session_token={token};"))
    );
    assert!(app.mails(&email).await.is_empty());

    assert_eq!(app.user(token).await.expect_ok().json(), body["user"]);
    app.sign_in(&email, PASSWORD).await.expect_ok();
    app.resend(&email)
        .await
        .expect_error(401, "email_already_verified");
}

#[tokio::test]
async fn an_app_may_not_vouch_for_an_address() {
    let app = App::start().await;
    let email = app.email("ada");
    let own = json!({ "userData": { "emailVerified": true } });
    let answer = sign_up(&app, &email, own).await;
    answer.expect_error(401, "not_allowed");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    assert!(app.mails(&email).await.is_empty());
    expect_free(&app, &email).await;
}

#[tokio::test]
async fn to_say_that_an_address_is_not_verified_is_no_claim() {
    let app = App::start().await;
    let own = || json!({ "userData": { "emailVerified": false } });
    for from_a_server in [false, true] {
        let email = app.email("ada");
        let answer = if from_a_server {
            sign_up_from_a_server(&app, &email, own()).await
        } else {
            sign_up(&app, &email, own()).await
        };
        let body = answer.expect_ok().json();
        assert_eq!(
            (&body["user"]["emailVerified"], &body["session"]),
            (&json!(false), &Value::Null)
        );
        assert_eq!(app.mails(&email).await.len(), 1);
        app.sign_in(&email, PASSWORD)
            .await
            .expect_error(401, "email_not_verified");
    }
}

#[tokio::test]
async fn flags_that_are_no_flags_are_refused() {
    let app = App::start().await;
    for data in [
        json!({ "emailVerified": "true" }),
        json!({ "emailVerified": 1 }),
        json!({ "emailVerified": [true] }),
        json!({ "phoneVerified": true }),
        json!({ "phoneVerified": false }),
        json!({ "name": 1 }),
        json!({ "name": { "first": "Ada" } }),
        json!({ "profilePicture": ["https://example.com/ada.png"] }),
    ] {
        let email = app.email("ada");
        let answer = sign_up_from_a_server(&app, &email, json!({ "userData": data })).await;
        let blamed = answer.expect_error(400, "validation_error").blamed();
        assert_eq!(blamed, ["userData"], "{data}");
        expect_free(&app, &email).await;
    }
}

// What is refused

#[tokio::test]
async fn every_reserved_field_of_user_data_is_refused_and_named() {
    let app = App::start().await;
    let email = app.email("ada");
    for name in [
        "_id",
        "provider",
        "providerUserId",
        "email",
        "phone",
        "password",
        "signUpAt",
        "lastLoginAt",
        "passwordHash",
        "securityStamp",
        "sessionsNotBefore",
        "claimableAfter",
        "pk",
        "__proto__",
        "constructor",
    ] {
        for value in [json!("x"), json!(null)] {
            let data = json!({ "plan": "pro", name: value });
            let answer = sign_up_from_a_server(&app, &email, json!({ "userData": data })).await;
            let blamed = answer.expect_error(400, "validation_error").blamed();
            assert_eq!(blamed, ["userData"], "{name}");
            let message = &answer.json()["errors"][0]["details"]["fields"][0]["message"];
            assert!(
                message
                    .as_str()
                    .is_some_and(|message| message.contains(name)),
                "{answer:?}"
            );
        }
    }
    expect_free(&app, &email).await;
}

#[tokio::test]
async fn reserved_fields_are_named_all_at_once() {
    let app = App::start().await;
    let data = json!({ "_id": "1", "password": "x", "lastLoginAt": 0, "plan": "pro" });
    let answer = sign_up(&app, &app.email("ada"), json!({ "userData": data })).await;
    answer.expect_error(400, "validation_error");
    for name in ["_id", "password", "lastLoginAt"] {
        assert!(answer.body.contains(name), "{answer:?}");
    }
}

#[tokio::test]
async fn every_wrong_field_is_named_at_once() {
    let app = App::start().await;
    let wrong = json!({
        "email": "ada@", "password": "short", "redirectURL": 1, "userData": { "_id": 1 }, "baseURL": {},
        "colour": "red", "shape": "round",
    });
    let answer = app.call("POST", PATH).json(&wrong).await;
    answer.expect_error(400, "validation_error");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
}

#[tokio::test]
async fn a_wrong_flag_in_user_data_is_named_with_the_other_fields() {
    let app = App::start().await;
    let wrong =
        json!({ "email": "ada@", "password": "short", "userData": { "emailVerified": "yes" } });
    let answer = app.call("POST", PATH).json(&wrong).await;
    let blamed = answer.expect_error(400, "validation_error").blamed();
    assert_eq!(blamed, ["email", "password", "userData"]);
}

#[tokio::test]
async fn missing_fields_are_named_all_at_once() {
    let app = App::start().await;
    let answer = app.call("POST", PATH).json(&json!({})).await;
    let blamed = answer.expect_error(400, "validation_error").blamed();
    assert_eq!(blamed, ["email", "password"]);
}

#[tokio::test]
async fn a_field_of_another_type_is_refused_and_its_value_not_repeated() {
    let app = App::start().await;
    for (field, value) in [
        ("email", json!(8_675_309)),
        ("email", json!(["8675309@example.com"])),
        ("password", json!(8_675_309)),
        ("password", json!({ "$ne": "8675309" })),
        ("redirectURL", json!(["8675309"])),
        ("userData", json!("8675309")),
        ("userData", json!(["8675309"])),
        ("baseURL", json!(8_675_309)),
    ] {
        let answer = sign_up(&app, &app.email("ada"), json!({ field: value })).await;
        let blamed = answer.expect_error(400, "validation_error").blamed();
        assert_eq!(blamed, [field], "{value}");
        assert!(!answer.body.contains("8675309"), "{answer:?}");
    }
}

#[tokio::test]
async fn an_unknown_field_is_refused_and_named() {
    let app = App::start().await;
    let email = app.email("ada");
    for field in [
        "redirectUrl",
        "userdata",
        "phone",
        "emailVerified",
        "__proto__",
        "",
    ] {
        let answer = sign_up(&app, &email, json!({ field: "x" })).await;
        let blamed = answer.expect_error(400, "validation_error").blamed();
        assert_eq!(blamed, [field]);
    }
    expect_free(&app, &email).await;
}

#[tokio::test]
async fn without_a_redirect_url_nobody_who_must_confirm_is_signed_up() {
    let app = App::start().await;
    let email = app.email("ada");
    let answer = sign_up(&app, &email, json!({ "redirectURL": null })).await;
    answer.expect_error(400, "redirect_url_missing");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    let absent = json!({ "email": email, "password": PASSWORD });
    let answer = app.call("POST", PATH).json(&absent).await;
    answer.expect_error(400, "redirect_url_missing");
    assert!(app.mails(&email).await.is_empty());
    expect_free(&app, &email).await;
}

#[tokio::test]
async fn a_redirect_url_that_is_not_listed_signs_nobody_up() {
    let app = App::start().await;
    let email = app.email("ada");
    let answer = sign_up(
        &app,
        &email,
        json!({ "redirectURL": "https://evil.example/done" }),
    )
    .await;
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    for url in [
        "",
        " ",
        "/auth/callback",
        "//localhost:3000/auth/callback",
        "javascript:alert(1)",
        "http://localhost:3000/auth/callback/",
        "http://localhost:3000/auth/callback?next=https://evil.example",
        "http://localhost:3000/auth/callback#x",
        "http://localhost:3000@evil.example/auth/callback",
        "http://localhost:3000\\@evil.example/auth/callback",
        "http://localhost:3000/auth/callback\r\nSet-Cookie: a=b",
        "http://localhost:3000/auth/callback\0",
        "https://localhost:3000/auth/callback",
        "https://app.example.com/done",
        "https://app.example.com/done?tab=account&access_token=at-1",
        "https://*.preview.example.com/auth/callback",
        "https://a.b.preview.example.com/auth/callback",
        "https://preview.example.com/auth/callback",
        "https://evil.example/.preview.example.com/auth/callback",
    ] {
        let answer = sign_up(&app, &email, json!({ "redirectURL": url })).await;
        answer.expect_error(400, "invalid_redirect_url");
    }
    // A server that vouches needs none, but a wrong one is wrong all the same.
    let own =
        json!({ "userData": { "emailVerified": true }, "redirectURL": "https://evil.example" });
    let answer = sign_up_from_a_server(&app, &email, own).await;
    answer.expect_error(400, "invalid_redirect_url");
    assert!(app.mails(&email).await.is_empty());
    expect_free(&app, &email).await;
}

#[tokio::test]
async fn an_address_that_somebody_has_is_refused_in_every_spelling() {
    let app = App::start().await;
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    let answer = sign_up(&app, &format!("  {}", email.to_uppercase()), json!({})).await;
    answer.expect_error(400, "email_not_unique");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    let details = json!({ "value": email, "param": "email" });
    assert_eq!(answer.json()["errors"][0]["details"], details);

    confirm(&app, &email).await;
    let own = json!({ "userData": { "emailVerified": true }, "password": "of somebody else" });
    let answer = sign_up_from_a_server(&app, &email, own).await;
    assert_eq!(
        answer.expect_error(400, "email_not_unique").json()["errors"][0]["details"],
        details
    );
    assert_eq!(app.mails(&email).await.len(), 1);
    app.sign_in(&email, PASSWORD).await.expect_ok();
    let other = app.sign_in(&email, "of somebody else").await;
    other.expect_error(401, "invalid_sign_in_credentials");
}

#[tokio::test]
async fn if_the_mail_cannot_be_sent_nothing_is_left_and_the_person_can_try_again() {
    let app = App::start().await;
    let email = app.email("ada");
    app.refuse_mail(&email, 1).await;
    let answer = app.sign_up(&email).await;
    answer.expect_error(502, "cannot_send_auth_email");
    insta::assert_snapshot!(snapshot::of(&app, &answer));
    assert!(!answer.body.contains(&email), "{answer:?}");
    expect_free(&app, &email).await;

    let password = "another one this time";
    sign_up(&app, &email, json!({ "password": password }))
        .await
        .expect_ok();
    assert_eq!(app.mails(&email).await.len(), 1);
    confirm(&app, &email).await;
    app.sign_in(&email, password).await.expect_ok();
    app.sign_in(&email, PASSWORD)
        .await
        .expect_error(401, "invalid_sign_in_credentials");
}

// Links

#[tokio::test]
async fn a_link_holds_a_secret_of_its_own_and_leads_back_whence_the_person_came() {
    let app = App::start().await;
    let mut keys = Vec::new();
    for redirect in [
        REDIRECT,
        "https://app.example.com/done?tab=account",
        "https://branch-7.preview.example.com/auth/callback",
    ] {
        let email = app.email("ada");
        sign_up(&app, &email, json!({ "redirectURL": redirect }))
            .await
            .expect_ok();
        let link = app.link(&email).await;
        assert!(
            link.starts_with(&format!("{}/agnost/auth/verify?key=tk-", app.url)),
            "{link}"
        );
        assert_eq!(parameter(&link, "action").as_deref(), Some("email-confirm"));
        assert_eq!(parameter(&link, "redirect").as_deref(), Some(redirect));
        let key = parameter(&link, "key").expect("a key");
        // 128 bits in base 64.
        assert!(key.len() >= "tk-".len() + 22, "{key}");
        assert!(
            key.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b)),
            "{key}"
        );
        keys.push(key);

        let followed = app.follow(&link).await;
        let location = followed.header("location");
        assert!(location.starts_with(redirect), "{location}");
        assert_eq!(followed.sent_with("status").as_deref(), Some("200"));
        if redirect.contains('?') {
            assert_eq!(followed.sent_with("tab").as_deref(), Some("account"));
        }
    }
    keys.dedup();
    assert_eq!(keys.len(), 3);
}

#[tokio::test]
async fn in_a_link_the_redirect_url_is_one_parameter_whatever_it_holds() {
    let app = App::start().await;
    let email = app.email("ada");
    let redirect = "https://app.example.com/done?tab=account";
    sign_up(&app, &email, json!({ "redirectURL": redirect }))
        .await
        .expect_ok();
    let link = app.link(&email).await;
    let query = link.split_once('?').expect("a query").1;
    assert_eq!(query.matches('&').count(), 2, "{query}");
    let encoded = "redirect=https%3A%2F%2Fapp.example.com%2Fdone%3Ftab%3Daccount";
    assert!(query.ends_with(encoded), "{query}");
}

#[tokio::test]
async fn in_html_a_link_is_escaped_and_what_a_person_says_brings_no_markup() {
    let app = App::start().await;
    let email = app.email("o'neil&co");
    let eve = app.email("eve");
    let name = format!("<script>alert(1)</script>{{{{token.confirmationURL}}}}\r\nBcc: {eve}");
    let answer = sign_up(&app, &email, json!({ "userData": { "name": name } })).await;
    assert_eq!(answer.expect_ok().json()["user"]["name"], name);
    let mails = app.mails(&email).await;
    let html = &mails[0].html;
    let link = mails[0].link();
    assert!(
        html.contains(&format!("href=\"{}\"", link.replace('&', "&amp;"))),
        "{html}"
    );
    assert!(!html.contains(&link), "{html}");
    for text in [html, &mails[0].text, &mails[0].subject] {
        assert!(!text.contains("<script") && !text.contains("{{"), "{text}");
    }
    assert_eq!(app.mails(&eve).await.len(), 0);
}

#[tokio::test]
async fn a_listed_base_url_is_the_base_of_the_link() {
    let app = App::start().await;
    for base in ["https://auth.example.com", "https://auth.example.com/"] {
        let email = app.email("ada");
        sign_up(&app, &email, json!({ "baseURL": base }))
            .await
            .expect_ok();
        let link = app.link(&email).await;
        let start = "https://auth.example.com/agnost/auth/verify?key=tk-";
        assert!(link.starts_with(start), "{link}");
        let followed = app
            .follow(&link.replace("https://auth.example.com", &app.url))
            .await;
        assert_eq!(followed.sent_with("status").as_deref(), Some("200"));
    }
}

#[tokio::test]
async fn any_other_base_url_is_ignored() {
    let app = App::start().await;
    for base in [
        "",
        "https://evil.example",
        "https://auth.example.com.evil.example",
        "https://auth.example.com@evil.example",
        "https://auth.example.com/evil",
        "https://auth.example.com?x=evil",
        "https://auth.example.com#evil",
        "http://auth.example.com",
        "//evil.example",
        "javascript:alert('evil')",
        "https://auth.example.com\r\nevil",
    ] {
        let email = app.email("ada");
        sign_up(&app, &email, json!({ "baseURL": base }))
            .await
            .expect_ok();
        let mails = app.mails(&email).await;
        let link = mails[0].link();
        assert!(
            link.starts_with(&format!("{}/agnost/auth/verify?", app.url)),
            "{base}: {link}"
        );
        assert!(!format!("{mails:?}").contains("evil"), "{mails:?}");
    }
}

#[tokio::test]
async fn no_header_finds_its_way_into_a_link() {
    let app = App::start().await;
    for (name, value) in [
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "evil"),
        ("x-forwarded-port", "666"),
        ("x-forwarded-prefix", "/evil"),
        ("x-original-host", "evil.example"),
        ("x-original-url", "/evil"),
        ("forwarded", "host=evil.example;proto=https"),
        ("origin", "https://evil.example"),
        ("referer", "https://evil.example/"),
        ("host", "evil.example"),
    ] {
        let email = app.email("ada");
        let call = app.call("POST", PATH).header(name, value);
        let answer = call.json(&body(&email, json!({}))).await;
        // A gateway may refuse a host that it does not know.
        assert!(
            answer.status == 200 || (name == "host" && answer.status < 500),
            "{answer:?}"
        );
        for mail in app.mails(&email).await {
            assert!(
                mail.link().starts_with(&format!("{}/agnost", app.url)),
                "{name}: {mail:?}"
            );
            assert!(!format!("{mail:?}").contains("evil"), "{name}: {mail:?}");
        }
    }
}

// Passwords

#[tokio::test]
async fn a_password_has_6_to_128_characters_however_many_bytes_they_take() {
    let app = App::start().await;
    for password in [
        "abcdef".to_owned(),
        "x".repeat(128),
        "🦀🦀🦀🦀🦀🦀".to_owned(),
        "🦀".repeat(128),
        // 128 characters once they are normalised.
        "e\u{301}".repeat(128),
        "      ".to_owned(),
    ] {
        let email = app.email("ada");
        sign_up(&app, &email, json!({ "password": password }))
            .await
            .expect_ok();
        confirm(&app, &email).await;
        app.sign_in(&email, &password).await.expect_ok();
    }
    for password in [
        String::new(),
        "abcde".to_owned(),
        "🦀🦀🦀🦀🦀".to_owned(),
        // 5 characters once they are normalised.
        "e\u{301}".repeat(5),
        "x".repeat(129),
        "🦀".repeat(129),
        "x".repeat(10_000),
    ] {
        let answer = sign_up(&app, &app.email("ada"), json!({ "password": password })).await;
        let blamed = answer.expect_error(400, "validation_error").blamed();
        assert_eq!(blamed, ["password"], "{password}");
    }
}

#[tokio::test]
async fn two_ways_to_type_one_letter_are_one_password() {
    let app = App::start().await;
    for (first, second) in [
        ("cafe\u{301}-noir", "caf\u{e9}-noir"),
        ("caf\u{e9}-noir", "cafe\u{301}-noir"),
        ("\u{212b}ngstr\u{f6}m", "A\u{30a}ngstro\u{308}m"),
        (
            "\u{1112}\u{1161}\u{11ab}\u{ae00}-hangul",
            "\u{d55c}\u{ae00}-hangul",
        ),
    ] {
        let email = app.email("ada");
        sign_up(&app, &email, json!({ "password": first }))
            .await
            .expect_ok();
        confirm(&app, &email).await;
        app.sign_in(&email, first).await.expect_ok();
        app.sign_in(&email, second).await.expect_ok();
    }
}

#[tokio::test]
async fn nothing_else_about_a_password_is_made_equal() {
    let app = App::start().await;
    let long = "x".repeat(100);
    for (password, other) in [
        ("correct horse", "Correct horse"),
        ("correct horse", "correct horse "),
        ("correct horse", " correct horse"),
        // Compatibility characters (NFKC) and case folding.
        ("\u{fb01}sh and chips", "fish and chips"),
        ("stra\u{df}e am see", "strasse am see"),
        ("\u{ff50}assword", "password"),
        // Where C strings end, and where bcrypt stops to read.
        ("before\0after", "before\0other"),
        ("before\0after", "before"),
        (&format!("{long}1"), &format!("{long}2")),
        ("👩\u{200d}🚀 to the moon", "👩🚀 to the moon"),
    ] {
        let email = app.email("ada");
        sign_up(&app, &email, json!({ "password": password }))
            .await
            .expect_ok();
        confirm(&app, &email).await;
        let answer = app.sign_in(&email, other).await;
        answer.expect_error(401, "invalid_sign_in_credentials");
        app.sign_in(&email, password).await.expect_ok();
    }
}

#[tokio::test]
async fn no_answer_and_no_mail_ever_shows_a_password_or_a_hash() {
    let app = App::start().await;
    let email = app.email("ada");
    let password = "Tr0ub4dor&3-sesame";
    let own = || json!({ "password": password });
    let mut seen = vec![sign_up(&app, &email, own()).await];
    let mails = app.mails(&email).await;
    let link = mails[0].link();
    seen.push(sign_up(&app, &email, own()).await);
    seen.push(app.sign_in(&email, password).await);
    seen.push(app.resend(&email).await);
    seen.push(app.follow(&link).await);
    confirm(&app, &email).await;
    seen.push(app.sign_in(&email, password).await);
    seen.push(app.sign_in(&email, &format!("{password}!")).await);
    seen.push(sign_up(&app, "no address", own()).await);
    seen.push(sign_up(&app, &email, json!({ "password": ["Tr0ub4dor&3-sesame"] })).await);
    seen.push(sign_up(&app, &email, json!({ "password": password.repeat(10) })).await);
    let all = format!("{seen:?}{mails:?}{:?}", app.mails(&email).await).to_lowercase();
    for secret in [
        "tr0ub4dor",
        "sesame",
        "argon2",
        "$v=19",
        "hash",
        "salt",
        "securitystamp",
    ] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
}

// Races

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_who_want_one_address_at_once_exactly_one_gets_it() {
    let app = App::start().await;
    let email = app.email("race");
    let spelled = |number: usize| -> String {
        let case = |(at, c): (usize, char)| match (number >> (at % 6)) & 1 {
            1 => c.to_ascii_uppercase(),
            _ => c,
        };
        email.chars().enumerate().map(case).collect()
    };
    let attempts = (0..64).map(|number| {
        let own = json!({ "password": format!("password {number}") });
        let (app, spelling) = (&app, spelled(number));
        async move { sign_up(app, &spelling, own).await }
    });
    let answers = join_all(attempts).await;
    let winners: Vec<usize> = (0..64)
        .filter(|number| answers[*number].status == 200)
        .collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    assert_eq!(
        has_code(&answers, 400, "email_not_unique"),
        63,
        "{answers:?}"
    );
    assert_eq!(app.mails(&email).await.len(), 1);

    confirm(&app, &email).await;
    let winner = winners[0];
    let signed_in = app.sign_in(&email, &format!("password {winner}")).await;
    assert_eq!(
        signed_in.expect_ok().json()["user"]["_id"],
        answers[winner].json()["user"]["_id"]
    );
    let loser = format!("password {}", (winner + 1) % 64);
    let answer = app.sign_in(&email, &loser).await;
    answer.expect_error(401, "invalid_sign_in_credentials");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_16_servers_that_vouch_for_one_address_at_once_exactly_one_gets_a_session() {
    let app = App::start().await;
    let email = app.email("race");
    let own = json!({ "userData": { "emailVerified": true } });
    let attempts = (0..16).map(|_| sign_up_from_a_server(&app, &email, own.clone()));
    let answers = join_all(attempts).await;
    let winners: Vec<&Answer> = answers
        .iter()
        .filter(|answer| answer.status == 200)
        .collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    assert_eq!(
        has_code(&answers, 400, "email_not_unique"),
        15,
        "{answers:?}"
    );
    let winner = winners[0].json();
    let token = winner["session"]["token"].as_str().expect("a token");
    app.user(token).await.expect_ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sign_up_that_is_taken_back_harms_no_other_at_the_same_time() {
    let app = App::start().await;
    for _ in 0..5 {
        let email = app.email("race");
        app.refuse_mail(&email, 1).await;
        let answers = join_all((0..8).map(|_| app.sign_up(&email))).await;
        let done = answers.iter().filter(|answer| answer.status == 200).count();
        assert_eq!(
            has_code(&answers, 502, "cannot_send_auth_email"),
            1,
            "{answers:?}"
        );
        assert!(done <= 1, "{answers:?}");
        assert_eq!(
            has_code(&answers, 400, "email_not_unique"),
            7 - done,
            "{answers:?}"
        );
        assert_eq!(app.mails(&email).await.len(), done);
        if done == 0 {
            app.sign_up(&email).await.expect_ok();
        }
        confirm(&app, &email).await;
        app.sign_in(&email, PASSWORD).await.expect_ok();
    }
}

// Claims that expire

#[tokio::test]
async fn an_unverified_account_gives_way_once_its_confirmation_has_expired() {
    let name = "an_unverified_account_gives_way_once_its_confirmation_has_expired";
    let Some(app) = App::with_movable_clock(name).await else {
        return;
    };
    let email = app.email("ada");
    let squatter = sign_up(&app, &email, json!({ "userData": { "plan": "squat" } })).await;
    let old_link = app.link(&email).await;
    app.advance(DAY + SECOND);

    let password = "the owner's own";
    let answer = sign_up(&app, &email, json!({ "password": password })).await;
    let user = &answer.expect_ok().json()["user"];
    assert_ne!(user["_id"], squatter.json()["user"]["_id"]);
    assert!(user.get("plan").is_none());
    assert_eq!(app.mails(&email).await.len(), 2);

    let followed = app.follow(&old_link).await;
    followed.expect_sent_back("400", "invalid_access_token");
    app.sign_in(&email, PASSWORD)
        .await
        .expect_error(401, "invalid_sign_in_credentials");
    app.sign_in(&email, password)
        .await
        .expect_error(401, "email_not_verified");
    confirm(&app, &email).await;
    let signed_in = app.sign_in(&email, password).await;
    assert_eq!(signed_in.expect_ok().json()["user"]["_id"], user["_id"]);
    app.sign_in(&email, PASSWORD)
        .await
        .expect_error(401, "invalid_sign_in_credentials");
}

#[tokio::test]
async fn an_unverified_account_does_not_give_way_while_its_link_still_works() {
    let name = "an_unverified_account_does_not_give_way_while_its_link_still_works";
    let Some(app) = App::with_movable_clock(name).await else {
        return;
    };
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    app.advance(ALMOST_A_DAY);
    let answer = sign_up(&app, &email, json!({ "password": "of somebody else" })).await;
    answer.expect_error(400, "email_not_unique");
    let own = json!({ "userData": { "emailVerified": true }, "password": "of somebody else" });
    let answer = sign_up_from_a_server(&app, &email, own).await;
    answer.expect_error(400, "email_not_unique");
    assert_eq!(app.mails(&email).await.len(), 1);
    confirm(&app, &email).await;
    app.sign_in(&email, PASSWORD).await.expect_ok();
}

#[tokio::test]
async fn a_verified_account_never_gives_way() {
    let Some(app) = App::with_movable_clock("a_verified_account_never_gives_way").await else {
        return;
    };
    let email = app.email("ada");
    app.verified_user(&email).await;
    for _ in 0..3 {
        app.advance(365 * DAY);
        app.sign_up(&email)
            .await
            .expect_error(400, "email_not_unique");
        app.sign_in(&email, PASSWORD).await.expect_ok();
    }
}

#[tokio::test]
async fn a_new_link_prolongs_the_claim() {
    let Some(app) = App::with_movable_clock("a_new_link_prolongs_the_claim").await else {
        return;
    };
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    app.advance(ALMOST_A_DAY);
    app.resend(&email).await.expect_ok();
    app.advance(ALMOST_A_DAY);
    app.sign_up(&email)
        .await
        .expect_error(400, "email_not_unique");
    app.advance(61 * SECOND);
    let old_link = app.link(&email).await;
    app.sign_up(&email).await.expect_ok();
    app.follow(&old_link)
        .await
        .expect_sent_back("400", "invalid_access_token");
    confirm(&app, &email).await;
}

#[tokio::test]
async fn if_the_mail_to_the_new_owner_cannot_be_sent_the_address_is_free() {
    let name = "if_the_mail_to_the_new_owner_cannot_be_sent_the_address_is_free";
    let Some(app) = App::with_movable_clock(name).await else {
        return;
    };
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    app.advance(DAY + SECOND);
    app.refuse_mail(&email, 1).await;
    app.sign_up(&email)
        .await
        .expect_error(502, "cannot_send_auth_email");
    expect_free(&app, &email).await;
    app.verified_user(&email).await;
    app.sign_in(&email, PASSWORD).await.expect_ok();
}

#[tokio::test]
async fn a_server_may_vouch_for_an_address_whose_claim_has_expired() {
    let name = "a_server_may_vouch_for_an_address_whose_claim_has_expired";
    let Some(app) = App::with_movable_clock(name).await else {
        return;
    };
    let email = app.email("ada");
    app.sign_up(&email).await.expect_ok();
    let old_link = app.link(&email).await;
    app.advance(DAY + SECOND);
    let own = json!({ "userData": { "emailVerified": true }, "password": "the owner's own" });
    let answer = sign_up_from_a_server(&app, &email, own).await;
    assert!(answer.expect_ok().json()["session"]["token"].is_string());
    app.follow(&old_link)
        .await
        .expect_sent_back("400", "invalid_access_token");
    app.sign_in(&email, "the owner's own").await.expect_ok();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_20_who_want_an_expired_claim_at_once_exactly_one_gets_it() {
    let name = "of_20_who_want_an_expired_claim_at_once_exactly_one_gets_it";
    let Some(app) = App::with_movable_clock(name).await else {
        return;
    };
    let email = app.email("race");
    app.sign_up(&email).await.expect_ok();
    app.advance(DAY + SECOND);
    let attempts = (0..20).map(|number| {
        let own = json!({ "password": format!("password {number}") });
        sign_up(&app, &email, own)
    });
    let answers = join_all(attempts).await;
    let winners: Vec<usize> = (0..20)
        .filter(|number| answers[*number].status == 200)
        .collect();
    assert_eq!(winners.len(), 1, "{answers:?}");
    assert_eq!(
        has_code(&answers, 400, "email_not_unique"),
        19,
        "{answers:?}"
    );
    assert_eq!(app.mails(&email).await.len(), 2);
    confirm(&app, &email).await;
    app.sign_in(&email, &format!("password {}", winners[0]))
        .await
        .expect_ok();
}
