//! What an honest tenant notices of another who sends bad keys: its key is validated on one thread, while
//! another one sends bad keys as fast as it can, beside the same while the other hashes something of its own.
//! So what either takes of a core that both share, of power or of the hypervisor counts for both alike, and what
//! they share of the cache is what is left.

use std::{
    hint::black_box,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use criterion::measurement::Measurement as _;
use portcullis_benches::{
    figures::{Failure, Figures},
    histogram::Histogram,
    processor_time::ProcessorTime,
};
use rustix::time::{ClockId, clock_gettime};

use super::{
    apart::Hashing,
    keys::{invented, mistyped, with_wrong_secrets},
    ours::Ours,
};

/// Keys that the service knows.
const KNOWN: usize = 1_000;
/// Bad ones, again and again.
const BAD: usize = 4_096;
/// One of a turn with the flood and one with unrelated work in each.
const PAIRS: usize = 40;
const TURN: Duration = Duration::from_millis(100);

pub(crate) fn run(kind: &str, is_quick: bool) -> Result<Figures, Failure> {
    let ours = Ours::with_keys(KNOWN.min(if is_quick { 10 } else { KNOWN }), 7);
    let bad = if is_quick { 10 } else { BAD };
    let honest = ours.keys()[0].as_str();
    let texts = match kind {
        "invented" => invented(bad),
        "malformed" => mistyped(honest, bad),
        "wrong" => with_wrong_secrets(honest, bad),
        _ => return Err("usage: figures flood invented|malformed|wrong".into()),
    };
    let flood = |texts: &mut dyn Iterator<Item = &String>| {
        let text = texts.next().expect("it has no end");
        black_box(ours.validate(black_box(text)).expect_err("it is bad"));
    };
    let hashing = Hashing::new();
    let unrelated = |texts: &mut dyn Iterator<Item = &String>| {
        let text = texts.next().expect("it has no end");
        black_box(hashing.digest(black_box(text)));
    };
    let (pairs, turn) = if is_quick {
        (1, TURN / 50)
    } else {
        (PAIRS, TURN)
    };
    Ok(beside(
        &ours,
        honest,
        pairs,
        turn,
        [&|stop| in_a_loop(&texts, stop, flood), &|stop| {
            in_a_loop(&texts, stop, unrelated)
        }],
    ))
}

fn in_a_loop<'t>(
    texts: &'t [String],
    stop: &AtomicBool,
    mut work: impl FnMut(&mut dyn Iterator<Item = &'t String>),
) {
    let mut texts = texts.iter().cycle();
    while !stop.load(Ordering::Relaxed) {
        work(&mut texts);
    }
}

/// What another thread does until it is told to stop.
pub(crate) type Other<'a> = &'a (dyn Fn(&AtomicBool) + Sync);

/// How an honest key fares beside either of two other threads.
pub(crate) fn beside(
    ours: &Ours,
    honest: &str,
    pairs: usize,
    turn: Duration,
    others: [Other<'_>; 2],
) -> Figures {
    let mut turns = [Vec::new(), Vec::new()];
    let mut latencies = [Histogram::new(), Histogram::new()];
    for number in [0, 1, 1, 0].into_iter().cycle().take(pairs * 2) {
        let one = beside_one(ours, honest, turn, others[number]);
        latencies[number].add(&one.latencies);
        turns[number].push(one);
    }
    let of = |figure: &dyn Fn(&Round) -> f64| {
        let [with, without] = &turns;
        let both = with.iter().zip(without);
        both.map(|(with, without)| [figure(with), figure(without)])
            .collect::<Vec<_>>()
    };
    let mut figures = Figures::default();
    figures.add_turns(
        "throughput",
        "keys/s",
        &of(&|round| round.validated() / round.took),
    );
    let processor = of(&|round| round.processor * 1e9 / round.validated());
    figures.add_turns("processor time", "ns/key", &processor);
    for percent in [50, 99] {
        let nanoseconds = |one: &Histogram| one.percentile(percent).as_secs_f64() * 1e9;
        figures.add(
            &format!("p{percent}"),
            "ns",
            latencies.each_ref().map(nanoseconds),
        );
    }
    figures
}

/// In seconds.
struct Round {
    took: f64,
    processor: f64,
    latencies: Histogram,
}

impl Round {
    fn validated(&self) -> f64 {
        self.latencies.count() as f64
    }
}

fn beside_one(ours: &Ours, honest: &str, turn: Duration, other: Other<'_>) -> Round {
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| other(&stop));
        let mut latencies = Histogram::new();
        let processor = ProcessorTime::default().start();
        let start = now();
        let mut before = start;
        while before - start < turn {
            black_box(ours.validate(black_box(honest)).expect("it was issued"));
            let after = now();
            latencies.record(after - before);
            before = after;
        }
        let processor = ProcessorTime::default().end(processor).as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        Round {
            took: (before - start).as_secs_f64(),
            processor,
            latencies,
        }
    })
}

pub(crate) fn now() -> Duration {
    Duration::try_from(clock_gettime(ClockId::Monotonic)).expect("it counts from zero")
}
