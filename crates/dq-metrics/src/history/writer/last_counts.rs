//! What the counters were when they were last read, so that what has come since is known.

use std::collections::HashMap;

use super::Counts;
use crate::{
    conservation::Conservation,
    history::{Hour, ReceiptKey, TallyKey, VersionCount, VersionKey, pending::Pending},
    labels::Label,
    ledger::Ledger,
    outcome::Outcome,
    reason::Reason,
    tally::Tally,
};

/// Of each event type of each tenant, and of each tenant.
#[derive(Debug)]
pub(super) struct LastCounts<R> {
    tallies: HashMap<(Label, Label), Tally<R>>,
    receipts: HashMap<Label, Conservation>,
    /// By version.
    versions: HashMap<(Label, Label), HashMap<String, u64>>,
}

impl<R: Reason> LastCounts<R> {
    /// Adds what has come since the last time to what waits.
    pub(super) fn collect(
        &mut self,
        ledger: &Ledger<R>,
        hour: Hour,
        pending: &mut Pending,
        counts: &Counts,
    ) {
        self.collect_outcomes(ledger, hour, pending, counts);
        self.collect_versions(ledger, hour, pending, counts);
        for tenant in ledger.tenants.iter() {
            let now = ledger.conservation(&[tenant]);
            let before = self.receipts.entry(tenant).or_default();
            let come = Conservation::new(
                now.received - before.received,
                now.outcomes - before.outcomes,
            );
            if come != Conservation::default() {
                let key = ReceiptKey::new(hour.day(), ledger.tenants.name(tenant));
                counts.note_dropped(pending.add_receipt(key, come));
            }
            *before = now;
        }
    }

    fn collect_outcomes(
        &mut self,
        ledger: &Ledger<R>,
        hour: Hour,
        pending: &mut Pending,
        counts: &Counts,
    ) {
        for (tenant, event_type, now) in ledger.all() {
            let before = self.tallies.entry((tenant, event_type)).or_default();
            for outcome in Outcome::all() {
                let events = now.count(outcome) - before.count(outcome);
                if events > 0 {
                    let key = tally_key(ledger, hour, (tenant, event_type), outcome);
                    counts.note_dropped(pending.add(key, events));
                }
            }
            *before = now;
        }
    }

    fn collect_versions(
        &mut self,
        ledger: &Ledger<R>,
        hour: Hour,
        pending: &mut Pending,
        counts: &Counts,
    ) {
        for (tenant, event_type, used) in ledger.all_versions() {
            let read = self.versions.entry((tenant, event_type)).or_default();
            let before = read.get_mut(used.version);
            let come = used.events - before.as_deref().copied().unwrap_or_default();
            if come == 0 {
                continue;
            }
            match before {
                Some(before) => *before = used.events,
                None => drop(read.insert(used.version.to_owned(), used.events)),
            }
            let name = ledger.event_types.name(event_type);
            let (tenant, day) = (ledger.tenants.name(tenant), hour.day());
            let key = VersionKey::new(day, tenant, name, used.version);
            let key = key.lifecycle(ledger.plan().lifecycle(name, used.version));
            let uses = VersionCount::new(come, used.last_seen);
            counts.note_dropped(pending.add_version(key, uses));
        }
    }
}

impl<R: Reason> Default for LastCounts<R> {
    fn default() -> Self {
        Self {
            tallies: HashMap::new(),
            receipts: HashMap::new(),
            versions: HashMap::new(),
        }
    }
}

fn tally_key<R: Reason>(
    ledger: &Ledger<R>,
    hour: Hour,
    (tenant, event_type): (Label, Label),
    outcome: Outcome<R>,
) -> TallyKey {
    let (tenant, event_type) = (
        ledger.tenants.name(tenant),
        ledger.event_types.name(event_type),
    );
    let key = TallyKey::new(hour, tenant, event_type, outcome.as_str());
    match outcome {
        Outcome::Rejected(reason) => key.reason(reason.facts().name),
        _ => key,
    }
}
