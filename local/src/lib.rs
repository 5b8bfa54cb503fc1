//! Latchkey on a laptop.
//!
//! [`Laptop`] is all of it in one process: [`services`] stands in for the AWS services, and
//! [`gateway`] for API Gateway with the functions behind it.

pub mod defaults;
pub mod gateway;
pub mod keys;
pub mod services;

use std::net::SocketAddr;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use axum::Router;
use serde_json::Value;
use shared::aws::{Aws, Environment};
use shared::domain::Clock;
use shared::resources::StartError;
use shared::route::Secret;
use shared::secrets::{KeySet, SigningKey, SigningKeyError};
use shared::settings::{Settings, SettingsError};
use shared::store::{StoreError, schema};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use services::{Services, ServicesError, ServicesOptions, Storage};

/// What a laptop is made of.
pub struct LaptopOptions {
    /// Where the functions and the inbox answer; or, with [`Functions::Elsewhere`], the services and the inbox.
    pub listener: TcpListener,
    /// Whether the functions run in this process.
    pub functions: Functions,
    /// Where DynamoDB keeps its items.
    pub storage: Storage,
    /// What stands in place of [`defaults::settings`].
    pub settings: Option<Value>,
    /// The parameter `signing-key`, from [`keys`].
    pub signing_key: String,
    /// Tells the time.
    pub clock: Clock,
    /// Stands in for the SDK's HTTP client: one that counts, or fails on purpose.
    pub http: Option<SharedHttpClient>,
}

/// Where the functions run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Functions {
    /// In this process.
    Here,
    /// In processes of their own, such as those of `cargo lambda watch`, at this address.
    Elsewhere {
        /// The base URL, without a slash at the end.
        public_url: String,
    },
}

/// Everything that runs.
pub struct Laptop {
    /// The emulated AWS services and the inbox.
    pub services: Services,
    /// How to reach them with the SDK's clients.
    pub environment: Environment,
    /// The base URL of the functions.
    pub url: String,
    gateway: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// The laptop cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LaptopError {
    /// The address cannot be used.
    #[error("cannot use the address")]
    Address(#[source] std::io::Error),
    /// The services cannot start.
    #[error(transparent)]
    Services(#[from] ServicesError),
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The signing key is wrong.
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// The tables cannot be created.
    #[error("cannot create the tables")]
    Tables(#[source] StoreError),
    /// A function cannot start.
    #[error("a function cannot start")]
    Function(#[source] StartError),
}

impl Laptop {
    /// Starts it all; it answers when this returns.
    pub async fn start(options: LaptopOptions) -> Result<Self, LaptopError> {
        let address = options
            .listener
            .local_addr()
            .map_err(LaptopError::Address)?;
        let own_url = format!("http://{address}");
        let (services_listener, gateway_listener, url) = match options.functions {
            Functions::Elsewhere { public_url } => (options.listener, None, public_url),
            Functions::Here => {
                let services = TcpListener::bind("127.0.0.1:0").await;
                let services = services.map_err(LaptopError::Address)?;
                (services, Some(options.listener), own_url)
            }
        };
        let settings = defaults::settings(&url, options.settings).to_string();
        Settings::from_json(&settings)?;
        let public_keys = KeySet {
            keys: vec![SigningKey::from_json(&options.signing_key)?.jwk()],
        };

        let clock = options.clock.clone();
        let services = Services::start(ServicesOptions {
            listener: services_listener,
            storage: options.storage,
            clock: Arc::new(move || clock.now()),
        })?;
        let parameter = |name: &str, value: String| {
            services
                .parameters()
                .put(format!("/{}/{name}", defaults::DEPLOYMENT), value);
        };
        parameter("settings", settings);
        parameter(Secret::SigningKey.parameter(), options.signing_key);
        parameter(
            Secret::PublicKeys.parameter(),
            serde_json::json!(public_keys).to_string(),
        );

        let environment = Environment::emulated(
            defaults::DEPLOYMENT,
            services.url(),
            services.dynamodb_url(),
        );
        let aws = match options.http {
            Some(http) => Aws::over(&environment, http),
            None => Aws::new(&environment),
        };
        schema::create(&aws.dynamodb(), defaults::DEPLOYMENT)
            .await
            .map_err(LaptopError::Tables)?;
        let gateway = match gateway_listener {
            None => None,
            Some(listener) => {
                let functions = gateway::router(&aws, &options.clock)
                    .await
                    .map_err(LaptopError::Function)?;
                Some(serve(listener, services.router().merge(functions)))
            }
        };
        Ok(Self {
            services,
            environment,
            url,
            gateway,
        })
    }

    /// Lets requests under way finish, and stops.
    pub async fn shutdown(self) {
        self.services.inbox().close_streams();
        if let Some((stop, gateway)) = self.gateway {
            // An error says that it stopped by itself.
            let _ = stop.send(());
            let grace = std::time::Duration::from_secs(1);
            let _ = tokio::time::timeout(grace, gateway).await;
        }
        self.services.shutdown().await;
    }
}

fn serve(listener: TcpListener, router: Router) -> (oneshot::Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let gateway = tokio::spawn(async move {
        let server = axum::serve(listener, service).with_graceful_shutdown(async {
            // Dropping the sender stops the server too.
            let _ = stopped.await;
        });
        // A server on a bound listener does not fail.
        let _ = server.await;
    });
    (stop, gateway)
}
