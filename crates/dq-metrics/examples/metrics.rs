//! The metrics of a taxonomy in a Prometheus registry, as a scrape shows them.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::sync::Arc;

use portcullis_dq_metrics::{Dimension, Facts, Outcome, Quality, Reason, Subject, sample::Masker};
use prometheus_client::{encoding::text::encode, registry::Registry};
use rand::{SeedableRng, rngs::StdRng};

/// Why an importer refuses an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    SumWrong,
    QueueFull,
}

impl Reason for Fault {
    const ALL: &'static [Self] = &[Self::SumWrong, Self::QueueFull];

    fn index(self) -> usize {
        self as usize
    }

    fn facts(self) -> Facts {
        match self {
            Self::SumWrong => Facts::new("check.sum_wrong", "The total is not the sum.")
                .dimension(Dimension::Consistency),
            Self::QueueFull => Facts::new("store.queue_full", "The queue is full.").unexpected(),
        }
    }
}

/// Keeps nothing of a payload; names of suppliers and kinds are no secret.
#[derive(Debug)]
struct NamesOnly;

impl Masker for NamesOnly {
    fn mask_payload(&self, _: &str) -> String {
        String::new()
    }

    fn mask_text(&self, text: &str) -> String {
        text.to_owned()
    }
}

fn main() {
    let quality = Quality::<Fault>::builder(Arc::new(NamesOnly), StdRng::seed_from_u64(1)).build();
    let mut registry = Registry::default();
    quality.register(&mut registry);

    let invoice = Subject::tenant("acme").event_type("invoice");
    quality.received(Some("acme"), 3);
    quality.record(invoice, Outcome::Accepted);
    quality.record(invoice, Outcome::Rejected(Fault::SumWrong));

    let mut scrape = String::new();
    encode(&mut scrape, &registry).expect("writing to a String");
    println!("{scrape}");
    for line in [
        r#"dq_outcomes_total{tenant="acme",outcome="accepted"} 1"#,
        r#"dq_rejected_total{reason="check.sum_wrong"} 1"#,
        r#"dq_rejected_total{reason="store.queue_full"} 0"#,
        "dq_unaccounted 1",
    ] {
        assert!(scrape.lines().any(|shown| shown == line), "{line}");
    }
    const { assert!(Quality::<Fault>::MAX_SERIES < 2_000) };
}
