//! What a row of the route table is made of.
//!
//! From a row come the function's binary, its route in the local server, in `cargo lambda watch` and in
//! API Gateway, its IAM policy, its environment and its page in the OpenAPI document.

use serde::Serialize;

use crate::domain::Action;

/// Where the links in messages lead.
pub const VERIFY_PATH: &str = "/agnost/auth/verify";

/// One operation.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Route {
    /// Kebab case; names the binary and the function, and, with `_` for `-`, the folder.
    pub name: &'static str,
    /// One sentence for the documentation.
    pub summary: &'static str,
    /// HTTP methods.
    pub methods: &'static [Method],
    /// Paths below the base URL.
    pub paths: &'static [&'static str],
    /// The fields of its input that stand in the query; the others stand in the body.
    pub query: &'static [&'static str],
    /// What a caller has to show.
    pub auth: Auth,
    /// What it may touch.
    pub needs: Needs,
    /// Memory of the function in MiB. Processor time goes with it.
    pub memory_mib: u16,
    /// When Lambda ends a call, in seconds.
    pub timeout_seconds: u8,
}

/// An HTTP method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
}

impl Method {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// What a caller has to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// Nothing.
    Public,
    /// An API key.
    Key,
    /// An API key and a session.
    KeyAndSession,
}

/// What an operation may touch. Its IAM policy grants no more, and its clients are these.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Needs {
    /// What it does with table `users`.
    pub users: &'static [Access],
    /// What it does with table `tokens`, by kind of token.
    pub tokens: &'static [(TokenKind, &'static [Access])],
    /// What it does with table `sessions`.
    pub sessions: &'static [Access],
    /// What it does with table `limits`.
    pub limits: &'static [Access],
    /// Which secrets it reads at its start.
    pub secrets: &'static [Secret],
    /// Whether it sends email.
    pub email: bool,
}

impl Needs {
    /// Touches nothing.
    pub const NOTHING: Self = Self {
        users: &[],
        tokens: &[],
        sessions: &[],
        limits: &[],
        secrets: &[],
        email: false,
    };

    /// Whether it has anything to do with DynamoDB.
    pub fn store(&self) -> bool {
        !(self.users.is_empty()
            && self.tokens.is_empty()
            && self.sessions.is_empty()
            && self.limits.is_empty())
    }
}

/// One permission on a table. Within a transaction each item needs that of its own kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "&'static str")]
pub enum Access {
    /// `dynamodb:GetItem`
    Get,
    /// `dynamodb:BatchGetItem`
    BatchGet,
    /// `dynamodb:Query`
    Query,
    /// `dynamodb:PutItem`
    Put,
    /// `dynamodb:UpdateItem`
    Update,
    /// `dynamodb:DeleteItem`
    Delete,
    /// `dynamodb:ConditionCheckItem`
    Check,
    /// `dynamodb:BatchWriteItem`
    BatchWrite,
}

impl From<Access> for &'static str {
    fn from(access: Access) -> Self {
        match access {
            Access::Get => "dynamodb:GetItem",
            Access::BatchGet => "dynamodb:BatchGetItem",
            Access::Query => "dynamodb:Query",
            Access::Put => "dynamodb:PutItem",
            Access::Update => "dynamodb:UpdateItem",
            Access::Delete => "dynamodb:DeleteItem",
            Access::Check => "dynamodb:ConditionCheckItem",
            Access::BatchWrite => "dynamodb:BatchWriteItem",
        }
    }
}

/// A kind of item in table `tokens`: the part of its key before the `#`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "&'static str")]
pub enum TokenKind {
    /// The link of a message.
    Link(Action),
    /// An access token, whatever it is good for.
    Access,
}

impl TokenKind {
    /// The part of the key before the `#`.
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Link(action) => action.as_str(),
            Self::Access => "access",
        }
    }
}

impl From<TokenKind> for &'static str {
    fn from(kind: TokenKind) -> Self {
        kind.prefix()
    }
}

/// A parameter that a function reads at its start, beside the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "&'static str")]
pub enum Secret {
    /// The private key that signs session tokens (SecureString).
    SigningKey,
    /// The public keys that check them (no secret, but kept beside it).
    PublicKeys,
}

impl Secret {
    /// The parameter's name below the deployment's.
    pub fn parameter(self) -> &'static str {
        match self {
            Self::SigningKey => "signing-key",
            Self::PublicKeys => "public-keys",
        }
    }
}

impl From<Secret> for &'static str {
    fn from(secret: Secret) -> Self {
        secret.parameter()
    }
}
