//! What came of the demo's traffic, as its senders see it.

use std::{collections::BTreeMap, fmt};

use super::sender::Answer;

/// Counts of everything that was answered.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    sent: u64,
    accepted: u64,
    duplicates: u64,
    rejected: BTreeMap<String, u64>,
    limited: BTreeMap<&'static str, u64>,
    failed: u64,
    revocation: Option<Revocation>,
}

/// How a revoked key was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Revocation {
    pub(super) kid: String,
    pub(super) before: u16,
    pub(super) after: u16,
}

impl Summary {
    pub(super) fn count(&mut self, tenant: &'static str, events: usize, answer: Answer) {
        let events = u64::try_from(events).unwrap_or(u64::MAX);
        self.sent += events;
        match answer {
            Answer::Taken { outcome, .. } => {
                self.accepted += outcome.accepted;
                self.duplicates += outcome.duplicates;
                for rejected in outcome.rejected {
                    *self.rejected.entry(rejected.reason).or_default() += 1;
                }
            }
            Answer::Refused { status: 429 } => *self.limited.entry(tenant).or_default() += events,
            Answer::Refused { .. } | Answer::Unreachable => self.failed += events,
        }
    }

    pub(super) fn note_revocation(&mut self, revocation: Revocation) {
        self.revocation = Some(revocation);
    }

    pub(super) const fn revocation(&self) -> Option<&Revocation> {
        self.revocation.as_ref()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  events sent      {:>7}", self.sent)?;
        writeln!(
            f,
            "  accepted         {:>7}  stored, personal data sealed",
            self.accepted
        )?;
        writeln!(
            f,
            "  duplicates       {:>7}  sent again, stored once",
            self.duplicates
        )?;
        writeln!(
            f,
            "  rejected         {:>7}",
            self.rejected.values().sum::<u64>()
        )?;
        for (reason, events) in &self.rejected {
            writeln!(f, "    {reason:<26} {events:>5}")?;
        }
        for (tenant, events) in &self.limited {
            writeln!(
                f,
                "  limited          {events:>7}  {tenant} sends more than its tier allows: 429"
            )?;
        }
        if self.failed > 0 {
            writeln!(f, "  failed           {:>7}", self.failed)?;
        }
        if let Some(Revocation { kid, before, after }) = &self.revocation {
            writeln!(
                f,
                "  revoked key      {before}, then {after}  {kid}: the next request is refused"
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::sender::{Outcome, Rejected},
        *,
    };

    #[test]
    fn every_sent_event_is_in_one_line() {
        let mut summary = Summary::default();
        let rejected = vec![Rejected {
            reason: "parse.json".to_owned(),
        }];
        let outcome = Outcome {
            accepted: 3,
            duplicates: 1,
            rejected,
        };
        summary.count(
            "a",
            5,
            Answer::Taken {
                status: 202,
                outcome,
            },
        );
        summary.count("b", 7, Answer::Refused { status: 429 });
        summary.count("a", 2, Answer::Unreachable);
        let text = summary.to_string();
        for line in [
            "sent           14",
            "accepted               3",
            "duplicates             1",
        ] {
            let line = line.split_whitespace().collect::<Vec<_>>();
            let found = text.lines().any(|shown| {
                let shown: Vec<_> = shown.split_whitespace().collect();
                shown
                    .windows(line.len())
                    .any(|window| window == line.as_slice())
            });
            assert!(found, "{line:?} in {text}");
        }
        assert!(text.contains("parse.json"));
        assert!(text.contains("7  b sends more"));
        assert!(text.contains("failed                 2"));
    }
}
