//! Measures what recording an accepted event costs; build it with `--release`.

use std::hint::black_box;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use portcullis_dq_metrics::{Outcome, Quality, Subject, sample::Masker};
use rand::SeedableRng;
use rand::rngs::StdRng;

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

fn main() -> io::Result<()> {
    let quality = Quality::builder(Arc::new(MasksNothing), StdRng::seed_from_u64(1)).build();
    let subject = Subject::tenant("acme")
        .event_type("lead.created")
        .schema_version("2");
    let mut runs: Vec<Duration> = (0..RUNS).map(|_| run(&quality, subject)).collect();
    runs.sort_unstable();
    writeln!(
        io::stdout(),
        "record: {:?} an event (median of {RUNS} runs)",
        runs[RUNS / 2] / EVENTS
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement reads the ambient clock"
)]
fn run(quality: &Quality, subject: Subject<'_>) -> Duration {
    let start = Instant::now();
    for _ in 0..EVENTS {
        quality.record(black_box(subject), black_box(Outcome::Accepted));
    }
    start.elapsed()
}
