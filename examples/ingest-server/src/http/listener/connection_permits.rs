//! How many connections there are, and whose.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portcullis_ratelimit::address::ClientNetwork;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Permits for connections. One client network gets a quarter of them, so that it cannot shut all
/// others out.
#[derive(Debug)]
pub(super) struct ConnectionPermits {
    free: Arc<Semaphore>,
    share: usize,
    taken: Mutex<HashMap<ClientNetwork, usize>>,
}

/// A permit that a connection holds until it is dropped.
#[derive(Debug)]
pub(super) struct ConnectionPermit {
    // Given back after the share, so that who waits for it finds room in its share.
    _free: Option<OwnedSemaphorePermit>,
    share: Option<(Arc<ConnectionPermits>, ClientNetwork)>,
}

impl ConnectionPermits {
    pub(super) fn new(connections: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(connections)),
            share: (connections / 4).max(1),
            taken: Mutex::default(),
        }
    }

    /// Waits until there is a permit for anybody.
    pub(super) async fn free(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.free).acquire_owned().await.ok()
    }

    /// The free permit for a client of this network, unless the network has its share. A proxy,
    /// which is no network's, stands for many clients and is not bounded.
    pub(super) fn take(
        self: &Arc<Self>,
        free: Option<OwnedSemaphorePermit>,
        network: Option<ClientNetwork>,
    ) -> Option<ConnectionPermit> {
        if let Some(network) = network {
            let mut taken = self.taken();
            let count = taken.entry(network).or_default();
            if *count == self.share {
                return None;
            }
            *count += 1;
        }
        Some(ConnectionPermit {
            _free: free,
            share: network.map(|network| (Arc::clone(self), network)),
        })
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<ClientNetwork, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        let Some((permits, network)) = &self.share else {
            return;
        };
        let mut taken = permits.taken();
        if let Some(count) = taken.get_mut(network) {
            *count -= 1;
            if *count == 0 {
                taken.remove(network);
            }
        }
    }
}
