//! `DynamoDB`: [`dynoxide`] on its own port.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dynoxide::Database;
use tokio::net::TcpListener;
use tokio::time::MissedTickBehavior;

use super::{Clock, ServicesError, Storage};

/// `DynamoDB` itself takes hours; a minute lets a person see it happen.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

pub(super) fn listen() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((TcpListener::from_std(listener)?, address))
}

pub(super) fn open(storage: &Storage, clock: Clock) -> Result<Database, ServicesError> {
    match storage {
        Storage::Memory => Database::memory_with_clock(Arc::new(ServicesClock(clock)))
            .map_err(|error| ServicesError::Memory(Box::new(error))),
        Storage::Directory(folder) => open_in(folder),
    }
}

fn open_in(folder: &Path) -> Result<Database, ServicesError> {
    std::fs::create_dir_all(folder).map_err(|source| ServicesError::Folder {
        folder: folder.to_owned(),
        source,
    })?;
    let unusable = |source| ServicesError::Database {
        folder: folder.to_owned(),
        source,
    };
    let file = folder.join("dynamodb.sqlite");
    let file = file
        .to_str()
        .ok_or_else(|| unusable("its name is not valid UTF-8".into()))?;
    Database::new(file).map_err(|error| unusable(Box::new(error)))
}

pub(super) async fn serve(
    listener: TcpListener,
    database: Database,
    stopping: impl Future<Output = ()> + Send + 'static,
) {
    // Accepting is retried inside, so serving ends only with `stopping`.
    let _ = dynoxide::server::serve_with_shutdown(listener, database, stopping).await;
}

/// Deletes expired items now and then, until `stopping` ends.
pub(super) async fn sweep(database: Database, stopping: impl Future<Output = ()>) {
    let sweeps = async {
        let mut ticks = tokio::time::interval(SWEEP_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first tick comes at once: nothing may compete with the start.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            let database = database.clone();
            // A failed sweep harms nobody: readers treat expired items as dead,
            // and the next sweep tries again.
            let _ = tokio::task::spawn_blocking(move || database.sweep_ttl()).await;
        }
    };
    tokio::select! {
        () = stopping => {}
        () = sweeps => {}
    }
}

/// The caller's clock, as dynoxide wants it.
struct ServicesClock(Clock);

impl dynoxide::storage_backend::Clock for ServicesClock {
    fn now_unix_secs(&self) -> u64 {
        // Before 1970 nothing has expired yet.
        u64::try_from((self.0)().as_second()).unwrap_or(0)
    }

    fn now_unix_secs_f64(&self) -> f64 {
        (self.0)().as_duration().as_secs_f64()
    }
}
