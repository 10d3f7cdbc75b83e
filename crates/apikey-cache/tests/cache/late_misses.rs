//! A request that misses while another one's load ends.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use portcullis_apikey_cache::{
    observer::{Event, Observer},
    store::MemoryKeyStore,
};

use crate::support::{Node, eventually, request};

/// Holds the first request that misses, until it is let go.
#[derive(Debug)]
struct HoldsFirstMiss {
    has_missed: AtomicBool,
    is_let_go: AtomicBool,
}

impl Observer for HoldsFirstMiss {
    fn observe(&self, event: &Event) {
        if matches!(event, Event::Miss) && !self.has_missed.swap(true, Ordering::SeqCst) {
            while !self.is_let_go.load(Ordering::SeqCst) {
                thread::yield_now();
            }
        }
    }
}

/// A request misses, another one loads the record, and only then does the first go on.
async fn a_load_ends_after_a_miss(revoke: bool) {
    let held = Arc::new(HoldsFirstMiss {
        has_missed: AtomicBool::new(false),
        is_let_go: AtomicBool::new(false),
    });
    let mut node = Node::on(Arc::new(MemoryKeyStore::new()), |builder| {
        builder.observer(Arc::clone(&held) as _)
    });
    node.follow();
    let issued = node.issue().await;
    if revoke {
        node.cache.revoke(issued.kid()).await.unwrap();
    }
    let first = request(&node, issued.key());
    eventually(|| held.has_missed.load(Ordering::SeqCst)).await;
    assert_eq!(node.accepts(issued.key()).await, !revoke);
    held.is_let_go.store(true, Ordering::SeqCst);
    assert_eq!(first.await.unwrap(), !revoke);
    assert_eq!(node.store.loads(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_miss_uses_what_another_load_has_brought_since() {
    a_load_ends_after_a_miss(false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_miss_uses_what_another_load_has_refused_since() {
    a_load_ends_after_a_miss(true).await;
}
