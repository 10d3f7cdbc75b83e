//! What is asked of a history, and what it answers.

use std::num::NonZeroU32;

use serde::Serialize;

use super::{Day, Days};
use crate::{
    clock::UnixMillis,
    sample::{Fingerprint, Sample, TraceId},
};

/// Which tallies to add up, and what to tell apart beside outcomes and reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TallyQuery {
    /// Of which days.
    pub days: Days,
    /// Of which tenant; `None` means all.
    pub tenant: Option<String>,
    /// What to tell apart.
    pub by: GroupBy,
}

/// Which receipts or versions to add up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HistoryQuery {
    /// Of which days.
    pub days: Days,
    /// Of which tenant; `None` means all.
    pub tenant: Option<String>,
}

/// What sums are told apart by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: a store has a statement for each"
)]
pub enum GroupBy {
    /// Days.
    Day,
    /// Tenants.
    Tenant,
    /// Event types.
    EventType,
}

/// One of what is told apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(
    clippy::exhaustive_enums,
    reason = "closed: as many as `GroupBy` has values"
)]
pub enum Group {
    /// A day.
    Day(Day),
    /// A tenant, as a label.
    Tenant(String),
    /// An event type, as a label.
    EventType(String),
}

/// How many events of a group had an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TallySum {
    /// Which group.
    pub group: Group,
    /// What became of them, as in metrics.
    pub outcome: String,
    /// The name of the reason if they were rejected, or else empty.
    pub reason: String,
    /// How many.
    pub events: u64,
}

/// Which samples to give.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SampleQuery {
    /// Of which days.
    pub days: Days,
    /// Of which tenant; `None` means all.
    pub tenant: Option<String>,
    /// How many at most.
    pub limit: NonZeroU32,
}

/// A sample as a history gives it back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct HistorySample {
    /// The day of which it is a sample.
    pub day: Day,
    /// The name of the reason, which this version may know no more.
    pub reason: String,
    /// Whose it was, as a label: possibly `__other__` or `__unknown__`.
    pub tenant: String,
    /// What it was, as a label: possibly `__other__` or `__unknown__`.
    pub event_type: String,
    /// It was the n-th event of its reason on that day that its process offered, from 1.
    pub ordinal: u64,
    /// When it was taken.
    pub taken_at: UnixMillis,
    /// The trace it belongs to.
    pub trace_id: Option<TraceId>,
    /// What was wrong, masked.
    pub detail: String,
    /// The beginning of the payload, masked.
    pub excerpt: String,
    /// Equal for samples that look the same.
    pub fingerprint: Fingerprint,
}

/// A tenant that was erased.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ErasedTenant {
    /// Its number: above those of all tenants that were erased before.
    pub number: u64,
    /// Its name.
    pub tenant: String,
}

/// The first days that are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// Of tallies, receipts and versions.
    pub tallies_from: Day,
    /// Of samples.
    pub samples_from: Day,
}

impl TallyQuery {
    /// Over all tenants.
    pub const fn new(days: Days, by: GroupBy) -> Self {
        Self {
            days,
            tenant: None,
            by,
        }
    }

    /// Of this tenant alone, or of all.
    #[must_use]
    pub fn tenant(self, tenant: Option<&str>) -> Self {
        let tenant = tenant.map(str::to_owned);
        Self { tenant, ..self }
    }
}

impl HistoryQuery {
    /// Of all tenants.
    pub const fn new(days: Days) -> Self {
        Self { days, tenant: None }
    }

    /// Of this tenant alone, or of all.
    #[must_use]
    pub fn tenant(self, tenant: Option<&str>) -> Self {
        let tenant = tenant.map(str::to_owned);
        Self { tenant, ..self }
    }

    /// Whether it asks for what a tenant has on a day.
    pub(super) fn asks_for(&self, day: Day, tenant: &str) -> bool {
        let of_tenant = self.tenant.as_deref();
        self.days.has(day) && of_tenant.is_none_or(|of| of == tenant)
    }
}

impl ErasedTenant {
    /// The tenant of this name, erased as the so-manieth.
    pub const fn new(number: u64, tenant: String) -> Self {
        Self { number, tenant }
    }
}

impl TallySum {
    /// So many events of a group.
    pub const fn new(group: Group, outcome: String, reason: String, events: u64) -> Self {
        Self {
            group,
            outcome,
            reason,
            events,
        }
    }
}

impl SampleQuery {
    /// Over all tenants.
    pub const fn new(days: Days, limit: NonZeroU32) -> Self {
        Self {
            days,
            tenant: None,
            limit,
        }
    }

    /// Of this tenant alone, or of all.
    #[must_use]
    pub fn tenant(self, tenant: Option<&str>) -> Self {
        let tenant = tenant.map(str::to_owned);
        Self { tenant, ..self }
    }
}

impl HistorySample {
    /// A sample of that day.
    pub fn new(day: Day, sample: Sample) -> Self {
        Self {
            day,
            reason: sample.reason.to_owned(),
            tenant: sample.tenant,
            event_type: sample.event_type,
            ordinal: sample.ordinal,
            taken_at: sample.taken_at,
            trace_id: sample.trace_id,
            detail: sample.detail,
            excerpt: sample.excerpt,
            fingerprint: sample.fingerprint,
        }
    }
}

impl Retention {
    /// Keeps so many days of tallies and of samples, today included.
    pub const fn of_days(today: Day, tallies: NonZeroU32, samples: NonZeroU32) -> Self {
        Self {
            tallies_from: today.before(tallies.get() - 1),
            samples_from: today.before(samples.get() - 1),
        }
    }
}
