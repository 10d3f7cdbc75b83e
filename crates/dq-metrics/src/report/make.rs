//! From the ledger to a report.

use std::{cmp::Reverse, time::Duration};

use super::{Coverage, EventTypeReport, Rejections, Report, TenantSummary, VersionReport};
use crate::{
    conservation::Conservation,
    labels::{Label, UNKNOWN},
    outcome::Outcome,
    plan::Lifecycle,
    quality::Quality,
    reason::Reason,
    score::{Averages, Score, as_f64},
    tally::Tally,
};

/// What the ledger holds of one tenant.
struct Row<R> {
    tenant: Label,
    tally: Tally<R>,
    conservation: Conservation,
    averages: Averages,
}

impl<R: Reason> Quality<R> {
    /// A report on one tenant, or on all.
    ///
    /// Asking about a tenant that was never seen uses up none of the labels.
    pub fn report(&self, tenant: Option<&str>) -> Report {
        let (made_at, now) = (self.now(), self.monotonic());
        let (coverage, tenants) = self.cover(tenant);
        let rows: Vec<Row<R>> = tenants
            .iter()
            .map(|tenant| self.row(*tenant, now))
            .collect();
        let tally: Tally<R> = rows.iter().map(|row| row.tally.clone()).sum();
        Report {
            tenant: tenant.map(str::to_owned),
            coverage,
            made_at,
            conservation: self.ledger().conservation(&tenants),
            outcomes: tally.kinds().collect(),
            rejections: rejections(&tally),
            score: Score::of(&tally, self.weights()),
            trend: rows
                .iter()
                .map(|row| row.averages)
                .sum::<Averages>()
                .trend(),
            event_types: self.event_types(&tenants),
            tenants: match coverage {
                Coverage::All => rows.iter().filter_map(|row| self.summary(row)).collect(),
                Coverage::Own | Coverage::Shared | Coverage::Unseen => Vec::new(),
            },
            samples: self.samples(tenant),
        }
    }

    /// The rows a report on this tenant covers.
    fn cover(&self, tenant: Option<&str>) -> (Coverage, Vec<Label>) {
        let tenants = &self.ledger().tenants;
        let Some(name) = tenant else {
            return (Coverage::All, tenants.iter().collect());
        };
        match tenants.find(name) {
            Some(tenant) => (Coverage::Own, vec![tenant]),
            None if tenants.has_room_for(name) => (Coverage::Unseen, Vec::new()),
            None => (Coverage::Shared, Vec::new()),
        }
    }

    fn row(&self, tenant: Label, now: Duration) -> Row<R> {
        Row {
            tenant,
            tally: self.ledger().of_tenant(tenant),
            conservation: self.ledger().conservation(&[tenant]),
            averages: self.averages_of(tenant, now),
        }
    }

    /// A tenant in short, if anything came from it.
    fn summary(&self, row: &Row<R>) -> Option<TenantSummary> {
        if row.conservation == Conservation::default() {
            return None;
        }
        let score = Score::of(&row.tally, self.weights());
        Some(TenantSummary {
            tenant: self.ledger().tenants.name(row.tenant).to_owned(),
            conservation: row.conservation,
            score: score.as_ref().map(|score| score.value),
            lower_bound: score.map(|score| score.lower_bound),
            direction: row.averages.trend().direction,
        })
    }

    fn event_types(&self, tenants: &[Label]) -> Vec<EventTypeReport> {
        let all = self.ledger().event_types.iter();
        all.filter_map(|event_type| self.event_type(event_type, tenants))
            .collect()
    }

    /// One event type over these tenants, if it came at all.
    fn event_type(&self, event_type: Label, tenants: &[Label]) -> Option<EventTypeReport> {
        let ledger = self.ledger();
        let tally: Tally<R> = tenants
            .iter()
            .map(|tenant| ledger.of_cell(*tenant, event_type))
            .sum();
        if tally.total() == 0 {
            return None;
        }
        let versions = self.versions(event_type, tenants);
        Some(EventTypeReport {
            event_type: ledger.event_types.name(event_type).to_owned(),
            outcomes: tally.kinds().collect(),
            score: Score::of(&tally, self.weights()).map(|score| score.value),
            deprecated_share: deprecated_share(
                versions
                    .iter()
                    .filter(|version| version.version != UNKNOWN)
                    .map(|version| (version.events, version.lifecycle)),
            ),
            versions,
        })
    }

    /// The versions of one event type in use by these tenants.
    fn versions(&self, event_type: Label, tenants: &[Label]) -> Vec<VersionReport> {
        let ledger = self.ledger();
        let name = ledger.event_types.name(event_type);
        let versions = ledger.versions(event_type, tenants.iter().copied());
        let reports = versions
            .into_iter()
            .map(|(version, (events, last_seen))| VersionReport {
                version: version.to_owned(),
                lifecycle: ledger.plan().lifecycle(name, version),
                events,
                last_seen,
            });
        reports.collect()
    }
}

pub(super) fn rejections<R: Reason>(tally: &Tally<R>) -> Vec<Rejections> {
    let counts = R::ALL
        .iter()
        .map(|reason| (reason.facts(), tally.count(Outcome::Rejected(*reason))));
    let mut rejections: Vec<Rejections> = counts
        .filter(|(_, events)| *events > 0)
        .map(|(facts, events)| Rejections {
            reason: facts.name,
            events,
            stage: facts.stage(),
            severity: facts.severity,
            dimension: facts.dimension,
            unexpected: facts.is_unexpected,
            remediation: facts.remediation,
        })
        .collect();
    rejections.sort_by_key(|rejections| Reverse(rejections.events));
    rejections
}

/// Share of deprecated versions among all that are stated, given how often each is used.
pub(crate) fn deprecated_share(
    uses: impl IntoIterator<Item = (u64, Option<Lifecycle>)>,
) -> Option<f64> {
    let (mut stated, mut deprecated) = (0, 0);
    for (events, lifecycle) in uses {
        stated += events;
        if lifecycle == Some(Lifecycle::Deprecated) {
            deprecated += events;
        }
    }
    (stated > 0).then(|| as_f64(deprecated) / as_f64(stated))
}
