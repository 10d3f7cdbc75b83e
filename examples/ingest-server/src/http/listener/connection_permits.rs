//! How many connections there are, and whose.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_ratelimit::address::ClientNetwork;
use tokio::sync::Notify;

use super::{
    idle::Idle,
    open_connections::{Among, OpenConnections},
};
use crate::shares::{Exceeded, Share, Shares};

/// Permits for connections, of which one client network gets a quarter. A new connection takes the
/// permit of the one that has waited longest for a request: of its own network if that has its
/// share, of all if everything is taken.
#[derive(Debug)]
pub(super) struct ConnectionPermits {
    shares: Shares<ClientNetwork>,
    open: Mutex<OpenConnections>,
    released: Notify,
}

/// A permit that a connection holds until it is dropped, unless another takes it.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    permits: Arc<ConnectionPermits>,
    id: u64,
    idle: Idle,
    /// Whether an idle connection was ended for it.
    pub(super) made_room: bool,
}

/// A client network has its share of the connections, and a request on each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NetworkRefused;

/// From one look for an idle connection to the next, while every permit is taken.
const LOOK_EVERY: Duration = Duration::from_millis(20);

impl ConnectionPermits {
    pub(super) fn new(connections: usize) -> Self {
        Self {
            shares: Shares::new(connections),
            open: Mutex::default(),
            released: Notify::new(),
        }
    }

    /// A permit for a client of this network. A proxy, which is no network's, stands for many
    /// clients and is bounded by the total alone. Waits while everything is taken and none is idle.
    pub(super) async fn take(
        self: &Arc<Self>,
        network: Option<ClientNetwork>,
    ) -> Result<ConnectionPermit, NetworkRefused> {
        let mut made_room = false;
        loop {
            match self.shares.take(network, 1) {
                Ok(share) => return Ok(self.open(network, share, made_room)),
                Err(Exceeded::Own) => {
                    let own = Among::Network(network);
                    self.end_idle(own).ok_or(NetworkRefused)?;
                    made_room = true;
                }
                Err(Exceeded::Total) if self.end_idle(Among::All).is_some() => made_room = true,
                Err(Exceeded::Total) => {
                    // Either of them is followed by another look.
                    let _ = tokio::time::timeout(LOOK_EVERY, self.released.notified()).await;
                }
            }
        }
    }

    fn open(
        self: &Arc<Self>,
        network: Option<ClientNetwork>,
        share: Share<ClientNetwork>,
        made_room: bool,
    ) -> ConnectionPermit {
        let idle = Idle::new();
        let id = self.lock().add(network, idle.clone(), share);
        ConnectionPermit {
            permits: Arc::clone(self),
            id,
            idle,
            made_room,
        }
    }

    /// Ends the connection that has waited longest for a request, and takes its permit.
    fn end_idle(&self, among: Among) -> Option<()> {
        let ended = self.lock().remove_longest(among)?;
        ended.close();
        Some(())
    }

    fn lock(&self) -> MutexGuard<'_, OpenConnections> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ConnectionPermit {
    /// The connection's handle: since when it is idle, and a way to end it.
    pub(super) const fn idle(&self) -> &Idle {
        &self.idle
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        // Given back before others are told.
        drop(self.permits.lock().remove(self.id));
        self.permits.released.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use futures_util::FutureExt as _;

    use super::*;

    fn network(last: u8) -> Option<ClientNetwork> {
        Some(IpAddr::from(Ipv4Addr::new(192, 0, 2, last)).into())
    }

    fn is_told(permit: &ConnectionPermit) -> bool {
        permit.idle().closing().now_or_never().is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn a_network_that_has_its_share_loses_its_own_oldest_idle_connection() {
        let permits = Arc::new(ConnectionPermits::new(8));
        let other = permits.take(network(2)).await.unwrap();
        let mut own = Vec::new();
        for _ in 0..2 {
            tokio::time::advance(Duration::from_secs(1)).await;
            own.push(permits.take(network(1)).await.unwrap());
        }
        let _first = own[0].idle().serve();
        let third = permits.take(network(1)).await.unwrap();
        assert_eq!(
            [&own[0], &own[1], &other].map(is_told),
            [false, true, false]
        );
        let _third = third.idle().serve();
        assert_eq!(permits.take(network(1)).await.unwrap_err(), NetworkRefused);
        // The one that was ended gives back nothing that is not its own any more.
        drop(own.remove(1));
        assert_eq!(permits.take(network(1)).await.unwrap_err(), NetworkRefused);
        assert_eq!(permits.shares.taken(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn when_everything_is_taken_the_oldest_idle_connection_of_all_makes_room() {
        let permits = Arc::new(ConnectionPermits::new(4));
        let mut open = Vec::new();
        for last in 1..=4 {
            tokio::time::advance(Duration::from_secs(1)).await;
            open.push(permits.take(network(last)).await.unwrap());
        }
        let _first = open[0].idle().serve();
        let fifth = permits.take(network(5)).await.unwrap();
        assert!(is_told(&open[1]) && !is_told(&open[0]) && !is_told(&open[2]));
        let all = open.iter().chain([&fifth]);
        let _all: Vec<_> = all.map(|permit| permit.idle().serve()).collect();
        let mut waiting = Box::pin(permits.take(network(6)));
        assert!(waiting.as_mut().now_or_never().is_none());
        drop(fifth);
        waiting.await.unwrap();
    }
}
