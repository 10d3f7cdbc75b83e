//! The report, and its score.

use super::{FindingTotals, Integrity, Period, Share, Tally};

/// What happened in a period.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// The period.
    pub period: Period,
    /// How many events there were.
    pub events: u64,
    /// The number of the first and the last of them in the log.
    pub entries: Option<(u64, u64)>,
    /// How many different actors there were.
    pub actors: u64,
    /// Whether there were more of them than could be told apart.
    pub more_actors: bool,
    /// Events by action.
    pub by_action: Tally,
    /// Events by field that was shown or changed.
    pub by_field: Tally,
    /// Events by outcome.
    pub by_outcome: Tally,
    /// Resources that were read, as the events count them.
    pub resources_read: u64,
    /// Findings by rule, and what became of them.
    pub findings: FindingTotals,
    /// Events that are missing, since there was no room for them, by action.
    pub dropped: Tally,
    /// How far the log was checked.
    pub integrity: Integrity,
    /// What the score is made from.
    pub checks: Checks,
}

/// Five shares, of which the score is the weighted mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checks {
    /// Weight 3: reads that showed fields and gave a reason, of all that showed fields.
    pub reasoned_reads: Share,
    /// Weight 3: events that are in the log, of all that there should be.
    pub not_dropped: Share,
    /// Weight 2: days on which the log was found sound.
    pub verified_days: Share,
    /// Weight 2: findings closed in 7 days.
    pub findings_closed: Share,
    /// Weight 1: checkpoints that were anchored in time.
    pub anchored: Share,
}

impl Checks {
    /// Each by its name, with its weight.
    #[must_use]
    pub const fn weighted(&self) -> [(&'static str, u32, Share); 5] {
        [
            ("reasoned reads", 3, self.reasoned_reads),
            ("not dropped", 3, self.not_dropped),
            ("verified days", 2, self.verified_days),
            ("findings closed in 7 days", 2, self.findings_closed),
            ("anchored in time", 1, self.anchored),
        ]
    }
}

impl Report {
    /// From 0 to 100: 100 · Σ w·pass / Σ w·n, where `pass` is the share of a check, and `n` is 1, or 0 if there was
    /// nothing to check. `None` without events.
    #[must_use]
    pub fn score(&self) -> Option<f64> {
        if self.events == 0 {
            return None;
        }
        let ratios = self.checks.weighted();
        let ratios = ratios
            .iter()
            .filter_map(|(_, weight, share)| Some((f64::from(*weight), share.ratio()?)));
        let (passed, all) = ratios.fold((0.0, 0.0), |(passed, all), (weight, ratio)| {
            (passed + weight * ratio, all + weight)
        });
        Some(100.0 * passed / all)
    }
}
