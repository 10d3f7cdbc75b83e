//! Which schema versions were used on a day.

use std::ops::AddAssign;

use super::Day;
use crate::{clock::UnixMillis, plan::Lifecycle};

/// What is counted in one row: the events of a day that stated one version of their schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub struct VersionKey {
    /// When they were counted.
    pub day: Day,
    /// Whose they were, as a label: possibly `__other__` or `__unknown__`.
    pub tenant: String,
    /// What they were, as a label: possibly `__other__` or `__unknown__`.
    pub event_type: String,
    /// The version, possibly `__other__`, or `__unknown__` of events that stated none.
    pub version: String,
    /// Whether it should still have been sent then; `None` if it was not planned.
    pub lifecycle: Option<Lifecycle>,
}

/// How often a version was used, and when last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VersionCount {
    /// Events that used it.
    pub events: u64,
    /// When the last one came.
    pub last_seen: UnixMillis,
}

/// How often one version of an event type was used in the days that were asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VersionSum {
    /// Of which event type.
    pub event_type: String,
    /// The version.
    pub version: String,
    /// Whether it should still have been sent then; `None` if it was not planned.
    pub lifecycle: Option<Lifecycle>,
    /// How often, and when last.
    pub count: VersionCount,
}

impl VersionKey {
    /// Events of this version, which was in no plan.
    pub fn new(day: Day, tenant: &str, event_type: &str, version: &str) -> Self {
        Self {
            day,
            tenant: tenant.to_owned(),
            event_type: event_type.to_owned(),
            version: version.to_owned(),
            lifecycle: None,
        }
    }

    /// Of a version that was planned like that.
    #[must_use]
    pub fn lifecycle(self, lifecycle: Option<Lifecycle>) -> Self {
        Self { lifecycle, ..self }
    }
}

impl VersionCount {
    /// So many events, the last of them then.
    pub const fn new(events: u64, last_seen: UnixMillis) -> Self {
        Self { events, last_seen }
    }
}

impl VersionSum {
    /// How often a version was used.
    pub const fn new(
        event_type: String,
        version: String,
        lifecycle: Option<Lifecycle>,
        count: VersionCount,
    ) -> Self {
        Self {
            event_type,
            version,
            lifecycle,
            count,
        }
    }
}

impl Default for VersionCount {
    fn default() -> Self {
        Self::new(0, UnixMillis::new(0))
    }
}

impl AddAssign for VersionCount {
    fn add_assign(&mut self, more: Self) {
        self.events += more.events;
        self.last_seen = self.last_seen.max(more.last_seen);
    }
}
