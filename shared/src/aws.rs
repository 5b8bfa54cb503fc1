//! Clients for AWS, configured explicitly: no provider chain, one HTTP client for all of them, five
//! embedded Amazon roots. Everything that a Lambda's environment says is read here and nowhere else.

use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{SharedAsyncSleep, TokioSleep};
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;

/// The roots that sign for every AWS endpoint (Amazon Trust Services). The system's own store
/// holds 145 and takes a millisecond to read.
const ROOTS: [&str; 5] = [
    include_str!("aws/roots/Amazon_Root_CA_1.pem"),
    include_str!("aws/roots/Amazon_Root_CA_2.pem"),
    include_str!("aws/roots/Amazon_Root_CA_3.pem"),
    include_str!("aws/roots/Amazon_Root_CA_4.pem"),
    include_str!("aws/roots/Starfield_Services_Root_CA_G2.pem"),
];

/// What a function's environment says.
#[derive(Clone, Debug)]
pub struct Environment {
    /// `LATCHKEY_DEPLOYMENT`: begins the name of every table (`NAME-users`) and parameter (`/NAME/settings`).
    pub deployment: String,
    /// `AWS_REGION`.
    pub region: String,
    /// `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`.
    pub credentials: Credentials,
    /// `AWS_ENDPOINT_URL`: in place of every AWS service; for emulators.
    pub endpoint: Option<String>,
    /// `AWS_ENDPOINT_URL_DYNAMODB`: in place of DynamoDB.
    pub dynamodb_endpoint: Option<String>,
}

/// A variable is missing.
#[derive(Debug, thiserror::Error)]
#[error("the environment variable {0} is not set")]
pub struct MissingVariable(&'static str);

impl Environment {
    /// For emulated services, which take any region and credentials.
    pub fn emulated(deployment: &str, endpoint: &str, dynamodb_endpoint: &str) -> Self {
        Self {
            deployment: deployment.to_owned(),
            region: "us-east-1".to_owned(),
            credentials: Credentials::from_keys("local", "local", None),
            endpoint: Some(endpoint.to_owned()),
            dynamodb_endpoint: Some(dynamodb_endpoint.to_owned()),
        }
    }

    /// Reads the variables of this process.
    pub fn from_process() -> Result<Self, MissingVariable> {
        let optional = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let required = |name| optional(name).ok_or(MissingVariable(name));
        Ok(Self {
            deployment: required("LATCHKEY_DEPLOYMENT")?,
            region: required("AWS_REGION")?,
            credentials: Credentials::from_keys(
                required("AWS_ACCESS_KEY_ID")?,
                required("AWS_SECRET_ACCESS_KEY")?,
                optional("AWS_SESSION_TOKEN"),
            ),
            endpoint: optional("AWS_ENDPOINT_URL"),
            dynamodb_endpoint: optional("AWS_ENDPOINT_URL_DYNAMODB"),
        })
    }
}

/// Makes clients; all of them share one pool of connections.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
    dynamodb_endpoint: Option<String>,
    deployment: String,
}

impl Aws {
    /// For this environment, over a new pool of connections.
    pub fn new(environment: &Environment) -> Self {
        let http = match environment.endpoint.as_deref() {
            Some(endpoint) if endpoint.starts_with("http://") => plain_http_client(),
            _ => https_client(),
        };
        Self::over(environment, http)
    }

    /// For this environment, over a given HTTP client: one that counts, or fails on purpose.
    pub fn over(environment: &Environment, http: SharedHttpClient) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(2))
            .operation_timeout(Duration::from_secs(5))
            .build();
        let retries = RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(Duration::from_millis(50));
        let mut config = SdkConfig::builder()
            .behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest())
            .region(Region::new(environment.region.clone()))
            .credentials_provider(SharedCredentialsProvider::new(
                environment.credentials.clone(),
            ))
            .http_client(http)
            .sleep_impl(SharedAsyncSleep::new(TokioSleep::new()))
            .timeout_config(timeouts)
            .retry_config(retries);
        config.set_endpoint_url(environment.endpoint.clone());
        Self {
            config: config.build(),
            dynamodb_endpoint: environment
                .dynamodb_endpoint
                .clone()
                .or_else(|| environment.endpoint.clone()),
            deployment: environment.deployment.clone(),
        }
    }

    /// Begins the name of every table and parameter.
    pub fn deployment(&self) -> &str {
        &self.deployment
    }

    /// A client for DynamoDB.
    pub fn dynamodb(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.config);
        let config = match &self.dynamodb_endpoint {
            Some(endpoint) => config.endpoint_url(endpoint),
            None => config,
        };
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    /// A client for SES.
    pub fn ses(&self) -> aws_sdk_sesv2::Client {
        aws_sdk_sesv2::Client::new(&self.config)
    }

    /// A client for Parameter Store.
    pub fn ssm(&self) -> aws_sdk_ssm::Client {
        aws_sdk_ssm::Client::new(&self.config)
    }
}

/// An HTTP client without TLS, for emulators.
pub fn plain_http_client() -> SharedHttpClient {
    Builder::new().build_http()
}

fn https_client() -> SharedHttpClient {
    let roots = ROOTS.iter().fold(TrustStore::empty(), |store, pem| {
        store.with_pem_certificate(*pem)
    });
    let context = TlsContext::builder()
        .with_trust_store(roots)
        .build()
        .expect("the embedded roots are certificates");
    Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_roots_can_be_read() {
        drop(https_client());
    }
}
