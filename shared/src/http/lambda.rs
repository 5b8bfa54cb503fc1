//! The Lambda runtime around an operation.
//!
//! It reads API Gateway's event (payload 2.0) itself: `lambda_http::run` would first make a URI of it, and
//! panic over a query that is none.

use std::net::{IpAddr, Ipv4Addr};
use std::process::ExitCode;
use std::sync::Arc;

use ::http::HeaderValue;
use ::http::header::{COOKIE, SET_COOKIE};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse};
use lambda_http::lambda_runtime::{self, LambdaEvent, service_fn};
use lambda_http::{Body, Error};
use tracing::error;

use super::{Gate, Incoming, Operation, Outgoing, Serve};
use crate::aws::{Aws, Environment};
use crate::domain::Clock;
use crate::resources::Resources;
use crate::telemetry::{self, Causes};

/// Runs an operation as a Lambda function, for as long as Lambda lets the process live. One request
/// at a time comes in, so one thread is enough.
pub fn run<D: Operation>() -> ExitCode {
    telemetry::init();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let ran = match runtime {
        Ok(runtime) => runtime.block_on(serve::<D>()),
        Err(error) => Err(error.into()),
    };
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let cause = Causes(error.as_ref()).to_string();
            error!(
                operation = D::ROUTE.name,
                cause, "the function cannot start"
            );
            ExitCode::FAILURE
        }
    }
}

async fn serve<D: Operation>() -> Result<(), Error> {
    let aws = Aws::new(&Environment::from_process()?);
    let resources = Resources::load(&aws, &D::ROUTE.needs, Clock::system()).await?;
    let gate = Arc::new(Gate::<D>::new(&resources)?);
    lambda_runtime::run(service_fn(move |event| {
        let gate = Arc::clone(&gate);
        async move {
            let request = incoming(event);
            Ok::<_, Error>(outgoing(gate.serve(&request).await))
        }
    }))
    .await
}

fn incoming(event: LambdaEvent<ApiGatewayV2httpRequest>) -> Incoming {
    let LambdaEvent { payload, context } = event;
    let http = payload.request_context.http;
    let mut headers = payload.headers;
    if let Some(cookies) = payload.cookies.filter(|cookies| !cookies.is_empty())
        && let Ok(cookies) = HeaderValue::from_str(&cookies.join("; "))
    {
        headers.insert(COOKIE, cookies);
    }
    let body = payload.body.unwrap_or_default();
    let body = if payload.is_base64_encoded {
        // What cannot be decoded is no JSON either, and is refused as such.
        STANDARD.decode(&body).unwrap_or_else(|_| body.into_bytes())
    } else {
        body.into_bytes()
    };
    let address = http.source_ip.and_then(|address| address.parse().ok());
    Incoming {
        method: http.method,
        path: payload.raw_path.unwrap_or_default(),
        query: payload.raw_query_string.unwrap_or_default(),
        headers,
        body: Bytes::from(body),
        address: address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        request_id: context.request_id,
    }
}

fn outgoing(answer: Outgoing) -> ApiGatewayV2httpResponse {
    let (parts, body) = answer.into_parts();
    let mut headers = parts.headers;
    // API Gateway takes cookies apart from the headers.
    let cookies = headers
        .get_all(SET_COOKIE)
        .iter()
        .filter_map(|cookie| cookie.to_str().ok())
        .map(str::to_owned)
        .collect();
    headers.remove(SET_COOKIE);
    let mut response = ApiGatewayV2httpResponse::default();
    response.status_code = parts.status.as_u16().into();
    response.headers = headers;
    response.cookies = cookies;
    response.body = Some(match String::from_utf8(body.into()) {
        Ok(text) => Body::Text(text),
        Err(bytes) => {
            response.is_base64_encoded = true;
            Body::Binary(bytes.into_bytes())
        }
    });
    response
}
