//! Loads records again before their time is over, so that a key in use is not missed.

mod due;

use std::{
    fmt,
    sync::{Arc, Weak},
};

use futures_util::{StreamExt, stream};
use tokio::sync::{Mutex, mpsc};

use super::{Shared, entry::Loaded};
use crate::{
    kid::Kid,
    observer::{Event, Refresh},
};

pub(super) use self::due::RefreshDue;

/// Kids that wait to be loaded again, at most. One that finds no room asks again at a later hit, or is missed
/// once when its time is over.
const QUEUED: usize = 1_024;
/// Loads at once. A few: they share the store's permits with requests that wait for an answer.
const AT_ONCE: usize = 4;

/// Kids whose records are to be loaded again.
pub(super) struct Refreshes {
    queue: mpsc::Sender<Kid>,
    /// Of several followers one refreshes.
    queued: Arc<Mutex<mpsc::Receiver<Kid>>>,
}

impl Refreshes {
    /// Never waits.
    pub(super) fn request(&self, kid: &Kid) {
        // A full queue loses nothing: see `QUEUED`.
        let _ = self.queue.try_send(*kid);
    }

    /// Loads what is requested, until the last handle to the cache is gone.
    pub(super) fn run(&self, shared: Weak<Shared>) -> impl Future<Output = ()> + Send + 'static {
        let queued = Arc::clone(&self.queued);
        async move {
            let mut queued = queued.lock_owned().await;
            let kids = stream::poll_fn(|context| queued.poll_recv(context));
            let refreshed = kids.for_each_concurrent(AT_ONCE, |kid| {
                let shared = shared.upgrade();
                async move {
                    if let Some(shared) = shared {
                        shared.refresh(&kid).await;
                    }
                }
            });
            refreshed.await;
        }
    }
}

impl Default for Refreshes {
    fn default() -> Self {
        let (queue, queued) = mpsc::channel(QUEUED);
        Self {
            queue,
            queued: Arc::new(Mutex::new(queued)),
        }
    }
}

impl fmt::Debug for Refreshes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refreshes").finish_non_exhaustive()
    }
}

impl Shared {
    /// By the same way as a miss: one load at a time for a kid, and nothing kept that the fence refuses. Until
    /// it ends, what is cached is used; if it fails, that ends when it would have ended.
    async fn refresh(self: &Arc<Self>, kid: &Kid) {
        let outcome = match self.load_again(kid).await {
            Ok(Loaded::Key(_)) => Refresh::Renewed,
            Ok(Loaded::Negative(_)) => Refresh::Withdrawn,
            Err(_) => Refresh::Failed,
        };
        self.emit(&Event::Refreshed(outcome));
    }
}
