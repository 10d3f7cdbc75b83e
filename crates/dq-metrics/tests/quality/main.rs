//! The crate as a service sees it.

mod bounds;
mod conservation;
mod exposition;
mod fault;
mod filtered;
mod periods;
mod reports;
mod samples;
mod trends;
mod versions;

use std::sync::Arc;

use portcullis_dq_metrics::{Quality, QualityBuilder, clock::FakeClock, sample::Masker};
use prometheus_client::{encoding::text::encode, registry::Registry};
use rand::{SeedableRng, rngs::StdRng};

use self::fault::Fault;

/// What must never be stored.
const CANARY: &str = "canary7f3a91";

/// Masks the canary and nothing else.
#[derive(Debug)]
struct HidesCanary;

impl Masker for HidesCanary {
    fn mask_payload(&self, payload: &str) -> String {
        self.mask_text(payload)
    }

    fn mask_text(&self, text: &str) -> String {
        text.replace(CANARY, "[masked]")
    }
}

fn builder(clock: &Arc<FakeClock>) -> QualityBuilder<Fault> {
    Quality::<Fault>::builder(Arc::new(HidesCanary), StdRng::seed_from_u64(7)).clock(clock.clone())
}

fn quality() -> Quality<Fault> {
    builder(&Arc::new(FakeClock::default())).build()
}

/// What a scrape answers, in OpenMetrics text.
fn scrape(quality: &Quality<Fault>) -> String {
    let mut registry = Registry::default();
    quality.register(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry).expect("writing to a String");
    text
}

/// The series of a scrape with their values.
fn series(scrape: &str) -> Vec<(&str, f64)> {
    let samples = scrape.lines().filter(|line| !line.starts_with('#'));
    let split = samples.map(|line| line.rsplit_once(' ').expect("a series and its value"));
    split
        .map(|(series, value)| (series, value.parse().expect("a number")))
        .collect()
}

/// The sum of all series of one metric.
fn sum(scrape: &str, metric: &str) -> f64 {
    let of_metric = |series: &str| series.split('{').next() == Some(metric);
    series(scrape)
        .into_iter()
        .filter(|(series, _)| of_metric(series))
        .map(|(_, n)| n)
        .sum()
}
