//! Makes operations out of rows and modules.

use std::pin::Pin;
use std::sync::Arc;

use shared::aws::Aws;
use shared::domain::Clock;
use shared::http::{Gate, Serve};
use shared::resources::{Resources, StartError};
use shared::route::Route;

use crate::describe::Description;

/// An operation that has been started, behind its gate.
pub type Started = Result<Arc<dyn Serve>, StartError>;

/// An operation that is being started.
pub type Starting = Pin<Box<dyn Future<Output = Started> + Send>>;

/// An operation of the table: its row, how to start it, and what it takes and gives.
#[derive(Clone, Copy)]
pub struct Operation {
    /// Its row.
    pub route: &'static Route,
    /// Starts it, as its Lambda function would.
    pub start: fn(Aws, Clock) -> Starting,
    /// Describes it for the OpenAPI document.
    pub describe: fn(&mut schemars::SchemaGenerator) -> Description,
}

/// What [`Operation::start`] does, for the operation whose dependencies are `D`.
pub(crate) fn start<D: shared::http::Operation>(aws: Aws, clock: Clock) -> Starting {
    Box::pin(async move {
        let resources = Resources::load(&aws, &D::ROUTE.needs, clock).await?;
        let gate: Arc<dyn Serve> = Arc::new(Gate::<D>::new(&resources)?);
        Ok(gate)
    })
}

/// The table. A row is the module's name and its [`Route`]; the module holds `Deps` with `Deps::start`,
/// `Input`, `Output`, `Error` and `run`.
macro_rules! operations {
    ($($module:ident: $route:expr)*) => {
        $(
            pub mod $module;

            impl ::shared::http::Operation for $module::Deps {
                const ROUTE: &'static ::shared::route::Route = &$route;
                type Input = $module::Input;
                type Output = $module::Output;
                type Error = $module::Error;

                fn start(
                    resources: &::shared::resources::Resources,
                ) -> Result<Self, ::shared::resources::StartError> {
                    $module::Deps::start(resources)
                }

                async fn run(
                    &self,
                    caller: &::shared::http::Caller,
                    input: Self::Input,
                ) -> Result<Self::Output, Self::Error> {
                    $module::run(self, caller, input).await
                }
            }
        )*

        /// Every operation, in the order of the table.
        pub const OPERATIONS: &[Operation] = &[$(
            Operation {
                route: <$module::Deps as ::shared::http::Operation>::ROUTE,
                start: $crate::registry::start::<$module::Deps>,
                describe: $crate::describe::describe::<$module::Deps>,
            }
        ),*];
    };
}
pub(crate) use operations;
