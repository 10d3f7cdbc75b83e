//! Measures what recording an accepted event costs; build it with `--release`.

#![expect(clippy::print_stdout, reason = "an example shows what it measures")]

#[path = "weather_station/reason.rs"]
mod reason;

use std::{
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use portcullis_dq_metrics::{Outcome, Quality, Subject, sample::Masker};
use rand::{SeedableRng, rngs::StdRng};

use self::reason::Fault;

const EVENTS: u32 = 2_000_000;
const RUNS: usize = 5;

#[derive(Debug)]
struct MasksNothing;

impl Masker for MasksNothing {
    fn mask_payload(&self, payload: &str) -> String {
        self.mask_text(payload)
    }

    fn mask_text(&self, text: &str) -> String {
        text.to_owned()
    }
}

fn main() {
    let quality =
        Quality::<Fault>::builder(Arc::new(MasksNothing), StdRng::seed_from_u64(1)).build();
    let subject = Subject::tenant("zugspitze")
        .event_type("observation")
        .schema_version("2");
    let mut runs: Vec<Duration> = (0..RUNS).map(|_| run(&quality, subject)).collect();
    runs.sort_unstable();
    let median = runs[RUNS / 2] / EVENTS;
    println!("record: {median:?} an event (median of {RUNS} runs)");
    let recorded = quality.conservation().outcomes;
    assert_eq!(recorded, u64::from(EVENTS) * RUNS as u64);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement reads the ambient clock"
)]
fn run(quality: &Quality<Fault>, subject: Subject<'_>) -> Duration {
    let start = Instant::now();
    for _ in 0..EVENTS {
        quality.record(black_box(subject), black_box(Outcome::Accepted));
    }
    start.elapsed()
}
