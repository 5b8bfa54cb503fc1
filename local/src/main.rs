//! `cargo dev`: Latchkey on a laptop, with one command and no cloud account.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use local::defaults::{DEPLOYMENT, PUBLISHABLE_KEY, SECRET_KEY};
use local::services::Storage;
use local::{Functions, Laptop, LaptopOptions, keys};
use serde_json::Value;
use shared::domain::Clock;
use shared::telemetry::Causes;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Latchkey on a laptop: every function, a DynamoDB and an inbox in one process.
#[derive(Debug, Parser)]
#[command(name = "cargo dev", bin_name = "cargo dev --", version)]
struct Options {
    /// Port on 127.0.0.1; 0 lets the system choose
    #[arg(long, default_value_t = 9000)]
    port: u16,
    /// Folder for the database and the signing key, or `memory`
    #[arg(long, value_name = "DIR|memory", default_value = ".dev")]
    data: PathBuf,
    /// JSON file whose fields replace those of the default settings
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,
    /// Offer DynamoDB, SES, SNS, SSM and the inbox only; the functions run elsewhere
    #[arg(long)]
    services_only: bool,
    /// With --services-only: where the functions answer
    #[arg(
        long,
        value_name = "URL",
        default_value = "http://127.0.0.1:9000",
        requires = "services_only"
    )]
    public_url: String,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    // DynamoDB's stand-in warns of every condition that fails, and failing is what conditions are for.
    let what = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("dynoxide", LevelFilter::ERROR);
    let log = tracing_subscriber::fmt::layer()
        .compact()
        .with_target(false)
        .with_writer(std::io::stderr)
        .with_filter(what);
    tracing_subscriber::registry().with(log).init();
    match run(options).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cargo dev: {}", Causes(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

async fn run(options: Options) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(("127.0.0.1", options.port))
        .await
        .map_err(|error| {
            format!(
                "cannot use port {}: {error}; choose another with `cargo dev -- --port N`",
                options.port
            )
        })?;
    let in_memory = options.data == Path::new("memory");
    let (storage, signing_key) = if in_memory {
        (Storage::Memory, keys::generate()?)
    } else {
        let key = keys::kept_in(&options.data)?;
        (Storage::Directory(options.data.clone()), key)
    };
    let functions = if options.services_only {
        let public_url = options.public_url.trim_end_matches('/').to_owned();
        Functions::Elsewhere { public_url }
    } else {
        Functions::Here
    };
    let laptop = Laptop::start(LaptopOptions {
        listener,
        storage,
        signing_key,
        functions: functions.clone(),
        settings: options.settings.as_deref().map(read).transpose()?,
        clock: Clock::system(),
        http: None,
    })
    .await?;
    match functions {
        Functions::Here => greet(&laptop, &options),
        Functions::Elsewhere { .. } => offer(&laptop),
    }
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    println!("\nstopping");
    laptop.shutdown().await;
    Ok(())
}

fn read(file: &Path) -> Result<Value, String> {
    let problem = |error: &dyn Error| format!("settings file {}: {error}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| problem(&error))?;
    serde_json::from_str(&text).map_err(|error| problem(&error))
}

fn greet(laptop: &Laptop, options: &Options) {
    let url = &laptop.url;
    println!(
        "\
ready {url}

  keys      {PUBLISHABLE_KEY} (publishable), {SECRET_KEY} (secret)
  inbox     {url}/_inbox
  data      {data}

Sign somebody up, and look into the inbox:

  curl {url}/agnost/auth/signup-email \\
    -H 'Authorization: {PUBLISHABLE_KEY}' -H 'Content-Type: application/json' \\
    -d '{{\"email\":\"ada@example.com\",\"password\":\"correct horse\",\"redirectURL\":\"{url}/_inbox/landing\"}}'

Ctrl-C stops.",
        data = options.data.display(),
    );
}

/// What processes elsewhere need in their environment; `local/watch` reads these lines.
fn offer(laptop: &Laptop) {
    let url = laptop.services.url();
    println!(
        "\
ready {url}

  inbox     {url}/_inbox
  functions expected at {public}

LATCHKEY_DEPLOYMENT={DEPLOYMENT}
AWS_REGION={region}
AWS_ACCESS_KEY_ID=local
AWS_SECRET_ACCESS_KEY=local
AWS_ENDPOINT_URL={url}
AWS_ENDPOINT_URL_DYNAMODB={dynamodb}

Ctrl-C stops.",
        public = laptop.url,
        region = laptop.environment.region,
        dynamodb = laptop.services.dynamodb_url(),
    );
}
