//! The one that publishes: a checkpoint each minute in which something was appended, when somebody asks for one, and at
//! the end; and gives it to the anchors.

use std::{
    sync::{
        Arc,
        atomic::{
            AtomicBool, AtomicU64,
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
    opening::{Compared, Identity},
    shared::{Phase, Published},
};
use crate::{
    anchor::{Anchor, AnchorError},
    checkpoint::Checkpoint,
    note::{SignedNote, SigningKey},
    observer,
    store::{Store, StoreError},
    tree::RightEdge,
};

/// How often a checkpoint is published.
const INTERVAL: Duration = Duration::from_secs(60);

/// How long there is none after another.
const SHORTEST: Duration = Duration::from_secs(1);

/// How long an anchor may take.
const ANCHOR_WAIT: Duration = Duration::from_secs(10);

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

/// An anchor, and whether it was asked what it knows.
#[derive(Debug)]
pub(super) struct Anchored {
    pub(super) anchor: Arc<dyn Anchor>,
    pub(super) is_compared: AtomicBool,
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

    /// Publishes until the log is closed, and what was written last. No anchor is waited for with the next checkpoint.
    pub(super) async fn run(&self) {
        let (given, wanted) = watch::channel(None);
        tokio::join!(self.publish_all(given), self.anchor_all(wanted));
    }

    async fn publish_all(&self, given: watch::Sender<Option<Published>>) {
        while self.shared.phase() == Phase::Open {
            tokio::select! {
                () = sleep(INTERVAL) => {}
                () = self.shared.wanted.notified() => {}
            }
            self.publish(&given).await;
            if self.shared.phase() == Phase::Open {
                sleep(SHORTEST).await;
            }
        }
    }

    /// Gives the latest checkpoint to the anchors, until there will be no other.
    async fn anchor_all(&self, mut wanted: watch::Receiver<Option<Published>>) {
        while wanted.changed().await.is_ok() {
            let latest = wanted.borrow_and_update().clone();
            if let Some(Published { size, note }) = latest {
                self.anchor(&note, size).await;
            }
        }
    }

    /// Publishes what was written last.
    pub(super) async fn publish_last(&self) {
        let (given, wanted) = watch::channel(None);
        self.publish(&given).await;
        let latest = wanted.borrow().clone();
        if let Some(Published { size, note }) = latest {
            self.anchor(&note, size).await;
        }
    }

    /// Publishes the log as it is, if there is anything new, by whichever process.
    async fn publish(&self, given: &watch::Sender<Option<Published>>) {
        if let Err(error) = self.look_at_others().await {
            self.tell_store_failed(&error);
        }
        let edge = self.shared.tree.borrow().clone();
        let published = published_size(&self.shared);
        let is_published = published >= edge.size();
        if is_published && published <= self.anchored.load(Acquire) {
            return;
        }
        if self.shared.phase() != Phase::RolledBack {
            // Those that take longer are compared before anything is given to them.
            let _ = timeout(COMPARE_WAIT, self.compare_anchors()).await;
        }
        if self.shared.phase() == Phase::RolledBack {
            return;
        }
        if !is_published && let Err(error) = self.sign_and_publish(&edge).await {
            self.is_overtaken_or_failed(edge.size(), &error).await;
            return;
        }
        let latest = self.shared.published.borrow().clone();
        self.anchored.store(published_size(&self.shared), Release);
        given.send_replace(latest);
    }

    /// What other processes have published and appended.
    async fn look_at_others(&self) -> Result<(), StoreError> {
        self.take_over_published().await?;
        if self.store.size().await? > self.shared.tree.borrow().size() {
            let taken = self.store.lock(&[]).await?;
            self.shared.has_grown(taken.state().edge());
        }
        Ok(())
    }

    /// The checkpoint in the store, if another process has published it.
    async fn take_over_published(&self) -> Result<(), StoreError> {
        let Some(note) = self.store.checkpoint().await? else {
            return Ok(());
        };
        let checkpoint = self.identity.verify(&note).map_err(StoreError::damaged)?;
        let size = checkpoint.size();
        if size > published_size(&self.shared) {
            let published = Published { size, note };
            self.shared.published.send_replace(Some(published));
        }
        Ok(())
    }

    /// Of two that publish at once, the one with the larger tree wins, and has what the other has.
    async fn is_overtaken_or_failed(&self, size: u64, error: &StoreError) {
        let is_overtaken = matches!(error, StoreError::OtherTree)
            && self.take_over_published().await.is_ok()
            && published_size(&self.shared) > size;
        if !is_overtaken {
            self.tell_store_failed(error);
        }
    }

    async fn compare_anchors(&self) {
        for anchored in &self.anchors {
            self.compare(anchored).await;
        }
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

    /// Gives the checkpoint to every anchor, and publishes it again with what they sign, unless there is a later one.
    async fn anchor(&self, note: &SignedNote, size: u64) {
        let mut cosigned = note.clone();
        for anchored in &self.anchors {
            // What another knows is not to be overwritten before it was compared.
            if !self.compare(anchored).await {
                continue;
            }
            let anchor = &*anchored.anchor;
            match in_time(anchor.keep(note)).await {
                Ok(signatures) => {
                    let signed = signatures
                        .into_iter()
                        .try_fold(cosigned.clone(), |note, signature| {
                            note.with_signature(signature)
                        });
                    cosigned = signed.unwrap_or(cosigned);
                    let anchor = anchor.name();
                    self.shared.tell(observer::Event::Anchored { anchor, size });
                }
                Err(error) => {
                    self.tell_failed(anchor, &error);
                    // It may know what the log does not have: it is asked before the next checkpoint.
                    anchored.is_compared.store(false, Release);
                }
            }
        }
        if cosigned.signatures().len() == note.signatures().len() {
            return;
        }
        let _place = self.place.lock().await;
        if published_size(&self.shared) != size {
            return;
        }
        match self.store.publish(&cosigned).await {
            Ok(()) => self.is_published(size, &cosigned),
            Err(error) => self.is_overtaken_or_failed(size, &error).await,
        }
    }

    /// Asks an anchor that did not answer yet what it knows. Gives whether that is nothing more than the log has.
    async fn compare(&self, anchored: &Anchored) -> bool {
        if anchored.is_compared.load(Acquire) {
            return true;
        }
        let anchor = &*anchored.anchor;
        let known = match in_time(anchor.latest()).await {
            Ok(known) => known,
            Err(error) => {
                self.tell_failed(anchor, &error);
                return false;
            }
        };
        let found = match &known {
            None => Ok(Compared::NothingMore),
            Some(known) => self.identity.compare(&*self.store, anchor, known).await,
        };
        match found {
            Ok(Compared::NothingMore) => {
                anchored.is_compared.store(true, Release);
                return true;
            }
            // Two may have asked at once.
            Ok(Compared::Contradicted(_)) if self.shared.phase() == Phase::RolledBack => {}
            Ok(Compared::Contradicted(found)) => {
                self.shared.end(Phase::RolledBack);
                self.shared.tell(observer::Event::RolledBack {
                    found: &found.into(),
                });
            }
            Ok(Compared::UnknownKey(unknown)) => {
                self.tell_failed(anchor, &AnchorError::new(unknown));
            }
            Err(error) => self.tell_store_failed(&error),
        }
        false
    }

    fn tell_store_failed(&self, error: &StoreError) {
        self.shared.tell(observer::Event::StoreFailed { error });
    }

    fn tell_failed(&self, anchor: &dyn Anchor, error: &AnchorError) {
        let anchor = anchor.name();
        self.shared
            .tell(observer::Event::AnchorFailed { anchor, error });
    }
}

fn published_size(shared: &Shared) -> u64 {
    let published = shared.published.borrow();
    published.as_ref().map_or(0, |last| last.size)
}

/// What an anchor says, if it says it soon.
pub(super) async fn in_time<T>(
    asked: impl Future<Output = Result<T, AnchorError>>,
) -> Result<T, AnchorError> {
    match timeout(ANCHOR_WAIT, asked).await {
        Ok(answer) => answer,
        Err(late) => Err(AnchorError::new(late)),
    }
}
