//! The next connection that is to be served.

use std::{fmt::Debug, net::IpAddr, sync::Arc, time::Duration};

use portcullis_ratelimit::address::{ClientNetwork, TrustedProxies};
use portcullis_telemetry::BackgroundTask;
use tokio::net::{TcpListener, TcpStream};

use super::{
    connection_permits::{ConnectionPermit, ConnectionPermits},
    descriptor_reserve::OutOfDescriptors,
};

/// Is told which connections were not served, or not to their end.
pub(crate) trait ConnectionObserver: Debug + Send + Sync {
    /// Called by the accept loop: it must not wait.
    fn observe(&self, event: ConnectionEvent);
}

/// What became of a connection that is not served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ConnectionEvent {
    /// Its client network has its share, and a request on each connection.
    Refused,
    /// It was idle and made room for another.
    MadeRoom,
    /// There was no file descriptor for it; it waits.
    NoDescriptor,
}

/// What the accept loop works with.
#[derive(Debug)]
pub(super) struct Acceptor {
    pub(super) listener: TcpListener,
    pub(super) permits: Arc<ConnectionPermits>,
    pub(super) proxies: Arc<TrustedProxies>,
    pub(super) out_of_descriptors: OutOfDescriptors,
    pub(super) observer: Option<Arc<dyn ConnectionObserver>>,
}

const TASK: BackgroundTask = BackgroundTask::new("accept");

/// How long to leave a system alone that has no file descriptor for another connection.
const PAUSE: Duration = Duration::from_millis(50);

impl Acceptor {
    /// The next connection, when there is a permit for it.
    pub(super) async fn accept(&self) -> (TcpStream, IpAddr, ConnectionPermit) {
        let mut has_told = false;
        loop {
            if !self.out_of_descriptors.may_accept() {
                self.observe(ConnectionEvent::NoDescriptor);
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let (stream, peer) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) if self.out_of_descriptors.make_room(&error) => continue,
                Err(error) => {
                    self.observe(ConnectionEvent::NoDescriptor);
                    if !has_told {
                        TASK.turn().in_scope(|| {
                            tracing::warn!(kind = %error.kind(), "no connection could be accepted");
                        });
                        has_told = true;
                    }
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            let peer = peer.ip().to_canonical();
            let network = (!self.proxies.trusts(peer)).then(|| ClientNetwork::from(peer));
            match self.permits.take(network).await {
                Ok(permit) => {
                    if permit.made_room {
                        self.observe(ConnectionEvent::MadeRoom);
                    }
                    return (stream, peer, permit);
                }
                Err(_) => {
                    self.observe(ConnectionEvent::Refused);
                    TASK.within(|| {
                        tracing::debug!("a client network has its share of the connections");
                    });
                }
            }
        }
    }

    fn observe(&self, event: ConnectionEvent) {
        if let Some(observer) = &self.observer {
            observer.observe(event);
        }
    }
}
