//! What a load brings back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::refresh::RefreshDue;
use crate::{
    fence::Epoch,
    observer::DenialReason,
    pepper::PepperVersion,
    store::{KeyRecord, RecordVersion},
    verifier::SecretCheck,
};

/// A record whose row was found to be genuine.
pub(crate) struct Entry {
    pub(crate) record: KeyRecord,
    /// The pepper that the key is hashed under.
    pub(super) pepper: PepperVersion,
    pub(super) secret: SecretCheck,
    pub(super) freshness: Freshness,
    pub(super) refresh: RefreshDue,
    used: AtomicBool,
}

impl Entry {
    pub(super) fn new(
        record: KeyRecord,
        pepper: PepperVersion,
        secret: SecretCheck,
        freshness: Freshness,
        refresh: RefreshDue,
    ) -> Self {
        Self {
            record,
            pepper,
            secret,
            freshness,
            refresh,
            used: AtomicBool::new(false),
        }
    }

    /// Whether this is the first time that a request is accepted by this entry.
    pub(super) fn is_first_use(&self) -> bool {
        // The plain read keeps the many uses after the first from contending for a write.
        !self.used.load(Ordering::Relaxed) && !self.used.swap(true, Ordering::Relaxed)
    }
}

/// How long something that was loaded may be used.
#[derive(Clone, Copy, Debug)]
pub(super) struct Freshness {
    pub(super) epoch: Epoch,
    pub(super) until: Duration,
}

impl Freshness {
    pub(super) fn holds(self, epoch: Epoch, now: Duration) -> bool {
        self.epoch == epoch && now < self.until
    }
}

/// The outcome of a load.
#[derive(Clone)]
pub(super) enum Loaded {
    /// A genuine, active record.
    Key(Arc<Entry>),
    /// No record that a request could be accepted by.
    Negative(NegativeEntry),
}

impl Loaded {
    pub(super) fn version(&self) -> RecordVersion {
        match self {
            Self::Key(entry) => entry.record.version,
            Self::Negative(entry) => entry.version,
        }
    }
}

/// That a kid has no good record, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct NegativeEntry {
    pub(super) reason: DenialReason,
    pub(super) version: RecordVersion,
    pub(super) freshness: Freshness,
}
