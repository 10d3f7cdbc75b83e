//! How a log is opened.

use std::{future::Future, sync::Arc, time::Duration};

use super::{
    Audit, CLOSE_WAIT, Generation, OpenError, RolledBack, Shared, at_once,
    closing::Working,
    ids::Ids,
    left_behind::{LeftBehind, crashed},
    opening::{Compared, Identity},
    own_events,
    publisher::{Anchored, Publisher, in_time},
    trusted_time::TrustedTime,
    writer::Writer,
};
use crate::{
    anchor::{Anchor, AnchorError},
    clock::{Clock, SystemClock, timestamp},
    entropy::{Entropy, SystemEntropy},
    event::Id,
    note::{KeyName, SigningKey, VerifyingKey},
    observer::{self, NoObserver, Observer},
    sealer::Sealer,
    store::Store,
};

/// What a log is opened with.
#[derive(Debug)]
#[must_use = "a log is opened by `open`"]
pub struct AuditBuilder {
    store: Arc<dyn Store>,
    origin: KeyName,
    node: Id,
    generation: Generation,
    keys: Vec<SigningKey>,
    old_keys: Vec<VerifyingKey>,
    sealer: Option<Arc<dyn Sealer>>,
    anchors: Vec<Arc<dyn Anchor>>,
    observer: Arc<dyn Observer>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    close_wait: Duration,
}

impl AuditBuilder {
    pub(super) fn new(store: Arc<dyn Store>, origin: KeyName, node: Id) -> Self {
        Self {
            store,
            origin,
            node,
            generation: Generation::FIRST,
            keys: Vec::new(),
            old_keys: Vec::new(),
            sealer: None,
            anchors: Vec::new(),
            observer: Arc::new(NoObserver),
            clock: Arc::new(SystemClock::new()),
            entropy: Arc::new(SystemEntropy::new()),
            close_wait: CLOSE_WAIT,
        }
    }

    /// Which of the logs of the origin it is; the first by default. Its keys keep the name of the origin, and sign under
    /// that of the log.
    pub fn generation(mut self, generation: Generation) -> Self {
        self.generation = generation;
        self
    }

    /// A key that signs checkpoints; two while one replaces the other. One must have the name of the origin.
    pub fn key(mut self, key: SigningKey) -> Self {
        self.keys.push(key);
        self
    }

    /// A key that has signed checkpoints, and signs no more: those that are published or anchored may be by it.
    pub fn old_key(mut self, key: VerifyingKey) -> Self {
        self.old_keys.push(key);
        self
    }

    /// Who seals personal parts. Without one they are not kept, and their events are.
    pub fn sealer(mut self, sealer: Arc<dyn Sealer>) -> Self {
        self.sealer = Some(sealer);
        self
    }

    /// Somebody who keeps checkpoints, and is asked for the latest when the log is opened.
    pub fn anchor(mut self, anchor: Arc<dyn Anchor>) -> Self {
        self.anchors.push(anchor);
        self
    }

    /// Who is told what happens; nobody by default.
    pub fn observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observer = observer;
        self
    }

    /// The clocks; those of the system by default.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// The source of random bytes; that of the system by default.
    pub fn entropy(mut self, entropy: Arc<dyn Entropy>) -> Self {
        self.entropy = entropy;
        self
    }

    /// The longest that the log takes to be closed, from [`Audit::close`] on; [`CLOSE_WAIT`] by default. It is for a
    /// process that has less time for its end. Stores and anchors are given up a second before it, or a quarter of it
    /// before if that is less.
    pub fn close_wait(mut self, longest: Duration) -> Self {
        self.close_wait = longest;
        self
    }

    /// Opens the log. The future is what writes it: it is to be polled from then on, and ends when the log is
    /// [closed](Audit::close) and everything in it, or as much later as it may take ([`close_wait`](Self::close_wait)).
    ///
    /// An anchor that cannot be asked is asked again before the next checkpoint; should it know what the log does not
    /// have, nothing is recorded from then on. Until it was compared, nothing is given to it, so that what it knows stays
    /// there; so it is where a key has signed that left the configuration, and what it signed is no more than the log has.
    ///
    /// # Errors
    /// [`OpenError`], as [`RolledBack`](super::RolledBack) if an anchor knows what the log does not have, and as
    /// [`Unverifiable`](super::Unverifiable) if it keeps more than that by a key that was not given.
    pub async fn open(self) -> Result<(Audit, impl Future<Output = ()> + use<>), OpenError> {
        let identity = self.identity()?;
        let edge = self.store.lock(&[]).await?.state().edge().clone();
        let published = identity.published(&*self.store).await?;
        let mut anchors = Vec::new();
        let asked = self.anchors.iter().map(|anchor| in_time(anchor.latest()));
        let asked = at_once::all(asked).await;
        for (anchor, asked) in self.anchors.into_iter().zip(asked) {
            let failed = match asked {
                Ok(None) => None,
                Ok(Some(known)) => match identity.compare(&*self.store, &*anchor, &known).await? {
                    Compared::NothingMore(_) => None,
                    Compared::Contradicted(found) => return Err(RolledBack::from(found).into()),
                    Compared::UnknownKey(unknown) => Some(AnchorError::new(unknown)),
                    Compared::Unverifiable(found) => return Err(found.into()),
                },
                Err(error) => Some(error),
            };
            if let Some(error) = &failed {
                let anchor = anchor.name();
                self.observer
                    .observe(&observer::Event::AnchorFailed { anchor, error });
            }
            let is_compared = failed.is_none().into();
            anchors.push(Anchored {
                anchor,
                is_compared,
            });
        }
        let is_empty = edge.size() == 0;
        let (unended, begun) = crashed(&*self.store, &self.node, timestamp(&*self.clock)).await?;
        let time = TrustedTime::of(&*self.store, &*self.clock).await?;
        let shared = Arc::new(Shared::new(
            Ids::new(self.entropy),
            self.node,
            self.clock,
            time,
            self.observer,
            edge,
            published,
        ));
        let accepted = self.generation.accepted().filter(|_| is_empty);
        let first =
            accepted.map(|found| own_events::rollback_accepted(&shared, &self.origin, found));
        let writer = Writer::new(
            Arc::clone(&shared),
            Arc::clone(&self.store),
            self.sealer.clone(),
            first.transpose()?,
            &unended,
        )?;
        let keys = self.keys.into_iter().map(|key| {
            if *key.verifying_key().name() == self.origin {
                key.with_name(identity.origin.clone())
            } else {
                key
            }
        });
        let keys = keys.collect();
        let publisher = Publisher::new(
            Arc::clone(&shared),
            Arc::clone(&self.store),
            identity,
            keys,
            anchors,
        );
        let left_behind = LeftBehind::new(Arc::clone(&shared), Arc::clone(&self.store), begun);
        let working = Working {
            writer,
            publisher,
            left_behind,
        };
        let writing = working.drive(Arc::clone(&shared), self.close_wait);
        let audit = Audit {
            shared,
            store: self.store,
            sealer: self.sealer,
        };
        Ok((audit, writing))
    }
}

impl AuditBuilder {
    /// The log that is opened, by what its checkpoints are verified with.
    pub(super) fn identity(&self) -> Result<Identity, OpenError> {
        let is_of_origin = |key: &SigningKey| *key.verifying_key().name() == self.origin;
        if !self.keys.iter().any(is_of_origin) {
            return Err(OpenError::NoKey);
        }
        let keys = self.keys.iter().map(SigningKey::verifying_key);
        let keys = keys.chain(&self.old_keys).cloned().collect();
        let number = self.generation.number();
        Ok(Identity::new(self.origin.clone(), keys, number)?)
    }

    /// Reads what [`open`](Self::open) reads of the last entries.
    pub(super) async fn look_for_damage(&self) -> Result<(), crate::store::StoreError> {
        let now = timestamp(&*self.clock);
        crashed(&*self.store, &self.node, now).await.map(drop)
    }

    pub(super) const fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    pub(super) fn anchors(&self) -> &[Arc<dyn Anchor>] {
        &self.anchors
    }
}
