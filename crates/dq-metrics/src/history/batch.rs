//! What is added to a history at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use super::{Day, Hour, ReceiptKey, RowKey, VersionCount, VersionKey, folded_rows};
use crate::{
    conservation::Conservation,
    sample::{Sample, SampleSlot},
};

/// Tallies, receipts, versions and samples that are added together, or not at all.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct HistoryBatch {
    /// Who writes it.
    pub writer: WriterId,
    /// Its number: above those of all batches that this writer wrote before.
    pub sequence: u64,
    /// Events to add, by what they have in common; none is 0.
    pub tallies: BTreeMap<TallyKey, u64>,
    /// What was received, and what is accounted for, to add.
    pub receipts: BTreeMap<ReceiptKey, Conservation>,
    /// Uses of schema versions to add.
    pub versions: BTreeMap<VersionKey, VersionCount>,
    /// Samples to put, replace or clear.
    pub samples: Vec<SampleChange>,
}

/// Who writes: a process, from its start to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WriterId([u8; 16]);

/// What events have in common that are counted in one row.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct TallyKey {
    /// When they were counted.
    pub hour: Hour,
    /// Whose they were, as a label: possibly `__other__` or `__unknown__`.
    pub tenant: String,
    /// What they were, as a label: possibly `__other__` or `__unknown__`.
    pub event_type: String,
    /// What became of them, as in metrics.
    pub outcome: String,
    /// The name of the reason if they were rejected, or else empty.
    pub reason: String,
}

/// What is to stand in one slot of a day from now on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SampleChange {
    /// The day of which it is a sample.
    pub day: Day,
    /// Where it stands.
    pub slot: SampleSlot,
    /// The sample, its ordinal among the events of its reason and day; `None` if there is none any more.
    pub sample: Option<Sample>,
}

impl HistoryBatch {
    /// An empty batch with this number.
    pub const fn new(writer: WriterId, sequence: u64) -> Self {
        Self {
            writer,
            sequence,
            tallies: BTreeMap::new(),
            receipts: BTreeMap::new(),
            versions: BTreeMap::new(),
            samples: Vec::new(),
        }
    }

    /// The batch as it is added where some tenants are erased: what it has of them is added to what all others
    /// share, and their samples clear their slots.
    #[must_use]
    pub fn without_tenants(&self, is_erased: impl Fn(&str) -> bool) -> Self {
        let samples = self.samples.iter().map(|change| {
            let is_kept = |sample: &&Sample| !is_erased(&sample.tenant);
            let sample = change.sample.as_ref().filter(is_kept).cloned();
            SampleChange::new(change.day, change.slot, sample)
        });
        Self {
            tallies: folded_rows(&self.tallies, |key| is_erased(key.tenant())),
            receipts: folded_rows(&self.receipts, |key| is_erased(key.tenant())),
            versions: folded_rows(&self.versions, |key| is_erased(key.tenant())),
            samples: samples.collect(),
            ..Self::new(self.writer, self.sequence)
        }
    }

    /// The tenants that it has something of, each once.
    pub fn tenants(&self) -> BTreeSet<&str> {
        let samples = self.samples.iter();
        let samples = samples.filter_map(|change| Some(&*change.sample.as_ref()?.tenant));
        let tallies = self.tallies.keys().map(RowKey::tenant);
        let receipts = self.receipts.keys().map(RowKey::tenant);
        let versions = self.versions.keys().map(RowKey::tenant);
        let rows = tallies.chain(receipts).chain(versions);
        rows.chain(samples).collect()
    }
}

impl WriterId {
    /// An id that no other writer has: 16 random bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

impl TallyKey {
    /// Events of this outcome, for no reason.
    pub fn new(hour: Hour, tenant: &str, event_type: &str, outcome: &str) -> Self {
        Self {
            hour,
            tenant: tenant.to_owned(),
            event_type: event_type.to_owned(),
            outcome: outcome.to_owned(),
            reason: String::new(),
        }
    }

    /// For the reason of this name.
    #[must_use]
    pub fn reason(self, reason: &str) -> Self {
        let reason = reason.to_owned();
        Self { reason, ..self }
    }
}

impl SampleChange {
    /// What is to stand in a slot of that day.
    pub const fn new(day: Day, slot: SampleSlot, sample: Option<Sample>) -> Self {
        Self { day, slot, sample }
    }
}

impl fmt::Debug for TallyKey {
    /// In one line: a batch has hundreds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            hour,
            tenant,
            event_type,
            outcome,
            reason,
        } = self;
        let hour = hour.value();
        write!(f, "{hour} {tenant} {event_type} {outcome} {reason}")
    }
}
