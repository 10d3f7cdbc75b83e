//! The one that publishes: a checkpoint each minute in which something was appended, when somebody asks for one, and at
//! the end; and gives it to the anchors.

mod anchoring;
mod sharing;

use std::{
    sync::{
        Arc,
        atomic::{
            AtomicU64,
            Ordering::{Acquire, Release},
        },
    },
    time::Duration,
};

use tokio::{
    sync::{Mutex, watch},
    time::{sleep, timeout},
};

use super::{
    Shared,
    opening::Identity,
    shared::{Phase, Published},
};
use crate::{
    checkpoint::Checkpoint,
    note::{SignedNote, SigningKey},
    observer,
    store::{Store, StoreError},
    tree::RightEdge,
};

pub(super) use self::anchoring::{Anchored, in_time};

/// How often a checkpoint is published.
const INTERVAL: Duration = Duration::from_secs(60);

/// How long there is none after another.
const SHORTEST: Duration = Duration::from_secs(1);

/// How long a checkpoint waits for anchors that did not answer yet: who wants one waits for 2 s.
const COMPARE_WAIT: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct Publisher {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    identity: Identity,
    keys: Vec<SigningKey>,
    anchors: Vec<Anchored>,
    /// Held while something is put in the place of the published checkpoint.
    place: Mutex<()>,
    /// The size of the last checkpoint that is to be given to the anchors, or that was there at the start.
    anchored: AtomicU64,
}

impl Publisher {
    pub(super) fn new(
        shared: Arc<Shared>,
        store: Arc<dyn Store>,
        identity: Identity,
        keys: Vec<SigningKey>,
        anchors: Vec<Anchored>,
    ) -> Self {
        let anchored = published_size(&shared);
        Self {
            shared,
            store,
            identity,
            keys,
            anchors,
            place: Mutex::const_new(()),
            anchored: AtomicU64::new(anchored),
        }
    }

    /// Publishes until all that is written is, and gives it to the anchors. No anchor is waited for with the next
    /// checkpoint.
    pub(super) async fn run(&self, writing: impl Future<Output = ()>) {
        let (given, wanted) = watch::channel(None);
        let publishing = async move {
            tokio::join!(writing, self.publish_all(&given));
            // What was written last.
            self.publish(&given).await;
        };
        tokio::join!(publishing, self.anchor_all(wanted));
    }

    async fn publish_all(&self, given: &watch::Sender<Option<Published>>) {
        while self.shared.phase() == Phase::Open {
            tokio::select! {
                () = sleep(INTERVAL) => {}
                () = self.shared.wanted.notified() => {}
            }
            self.publish(given).await;
            if self.shared.phase() == Phase::Open {
                sleep(SHORTEST).await;
            }
        }
    }

    /// Publishes the log as it is, if there is anything new, by whichever process.
    async fn publish(&self, given: &watch::Sender<Option<Published>>) {
        if let Err(error) = self.stored(self.look_at_others()).await {
            self.tell_store_failed(&error);
        }
        let edge = self.shared.tree.borrow().clone();
        let published = published_size(&self.shared);
        let is_published = published >= edge.size();
        if is_published && published <= self.anchored.load(Acquire) {
            return;
        }
        // With no time left, it is told already which anchor does not answer.
        if self.shared.phase() != Phase::RolledBack && !self.shared.is_late() {
            // Those that take longer are compared before anything is given to them.
            let _ = timeout(COMPARE_WAIT, self.compare_anchors()).await;
        }
        if self.shared.phase() == Phase::RolledBack {
            return;
        }
        if !is_published && let Err(error) = self.stored(self.sign_and_publish(&edge)).await {
            self.is_overtaken_or_failed(edge.size(), &error).await;
            return;
        }
        let latest = self.shared.published.borrow().clone();
        self.anchored.store(published_size(&self.shared), Release);
        given.send_replace(latest);
    }

    async fn sign_and_publish(&self, edge: &RightEdge) -> Result<(), StoreError> {
        let checkpoint = Checkpoint::new(self.identity.origin.clone(), edge.size(), edge.root());
        let note = checkpoint.sign(&self.keys).map_err(StoreError::damaged)?;
        let _place = self.place.lock().await;
        self.store.publish(&note).await?;
        self.is_published(edge.size(), &note);
        Ok(())
    }

    fn is_published(&self, size: u64, note: &SignedNote) {
        let note = note.clone();
        self.shared
            .published
            .send_replace(Some(Published { size, note }));
        self.shared.tell(observer::Event::Published { size });
    }

    /// What the store says, unless the log is closed before.
    async fn stored<T>(
        &self,
        asked: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let answer = self.shared.in_time(asked).await;
        answer.unwrap_or_else(|late| Err(StoreError::unavailable(late)))
    }

    fn tell_store_failed(&self, error: &StoreError) {
        self.shared.tell(observer::Event::StoreFailed { error });
    }
}

fn published_size(shared: &Shared) -> u64 {
    let published = shared.published.borrow();
    published.as_ref().map_or(0, |last| last.size)
}
