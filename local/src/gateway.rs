//! Stands in for API Gateway: one address, every function behind it in this process.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use functions::OPERATIONS;
use shared::aws::Aws;
use shared::domain::Clock;
use shared::http::{Incoming, Serve};
use shared::resources::StartError;
use shared::secrets::random;

/// API Gateway's own limit; what is larger than the wire's is for the functions to refuse.
const MAX_BODY_BYTES: usize = 10 * 1024 * 1024 + 64 * 1024;

/// Every operation that has been started.
type Operations = Arc<Vec<Arc<dyn Serve>>>;

/// Starts every operation of the table and routes requests to them.
pub async fn router(aws: &Aws, clock: &Clock) -> Result<Router, StartError> {
    let mut operations = Vec::with_capacity(OPERATIONS.len());
    for operation in OPERATIONS {
        operations.push((operation.start)(aws.clone(), clock.clone()).await?);
    }
    Ok(Router::new()
        .fallback(dispatch)
        .with_state(Arc::new(operations)))
}

async fn dispatch(
    State(operations): State<Operations>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let operation = operations
        .iter()
        .find(|operation| operation.route().paths.contains(&path));
    let Some(operation) = operation else {
        // As API Gateway answers what it has no route for.
        let body = r#"{"message":"Not Found"}"#;
        let json = [("content-type", "application/json")];
        return (StatusCode::NOT_FOUND, json, body).into_response();
    };
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let incoming = Incoming {
        method: parts.method,
        path: path.to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
        address: peer.ip(),
        request_id: random::uuid(),
    };
    operation.serve(&incoming).await.map(Body::from)
}
