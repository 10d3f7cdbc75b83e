//! The tables of a report, as all people's forms have them.

use super::{Report, Tally};

/// A table with a heading; each row has as many cells as there are columns.
pub(super) struct Section {
    pub(super) title: &'static str,
    pub(super) columns: &'static [&'static str],
    pub(super) rows: Vec<Vec<String>>,
}

impl Report {
    /// The score with one decimal.
    pub(super) fn score_text(&self) -> String {
        self.score().map_or_else(
            || "none: there are no events".to_owned(),
            |score| format!("{score:.1} of 100"),
        )
    }

    pub(super) fn sections(&self) -> Vec<Section> {
        vec![
            self.totals(),
            self.weights(),
            numbers("By action", &["Action", "Events"], &self.by_action),
            numbers("By field", &["Field", "Events"], &self.by_field),
            numbers("By outcome", &["Outcome", "Events"], &self.by_outcome),
            numbers("Findings", &["Rule", "Findings"], &self.findings.by_rule),
            numbers("Missing", &["Action", "Dropped"], &self.dropped),
            self.checked(),
        ]
    }

    fn totals(&self) -> Section {
        let more = if self.more_actors { "more than " } else { "" };
        let entries = self.entries;
        let entries = entries.map_or_else(
            || "none".to_owned(),
            |(first, last)| format!("{first} to {last}"),
        );
        let rows = [
            ("Events", self.events.to_string()),
            ("Entries of the log", entries),
            ("Actors", format!("{more}{}", self.actors)),
            ("Resources read", self.resources_read.to_string()),
            ("Findings", self.findings.by_rule.sum().to_string()),
            ("Findings that are open", self.findings.open.to_string()),
            ("Events that are missing", self.dropped.sum().to_string()),
        ];
        pairs("Totals", &["Total", "Number"], rows)
    }

    fn weights(&self) -> Section {
        let rows = self.checks.weighted().map(|(name, weight, share)| {
            let percent = share.ratio();
            let percent = percent.map_or_else(
                || "nothing to check".to_owned(),
                |ratio| format!("{:.2} %", 100.0 * ratio),
            );
            vec![
                name.to_owned(),
                weight.to_string(),
                share.pass.to_string(),
                share.of.to_string(),
                percent,
            ]
        });
        Section {
            title: "Score",
            columns: &["Check", "Weight", "Pass", "Of", "Share"],
            rows: rows.into(),
        }
    }

    fn checked(&self) -> Section {
        let days = self.integrity.verified_days;
        let anchored = self.integrity.anchored;
        let checkpoint = self.integrity.checkpoint.as_ref();
        let none = || "none".to_owned();
        let rows = [
            (
                "Days on which the log was found sound",
                format!("{} of {}", days.pass, days.of),
            ),
            (
                "Verifications that found a change",
                self.integrity.failures.to_string(),
            ),
            (
                "Checkpoints anchored in time",
                format!("{} of {}", anchored.pass, anchored.of),
            ),
            (
                "Size at the end",
                checkpoint.map_or_else(none, |checkpoint| checkpoint.size().to_string()),
            ),
            (
                "Root at the end",
                checkpoint.map_or_else(none, |checkpoint| checkpoint.root().to_string()),
            ),
        ];
        pairs("Integrity", &["Check", "Result"], rows)
    }
}

fn pairs<const N: usize>(
    title: &'static str,
    columns: &'static [&'static str],
    rows: [(&str, String); N],
) -> Section {
    let rows = rows.map(|(name, value)| vec![name.to_owned(), value]);
    Section {
        title,
        columns,
        rows: rows.into(),
    }
}

fn numbers(title: &'static str, columns: &'static [&'static str], tally: &Tally) -> Section {
    let row = |(name, number): (&str, u64)| vec![name.to_owned(), number.to_string()];
    let mut rows: Vec<_> = tally.by_number().into_iter().map(row).collect();
    if tally.others() != 0 {
        rows.push(row(("all others", tally.others())));
    }
    Section {
        title,
        columns,
        rows,
    }
}
