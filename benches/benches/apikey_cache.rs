//! A cached API key: parsed and validated by this workspace, beside an HMAC and a look-up in a plain
//! cache; and what a key costs that nobody issued. With `figures`, what is no time of one operation: memory,
//! whether time tells something about a key, floods of bad keys, revocations.

#[path = "apikey_cache/apart.rs"]
mod apart;
#[path = "apikey_cache/bus.rs"]
mod bus;
#[path = "apikey_cache/clock.rs"]
mod clock;
#[path = "apikey_cache/flood.rs"]
mod flood;
#[path = "apikey_cache/keys.rs"]
mod keys;
#[path = "apikey_cache/memory.rs"]
mod memory;
#[path = "apikey_cache/ours.rs"]
mod ours;
#[path = "apikey_cache/peers.rs"]
mod peers;
#[path = "apikey_cache/revocation.rs"]
mod revocation;
#[path = "apikey_cache/timing.rs"]
mod timing;

use std::{env, hint::black_box};

use criterion::{BenchmarkId, Criterion, criterion_group};
use portcullis_benches::{
    figures::{Failure, Figures},
    keys::Distribution,
    processor_time::{self, ProcessorTime},
    threads::on_threads,
};

use self::{
    apart::Hashing,
    ours::{Ours, TENANT},
    peers::{Lookup, Peer},
};

const DISTRIBUTIONS: [Distribution; 3] =
    [Distribution::Hot, Distribution::Zipf, Distribution::Uniform];
/// In which order keys are presented; then again from the front.
const DRAWS: usize = 1 << 20;

/// Without `--bench` each is run once, which a few keys are enough for.
fn is_measured() -> bool {
    env::args().any(|argument| argument == "--bench")
}

fn hits(criterion: &mut Criterion<ProcessorTime>) {
    let (keys, draws) = if is_measured() {
        (100_000, DRAWS)
    } else {
        (100, 1_000)
    };
    let ours = Ours::with_keys(keys, 7);
    let keys = ours.keys();
    let quick_cache = quick_cache_knowing(keys);
    let moka = Peer::<moka::sync::Cache<_, _>>::knowing(keys, TENANT);
    let parsed: Vec<_> = keys.iter().map(|text| ours::parsed(text)).collect();
    let hashing = Hashing::new();
    let digests: Vec<_> = keys.iter().map(|text| hashing.digest(text)).collect();
    let (moka_apart, quick_cache_apart) = (apart::moka(&digests), apart::quick_cache(&digests));
    for threads in [1, 2] {
        let mut group = criterion.benchmark_group(format!("api_key_on_{threads}"));
        for distribution in DISTRIBUTIONS {
            let order = distribution.draw(keys.len(), draws);
            let presented = Presented { order };
            let mut measure = |name, validate: &(dyn Fn(usize) + Sync)| {
                let id = BenchmarkId::new(name, distribution.name());
                group.bench_function(id, |bencher| {
                    on_threads(bencher, threads, |thread| {
                        let mut presented = presented.from(thread, threads);
                        move || validate(presented.next().expect("it has no end"))
                    });
                });
            };
            measure("apikey_cache", &|at| {
                black_box(ours.validate(&keys[at]).expect("it was issued"));
            });
            measure("quick_cache", &|at| {
                black_box(quick_cache.validate(&keys[at]).expect("it is known"));
            });
            measure("quick_cache_alone", &|at| {
                black_box(quick_cache.look_up(&keys[at]).expect("it is known"));
            });
            measure("moka", &|at| {
                black_box(moka.validate(&keys[at]).expect("it is known"));
            });
            measure("validate", &|at| {
                black_box(ours.validate_key(&parsed[at]).expect("it was issued"));
            });
            measure("hmac_apart", &|at| {
                black_box(hashing.digest(&keys[at]));
            });
            measure("moka_apart", &|at| {
                black_box(moka_apart.get(&digests[at]).expect("it is known"));
            });
            measure("quick_cache_apart", &|at| {
                black_box(quick_cache_apart.get(&digests[at]).expect("it is known"));
            });
        }
        group.finish();
    }
}

fn quick_cache_knowing(keys: &[String]) -> Peer<impl Lookup> {
    Peer::<quick_cache::sync::Cache<_, _>>::knowing(keys, TENANT)
}

/// Keys, by number, in the order in which requests bring them.
struct Presented {
    order: Vec<usize>,
}

impl Presented {
    /// Each thread begins elsewhere.
    fn from(&self, thread: usize, threads: usize) -> impl Iterator<Item = usize> {
        let start = self.order.len() * thread / threads;
        self.order.iter().cycle().skip(start).copied()
    }
}

/// A key with a good checksum and a kid that another service made, under a pepper of its own: refused
/// by the tag of its kid.
fn invented(criterion: &mut Criterion<ProcessorTime>) {
    let (ours, other) = (Ours::with_keys(1, 7), Ours::with_keys(1, 8));
    let quick_cache = quick_cache_knowing(ours.keys());
    let text = other.keys()[0].as_str();
    let mut group = criterion.benchmark_group("api_key_invented");
    group.bench_function("apikey_cache", |bencher| {
        bencher.iter(|| {
            ours.validate(black_box(text))
                .expect_err("it was not issued")
        });
    });
    group.bench_function("quick_cache", |bencher| {
        bencher.iter(|| {
            let text = black_box(text);
            (quick_cache.validate(text).is_none(), quick_cache.tag(text))
        });
    });
    group.finish();
}

criterion_group! {
    name = benches;
    config = processor_time::criterion();
    targets = hits, invented
}

const USAGE: &str = "usage: figures memory|timing PAIR|flood KIND|revocation WHAT";

fn main() -> Result<(), Failure> {
    // Cargo's own arguments apart.
    let given: Vec<String> = env::args()
        .skip(1)
        .filter(|each| each != "--bench")
        .collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    if let ["figures", of @ ..] = given.as_slice() {
        return run(of, false)?.print();
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    if !is_measured() && given.is_empty() {
        for of in FIGURES {
            run(of, true)?;
        }
    }
    Ok(())
}

/// A run of each kind.
const FIGURES: [&[&str]; 13] = [
    &["memory"],
    &["timing", "secret"],
    &["timing", "hash"],
    &["timing", "record"],
    &["timing", "kid"],
    &["flood", "invented"],
    &["flood", "malformed"],
    &["flood", "wrong"],
    &["revocation", "memory"],
    &["revocation", "bus"],
    &["revocation", "sqlite"],
    &["revocation", "sqlite-bus"],
    &["revocation", "others"],
];

fn run(figures: &[&str], is_quick: bool) -> Result<Figures, Failure> {
    match figures {
        ["memory"] => memory::run(is_quick),
        ["timing", pair] => timing::run(pair, is_quick),
        ["flood", kind] => flood::run(kind, is_quick),
        ["revocation", store] => revocation::run(store, is_quick),
        _ => Err(USAGE.into()),
    }
}
