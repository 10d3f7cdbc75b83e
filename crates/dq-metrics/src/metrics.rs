//! The counters as Prometheus metrics, in a bounded number of series.

mod label;
mod series;
mod versions;

use std::fmt;

use prometheus_client::{
    encoding::{EncodeMetric, MetricEncoder},
    metrics::MetricType,
    registry::Registry,
};

use crate::{
    ledger::{TENANT_ROWS, TYPE_COLUMNS},
    outcome::{FILTERED, Outcome},
    quality::Quality,
    reason::Reason,
    sample::SamplerCounts,
    score::Score,
    tally::Tally,
    versions::PAIRS,
};

pub use self::label::MetricLabel;
pub(crate) use self::series::Series;

/// One metric of a [`Quality`], read at each scrape.
#[derive(Clone, Debug)]
pub struct QualityMetric<R> {
    name: &'static str,
    help: &'static str,
    metric_type: MetricType,
    labels: Vec<MetricLabel>,
    quality: Quality<R>,
    encode: fn(&Quality<R>, &mut Series<'_, '_>) -> fmt::Result,
}

impl<R: Reason> Quality<R> {
    /// Most series its metrics can ever have; it depends on the number of reasons alone.
    ///
    /// More than 2,000 do not compile: that many reasons (over 108) are not one taxonomy.
    pub const MAX_SERIES: usize = TENANT_ROWS // received
        + TENANT_ROWS * Outcome::<R>::KINDS
        + TYPE_COLUMNS * Outcome::<R>::KINDS
        + R::ALL.len()
        + 1 // unaccounted
        + 2 * TENANT_ROWS // score and its lower bound
        + 3 // samples
        + 2 * (PAIRS + 1) // uses and last use of schema versions, and of those without series of their own
        + PAIRS; // deprecated shares: of event types that have such a pair

    /// Adds all metrics to a registry; call it once for each registry.
    pub fn register(&self, registry: &mut Registry) {
        for metric in self.metrics() {
            registry.register(metric.name(), metric.help(), metric);
        }
    }

    /// All metrics, for a registry that takes them one by one.
    ///
    /// Outcomes come before receipts, so that a scrape in this order shows no outcome of something
    /// that was not received yet.
    pub fn metrics(&self) -> [QualityMetric<R>; 11] {
        use MetricType::{Counter, Gauge};
        let metric = |name, help, metric_type, labels: &[MetricLabel], encode| QualityMetric {
            name,
            help,
            metric_type,
            labels: labels.to_vec(),
            quality: self.clone(),
            encode,
        };
        let tenant = MetricLabel::open("tenant");
        let event_type = MetricLabel::open("event_type");
        let version = MetricLabel::open("version");
        let outcome = MetricLabel::closed("outcome", Outcome::<R>::kinds());
        let reasons = R::ALL.iter().map(|reason| reason.facts().name);
        let reason = MetricLabel::closed("reason", reasons);
        let result = MetricLabel::closed("result", SAMPLE_RESULTS);
        let lifecycle = MetricLabel::closed("lifecycle", versions::lifecycles());
        [
            metric(
                "dq_outcomes",
                "What became of what was received",
                Counter,
                &[tenant.clone(), outcome.clone()],
                outcomes,
            ),
            metric(
                "dq_event_type_outcomes",
                "What became of events, by type",
                Counter,
                &[event_type.clone(), outcome],
                event_types,
            ),
            metric(
                "dq_rejected",
                "Rejections by reason",
                Counter,
                &[reason],
                rejected,
            ),
            metric(
                "dq_received",
                "Events, and requests refused as a whole",
                Counter,
                std::slice::from_ref(&tenant),
                received,
            ),
            metric(
                "dq_unaccounted",
                "Received minus all outcomes: in flight",
                Gauge,
                &[],
                unaccounted,
            ),
            metric(
                "dq_score",
                "Data quality since the start, 0 to 100; absent without data",
                Gauge,
                std::slice::from_ref(&tenant),
                score,
            ),
            metric(
                "dq_score_lower_bound",
                "Lower end of the 95 percent interval of the data quality score",
                Gauge,
                &[tenant],
                score_lower_bound,
            ),
            metric(
                "dq_samples",
                "Refused events chosen as samples",
                Counter,
                &[result],
                samples,
            ),
            metric(
                "dq_schema_version_events",
                "Events by the schema version they state",
                Counter,
                &[event_type.clone(), version.clone(), lifecycle],
                versions::events,
            ),
            metric(
                "dq_schema_version_last_seen_timestamp_seconds",
                "When an event with this schema version last came, as Unix time",
                Gauge,
                &[event_type.clone(), version],
                versions::last_seen,
            ),
            metric(
                "dq_schema_deprecated_ratio",
                "Share of the events with a version that use a deprecated one, 0 to 1",
                Gauge,
                &[event_type],
                versions::deprecated_share,
            ),
        ]
    }
}

impl<R: Reason> QualityMetric<R> {
    /// The name, without the suffix that a counter gets in the exposition.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// What it tells, without a full stop: the registry adds one.
    pub const fn help(&self) -> &'static str {
        self.help
    }

    /// What its series are told apart by, in the order in which they have it.
    pub fn labels(&self) -> &[MetricLabel] {
        &self.labels
    }
}

impl<R: Reason> EncodeMetric for QualityMetric<R> {
    fn encode(&self, encoder: MetricEncoder<'_>) -> fmt::Result {
        (self.encode)(&self.quality, &mut Series::new(&self.labels, encoder))
    }

    fn metric_type(&self) -> MetricType {
        self.metric_type
    }
}

fn received<R: Reason>(quality: &Quality<R>, series: &mut Series<'_, '_>) -> fmt::Result {
    let ledger = quality.ledger();
    for tenant in ledger.tenants.iter() {
        let events = ledger.conservation(&[tenant]).received;
        series.counter(&[ledger.tenants.name(tenant)], events)?;
    }
    Ok(())
}

fn outcomes<R: Reason>(quality: &Quality<R>, series: &mut Series<'_, '_>) -> fmt::Result {
    let ledger = quality.ledger();
    for tenant in ledger.tenants.iter() {
        let name = ledger.tenants.name(tenant);
        for (outcome, events) in with_series(&ledger.of_tenant(tenant)) {
            series.counter(&[name, outcome], events)?;
        }
    }
    Ok(())
}

fn event_types<R: Reason>(quality: &Quality<R>, series: &mut Series<'_, '_>) -> fmt::Result {
    let ledger = quality.ledger();
    for event_type in ledger.event_types.iter() {
        let name = ledger.event_types.name(event_type);
        for (outcome, events) in with_series(&ledger.of_event_type(event_type)) {
            series.counter(&[name, outcome], events)?;
        }
    }
    Ok(())
}

/// The counts that have series. Most applications leave nothing out on purpose, so that this outcome has none before
/// the first such event; all others, which an alert may wait for, are there from the start.
fn with_series<R: Reason>(tally: &Tally<R>) -> impl Iterator<Item = (&'static str, u64)> {
    let counts = tally.kinds();
    counts.filter(|(outcome, events)| *outcome != FILTERED || *events > 0)
}

fn rejected<R: Reason>(quality: &Quality<R>, series: &mut Series<'_, '_>) -> fmt::Result {
    let ledger = quality.ledger();
    let tally: Tally<R> = ledger
        .tenants
        .iter()
        .map(|tenant| ledger.of_tenant(tenant))
        .sum();
    for reason in R::ALL {
        let events = tally.count(Outcome::Rejected(*reason));
        series.counter(&[reason.facts().name], events)?;
    }
    Ok(())
}

fn unaccounted<R: Reason>(quality: &Quality<R>, series: &mut Series<'_, '_>) -> fmt::Result {
    series.gauge(&[], quality.conservation().unaccounted())
}

fn score<R: Reason>(quality: &Quality<R>, series: &mut Series<'_, '_>) -> fmt::Result {
    scores(quality, series, |score| score.value)
}

fn score_lower_bound<R: Reason>(quality: &Quality<R>, series: &mut Series<'_, '_>) -> fmt::Result {
    scores(quality, series, |score| score.lower_bound)
}

/// A tenant without data has no series: 0 and 100 would both be wrong.
fn scores<R: Reason>(
    quality: &Quality<R>,
    series: &mut Series<'_, '_>,
    part: impl Fn(&Score) -> f64,
) -> fmt::Result {
    let tenants = &quality.ledger().tenants;
    for tenant in tenants.iter() {
        if let Some(score) = quality.score_of(tenant) {
            series.gauge(&[tenants.name(tenant)], part(&score))?;
        }
    }
    Ok(())
}

const SAMPLE_RESULTS: [&str; 3] = ["captured", "withheld", "failed"];

fn samples<R: Reason>(quality: &Quality<R>, series: &mut Series<'_, '_>) -> fmt::Result {
    let SamplerCounts {
        captured,
        withheld,
        failed,
    } = quality.sampler().counts();
    for (result, events) in SAMPLE_RESULTS.into_iter().zip([captured, withheld, failed]) {
        series.counter(&[result], events)?;
    }
    Ok(())
}
