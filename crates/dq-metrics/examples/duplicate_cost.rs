//! Measures what the duplicate filter costs at ten million ids, in time and memory; build it with `--release`.

#![expect(clippy::print_stdout, reason = "an example shows what it measures")]

use std::{
    hint::black_box,
    num::NonZeroU32,
    time::{Duration, Instant},
};

use portcullis_dq_metrics::duplicates::{ContentHash, DuplicateFilter, Sighting};
use rand::{SeedableRng, rngs::StdRng};

const IDS: u32 = 10_000_000;

fn main() {
    let [ids, recent] = [IDS, 65_536].map(|n| NonZeroU32::new(n).expect("not 0"));
    let filter = DuplicateFilter::new(ids, recent, &mut StdRng::seed_from_u64(1));
    let content = ContentHash::new(7);
    // Twice as many, so that both generations are full.
    let noting = timed(2 * IDS, |n| filter.note(&n.to_be_bytes(), content));
    let mut mistaken = 0;
    let looking = timed(IDS, |n| {
        let unseen = black_box((2 * IDS + n).to_be_bytes());
        mistaken += u32::from(filter.look(&unseen, content) != Sighting::Unseen);
    });
    println!("note: {noting:?} an id, look: {looking:?} an id that was never noted");
    println!(
        "{mistaken} of {IDS} taken for one that may be stored, bound {:.2e}",
        filter.false_positive_bound()
    );
    println!("memory: {} KiB", filter.memory() / 1_024);
}

#[expect(
    clippy::disallowed_methods,
    reason = "a measurement reads the ambient clock"
)]
fn timed(times: u32, mut work: impl FnMut(u32)) -> Duration {
    let start = Instant::now();
    for n in 0..times {
        work(n);
    }
    start.elapsed() / times
}
