//! The counters as Prometheus metrics, in a bounded number of series.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use crate::ledger::{TENANT_ROWS, TYPE_COLUMNS};
use crate::outcome::Outcome;
use crate::quality::Quality;
use crate::reason::Reason;
use crate::sample::SamplerCounts;
use crate::tally::Tally;

/// Most series there can ever be.
pub const MAX_SERIES: usize = TENANT_ROWS // received
    + TENANT_ROWS * Outcome::KINDS
    + TYPE_COLUMNS * Outcome::KINDS
    + Reason::ALL.len()
    + 1 // unaccounted
    + 2 * TENANT_ROWS // score and its lower bound
    + 3; // samples

const _: () = assert!(MAX_SERIES <= 2_000, "the bound the documentation states");

// === impl Quality ===

impl Quality {
    /// Adds the metrics to a registry.
    ///
    /// They are read anew at each scrape; call this once for each registry.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_collector(Box::new(self.clone()));
    }
}

impl Collector for Quality {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        // Outcomes are read before receipts, so that no scrape shows an outcome of something that
        // was not received yet.
        encode_outcomes(self, &mut encoder)?;
        encode_event_types(self, &mut encoder)?;
        encode_reasons(self, &mut encoder)?;
        encode_received(self, &mut encoder)?;
        encode_scores(self, &mut encoder)?;
        encode_samples(self.sampler().counts(), &mut encoder)?;
        encoder
            .encode_descriptor(
                "dq_unaccounted",
                "Received minus the sum of all outcomes: what is in flight.",
                None,
                MetricType::Gauge,
            )?
            .encode_gauge(&self.conservation().unaccounted())
    }
}

fn encode_received(quality: &Quality, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let mut family = encoder.encode_descriptor(
        "dq_received",
        "Events received, and requests refused as a whole.",
        None,
        MetricType::Counter,
    )?;
    let ledger = quality.ledger();
    for tenant in ledger.tenants.iter() {
        let labels = [("tenant", ledger.tenants.name(tenant))];
        count(
            &mut family.encode_family(&labels)?,
            ledger.conservation(&[tenant]).received,
        )?;
    }
    Ok(())
}

fn encode_outcomes(quality: &Quality, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let mut family = encoder.encode_descriptor(
        "dq_outcomes",
        "What became of what was received.",
        None,
        MetricType::Counter,
    )?;
    let ledger = quality.ledger();
    for tenant in ledger.tenants.iter() {
        let name = ledger.tenants.name(tenant);
        for (outcome, events) in ledger.of_tenant(tenant).kinds() {
            let labels = [("tenant", name), ("outcome", outcome)];
            count(&mut family.encode_family(&labels)?, events)?;
        }
    }
    Ok(())
}

fn encode_event_types(quality: &Quality, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let mut family = encoder.encode_descriptor(
        "dq_event_type_outcomes",
        "What became of the events of each type.",
        None,
        MetricType::Counter,
    )?;
    let ledger = quality.ledger();
    for event_type in ledger.event_types.iter() {
        let name = ledger.event_types.name(event_type);
        for (outcome, events) in ledger.of_event_type(event_type).kinds() {
            let labels = [("event_type", name), ("outcome", outcome)];
            count(&mut family.encode_family(&labels)?, events)?;
        }
    }
    Ok(())
}

fn encode_reasons(quality: &Quality, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let mut family = encoder.encode_descriptor(
        "dq_rejected",
        "Rejections by reason.",
        None,
        MetricType::Counter,
    )?;
    let ledger = quality.ledger();
    let tally: Tally = ledger
        .tenants
        .iter()
        .map(|tenant| ledger.of_tenant(tenant))
        .sum();
    for reason in Reason::ALL {
        let labels = [("reason", reason.as_str())];
        count(
            &mut family.encode_family(&labels)?,
            tally.count(Outcome::Rejected(reason)),
        )?;
    }
    Ok(())
}

fn encode_scores(quality: &Quality, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let ledger = quality.ledger();
    let scores: Vec<_> = ledger
        .tenants
        .iter()
        .filter_map(|tenant| Some((ledger.tenants.name(tenant), quality.score_of(tenant)?)))
        .collect();
    // A family without a series would be a description of nothing.
    if scores.is_empty() {
        return Ok(());
    }
    let mut family = encoder.encode_descriptor(
        "dq_score",
        "Data quality since the start, 0 to 100; absent without data.",
        None,
        MetricType::Gauge,
    )?;
    for (tenant, score) in &scores {
        family
            .encode_family(&[("tenant", *tenant)])?
            .encode_gauge(&score.value)?;
    }
    let mut family = encoder.encode_descriptor(
        "dq_score_lower_bound",
        "Lower end of the 95 percent interval of the data quality score.",
        None,
        MetricType::Gauge,
    )?;
    for (tenant, score) in &scores {
        family
            .encode_family(&[("tenant", *tenant)])?
            .encode_gauge(&score.lower_bound)?;
    }
    Ok(())
}

fn encode_samples(counts: SamplerCounts, encoder: &mut DescriptorEncoder<'_>) -> fmt::Result {
    let mut family = encoder.encode_descriptor(
        "dq_samples",
        "Discarded events chosen as samples, by what became of the sample.",
        None,
        MetricType::Counter,
    )?;
    let SamplerCounts {
        captured,
        withheld,
        failed,
    } = counts;
    for (result, events) in [
        ("captured", captured),
        ("withheld", withheld),
        ("failed", failed),
    ] {
        count(&mut family.encode_family(&[("result", result)])?, events)?;
    }
    Ok(())
}

fn count(encoder: &mut MetricEncoder<'_>, value: u64) -> fmt::Result {
    encoder.encode_counter::<NoLabelSet, _, u64>(&value, None)
}
