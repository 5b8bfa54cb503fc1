//! `GET /health`: says that the service answers, without touching the database.

use std::future::{Ready, ready};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use shared::http::{Caller, Json, Never};
use shared::resources::{Resources, StartError};

/// Takes nothing.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct Input {}

/// The answer of a service that is well.
pub type Output = Json<Health>;

/// Nothing can go wrong.
pub type Error = Never;

/// How the service is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Health {
    /// Always `ok`.
    pub status: String,
}

/// Touches nothing.
#[derive(Debug)]
pub struct Deps;

impl Deps {
    /// Takes nothing.
    pub fn start(_: &Resources) -> Result<Self, StartError> {
        Ok(Self)
    }
}

/// Answers.
pub fn run(_: &Deps, _: &Caller, _: Input) -> Ready<Result<Output, Error>> {
    ready(Ok(Json(Health {
        status: "ok".to_owned(),
    })))
}
