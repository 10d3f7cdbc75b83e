//! What came of the demo's traffic, as its senders see it.

use std::{collections::BTreeMap, fmt};

use super::{sender::Answer, times::Times};

/// Counts of everything that was answered.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// Events, leads, and what was refused before anybody looked into it.
    sent: u64,
    accepted: u64,
    duplicates: u64,
    rejected: BTreeMap<String, u64>,
    limited: BTreeMap<&'static str, u64>,
    failed: u64,
    answers: BTreeMap<u16, u64>,
    times: Times,
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
    /// A tenant sent so many events in one request.
    pub(super) fn count_events(&mut self, tenant: &'static str, events: usize, answer: &Answer) {
        self.count_answer(answer);
        let events = u64::try_from(events).unwrap_or(u64::MAX);
        if let Some(outcome) = answer.outcome() {
            self.sent += events;
            self.accepted += outcome.accepted;
            self.duplicates += outcome.duplicates;
            for rejected in outcome.rejected {
                *self.rejected.entry(rejected.reason).or_default() += 1;
            }
        } else if answer.status == 429 {
            self.sent += events;
            *self.limited.entry(tenant).or_default() += events;
        } else if let Some(reason) = answer.reason() {
            // As a whole: what was in it nobody knows.
            self.sent += 1;
            *self.rejected.entry(reason.to_owned()).or_default() += 1;
        } else {
            self.sent += events;
            self.failed += events;
        }
    }

    /// A tenant sent a lead, which is answered without a list of what became of it.
    pub(super) fn count_lead(&mut self, tenant: &'static str, answer: &Answer) {
        if answer.status / 100 == 2 {
            self.count_answer(answer);
            self.sent += 1;
            self.accepted += 1;
        } else {
            self.count_events(tenant, 1, answer);
        }
    }

    /// Nothing was sent in it.
    pub(super) fn count_answer(&mut self, answer: &Answer) {
        *self.answers.entry(answer.status).or_default() += 1;
        self.times.count(answer.took);
    }

    pub(super) fn note_revocation(&mut self, revocation: Revocation) {
        self.revocation = Some(revocation);
    }

    pub(super) const fn revocation(&self) -> Option<&Revocation> {
        self.revocation.as_ref()
    }

    /// The answers, and how fast they were.
    fn write_answers(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  answers         ")?;
        for (status, answers) in &self.answers {
            match status {
                0 => write!(f, "  {answers} never came")?,
                status => write!(f, "  {answers} × {status}")?,
            }
        }
        writeln!(f)?;
        if let Some(milliseconds) = self.times.within(95) {
            writeln!(
                f,
                "  p95              {milliseconds:>7}  ms, as their senders waited"
            )?;
        }
        Ok(())
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
        self.write_answers(f)?;
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
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;

    fn answer(status: u16, body: Value) -> Answer {
        let took = Duration::from_millis(3);
        Answer { status, took, body }
    }

    fn shows(text: &str, line: &str) -> bool {
        let line: Vec<_> = line.split_whitespace().collect();
        text.lines().any(|shown| {
            let shown: Vec<_> = shown.split_whitespace().collect();
            shown
                .windows(line.len())
                .any(|window| window == line.as_slice())
        })
    }

    #[test]
    fn every_sent_event_is_in_one_line() {
        let mut summary = Summary::default();
        let some =
            json!({ "accepted": 3, "duplicates": 1, "rejected": [{ "reason": "parse.json" }] });
        summary.count_events("a", 5, &answer(202, some));
        summary.count_events("b", 7, &answer(429, Value::Null));
        summary.count_events("a", 2, &answer(0, Value::Null));
        let whole = json!({ "reason": "auth.invalid" });
        summary.count_events("a", 9, &answer(401, whole.clone()));
        summary.count_lead("a", &answer(201, json!({ "id": "1" })));
        summary.count_lead("a", &answer(401, whole));
        summary.count_answer(&answer(404, Value::Null));
        let text = summary.to_string();
        for line in [
            "sent 17",
            "accepted 4",
            "duplicates 1",
            "rejected 3",
            "parse.json 1",
            "auth.invalid 2",
            "7 b sends more",
            "failed 2",
            "answers 1 never came 1 × 201 1 × 202 2 × 401 1 × 404 1 × 429",
            "p95 3 ms, as",
        ] {
            assert!(shows(&text, line), "{line:?} in {text}");
        }
    }
}
