//! The accept loop: connections bounded in number, in what they send and in how long they take.

mod accept;
mod client_address;
mod connection;
mod connection_permits;
mod descriptor_reserve;
mod exchange;
mod framing;
mod gate;
mod idle;
mod last_answer;
mod open_connections;
mod write_progress;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use portcullis_ratelimit::address::TrustedProxies;
use portcullis_telemetry::BackgroundTask;
use tokio::{net::TcpListener, sync::watch, task::JoinSet};

use self::{accept::Acceptor, client_address::Client, connection_permits::ConnectionPermits};

pub(crate) use self::{
    accept::{ConnectionEvent, ConnectionObserver},
    descriptor_reserve::{DescriptorReserve, OutOfDescriptors},
};

/// Bounds of one listener.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections at once, of which one client network gets a quarter. The one that has been idle
    /// longest makes room for another; without any, the network's further ones are closed, and
    /// others wait in the system's queue.
    pub(crate) connections: usize,
    /// How long a request's head may take to arrive, from its first byte.
    pub(crate) head_timeout: Duration,
    /// How long a connection may be idle.
    pub(crate) keep_alive: Duration,
    /// The most bytes of a request's head.
    pub(crate) head_bytes: usize,
    /// How long a peer may take to read anything of what is sent to it.
    pub(crate) write_timeout: Duration,
    /// How long requests may go on after the shutdown began.
    pub(crate) drain: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            head_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(75),
            head_bytes: 16 << 10,
            write_timeout: Duration::from_secs(30),
            drain: Duration::from_secs(6),
        }
    }
}

/// An address that is bound and not yet served.
#[derive(Debug)]
pub(crate) struct Listener {
    listener: TcpListener,
    limits: Limits,
    proxies: TrustedProxies,
    out_of_descriptors: OutOfDescriptors,
    observer: Option<Arc<dyn ConnectionObserver>>,
}

impl Listener {
    pub(crate) async fn bind(
        address: SocketAddr,
        limits: Limits,
        proxies: TrustedProxies,
    ) -> std::io::Result<Self> {
        Ok(Self {
            listener: TcpListener::bind(address).await?,
            limits,
            proxies,
            out_of_descriptors: OutOfDescriptors::Wait(DescriptorReserve::new(0)),
            observer: None,
        })
    }

    /// What it does without a file descriptor for another connection.
    pub(crate) fn with_reserve(self, out_of_descriptors: OutOfDescriptors) -> Self {
        Self {
            out_of_descriptors,
            ..self
        }
    }

    /// Tells which connections are not served.
    pub(crate) fn with_observer(self, observer: Arc<dyn ConnectionObserver>) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// The address, with the port the system chose where 0 was asked for.
    pub(crate) fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` becomes true, then lets requests in flight end.
    pub(crate) async fn serve(self, router: Router, mut shutdown: watch::Receiver<bool>) {
        let Self {
            listener,
            limits,
            proxies,
            out_of_descriptors,
            observer,
        } = self;
        let proxies = Arc::new(proxies);
        let acceptor = Acceptor {
            listener,
            permits: Arc::new(ConnectionPermits::new(limits.connections)),
            proxies: Arc::clone(&proxies),
            out_of_descriptors: out_of_descriptors.clone(),
            observer,
        };
        let mut connections = JoinSet::new();
        let stop = shutdown.clone();
        // Not begun again when a connection ends: one that was accepted may wait for its permit.
        let mut next = Box::pin(acceptor.accept());
        loop {
            tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => break,
                (stream, peer, permit) = &mut next => {
                    next.set(acceptor.accept());
                    let client = Client::new(peer, Arc::clone(&proxies));
                    let idle = permit.idle().clone();
                    let (router, stop) = (router.clone(), stop.clone());
                    let out_of_descriptors = out_of_descriptors.clone();
                    connections.spawn(async move {
                        connection::serve(stream, client, router, limits, stop, idle).await;
                        out_of_descriptors.restore();
                        drop(permit);
                    });
                }
                Some(_) = connections.join_next() => {}
            }
        }
        drop(next);
        drop(acceptor);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(limits.drain, drained).await.is_err() {
            BackgroundTask::new("drain").within(|| {
                tracing::warn!("connections were cut off at the end of the drain time");
            });
            connections.shutdown().await;
        }
    }
}

#[cfg(test)]
mod tests;
