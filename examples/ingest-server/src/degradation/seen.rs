//! What shows by its change alone: that something was lost of late, or that something does not go on.

use std::time::Duration;

/// For how long telemetry is incomplete after something of it was lost.
const AFTER_LOSS: Duration = Duration::from_secs(60);

/// For how long entries of the audit log may be in no checkpoint.
const UNPUBLISHED: Duration = Duration::from_secs(5 * 60);

/// What telemetry has lost, and when it last became more.
#[derive(Debug)]
pub(super) struct SeenLosses {
    lost: u64,
    at: Option<Duration>,
}

/// How much of the audit log is published, and since when there is more than that.
#[derive(Debug, Default)]
pub(super) struct SeenPublished {
    published: u64,
    more_since: Option<Duration>,
}

impl SeenLosses {
    pub(super) const fn of(lost: u64) -> Self {
        Self { lost, at: None }
    }

    /// Whether something was lost of late.
    pub(super) fn are_recent(&mut self, lost: u64, now: Duration) -> bool {
        if lost > self.lost {
            self.lost = lost;
            self.at = Some(now);
        }
        self.at
            .is_some_and(|at| now.saturating_sub(at) < AFTER_LOSS)
    }
}

impl SeenPublished {
    /// Whether a log of that size has had for too long what is in no checkpoint.
    pub(super) fn is_late(&mut self, size: u64, published: u64, now: Duration) -> bool {
        if published > self.published {
            self.published = published;
            self.more_since = None;
        }
        let is_more = size > published;
        self.more_since = self.more_since.or(Some(now)).filter(|_| is_more);
        self.more_since
            .is_some_and(|since| now.saturating_sub(since) > UNPUBLISHED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_loss_is_recent_for_a_minute() {
        let mut seen = SeenLosses::of(3);
        assert!(!seen.are_recent(3, at(0)));
        assert!(seen.are_recent(4, at(10)));
        assert!(seen.are_recent(4, at(69)));
        assert!(!seen.are_recent(4, at(70)));
        assert!(seen.are_recent(5, at(71)));
    }

    #[test]
    fn what_is_in_no_checkpoint_is_late_after_five_minutes() {
        let mut seen = SeenPublished::default();
        assert!(!seen.is_late(0, 0, at(0)));
        assert!(!seen.is_late(5, 0, at(10)));
        assert!(!seen.is_late(9, 0, at(310)));
        assert!(seen.is_late(9, 0, at(311)));
        // Some of it is published, and more has come meanwhile.
        assert!(!seen.is_late(12, 9, at(312)));
        assert!(!seen.is_late(12, 9, at(612)));
        assert!(seen.is_late(12, 9, at(613)));
        assert!(!seen.is_late(12, 12, at(614)));
        assert!(!seen.is_late(12, 12, at(2_000)));
    }
}
