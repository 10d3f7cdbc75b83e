//! The accept loop: connections bounded in number, in what they send and in how long they take.

mod client_address;
mod connection;
mod connection_permits;
mod exchange;
mod framing;
mod gate;
mod idle;
mod last_answer;
mod write_progress;

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::Router;
use portcullis_ratelimit::address::{ClientNetwork, TrustedProxies};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use self::{
    client_address::Client,
    connection_permits::{ConnectionPermit, ConnectionPermits},
    idle::Idle,
};

/// Bounds of one listener.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Connections at once; more wait in the system's queue. One client network gets a quarter of
    /// them, and its further ones are closed.
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
}

/// How long to leave a system alone that has no file descriptor for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

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
        })
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
        } = self;
        let proxies = Arc::new(proxies);
        let permits = Arc::new(ConnectionPermits::new(limits.connections));
        let mut connections = JoinSet::new();
        let stop = shutdown.clone();
        loop {
            tokio::select! {
                _ = shutdown.wait_for(|stop| *stop) => break,
                (stream, peer, permit) = accept(&listener, &permits, &proxies) => {
                    let client = Client::new(peer, Arc::clone(&proxies));
                    // The connection's handle: since when it is idle, and a way to end it.
                    let idle = Idle::new();
                    let served = connection::serve(
                        stream, client, router.clone(), limits, stop.clone(), idle,
                    );
                    connections.spawn(async move {
                        served.await;
                        drop(permit);
                    });
                }
                Some(_) = connections.join_next() => {}
            }
        }
        drop(listener);
        let drained = async { while connections.join_next().await.is_some() {} };
        if tokio::time::timeout(limits.drain, drained).await.is_err() {
            tracing::warn!("connections were cut off at the end of the drain time");
            connections.shutdown().await;
        }
    }
}

/// The next connection, when there is a permit for it.
async fn accept(
    listener: &TcpListener,
    permits: &Arc<ConnectionPermits>,
    proxies: &TrustedProxies,
) -> (TcpStream, IpAddr, ConnectionPermit) {
    loop {
        let free = permits.free().await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                let peer = peer.ip().to_canonical();
                let network = (!proxies.trusts(peer)).then(|| ClientNetwork::from(peer));
                if let Some(permit) = permits.take(free, network) {
                    return (stream, peer, permit);
                }
                tracing::debug!("a client network has its share of the connections");
            }
            Err(error) => {
                tracing::warn!(kind = %error.kind(), "no connection could be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
