//! Checkpoints are given to the anchors, to each for itself, once it is known that it has no more than the log.

use std::{
    sync::{
        Arc,
        atomic::{
            AtomicBool,
            Ordering::{Acquire, Release},
        },
    },
    time::Duration,
};

use tokio::{sync::watch, time::timeout};

use super::Publisher;
use crate::{
    anchor::{Anchor, AnchorError},
    audit::{
        RolledBack, at_once,
        opening::{Compared, Known},
        shared::{Phase, Published},
    },
    note::{NoteSignature, SignedNote},
    observer,
};

/// How long an anchor may take.
const ANCHOR_WAIT: Duration = Duration::from_secs(10);

/// An anchor, and whether it was asked what it knows.
#[derive(Debug)]
pub(in crate::audit) struct Anchored {
    pub(in crate::audit) anchor: Arc<dyn Anchor>,
    pub(in crate::audit) is_compared: AtomicBool,
}

/// What an anchor said when it was asked what it knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// No more than the log has.
    Knows(Known),
    /// Nothing, or what the log does not have: that is told.
    Unusable,
}

impl Publisher {
    /// Gives the latest checkpoint to each anchor, until there will be no other. None waits for another.
    pub(super) async fn anchor_all(&self, wanted: watch::Receiver<Option<Published>>) {
        let giving = |anchored| self.give_all(anchored, wanted.clone());
        at_once::all(self.anchors.iter().map(giving)).await;
    }

    async fn give_all(&self, anchored: &Anchored, mut wanted: watch::Receiver<Option<Published>>) {
        while wanted.changed().await.is_ok() {
            let latest = wanted.borrow_and_update().clone();
            if let Some(Published { size, note }) = latest {
                let signatures = self.give(anchored, &note, size).await;
                self.add(signatures, size).await;
            }
        }
    }

    pub(super) async fn compare_anchors(&self) {
        at_once::all(self.anchors.iter().map(|anchored| self.compare(anchored))).await;
    }

    /// Publishes the checkpoint again with what an anchor has signed, unless there is a later one.
    async fn add(&self, signatures: Vec<NoteSignature>, size: u64) {
        if signatures.is_empty() {
            return;
        }
        let _place = self.place.lock().await;
        let published = self.shared.published.borrow().clone();
        let Some(Published { note, .. }) = published.filter(|last| last.size == size) else {
            return;
        };
        let cosigned = signatures
            .into_iter()
            .try_fold(note, |note, signature| note.with_signature(signature));
        let Ok(cosigned) = cosigned else {
            return;
        };
        match self.stored(self.store.publish(&cosigned)).await {
            Ok(()) => self.is_published(size, &cosigned),
            Err(error) => self.is_overtaken_or_failed(size, &error).await,
        }
    }

    /// Gives the checkpoint to one, and what it signs.
    async fn give(&self, anchored: &Anchored, note: &SignedNote, size: u64) -> Vec<NoteSignature> {
        // What another knows is not to be overwritten before it was compared.
        if !self.compare(anchored).await {
            return Vec::new();
        }
        let anchor = &*anchored.anchor;
        let error = match self.answer_of(anchor.keep(note)).await {
            Ok(signatures) => {
                self.tell_anchored(anchor, size);
                return signatures;
            }
            Err(error) => error,
        };
        // It may know what the log does not have: it is asked before the next checkpoint.
        anchored.is_compared.store(false, Release);
        if error.is_later() {
            // Of several processes another was there before, or what is there is no word of the log.
            match self.asked(anchored).await {
                Asked::Unusable => {}
                Asked::Knows(Known::Tree(known)) if known >= size => {
                    self.tell_anchored(anchor, size);
                }
                Asked::Knows(_) => self.tell_failed(anchor, &error),
            }
        } else {
            self.tell_failed(anchor, &error);
        }
        Vec::new()
    }

    /// Asks an anchor that did not answer yet what it knows. Gives whether that is nothing more than the log has.
    async fn compare(&self, anchored: &Anchored) -> bool {
        anchored.is_compared.load(Acquire) || self.asked(anchored).await != Asked::Unusable
    }

    /// Asks an anchor how much of the log it knows.
    async fn asked(&self, anchored: &Anchored) -> Asked {
        let anchor = &*anchored.anchor;
        let known = match self.answer_of(anchor.latest()).await {
            Ok(known) => known,
            Err(error) => {
                self.tell_failed(anchor, &error);
                return Asked::Unusable;
            }
        };
        let found = match &known {
            None => Ok(Compared::NothingMore(Known::Nothing)),
            Some(known) => {
                let comparing = self.identity.compare(&*self.store, anchor, known);
                self.stored(comparing).await
            }
        };
        match found {
            Ok(Compared::NothingMore(known)) => {
                anchored.is_compared.store(true, Release);
                return Asked::Knows(known);
            }
            Ok(Compared::Contradicted(found)) => self.is_rolled_back(&found.into()),
            Ok(Compared::Unverifiable(found)) => self.is_rolled_back(&found.into()),
            Ok(Compared::UnknownKey(unknown)) => {
                self.tell_failed(anchor, &AnchorError::new(unknown));
            }
            Err(error) => self.tell_store_failed(&error),
        }
        Asked::Unusable
    }

    /// Lets nobody record any more. Two may have asked at once.
    fn is_rolled_back(&self, found: &RolledBack) {
        if self.shared.phase() != Phase::RolledBack {
            self.shared.end(Phase::RolledBack);
            self.shared.tell(observer::Event::RolledBack { found });
        }
    }

    /// What an anchor says, if it says it soon, and before a log that is being closed has no time left.
    async fn answer_of<T>(
        &self,
        asked: impl Future<Output = Result<T, AnchorError>>,
    ) -> Result<T, AnchorError> {
        let answer = self.shared.in_time(in_time(asked)).await;
        answer.unwrap_or_else(|late| Err(AnchorError::new(late)))
    }

    fn tell_anchored(&self, anchor: &dyn Anchor, size: u64) {
        let anchor = anchor.name();
        self.shared.tell(observer::Event::Anchored { anchor, size });
    }

    fn tell_failed(&self, anchor: &dyn Anchor, error: &AnchorError) {
        let anchor = anchor.name();
        self.shared
            .tell(observer::Event::AnchorFailed { anchor, error });
    }
}

/// What an anchor says, if it says it soon.
pub(in crate::audit) async fn in_time<T>(
    asked: impl Future<Output = Result<T, AnchorError>>,
) -> Result<T, AnchorError> {
    match timeout(ANCHOR_WAIT, asked).await {
        Ok(answer) => answer,
        Err(late) => Err(AnchorError::new(late)),
    }
}
