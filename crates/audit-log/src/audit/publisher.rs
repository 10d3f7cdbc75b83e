//! The one that publishes: a checkpoint each minute in which something was appended, when somebody asks for one, and at
//! the end; and gives it to the anchors.

use std::{sync::Arc, time::Duration};

use tokio::time::{sleep, timeout};

use super::{
    Shared,
    opening::Identity,
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

#[derive(Debug)]
pub(super) struct Publisher {
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    identity: Identity,
    keys: Vec<SigningKey>,
    anchors: Vec<Anchored>,
    /// The size of the last checkpoint that the anchors were given, or that was there at the start.
    anchored: u64,
}

/// An anchor, and whether it was asked what it knows.
#[derive(Debug)]
pub(super) struct Anchored {
    pub(super) anchor: Arc<dyn Anchor>,
    pub(super) is_compared: bool,
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
            anchored,
        }
    }

    /// Publishes until the log is closed; [`publish`](Self::publish) is then to be called once more.
    pub(super) async fn run(&mut self) {
        while self.shared.phase() == Phase::Open {
            tokio::select! {
                () = sleep(INTERVAL) => {}
                () = self.shared.wanted.notified() => {}
            }
            self.publish().await;
            if self.shared.phase() == Phase::Open {
                sleep(SHORTEST).await;
            }
        }
    }

    /// Publishes the log as it is, if there is anything new, by whichever process.
    pub(super) async fn publish(&mut self) {
        if let Err(error) = self.look_at_others().await {
            self.tell_store_failed(&error);
        }
        let edge = self.shared.tree.borrow().clone();
        let published = published_size(&self.shared);
        let is_published = published >= edge.size();
        if is_published && published <= self.anchored {
            return;
        }
        if self.shared.phase() != Phase::RolledBack {
            self.compare_anchors().await;
        }
        if self.shared.phase() == Phase::RolledBack {
            return;
        }
        if is_published {
            let last = self.shared.published.borrow().clone();
            if let Some(Published { size, note }) = last {
                self.anchor(&note, size).await;
            }
            return;
        }
        match self.sign_and_publish(&edge).await {
            Ok(note) => self.anchor(&note, edge.size()).await,
            Err(error) => self.is_overtaken_or_failed(edge.size(), &error).await,
        }
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

    async fn sign_and_publish(&self, edge: &RightEdge) -> Result<SignedNote, StoreError> {
        let checkpoint = Checkpoint::new(self.identity.origin.clone(), edge.size(), edge.root());
        let note = checkpoint.sign(&self.keys).map_err(StoreError::damaged)?;
        self.store.publish(&note).await?;
        self.is_published(edge.size(), &note);
        Ok(note)
    }

    fn is_published(&self, size: u64, note: &SignedNote) {
        let note = note.clone();
        self.shared
            .published
            .send_replace(Some(Published { size, note }));
        self.shared.tell(observer::Event::Published { size });
    }

    /// Gives the checkpoint to every anchor, and publishes it again with what they sign.
    async fn anchor(&mut self, note: &SignedNote, size: u64) {
        self.anchored = size;
        let mut cosigned = note.clone();
        for Anchored { anchor, .. } in &self.anchors {
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
                Err(error) => self.tell_failed(&**anchor, &error),
            }
        }
        if cosigned.signatures().len() > note.signatures().len() {
            match self.store.publish(&cosigned).await {
                Ok(()) => self.is_published(size, &cosigned),
                Err(error) => self.is_overtaken_or_failed(size, &error).await,
            }
        }
    }

    /// Asks those anchors that did not answer at the start.
    async fn compare_anchors(&mut self) {
        for anchored in &mut self.anchors {
            if anchored.is_compared {
                continue;
            }
            let anchor = &*anchored.anchor;
            let known = match in_time(anchor.latest()).await {
                Ok(known) => known,
                Err(error) => {
                    let anchor = anchor.name();
                    let error = &error;
                    self.shared
                        .tell(observer::Event::AnchorFailed { anchor, error });
                    continue;
                }
            };
            let found = match &known {
                None => Ok(None),
                Some(known) => self.identity.compare(&*self.store, anchor, known).await,
            };
            match found {
                Ok(None) => anchored.is_compared = true,
                Ok(Some(found)) => {
                    self.shared
                        .tell(observer::Event::RolledBack { found: &found });
                    self.shared.end(Phase::RolledBack);
                }
                Err(error) => self
                    .shared
                    .tell(observer::Event::StoreFailed { error: &error }),
            }
        }
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
