//! Where Prometheus asks the probe.

use std::net::SocketAddr;

use axum::{Router, extract::State, routing::get};
use http::HeaderMap;
use portcullis_ratelimit::address::TrustedProxies;
use portcullis_telemetry::Registry;
use tokio::sync::watch;

use super::error::ProbeError;
use crate::http::{
    listener::{Limits, Listener},
    routes::exposition,
};

/// Connections at once: more than one or two have nothing to ask here.
const CONNECTIONS: usize = 16;

/// The address, which is bound.
#[derive(Debug)]
pub(super) struct Page {
    listener: Listener,
    address: SocketAddr,
}

impl Page {
    pub(super) async fn bind(address: SocketAddr) -> Result<Self, ProbeError> {
        let limits = Limits {
            connections: CONNECTIONS,
            ..Limits::default()
        };
        let failed = |error: std::io::Error| ProbeError::Bind {
            address,
            kind: error.kind(),
        };
        let listener = Listener::bind(address, limits, TrustedProxies::none()).await;
        let listener = listener.map_err(failed)?;
        let address = listener.address().map_err(failed)?;
        Ok(Self { listener, address })
    }

    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves the metrics until it is dropped.
    pub(super) async fn serve(self, registry: Registry) {
        let scrape = async |State(registry): State<Registry>, headers: HeaderMap| {
            exposition(&registry, &headers)
        };
        let router = Router::new()
            .route("/metrics", get(scrape))
            .with_state(registry);
        let (_going_on, stop) = watch::channel(false);
        self.listener.serve(router, stop).await;
    }
}
