//! The emulated services, spoken to by the real AWS SDK clients.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on shall stop there"
)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType,
};
use aws_sdk_sesv2::types::{Body, Content, Destination, EmailContent, Message};
use aws_sdk_sns::types::MessageAttributeValue;
use aws_sdk_ssm::types::ParameterType;
use local::services::{Channel, Services, ServicesError, ServicesOptions, Storage};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::net::TcpListener;

const NOW: &str = "2026-01-02T03:04:05.678901Z";

async fn start(storage: Storage) -> Result<Services, ServicesError> {
    Services::start(ServicesOptions {
        listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
        storage,
        clock: Arc::new(|| NOW.parse().unwrap()),
    })
}

async fn services() -> Services {
    start(Storage::Memory).await.unwrap()
}

/// A client of one AWS service for one endpoint.
macro_rules! client {
    ($sdk:ident, $url:expr) => {
        $sdk::Client::from_conf(
            $sdk::Config::builder()
                .behavior_version($sdk::config::BehaviorVersion::latest())
                .region($sdk::config::Region::new("eu-north-1"))
                .credentials_provider(Credentials::new("test", "test", None, None, "test"))
                .endpoint_url($url)
                .http_client(aws_smithy_http_client::Builder::new().build_http())
                .build(),
        )
    };
}

/// What the service answered instead of an answer: its code and its message.
macro_rules! refusal {
    ($outcome:expr) => {{
        use aws_smithy_types::error::metadata::ProvideErrorMetadata;
        let error = $outcome.unwrap_err();
        (
            error.code().unwrap_or_default().to_owned(),
            error.message().unwrap_or_default().to_owned(),
        )
    }};
}

fn content(data: &str) -> Content {
    Content::builder().data(data).build().unwrap()
}

fn email(
    client: &aws_sdk_sesv2::Client,
    to: &[&str],
) -> aws_sdk_sesv2::operation::send_email::builders::SendEmailFluentBuilder {
    client
        .send_email()
        .from_email_address("Latchkey <no-reply@example.com>")
        .destination(
            Destination::builder()
                .set_to_addresses(Some(to.iter().map(ToString::to_string).collect()))
                .build(),
        )
        .content(
            EmailContent::builder()
                .simple(
                    Message::builder()
                        .subject(content("Grüße, 世界"))
                        .body(
                            Body::builder()
                                .text(content("Follow https://example.com/?a=1&b=2"))
                                .html(content("<p>Follow <a href=\"https://example.com\">it</a>"))
                                .build(),
                        )
                        .build(),
                )
                .build(),
        )
}

async fn get(services: &Services, path: &str) -> Value {
    let answer = reqwest::get(format!("{}{path}", services.url()))
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::OK, "{path}");
    answer.json().await.unwrap()
}

#[tokio::test]
async fn an_email_is_captured_with_all_its_fields() {
    let services = services().await;
    let sent = email(
        &client!(aws_sdk_sesv2, services.url()),
        &["ada@example.com"],
    )
    .send()
    .await
    .unwrap();

    assert_eq!(
        get(&services, "/_inbox/messages").await,
        json!([{
            "id": sent.message_id().unwrap(),
            "channel": "email",
            "from": "Latchkey <no-reply@example.com>",
            "to": "ada@example.com",
            "subject": "Grüße, 世界",
            "text": "Follow https://example.com/?a=1&b=2",
            "html": "<p>Follow <a href=\"https://example.com\">it</a>",
            "receivedAt": "2026-01-02T03:04:05.678Z",
        }])
    );
    let messages = services.inbox().messages(None);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].channel, Channel::Email);
    assert_eq!(messages[0].received_at, NOW.parse().unwrap());
}

#[tokio::test]
async fn an_email_to_several_arrives_once_for_each() {
    let services = services().await;
    let client = client!(aws_sdk_sesv2, services.url());
    email(&client, &["Ada <ada@example.com>", "bob@example.com"])
        .send()
        .await
        .unwrap();

    let to: Vec<_> = services
        .inbox()
        .messages(None)
        .into_iter()
        .map(|message| message.to)
        .collect();
    assert_eq!(to, ["bob@example.com", "ada@example.com"]);
}

#[tokio::test]
async fn an_email_that_ses_would_not_take_is_a_bad_request() {
    let services = services().await;
    let client = client!(aws_sdk_sesv2, services.url());
    for (to, reason) in [
        (&[][..], "Destination names no recipient"),
        (&["nobody"], "Missing final '@domain'"),
        (
            &["@example.com"],
            "Local address contains control or whitespace",
        ),
        (
            &["a b@example.com"],
            "Local address contains control or whitespace",
        ),
        (
            &["ada@exämple.com"],
            "Domain contains control or whitespace",
        ),
    ] {
        let refused = email(&client, to).send().await.unwrap_err();
        assert!(
            refused
                .as_service_error()
                .unwrap()
                .is_bad_request_exception()
        );
        assert_eq!(
            refusal!(Err::<(), _>(refused)),
            ("BadRequestException".to_owned(), reason.to_owned())
        );
    }
    let no_content = client
        .send_email()
        .from_email_address("no-reply@example.com")
        .destination(
            Destination::builder()
                .to_addresses("ada@example.com")
                .build(),
        )
        .content(EmailContent::builder().build())
        .send()
        .await;
    assert_eq!(refusal!(no_content).0, "BadRequestException");

    for body in ["", "{", "[]", "{}", r#"{"Content":7}"#, "\u{0}"] {
        let answer = reqwest::Client::new()
            .post(format!("{}/v2/email/outbound-emails", services.url()))
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body:?}");
        assert_eq!(answer.headers()["x-amzn-errortype"], "BadRequestException");
    }
    assert_eq!(services.inbox().messages(None), []);
}

#[tokio::test]
async fn an_email_to_a_refused_recipient_is_rejected_as_often_as_asked() {
    let services = services().await;
    let client = client!(aws_sdk_sesv2, services.url());
    let put = reqwest::Client::new()
        .put(format!("{}/_inbox/refusals", services.url()))
        .body(r#"{"to":"Ada@example.com","times":2}"#)
        .send()
        .await
        .unwrap();
    assert_eq!(put.status(), StatusCode::NO_CONTENT);

    for _ in 0..2 {
        let refused = email(&client, &["bob@example.com", "ada@example.com"])
            .send()
            .await
            .unwrap_err();
        assert!(refused.as_service_error().unwrap().is_message_rejected());
        assert_eq!(refused.raw_response().unwrap().status().as_u16(), 400);
    }
    assert_eq!(services.inbox().messages(None), []);
    email(&client, &["ada@example.com"]).send().await.unwrap();
    assert_eq!(services.inbox().messages(None).len(), 1);
}

#[tokio::test]
async fn a_refusal_without_a_number_lasts_until_it_is_taken_back() {
    let services = services().await;
    let client = client!(aws_sdk_sesv2, services.url());
    services.inbox().refuse("ada@example.com", None);
    for _ in 0..3 {
        email(&client, &["ada@example.com"])
            .send()
            .await
            .unwrap_err();
    }
    email(&client, &["bob@example.com"]).send().await.unwrap();

    let taken_back = reqwest::Client::new()
        .delete(format!("{}/_inbox/refusals", services.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(taken_back.status(), StatusCode::NO_CONTENT);
    email(&client, &["ada@example.com"]).send().await.unwrap();
}

#[tokio::test]
async fn a_refusal_that_cannot_be_read_is_explained() {
    let services = services().await;
    for body in [
        "",
        "{}",
        r#"{"to":"a@b.c","time":1}"#,
        r#"{"to":"a@b.c","times":-1}"#,
    ] {
        let answer = reqwest::Client::new()
            .put(format!("{}/_inbox/refusals", services.url()))
            .body(body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        let answer: Value = answer.json().await.unwrap();
        assert!(answer["message"].as_str().unwrap().contains("times"));
    }
}

#[tokio::test]
async fn an_sms_is_captured_with_its_sender_id() {
    let services = services().await;
    let sent = client!(aws_sdk_sns, services.url())
        .publish()
        .phone_number("+46701234567")
        .message("Your code is 123456 & <nothing> else + 1")
        .message_attributes(
            "AWS.SNS.SMS.SMSType",
            MessageAttributeValue::builder()
                .data_type("String")
                .string_value("Transactional")
                .build()
                .unwrap(),
        )
        .message_attributes(
            "AWS.SNS.SMS.SenderID",
            MessageAttributeValue::builder()
                .data_type("String")
                .string_value("Latchkey")
                .build()
                .unwrap(),
        )
        .send()
        .await
        .unwrap();

    // Both ways to write the number: nobody remembers to escape the plus.
    for to in ["%2B46701234567", "+46701234567"] {
        assert_eq!(
            get(&services, &format!("/_inbox/messages?to={to}")).await,
            json!([{
                "id": sent.message_id().unwrap(),
                "channel": "sms",
                "from": "Latchkey",
                "to": "+46701234567",
                "subject": null,
                "text": "Your code is 123456 & <nothing> else + 1",
                "html": null,
                "receivedAt": "2026-01-02T03:04:05.678Z",
            }])
        );
    }
}

#[tokio::test]
async fn an_sms_that_sns_would_not_take_is_an_invalid_parameter() {
    let services = services().await;
    let client = client!(aws_sdk_sns, services.url());
    services.inbox().refuse("+46700000000", Some(1));
    let too_long = "x".repeat(1_601);
    for (to, text, reason) in [
        (
            "+46700000000",
            "text",
            "the inbox was told to refuse messages to +46700000000",
        ),
        (
            "0701234567",
            "text",
            "PhoneNumber Reason: 0701234567 is not valid to publish to",
        ),
        (
            "<&\u{1}>",
            "text",
            "PhoneNumber Reason: <&\u{fffd}> is not valid to publish to",
        ),
        ("+46701234567", "", "Empty message"),
        ("+46701234567", &too_long, "Message too long"),
    ] {
        let refused = client
            .publish()
            .phone_number(to)
            .message(text)
            .send()
            .await
            .unwrap_err();
        assert!(
            refused
                .as_service_error()
                .unwrap()
                .is_invalid_parameter_exception()
        );
        assert_eq!(
            refusal!(Err::<(), _>(refused)),
            (
                "InvalidParameter".to_owned(),
                format!("Invalid parameter: {reason}")
            )
        );
    }
    let topic = client
        .publish()
        .topic_arn("arn:aws:sns:eu-north-1:1:t")
        .message("text");
    assert_eq!(refusal!(topic.send().await).0, "InvalidParameter");
    assert_eq!(
        refusal!(client.list_topics().send().await).0,
        "InvalidAction"
    );
    assert_eq!(services.inbox().messages(None), []);

    client
        .publish()
        .phone_number("+46700000000")
        .message("text")
        .send()
        .await
        .unwrap();
    let messages = services.inbox().messages(None);
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0].from, None);
}

#[tokio::test]
async fn parameters_are_found_or_named_as_missing() {
    let services = services().await;
    let client = client!(aws_sdk_ssm, services.url());
    services.parameters().put("/latchkey/a", "1");
    services.parameters().put("/latchkey/b", "2");
    services.parameters().put("/latchkey/b", "3");

    let found = client
        .get_parameters()
        .names("/latchkey/b")
        .names("/latchkey/none")
        .names("/latchkey/a")
        .with_decryption(true)
        .send()
        .await
        .unwrap();
    let values: Vec<_> = found
        .parameters()
        .iter()
        .map(|found| {
            (
                found.name().unwrap(),
                found.value().unwrap(),
                found.version(),
            )
        })
        .collect();
    assert_eq!(values, [("/latchkey/b", "3", 2), ("/latchkey/a", "1", 1)]);
    assert_eq!(
        found.parameters()[0].r#type(),
        Some(&ParameterType::SecureString)
    );
    assert_eq!(found.invalid_parameters(), ["/latchkey/none"]);

    let one = client
        .get_parameter()
        .name("/latchkey/a")
        .send()
        .await
        .unwrap();
    assert_eq!(one.parameter().unwrap().value(), Some("1"));
    let none = client
        .get_parameter()
        .name("/latchkey/none")
        .send()
        .await
        .unwrap_err();
    assert!(none.as_service_error().unwrap().is_parameter_not_found());
}

#[tokio::test]
async fn a_parameter_is_replaced_only_when_asked_to() {
    let services = services().await;
    let client = client!(aws_sdk_ssm, services.url());
    let put = |value: &str| {
        client
            .put_parameter()
            .name("/latchkey/key")
            .value(value)
            .r#type(ParameterType::String)
    };
    assert_eq!(put("1").send().await.unwrap().version(), 1);
    let refused = put("2").send().await.unwrap_err();
    assert!(
        refused
            .as_service_error()
            .unwrap()
            .is_parameter_already_exists()
    );
    assert_eq!(services.parameters().get("/latchkey/key").unwrap(), "1");
    assert_eq!(put("2").overwrite(true).send().await.unwrap().version(), 2);
    assert_eq!(services.parameters().get("/latchkey/key").unwrap(), "2");

    let unknown = client.describe_parameters().send().await;
    assert_eq!(refusal!(unknown).0, "UnknownOperationException");
}

#[test]
fn parameters_do_not_show_their_values() {
    let parameters = local::services::Parameters::default();
    parameters.put("/latchkey/key", "secret");
    assert_eq!(format!("{parameters:?}"), r#"{"/latchkey/key"}"#);
}

async fn create_table(client: &aws_sdk_dynamodb::Client) {
    client
        .create_table()
        .table_name("things")
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(
            AttributeDefinition::builder()
                .attribute_name("key")
                .attribute_type(ScalarAttributeType::S)
                .build()
                .unwrap(),
        )
        .key_schema(
            KeySchemaElement::builder()
                .attribute_name("key")
                .key_type(KeyType::Hash)
                .build()
                .unwrap(),
        )
        .send()
        .await
        .unwrap();
}

async fn put_thing(client: &aws_sdk_dynamodb::Client) {
    client
        .put_item()
        .table_name("things")
        .item("key", AttributeValue::S("1".to_owned()))
        .item("value", AttributeValue::N("7".to_owned()))
        .send()
        .await
        .unwrap();
}

async fn get_thing(client: &aws_sdk_dynamodb::Client) -> Option<AttributeValue> {
    client
        .get_item()
        .table_name("things")
        .key("key", AttributeValue::S("1".to_owned()))
        .send()
        .await
        .unwrap()
        .item
        .and_then(|mut item| item.remove("value"))
}

#[tokio::test]
async fn dynamodb_in_memory_keeps_an_item_for_itself() {
    let (services, others) = (services().await, services().await);
    let client = client!(aws_sdk_dynamodb, services.dynamodb_url());
    create_table(&client).await;
    put_thing(&client).await;
    assert_eq!(
        get_thing(&client).await,
        Some(AttributeValue::N("7".to_owned()))
    );

    let other = client!(aws_sdk_dynamodb, others.dynamodb_url());
    create_table(&other).await;
    assert_eq!(get_thing(&other).await, None);
}

/// A folder that is gone after the test.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("latchkey-services-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[tokio::test]
async fn dynamodb_on_disk_survives_a_restart() {
    let folder = Folder::new("restart");
    let storage = Storage::Directory(folder.0.join("made/when absent"));
    let services = start(storage.clone()).await.unwrap();
    let client = client!(aws_sdk_dynamodb, services.dynamodb_url());
    create_table(&client).await;
    put_thing(&client).await;
    services.shutdown().await;
    assert!(folder.0.join("made/when absent/dynamodb.sqlite").is_file());

    let services = start(storage).await.unwrap();
    let client = client!(aws_sdk_dynamodb, services.dynamodb_url());
    assert_eq!(
        get_thing(&client).await,
        Some(AttributeValue::N("7".to_owned()))
    );
    services.shutdown().await;
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named_in_the_error() {
    let folder = Folder::new("unusable");
    std::fs::create_dir_all(folder.0.join("dynamodb.sqlite")).unwrap();
    let no_file = start(Storage::Directory(folder.0.clone()))
        .await
        .unwrap_err();
    assert_eq!(
        no_file.to_string(),
        format!(
            "cannot open the database dynamodb.sqlite in the folder {}",
            folder.0.display()
        )
    );

    let below_a_file = std::env::current_exe().unwrap().join("data");
    let no_folder = start(Storage::Directory(below_a_file.clone()))
        .await
        .unwrap_err();
    assert_eq!(
        no_folder.to_string(),
        format!(
            "cannot create the folder {} for the database",
            below_a_file.display()
        )
    );
    assert!(std::error::Error::source(&no_folder).is_some());
}

#[tokio::test]
async fn the_inbox_lists_the_newest_first_and_filters_by_recipient() {
    let services = services().await;
    let client = client!(aws_sdk_sesv2, services.url());
    for to in ["ada@example.com", "bob@example.com", "Ada@example.com"] {
        email(&client, &[to]).send().await.unwrap();
    }
    let listed = async |query: &str| -> Vec<String> {
        get(&services, &format!("/_inbox/messages{query}"))
            .await
            .as_array()
            .unwrap()
            .iter()
            .map(|message| message["to"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        listed("").await,
        ["Ada@example.com", "bob@example.com", "ada@example.com"]
    );
    assert_eq!(
        listed("?to=ADA@example.com").await,
        ["Ada@example.com", "ada@example.com"]
    );
    assert_eq!(
        listed("?to=ADA@example.com&limit=1").await,
        ["Ada@example.com"]
    );
    assert_eq!(
        listed("?limit=2").await,
        ["Ada@example.com", "bob@example.com"]
    );
    assert!(listed("?to=ada").await.is_empty());
    assert_eq!(services.inbox().messages(Some("BOB@example.com")).len(), 1);
}

#[tokio::test]
async fn the_inbox_keeps_the_newest_thousand() {
    let services = services().await;
    let draft = |number: usize| local::services::Draft {
        channel: Channel::Sms,
        from: None,
        to: format!("+{number}"),
        subject: None,
        text: None,
        html: None,
    };
    services
        .inbox()
        .deliver((0..1_001).map(draft).collect())
        .unwrap();
    let messages = services.inbox().messages(None);
    assert_eq!(messages.len(), 1_000);
    assert_eq!(messages[0].to, "+1000");
    assert_eq!(messages[999].to, "+1");
}

#[tokio::test]
async fn the_inbox_is_cleared() {
    let services = services().await;
    email(
        &client!(aws_sdk_sesv2, services.url()),
        &["ada@example.com"],
    )
    .send()
    .await
    .unwrap();
    let cleared = reqwest::Client::new()
        .delete(format!("{}/_inbox/messages", services.url()))
        .header("origin", services.url())
        .send()
        .await
        .unwrap();
    assert_eq!(cleared.status(), StatusCode::NO_CONTENT);
    assert_eq!(get(&services, "/_inbox/messages").await, json!([]));
}

#[tokio::test]
async fn only_loopback_hosts_are_answered() {
    let services = services().await;
    let port = services.url().rsplit_once(':').unwrap().1;
    let status = async |method: reqwest::Method, path: &str, host: &str| {
        reqwest::Client::new()
            .request(method, format!("{}{path}", services.url()))
            .header("host", host)
            .send()
            .await
            .unwrap()
            .status()
    };
    for path in [
        "/_inbox",
        "/_inbox/messages",
        "/_inbox/events",
        "/_inbox/landing",
    ] {
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            assert_eq!(
                status(reqwest::Method::GET, path, host).await,
                StatusCode::OK
            );
            let host = format!("{host}:{port}");
            assert_eq!(
                status(reqwest::Method::GET, path, &host).await,
                StatusCode::OK
            );
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example:80",
            "::1",
            "a b",
        ] {
            assert_eq!(
                status(reqwest::Method::GET, path, host).await,
                StatusCode::FORBIDDEN,
                "{host}{path}"
            );
        }
    }
    for path in ["/", "/v2/email/outbound-emails"] {
        assert_eq!(
            status(reqwest::Method::POST, path, "evil.example").await,
            StatusCode::FORBIDDEN
        );
    }
}

#[tokio::test]
async fn pages_of_other_origins_can_change_nothing_and_read_nothing() {
    let services = services().await;
    let sms = "Action=Publish&PhoneNumber=%2B46701234567&Message=evil";
    for origin in [
        "http://evil.example",
        "null",
        "http://localhost:3000",
        "https://127.0.0.1",
    ] {
        for (method, path) in [
            (reqwest::Method::DELETE, "/_inbox/messages"),
            (reqwest::Method::DELETE, "/_inbox/refusals"),
            (reqwest::Method::PUT, "/_inbox/refusals"),
            (reqwest::Method::POST, "/"),
        ] {
            let answer = reqwest::Client::new()
                .request(method, format!("{}{path}", services.url()))
                .header("origin", origin)
                .body(sms)
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{origin} {path}");
        }
        let read = reqwest::Client::new()
            .get(format!("{}/_inbox/messages", services.url()))
            .header("origin", origin)
            .send()
            .await
            .unwrap();
        assert!(!read.headers().contains_key("access-control-allow-origin"));
    }
    assert_eq!(services.inbox().messages(None), []);
}

#[tokio::test]
async fn the_pages_are_served_with_headers_that_keep_links_in() {
    let services = services().await;
    for path in ["/_inbox", "/_inbox/landing?access_token=at-1"] {
        let answer = reqwest::get(format!("{}{path}", services.url()))
            .await
            .unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
        let policy = header("content-security-policy");
        assert!(
            policy.starts_with("default-src 'none'; script-src 'sha256-"),
            "{policy}"
        );
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        // One script, whose hash that is; a second would not run.
        assert_eq!(answer.text().await.unwrap().matches("<script").count(), 1);
    }
    let to_the_page = reqwest::get(services.url()).await.unwrap();
    assert_eq!(to_the_page.url().path(), "/_inbox");
}

/// The next event of a stream that holds `data`.
async fn next_event(stream: &mut reqwest::Response) -> String {
    let mut text = String::new();
    tokio::time::timeout(Duration::from_secs(5), async {
        loop {
            text += str::from_utf8(&stream.chunk().await.unwrap().unwrap()).unwrap();
            if text.contains("data:") && text.ends_with("\n\n") {
                break;
            }
        }
    })
    .await
    .unwrap();
    text
}

#[tokio::test]
async fn a_new_message_is_an_event_of_the_stream() {
    let services = services().await;
    let mut stream = reqwest::get(format!("{}/_inbox/events", services.url()))
        .await
        .unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    email(
        &client!(aws_sdk_sesv2, services.url()),
        &["ada@example.com"],
    )
    .send()
    .await
    .unwrap();

    let event = next_event(&mut stream).await;
    let data = event.split_once("data: ").unwrap().1;
    let message: Value = serde_json::from_str(data.trim_end()).unwrap();
    assert_eq!(json!([message]), get(&services, "/_inbox/messages").await);

    services.inbox().clear();
    assert!(next_event(&mut stream).await.contains("event: reload"));
}

#[tokio::test]
async fn shutdown_waits_for_no_idle_connection_and_no_event_stream() {
    let services = services().await;
    let (url, dynamodb_url) = (
        services.url().to_owned(),
        services.dynamodb_url().to_owned(),
    );
    // Connections that stay open: an event stream, two idle ones, two silent ones.
    let mut stream = reqwest::get(format!("{url}/_inbox/events")).await.unwrap();
    let client = reqwest::Client::new();
    client
        .get(format!("{url}/_inbox/messages"))
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    client
        .get(&dynamodb_url)
        .send()
        .await
        .unwrap()
        .text()
        .await
        .unwrap();
    let address = |url: &str| url.strip_prefix("http://").unwrap().to_owned();
    let _silent = tokio::net::TcpStream::connect(address(&url)).await.unwrap();
    let _mute = tokio::net::TcpStream::connect(address(&dynamodb_url))
        .await
        .unwrap();
    let router = services.router();

    let begun = Instant::now();
    services.shutdown().await;
    assert!(
        begun.elapsed() < Duration::from_millis(500),
        "{:?}",
        begun.elapsed()
    );
    while let Ok(Some(_)) = stream.chunk().await {}
    assert!(client.get(&url).send().await.is_err());
    assert!(client.get(&dynamodb_url).send().await.is_err());
    drop(router);
}

#[tokio::test]
async fn the_inbox_alone_is_served_by_another_server() {
    let services = services().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(axum::serve(listener, services.router()).into_future());
    email(
        &client!(aws_sdk_sesv2, services.url()),
        &["ada@example.com"],
    )
    .send()
    .await
    .unwrap();

    let listed: Value = reqwest::get(format!("{url}/_inbox/messages"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(listed, get(&services, "/_inbox/messages").await);
    let evil = reqwest::Client::new()
        .get(format!("{url}/_inbox"))
        .header("host", "evil.example");
    assert_eq!(evil.send().await.unwrap().status(), StatusCode::FORBIDDEN);
    let sink = reqwest::Client::new().post(format!("{url}/v2/email/outbound-emails"));
    assert_eq!(sink.send().await.unwrap().status(), StatusCode::NOT_FOUND);
    server.abort();
}

#[tokio::test]
async fn services_start_at_once_and_stop_when_dropped() {
    let begun = Instant::now();
    let services = services().await;
    assert!(
        begun.elapsed() < Duration::from_millis(500),
        "{:?}",
        begun.elapsed()
    );
    println!("started in {:?}", begun.elapsed());
    let url = services.url().to_owned();
    reqwest::get(&url).await.unwrap();
    drop(services);
    tokio::time::timeout(Duration::from_secs(5), async {
        while reqwest::get(&url).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .unwrap();
}
