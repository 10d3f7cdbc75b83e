//! A report for programs.

use serde_json::{Map, Value, json};

use super::{Report, Share, Tally};

impl Report {
    /// The report as JSON. Members are added at times, and keep their meaning.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let checkpoint = self.integrity.checkpoint.as_ref().map(|checkpoint| {
            json!({
                "origin": checkpoint.origin().to_string(),
                "size": checkpoint.size(),
                "root": checkpoint.root().to_string(),
            })
        });
        let checks = self.checks.weighted().map(|(name, weight, share)| {
            json!({ "check": name, "weight": weight, "pass": share.pass, "of": share.of })
        });
        json!({
            "from": self.period.from.to_string(),
            "to": self.period.to.to_string(),
            "score": self.score(),
            "checks": checks,
            "events": self.events,
            "entries": self.entries.map(|(first, last)| json!({ "first": first, "last": last })),
            "actors": { "count": self.actors, "more": self.more_actors },
            "resources_read": self.resources_read,
            "by_action": tally(&self.by_action),
            "by_field": tally(&self.by_field),
            "by_outcome": tally(&self.by_outcome),
            "findings": {
                "by_rule": tally(&self.findings.by_rule),
                "open": self.findings.open,
                "closed_in_time": share(self.findings.closed_in_time),
            },
            "dropped": tally(&self.dropped),
            "integrity": {
                "verified_days": share(self.integrity.verified_days),
                "anchored": share(self.integrity.anchored),
                "failures": self.integrity.failures,
                "checkpoint": checkpoint,
            },
        })
    }
}

fn tally(tally: &Tally) -> Value {
    let names: Map<_, _> = tally
        .iter()
        .map(|(name, number)| (name.to_owned(), number.into()))
        .collect();
    json!({ "names": names, "others": tally.others() })
}

fn share(share: Share) -> Value {
    json!({ "pass": share.pass, "of": share.of })
}
