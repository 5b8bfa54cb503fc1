//! Looks into the tables, and puts there what no request can.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodb::{Client, types};
use harness::App;
use local::defaults::DEPLOYMENT;
use shared::aws::Aws;
use shared::domain::{Action, LinkToken, SecurityStamp, UserId};
use shared::store::schema::Table;

/// An item.
pub(crate) type Item = std::collections::HashMap<String, AttributeValue>;

/// A client of its own, whose calls nobody counts.
pub(crate) fn client(app: &App) -> Client {
    let laptop = app.laptop.as_ref().expect("a system in this process");
    Aws::new(&laptop.environment).dynamodb()
}

/// Every item of a table.
pub(crate) async fn scan(app: &App, table: Table) -> Vec<Item> {
    let request = client(app).scan().table_name(table.name_in(DEPLOYMENT));
    let answer = request.consistent_read(true).send().await.expect("a scan");
    assert!(answer.last_evaluated_key.is_none(), "more than one page");
    answer.items.unwrap_or_default()
}

/// A text attribute.
pub(crate) fn text<'a>(item: &'a Item, name: &str) -> &'a str {
    let value = item.get(name).and_then(|value| value.as_s().ok());
    value.map_or("", String::as_str)
}

/// Sets an attribute of the item with this `pk`.
pub(crate) async fn set(app: &App, table: Table, key: &str, name: &str, value: AttributeValue) {
    let request = client(app)
        .update_item()
        .table_name(table.name_in(DEPLOYMENT))
        .key("pk", AttributeValue::S(key.to_owned()))
        .update_expression("SET #name = :value")
        .condition_expression("attribute_exists(pk)")
        .expression_attribute_names("#name", name)
        .expression_attribute_values(":value", value);
    request.send().await.expect("an update");
}

/// Deletes the item with this `pk`.
pub(crate) async fn delete(app: &App, table: Table, key: &str) {
    let request = client(app)
        .delete_item()
        .table_name(table.name_in(DEPLOYMENT))
        .key("pk", AttributeValue::S(key.to_owned()));
    request.send().await.expect("a deletion");
}

/// Puts a link for a user into the table, and gives its URL.
pub(crate) async fn put_link(
    app: &App,
    action: Action,
    user_id: &str,
    stamp: u32,
    email: &str,
) -> String {
    let user_id = UserId::parse(user_id).expect("an id");
    let token = LinkToken::random(&user_id, SecurityStamp(stamp));
    let expires_at = app.clock.now().as_second() + 3_600;
    let request = client(app)
        .put_item()
        .table_name(Table::Tokens.name_in(DEPLOYMENT))
        .item(
            "pk",
            AttributeValue::S(format!("{}#{user_id}", action.as_str())),
        )
        .item("tokenHash", AttributeValue::S(token.hash().0))
        .item("email", AttributeValue::S(email.to_owned()))
        .item("expiresAt", AttributeValue::N(expires_at.to_string()));
    request.send().await.expect("a put");
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("key", token.expose())
        .append_pair("action", action.as_str())
        .append_pair("redirect", harness::REDIRECT)
        .finish();
    format!("/agnost/auth/verify?{query}")
}

/// Fails the test unless users and guards match one to one, and no token or session is of nobody.
pub(crate) async fn expect_consistent(app: &App) {
    let items = scan(app, Table::Users).await;
    let (users, guards): (Vec<&Item>, Vec<&Item>) = items
        .iter()
        .partition(|item| text(item, "pk").starts_with("user#"));
    let claimed: BTreeSet<(String, String)> = users
        .iter()
        .map(|user| {
            (
                format!("email#{}", text(user, "email")),
                text(user, "userId").to_owned(),
            )
        })
        .collect();
    let guarded: BTreeSet<(String, String)> = guards
        .iter()
        .map(|guard| {
            (
                text(guard, "pk").to_owned(),
                text(guard, "userId").to_owned(),
            )
        })
        .collect();
    assert_eq!(claimed, guarded, "users and guards differ");
    let ids: BTreeSet<&str> = users.iter().map(|user| text(user, "userId")).collect();
    for token in scan(app, Table::Tokens).await {
        let of = match text(&token, "pk") {
            key if key.starts_with("access#") => text(&token, "userId").to_owned(),
            key => key
                .split_once('#')
                .map(|(_, id)| id.to_owned())
                .unwrap_or_default(),
        };
        assert!(ids.contains(of.as_str()), "a token of nobody: {token:?}");
    }
    for session in scan(app, Table::Sessions).await {
        assert!(
            ids.contains(text(&session, "userId")),
            "a session of nobody: {session:?}"
        );
    }
}

/// A flag.
pub(crate) fn flag(value: bool) -> AttributeValue {
    types::AttributeValue::Bool(value)
}

/// A text.
pub(crate) fn string(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// A number.
pub(crate) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}
