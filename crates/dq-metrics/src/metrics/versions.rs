//! Use of schema versions, as series of event type and version.

use std::{collections::BTreeSet, fmt};

use super::Series;
use crate::{
    clock::UnixMillis,
    labels::{OTHER, UNKNOWN},
    plan::Lifecycle,
    quality::Quality,
    reason::Reason,
    report::deprecated_share as share,
    score::as_f64,
};

/// The lifecycle of what is in no plan.
const UNPLANNED: &str = "unplanned";

/// Every value of the label `lifecycle`.
pub(super) fn lifecycles() -> impl Iterator<Item = &'static str> {
    let planned = Lifecycle::ALL.into_iter().map(Lifecycle::as_str);
    planned.chain([UNPLANNED])
}

/// What one series tells.
#[derive(Debug)]
struct VersionUse {
    event_type: String,
    version: String,
    events: u64,
    last_seen: UnixMillis,
    lifecycle: Option<Lifecycle>,
}

pub(super) fn events<R: Reason>(quality: &Quality<R>, series: &mut Series<'_, '_>) -> fmt::Result {
    for used in uses(quality) {
        let lifecycle = used.lifecycle.map_or(UNPLANNED, Lifecycle::as_str);
        series.counter(&[&used.event_type, &used.version, lifecycle], used.events)?;
    }
    Ok(())
}

/// A planned version that nobody used yet has no such series: 1970 would be wrong.
pub(super) fn last_seen<R: Reason>(
    quality: &Quality<R>,
    series: &mut Series<'_, '_>,
) -> fmt::Result {
    for used in uses(quality).iter().filter(|used| used.events > 0) {
        let seconds = as_f64(used.last_seen.value()) / 1_000.0;
        series.gauge(&[&used.event_type, &used.version], seconds)?;
    }
    Ok(())
}

/// Of event types of which at least one version has series of its own; absent without data.
pub(super) fn deprecated_share<R: Reason>(
    quality: &Quality<R>,
    series: &mut Series<'_, '_>,
) -> fmt::Result {
    let ledger = quality.ledger();
    let with_series: BTreeSet<String> = uses(quality)
        .into_iter()
        .map(|used| used.event_type)
        .collect();
    for label in ledger.event_types.iter() {
        let event_type = ledger.event_types.name(label);
        // The event types that share `__other__` have no plan in common.
        if event_type == OTHER || !with_series.contains(event_type) {
            continue;
        }
        let versions = ledger.versions(label, ledger.tenants.iter());
        let stated = versions
            .into_iter()
            .filter(|(version, _)| *version != UNKNOWN);
        let counts = stated
            .map(|(version, (events, _))| (events, ledger.plan().lifecycle(event_type, version)));
        if let Some(share) = share(counts) {
            series.gauge(&[event_type], share)?;
        }
    }
    Ok(())
}

/// The use of each version that has series of its own, and at the end of all others together.
///
/// An event that states no version uses none.
fn uses<R: Reason>(quality: &Quality<R>) -> Vec<VersionUse> {
    let (ledger, pairs) = (quality.ledger(), quality.version_series());
    let mut uses: Vec<VersionUse> = planned(quality);
    let mut others = VersionUse::unused(OTHER, OTHER, None);
    for label in ledger.event_types.iter() {
        let event_type = ledger.event_types.name(label);
        let versions = ledger.versions(label, ledger.tenants.iter());
        let stated = versions
            .into_iter()
            .filter(|(version, _)| *version != UNKNOWN);
        for (version, (events, last_seen)) in stated {
            let known = uses.iter_mut().find(|used| used.is(event_type, version));
            let used = match known {
                Some(known) => known,
                None if pairs.has(event_type, version) => {
                    let lifecycle = ledger.plan().lifecycle(event_type, version);
                    uses.push(VersionUse::unused(event_type, version, lifecycle));
                    uses.last_mut().expect("it was pushed")
                }
                None => &mut others,
            };
            used.events += events;
            used.last_seen = used.last_seen.max(last_seen);
        }
    }
    // What has series of its own may be called that too.
    match uses.iter_mut().find(|used| used.is(OTHER, OTHER)) {
        Some(known) => {
            known.events += others.events;
            known.last_seen = known.last_seen.max(others.last_seen);
        }
        None => uses.push(others),
    }
    uses
}

/// Planned versions have their series before anybody uses them.
fn planned<R: Reason>(quality: &Quality<R>) -> Vec<VersionUse> {
    let (plan, series) = (quality.ledger().plan(), quality.version_series());
    let planned = plan.versions();
    let planned = planned.filter(|(event_type, version)| series.has(event_type, version));
    let unused = planned.map(|(event_type, version)| {
        VersionUse::unused(event_type, version, plan.lifecycle(event_type, version))
    });
    unused.collect()
}

impl VersionUse {
    fn unused(event_type: &str, version: &str, lifecycle: Option<Lifecycle>) -> Self {
        Self {
            event_type: event_type.to_owned(),
            version: version.to_owned(),
            events: 0,
            last_seen: UnixMillis::new(0),
            lifecycle,
        }
    }

    fn is(&self, event_type: &str, version: &str) -> bool {
        self.event_type == event_type && self.version == version
    }
}
