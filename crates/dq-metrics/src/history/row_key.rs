//! Keys of rows whose number is bounded for each hour or day.

use std::{collections::BTreeMap, ops::AddAssign};

use super::{Day, Hour, ReceiptKey, TallyKey, VersionCount, VersionKey};
use crate::{conservation::Conservation, labels::OTHER};

/// What rows are told apart by, and what becomes of a row when there are too many.
pub trait RowKey: Ord + Clone {
    /// The time in which rows are counted, for their bound.
    type Period: Ord + Copy;
    /// What is counted in a row, and adds up.
    type Value: AddAssign + Copy + Default;

    /// The time that the row belongs to.
    fn period(&self) -> Self::Period;

    /// Whose it is, as a label.
    fn tenant(&self) -> &str;

    /// The key that it shares with others once there are too many of a period, or whose tenant is erased.
    #[must_use]
    fn folded(&self) -> Self;
}

/// How many rows there are of each period.
pub fn rows_by_period<K: RowKey>(rows: &BTreeMap<K, K::Value>) -> BTreeMap<K::Period, u64> {
    let mut periods = BTreeMap::new();
    for key in rows.keys() {
        *periods.entry(key.period()).or_default() += 1;
    }
    periods
}

/// The rows, those that `is_meant` says under the key that they share.
pub fn folded_rows<K: RowKey>(
    rows: &BTreeMap<K, K::Value>,
    is_meant: impl Fn(&K) -> bool,
) -> BTreeMap<K, K::Value> {
    let mut folded = BTreeMap::<K, K::Value>::new();
    for (key, value) in rows {
        let key = if is_meant(key) {
            key.folded()
        } else {
            key.clone()
        };
        *folded.entry(key).or_default() += *value;
    }
    folded
}

impl RowKey for TallyKey {
    type Period = Hour;
    type Value = u64;

    fn period(&self) -> Hour {
        self.hour
    }

    fn tenant(&self) -> &str {
        &self.tenant
    }

    fn folded(&self) -> Self {
        Self {
            tenant: OTHER.to_owned(),
            event_type: OTHER.to_owned(),
            ..self.clone()
        }
    }
}

impl RowKey for ReceiptKey {
    type Period = Day;
    type Value = Conservation;

    fn period(&self) -> Day {
        self.day
    }

    fn tenant(&self) -> &str {
        &self.tenant
    }

    fn folded(&self) -> Self {
        Self::new(self.day, OTHER)
    }
}

impl RowKey for VersionKey {
    type Period = Day;
    type Value = VersionCount;

    fn period(&self) -> Day {
        self.day
    }

    fn tenant(&self) -> &str {
        &self.tenant
    }

    fn folded(&self) -> Self {
        Self::new(self.day, OTHER, OTHER, OTHER)
    }
}
