//! The addresses that the service listens on.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use portcullis_ratelimit::address::TrustedProxies;

use super::descriptors;
use crate::{
    config::Config,
    http::listener::{self, DescriptorReserve, Listener, OutOfDescriptors},
    observe::ConnectionMetrics,
};

/// Where the service can be reached.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Addresses {
    pub(crate) public: SocketAddr,
    pub(crate) admin: SocketAddr,
}

/// Both listeners, bound.
pub(super) struct Listeners {
    pub(super) public: Listener,
    pub(super) admin: Listener,
    pub(super) addresses: Addresses,
}

/// An address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {kind}")]
pub(crate) struct ListenError {
    address: SocketAddr,
    kind: std::io::ErrorKind,
}

impl Listeners {
    /// Binds the public listener, which waits where descriptors run out, and that of operators, which has
    /// some in reserve.
    pub(super) async fn bind(
        config: &Config,
        reserve: DescriptorReserve,
        metrics: Arc<ConnectionMetrics>,
    ) -> Result<Self, ListenError> {
        let network = &config.network;
        let limits = |connections: u16| listener::Limits {
            connections: connections.into(),
            keep_alive: network.keep_alive,
            ..listener::Limits::default()
        };
        let proxies = network.trusted_proxies.clone();
        let bounds = limits(network.max_connections.get());
        let public = bind(network.listen, bounds, proxies).await?;
        let public = public
            .with_reserve(OutOfDescriptors::Wait(reserve.clone()))
            .with_observer(Arc::clone(&metrics) as _);
        let bounds = limits(descriptors::ADMIN_CONNECTIONS);
        let admin = bind(network.admin_listen, bounds, TrustedProxies::none()).await?;
        let admin = admin
            .with_reserve(OutOfDescriptors::UseReserve(reserve))
            .with_observer(metrics);
        let addresses = Addresses {
            public: address(&public)?,
            admin: address(&admin)?,
        };
        Ok(Self {
            public,
            admin,
            addresses,
        })
    }
}

/// Whether the addresses are free, before a folder or a file is made. They are let go again, so that
/// nothing connects to a service that is not ready.
pub(crate) fn try_addresses(config: &Config) -> Result<(), ListenError> {
    let network = &config.network;
    let bind = |address| TcpListener::bind(address).map_err(|error| failed(address, &error));
    // Both at once: they may be one address.
    let _public = bind(network.listen)?;
    let _admin = bind(network.admin_listen)?;
    Ok(())
}

async fn bind(
    address: SocketAddr,
    limits: listener::Limits,
    proxies: TrustedProxies,
) -> Result<Listener, ListenError> {
    let listener = Listener::bind(address, limits, proxies).await;
    listener.map_err(|error| failed(address, &error))
}

fn address(listener: &Listener) -> Result<SocketAddr, ListenError> {
    let unspecified = SocketAddr::from(([0, 0, 0, 0], 0));
    listener
        .address()
        .map_err(|error| failed(unspecified, &error))
}

fn failed(address: SocketAddr, error: &std::io::Error) -> ListenError {
    ListenError {
        address,
        kind: error.kind(),
    }
}
