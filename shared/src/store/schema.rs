//! The tables, as data: the local server and the tests create them from here, and Terraform reads
//! the same from `functions/generated/tables.json`.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType,
    TimeToLiveSpecification,
};
use serde::Serialize;

use super::StoreError;

/// One of the four tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Users, and the guards of their addresses.
    Users,
    /// Links and access tokens.
    Tokens,
    /// Sessions.
    Sessions,
    /// Counters.
    Limits,
}

/// What Terraform has to know of a table.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TableShape {
    /// The end of the table's name.
    pub name: &'static str,
    /// The partition key, a string.
    pub hash_key: &'static str,
    /// The sort key, a string.
    pub range_key: Option<&'static str>,
    /// The attribute that holds when DynamoDB may delete an item, in seconds since 1970.
    pub ttl: Option<&'static str>,
}

/// The partition key of every table but one.
pub(super) const KEY: &str = "pk";
/// The attribute by which DynamoDB deletes what is dead, in seconds since 1970.
pub(super) const EXPIRES_AT: &str = "expiresAt";

impl Table {
    /// Every table.
    pub const ALL: [Self; 4] = [Self::Users, Self::Tokens, Self::Sessions, Self::Limits];

    /// What it is made of.
    pub fn shape(self) -> TableShape {
        match self {
            Self::Users => TableShape {
                name: "users",
                hash_key: KEY,
                range_key: None,
                ttl: None,
            },
            Self::Tokens => TableShape {
                name: "tokens",
                hash_key: KEY,
                range_key: None,
                ttl: Some(EXPIRES_AT),
            },
            Self::Sessions => TableShape {
                name: "sessions",
                hash_key: "userId",
                range_key: Some("sessionId"),
                ttl: Some(EXPIRES_AT),
            },
            Self::Limits => TableShape {
                name: "limits",
                hash_key: KEY,
                range_key: None,
                ttl: Some(EXPIRES_AT),
            },
        }
    }

    /// The name in an account that holds a deployment of this name.
    pub fn name_in(self, deployment: &str) -> String {
        format!("{deployment}-{}", self.shape().name)
    }
}

/// Creates the tables that are not there yet. For emulators: in AWS Terraform does it.
pub async fn create(client: &Client, deployment: &str) -> Result<(), StoreError> {
    for table in Table::ALL {
        let name = table.name_in(deployment);
        let shape = table.shape();
        let created = create_table(client, &name, &shape).await;
        match created {
            Ok(()) => {}
            Err(StoreError::Call { code, .. }) if code == "ResourceInUseException" => continue,
            Err(error) => return Err(error),
        }
        if let Some(attribute) = shape.ttl {
            let ttl = TimeToLiveSpecification::builder()
                .attribute_name(attribute)
                .enabled(true)
                .build()
                .map_err(not_sent)?;
            client
                .update_time_to_live()
                .table_name(&name)
                .time_to_live_specification(ttl)
                .send()
                .await?;
        }
    }
    Ok(())
}

async fn create_table(client: &Client, name: &str, shape: &TableShape) -> Result<(), StoreError> {
    let mut request = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest);
    let keys = [
        (Some(shape.hash_key), KeyType::Hash),
        (shape.range_key, KeyType::Range),
    ];
    for (attribute, kind) in keys {
        let Some(attribute) = attribute else { continue };
        let key = KeySchemaElement::builder()
            .attribute_name(attribute)
            .key_type(kind);
        let definition = AttributeDefinition::builder()
            .attribute_name(attribute)
            .attribute_type(ScalarAttributeType::S);
        request = request
            .key_schema(key.build().map_err(not_sent)?)
            .attribute_definitions(definition.build().map_err(not_sent)?);
    }
    request.send().await?;
    Ok(())
}

fn not_sent(error: BuildError) -> StoreError {
    StoreError::Call {
        code: "not sent".to_owned(),
        source: error.into(),
    }
}
