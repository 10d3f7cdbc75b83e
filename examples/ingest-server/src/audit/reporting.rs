//! A report on a period, from its entries, in bounded memory.

use std::collections::BTreeSet;

use portcullis_audit_log::{
    checkpoint::Checkpoint,
    event::{Leaf, Outcome, Timestamp},
    report::{Integrity, Period, Report, ReportBuilder, Share},
};

use super::actions::{AUDIT_ANCHORED, AUDIT_VERIFIED};

/// Counts entries, and the days on which the whole log was found sound.
#[derive(Debug)]
pub(crate) struct Reporting {
    period: Period,
    builder: ReportBuilder,
    /// Days since 1970.
    sound: BTreeSet<u64>,
    failures: u64,
    /// Checkpoints and anchors that were to have them.
    anchored: Share,
    /// The day of the first entry in the period.
    first: Option<u64>,
}

/// What was verified, in the entry that says so: all of the log.
pub(crate) const WHOLE: &str = "whole";

const DAY: u64 = 24 * 60 * 60 * 1_000_000;

/// What is behind the period may close what was found in it.
const BEHIND: u64 = 7 * DAY;

/// Entries are in the order in which they were written, and may have waited for that.
const WAITED: u64 = 60 * 1_000_000;

impl Reporting {
    pub(crate) fn new(period: Period) -> Self {
        Self {
            period,
            builder: ReportBuilder::new(period),
            sound: BTreeSet::new(),
            failures: 0,
            anchored: Share { pass: 0, of: 0 },
            first: None,
        }
    }

    /// From which time on entries have to be shown, and before which.
    pub(crate) fn span(&self) -> (Timestamp, Timestamp) {
        let from = self.period.from.unix_micros().saturating_sub(WAITED);
        let to = self.period.to.unix_micros().saturating_add(BEHIND + WAITED);
        (
            Timestamp::from_unix_micros(from).unwrap_or(self.period.from),
            Timestamp::from_unix_micros(to).unwrap_or(self.period.to),
        )
    }

    /// Counts an entry.
    pub(crate) fn observe(&mut self, leaf: &Leaf<'_>) {
        self.builder.observe(leaf);
        if !self.period.contains(leaf.time()) {
            return;
        }
        let day = leaf.time().unix_micros() / DAY;
        self.first = Some(self.first.map_or(day, |first| first.min(day)));
        if leaf.action() == AUDIT_ANCHORED.action.as_str() {
            self.anchored.of += leaf.count();
            if leaf.outcome() == Outcome::Success {
                self.anchored.pass += leaf.count();
            }
        }
        if leaf.action() != AUDIT_VERIFIED.action.as_str() {
            return;
        }
        let is_whole = leaf.resources().any(|(_, id)| id == WHOLE);
        match leaf.outcome() {
            Outcome::Success if is_whole => {
                self.sound.insert(day);
            }
            Outcome::Success => {}
            _ => self.failures += 1,
        }
    }

    /// The report, as of `now`. Days before the first entry do not count against it.
    pub(crate) fn finish(self, checkpoint: Option<Checkpoint>, now: Timestamp) -> Report {
        let end = self.period.to.unix_micros().min(now.unix_micros());
        let last = end.saturating_sub(1) / DAY;
        let days = self
            .first
            .map_or(0, |first| (last + 1).saturating_sub(first));
        let integrity = Integrity::unknown()
            .verified_days(Share {
                pass: self.sound.len() as u64,
                of: days,
            })
            .failures(self.failures)
            .anchored(self.anchored);
        let integrity = match checkpoint {
            Some(checkpoint) => integrity.checkpoint(checkpoint),
            None => integrity,
        };
        self.builder.finish(integrity, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        Timestamp::parse(&format!("2026-01-{text}.000000Z")).unwrap()
    }

    fn leaf(n: u64, at: &str, action: &str, what: &str, outcome: &str) -> String {
        format!(
            r#"{{"v":1,"n":{n},"tn":{n},"id":"0198c0de-0000-7000-8000-{n:012}","time":"2026-01-{at}.000000Z","tenant":"system","action":"{action}","activity":"other","actor":{{"type":"system","id":"schedule"}},"resources":[{{"type":"audit","id":"{what}"}}],"count":1,"fields":[],{outcome},"delivery":"must","node":"a"}}"#
        )
    }

    #[test]
    fn days_on_which_all_of_it_was_sound_are_counted_from_the_first_entry_on() {
        let period = Period::new(time("01T00:00:00"), time("08T00:00:00"));
        let mut reporting = Reporting::new(period);
        let sound = r#""outcome":"success""#;
        let late = r#""outcome":"failure","detail":"late""#;
        let tampered = r#""outcome":"failure","detail":"tampered""#;
        for leaf in [
            leaf(0, "03T10:00:00", "audit.opened", "whole", sound),
            leaf(1, "03T11:00:00", "audit.verified", "whole", sound),
            leaf(2, "03T12:00:00", "audit.verified", "whole", sound),
            leaf(3, "04T12:00:00", "audit.verified", "range", sound),
            leaf(4, "05T12:00:00", "audit.verified", "whole", tampered),
            leaf(5, "06T12:00:00", "audit.verified", "whole", sound),
            leaf(6, "08T12:00:00", "audit.verified", "whole", sound),
            leaf(7, "05T13:00:00", "audit.anchored", "database", sound),
            leaf(8, "05T14:00:00", "audit.anchored", "database", late),
            leaf(9, "09T14:00:00", "audit.anchored", "database", late),
        ] {
            reporting.observe(&Leaf::parse(leaf.as_bytes()).unwrap());
        }
        let report = reporting.finish(None, time("20T00:00:00"));
        assert_eq!(report.events, 8);
        let days = report.integrity.verified_days;
        assert_eq!((days.pass, days.of, report.integrity.failures), (2, 5, 1));
        let anchored = report.integrity.anchored;
        assert_eq!((anchored.pass, anchored.of), (1, 2));
    }
}
