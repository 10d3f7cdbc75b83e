//! Long work is taken in turns, so that many large bodies of one tenant delay nobody else: one tenant
//! works on one of them at a time, and all together leave a processor to short work.

use std::{
    collections::hash_map::RandomState, hash::BuildHasher as _, num::NonZeroUsize, sync::Arc,
    thread::available_parallelism,
};

use portcullis_keyring::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Queues that tenants are spread over; those that meet in one take turns with each other.
const QUEUES: usize = 1 << u8::BITS;

/// Who waits to work, first come first served.
#[derive(Debug, Clone)]
pub(super) struct WorkQueues {
    queues: Arc<[Arc<Semaphore>]>,
    processors: Arc<Semaphore>,
    hasher: RandomState,
}

/// Leave to work until it is dropped.
#[derive(Debug)]
pub(super) struct WorkSlot {
    _processor: Option<OwnedSemaphorePermit>,
    _queue: Option<OwnedSemaphorePermit>,
}

impl WorkQueues {
    pub(super) fn new() -> Self {
        let processors = available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            queues: (0..QUEUES).map(|_| Arc::new(Semaphore::new(1))).collect(),
            processors: Arc::new(Semaphore::new((processors - 1).max(1))),
            hasher: RandomState::new(),
        }
    }

    /// Waits for the tenant's queue, then for a processor: a tenant waits for one in one place only,
    /// however many bodies it has sent.
    pub(super) async fn take(&self, tenant: &TenantId) -> WorkSlot {
        let [at, ..] = self.hasher.hash_one(tenant).to_ne_bytes();
        let queue = Arc::clone(&self.queues[usize::from(at)]).acquire_owned();
        // Neither is ever closed.
        let queue = queue.await.ok();
        WorkSlot {
            _processor: Arc::clone(&self.processors).acquire_owned().await.ok(),
            _queue: queue,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn a_tenant_with_many_bodies_is_one_before_another_with_one() {
        let work = WorkQueues {
            processors: Arc::new(Semaphore::new(1)),
            ..WorkQueues::new()
        };
        let [many, one] = ["many", "one"].map(|name| TenantId::new(name).unwrap());
        let working = work.take(&many).await;
        let mut next: Vec<_> = (0..100).map(|_| Box::pin(work.take(&many))).collect();
        for waiting in &mut next {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        let mut other = Box::pin(work.take(&one));
        assert!(other.as_mut().now_or_never().is_none());
        drop(working);
        for waiting in &mut next {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        assert!(other.now_or_never().is_some());
    }
}
