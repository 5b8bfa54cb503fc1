//! What a function holds for the life of its process, read and built once at its start.

use std::sync::Arc;

use aws_sdk_ssm::error::SdkError;
use aws_sdk_ssm::operation::get_parameters::GetParametersError;

use crate::aws::Aws;
use crate::domain::Clock;
use crate::notify::{Mailer, TemplateError};
use crate::route::{Needs, Secret};
use crate::secrets::{
    KeySet, Passwords, SessionTokens, SessionVerifier, SigningKey, SigningKeyError,
};
use crate::settings::{Settings, SettingsError};
use crate::store::Store;

/// Clients, keys and settings, as far as an operation declared that it needs them.
pub struct Resources {
    /// Tells the time.
    pub clock: Clock,
    /// How the deployment behaves.
    pub settings: Arc<Settings>,
    /// The published keys; empty unless needed.
    pub public_keys: KeySet,
    store: Option<Store>,
    mailer: Option<Mailer>,
    session_tokens: Option<Arc<SessionTokens>>,
}

/// A function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Parameter Store did not answer.
    #[error("the parameters cannot be read")]
    Parameters(#[source] Box<SdkError<GetParametersError>>),
    /// A parameter is not there.
    #[error("the parameter {0} does not exist")]
    NoParameter(String),
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A message is wrong.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// The signing key is wrong.
    #[error(transparent)]
    SigningKey(#[from] SigningKeyError),
    /// The public keys are wrong.
    #[error("the public keys are no JSON Web Key Set")]
    PublicKeys(#[source] serde_json::Error),
    /// The operation uses what its row does not say that it needs.
    #[error("the route table does not say that this operation needs {0}")]
    NotDeclared(&'static str),
}

impl Resources {
    /// Reads the parameters, in one call, and builds what is needed.
    pub async fn load(aws: &Aws, needs: &Needs, clock: Clock) -> Result<Self, StartError> {
        let deployment = aws.deployment();
        let parameter = |name: &str| format!("/{deployment}/{name}");
        let mut names = vec![parameter("settings")];
        names.extend(
            needs
                .secrets
                .iter()
                .map(|secret| parameter(secret.parameter())),
        );
        let answer = aws
            .ssm()
            .get_parameters()
            .set_names(Some(names))
            .with_decryption(true)
            .send()
            .await
            .map_err(|error| StartError::Parameters(Box::new(error)))?;
        let value = |name: &str| {
            let name = parameter(name);
            let found = answer
                .parameters()
                .iter()
                .find(|parameter| parameter.name() == Some(&name));
            found
                .and_then(|parameter| parameter.value())
                .ok_or(StartError::NoParameter(name))
        };

        let settings = Settings::from_json(value("settings")?)?;
        let public_keys = if needs.secrets.contains(&Secret::PublicKeys) {
            serde_json::from_str(value(Secret::PublicKeys.parameter())?)
                .map_err(StartError::PublicKeys)?
        } else {
            KeySet::default()
        };
        let session_tokens = if needs.secrets.contains(&Secret::SigningKey) {
            let key = SigningKey::from_json(value(Secret::SigningKey.parameter())?)?;
            let tokens = SessionTokens::new(key, settings.public_url.as_str(), &settings.audience);
            Some(Arc::new(tokens))
        } else {
            None
        };
        let mailer = needs
            .email
            .then(|| Mailer::new(aws.ses(), &settings))
            .transpose()?;
        let store = needs
            .store()
            .then(|| Store::new(aws.dynamodb(), deployment));
        Ok(Self {
            clock,
            store,
            public_keys,
            mailer,
            session_tokens,
            settings: Arc::new(settings),
        })
    }
}

/// A thing that an operation may hold.
pub trait Resource: Sized {
    /// Takes it, if the operation's row says that it needs it.
    fn take(resources: &Resources) -> Result<Self, StartError>;
}

impl Resource for Clock {
    fn take(resources: &Resources) -> Result<Self, StartError> {
        Ok(resources.clock.clone())
    }
}

impl Resource for Arc<Settings> {
    fn take(resources: &Resources) -> Result<Self, StartError> {
        Ok(Self::clone(&resources.settings))
    }
}

impl Resource for Passwords {
    fn take(resources: &Resources) -> Result<Self, StartError> {
        Ok(Self::new(&resources.settings.password.argon2))
    }
}

impl Resource for SessionVerifier {
    fn take(resources: &Resources) -> Result<Self, StartError> {
        Ok(Self::new(
            &resources.public_keys,
            resources.settings.public_url.as_str(),
            &resources.settings.audience,
            resources.clock.clone(),
        ))
    }
}

impl Resource for Store {
    fn take(resources: &Resources) -> Result<Self, StartError> {
        let store = resources.store.clone();
        store.ok_or(StartError::NotDeclared("a table"))
    }
}

impl Resource for Mailer {
    fn take(resources: &Resources) -> Result<Self, StartError> {
        let mailer = resources.mailer.clone();
        mailer.ok_or(StartError::NotDeclared("email"))
    }
}

impl Resource for Arc<SessionTokens> {
    fn take(resources: &Resources) -> Result<Self, StartError> {
        let tokens = resources.session_tokens.clone();
        tokens.ok_or(StartError::NotDeclared("the secret signing-key"))
    }
}

/// Declares what an operation may touch: a struct whose fields are [`Resource`]s, and `start`, which takes them.
#[macro_export]
macro_rules! deps {
    ($(#[$about:meta])* pub struct $name:ident { $($field:ident: $kind:ty,)* }) => {
        $(#[$about])*
        pub struct $name {
            $($field: $kind,)*
        }

        impl $name {
            /// Takes what it needs.
            pub fn start(
                resources: &$crate::resources::Resources,
            ) -> Result<Self, $crate::resources::StartError> {
                Ok(Self {
                    $($field: $crate::resources::Resource::take(resources)?,)*
                })
            }
        }
    };
}
