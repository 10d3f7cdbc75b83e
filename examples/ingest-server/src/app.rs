//! Assembles the service from its crates, runs it, and takes it down in order.
//!
//! The way of a request, from the outside in: [`Listener`] (connections, time limits) →
//! [`routes`] (security headers, panics, requests in flight) → the handler → the stages of
//! [`crate::pipeline`] → [`Writer`] (group commit) → [`Store`].

use std::{net::SocketAddr, sync::Arc};

use portcullis_apikey_cache::ApiKeyCache;
use portcullis_telemetry::Detectors;
use tokio::{sync::watch, task::JoinHandle};

use crate::{
    clock::SystemClock,
    config::Config,
    listener::{Limits, Listener},
    routes::{self, AdminState, Guards},
    schemas::{SchemaError, Schemas},
    services::Services,
    store::{SqliteStore, Store, Writer, WriterLimits},
    vault::{Vault, VaultError},
};

/// Requests that are worked on at once, on the public and on the admin listener.
const PUBLIC_IN_FLIGHT: usize = 512;
const ADMIN_IN_FLIGHT: usize = 32;

/// Where the service can be reached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) public: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// The service could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(transparent)]
    Vault(#[from] VaultError),
    #[error("the schemas cannot be used")]
    Schemas(#[from] SchemaError),
    #[error("cannot listen on {address}: {kind}")]
    Listen {
        address: SocketAddr,
        kind: std::io::ErrorKind,
    },
}

/// A service whose addresses are bound and whose background work runs.
#[derive(Debug)]
pub(crate) struct App {
    services: Arc<Services>,
    admin: AdminState,
    store: SqliteStore,
    public_listener: Listener,
    admin_listener: Listener,
    addresses: Addresses,
    writing: JoinHandle<()>,
    following: JoinHandle<()>,
}

impl App {
    /// Checks and opens everything, and binds the addresses last.
    pub(crate) async fn start(config: &Arc<Config>) -> Result<Self, StartError> {
        let schemas = Schemas::load(config.schema_dir.as_deref())?;
        let Vault {
            store,
            keyring,
            index_roots,
            keys,
        } = Vault::open(config).await?;
        let public_listener = bind(config.network.listen).await?;
        let admin_listener = bind(config.network.admin_listen).await?;
        let addresses = Addresses {
            public: address(&public_listener)?,
            admin: address(&admin_listener)?,
        };

        let shared_store: Arc<dyn Store> = Arc::new(store.clone());
        let (writer, write_groups) =
            Writer::new(Arc::clone(&shared_store), WriterLimits::default());
        let writing = tokio::spawn(write_groups);
        let following = tokio::spawn(keys.follow());
        let services = Arc::new(Services {
            clock: Arc::new(SystemClock),
            keys,
            keyring,
            index_roots,
            detectors: Detectors::new(),
            schemas,
            store: shared_store,
            writer,
        });
        let admin = AdminState::new(Arc::clone(&services), Arc::clone(config));
        Ok(Self {
            services,
            admin,
            store,
            public_listener,
            admin_listener,
            addresses,
            writing,
            following,
        })
    }

    pub(crate) const fn addresses(&self) -> Addresses {
        self.addresses
    }

    pub(crate) fn keys(&self) -> &ApiKeyCache {
        &self.services.keys
    }

    /// Serves until `stop` resolves. Then: nothing new is accepted, requests in flight are
    /// answered, what is queued is written, and the database is closed.
    pub(crate) async fn run(self, stop: impl Future<Output = ()>) {
        let (stop_public, public_stopped) = watch::channel(false);
        let (stop_admin, admin_stopped) = watch::channel(false);
        let public = routes::public(Arc::clone(&self.services), Guards::new(PUBLIC_IN_FLIGHT));
        let admin = routes::admin(self.admin.clone(), Guards::new(ADMIN_IN_FLIGHT));
        let public = tokio::spawn(self.public_listener.serve(public, public_stopped));
        let admin = tokio::spawn(self.admin_listener.serve(admin, admin_stopped));

        stop.await;
        tracing::info!("stopping: requests in flight are answered first");
        self.admin.drain();
        stop_public.send_replace(true);
        log_panic(public.await, "the public listener");
        stop_admin.send_replace(true);
        log_panic(admin.await, "the admin listener");

        self.following.abort();
        // The writing task ends when nobody can queue any more.
        drop((self.services, self.admin));
        log_panic(self.writing.await, "the writer");
        self.store.close().await;
        tracing::info!("stopped");
    }
}

async fn bind(address: SocketAddr) -> Result<Listener, StartError> {
    Listener::bind(address, Limits::default())
        .await
        .map_err(|error| listen(address, &error))
}

fn address(listener: &Listener) -> Result<SocketAddr, StartError> {
    let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
    listener
        .address()
        .map_err(|error| listen(unspecified, &error))
}

fn listen(address: SocketAddr, error: &std::io::Error) -> StartError {
    StartError::Listen {
        address,
        kind: error.kind(),
    }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>, what: &'static str) {
    if ended.is_err() {
        tracing::error!(what, "a task of the service panicked");
    }
}
