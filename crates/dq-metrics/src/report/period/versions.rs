//! Which schema versions were used, from the sums of a history.

use std::collections::BTreeMap;

use super::PeriodVersions;
use crate::{
    history::VersionSum,
    labels::UNKNOWN,
    plan::Lifecycle,
    report::{VersionReport, deprecated_share},
};

/// By event type, and in each by version.
pub(super) fn versions(sums: &[VersionSum]) -> Vec<PeriodVersions> {
    let mut by_type = BTreeMap::<&str, Vec<&VersionSum>>::new();
    for sum in sums {
        by_type.entry(&sum.event_type).or_default().push(sum);
    }
    let by_type = by_type.into_iter();
    let reports = by_type.map(|(event_type, sums)| {
        let stated = sums.iter().filter(|sum| sum.version != UNKNOWN);
        let counts = stated.map(|sum| (sum.count.events, sum.lifecycle));
        PeriodVersions {
            event_type: event_type.to_owned(),
            deprecated_share: deprecated_share(counts),
            versions: merged(&sums),
        }
    });
    reports.collect()
}

/// Whether a version should still have been sent, in a word.
pub(super) fn lifecycle(version: &VersionReport) -> &'static str {
    version.lifecycle.map_or("unplanned", Lifecycle::as_str)
}

/// A version that was planned differently in the course of the days is one.
fn merged(sums: &[&VersionSum]) -> Vec<VersionReport> {
    let mut versions = BTreeMap::<&str, VersionReport>::new();
    for sum in sums {
        let version = versions
            .entry(&sum.version)
            .or_insert_with(|| VersionReport {
                version: sum.version.clone(),
                lifecycle: sum.lifecycle,
                events: 0,
                last_seen: sum.count.last_seen,
            });
        version.events += sum.count.events;
        if sum.count.last_seen >= version.last_seen {
            version.last_seen = sum.count.last_seen;
            version.lifecycle = sum.lifecycle;
        }
    }
    versions.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{clock::UnixMillis, history::VersionCount};

    fn sum(version: &str, lifecycle: Option<Lifecycle>, events: u64, seen: u64) -> VersionSum {
        let count = VersionCount::new(events, UnixMillis::new(seen));
        VersionSum::new("lead".to_owned(), version.to_owned(), lifecycle, count)
    }

    #[test]
    fn a_version_counts_as_deprecated_from_when_it_was() {
        let (current, deprecated) = (Some(Lifecycle::Current), Some(Lifecycle::Deprecated));
        let sums = [
            sum("1", current, 60, 10),
            sum("1", deprecated, 20, 90),
            sum("2", current, 15, 95),
            sum("9", None, 5, 50),
            sum(UNKNOWN, None, 900, 99),
        ];
        let reports = versions(&sums);
        assert_eq!(reports.len(), 1);
        assert_eq!(reports[0].deprecated_share, Some(0.2));
        let seen: Vec<_> = reports[0]
            .versions
            .iter()
            .map(|of| (&*of.version, of.lifecycle, of.events, of.last_seen.value()))
            .collect();
        let expected = [
            ("1", deprecated, 80, 90),
            ("2", current, 15, 95),
            ("9", None, 5, 50),
            (UNKNOWN, None, 900, 99),
        ];
        assert_eq!(seen, expected);
        assert_eq!(versions(&[]), []);
    }
}
