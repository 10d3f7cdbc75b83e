//! A cached API key: parsed and validated by this workspace, beside an HMAC and a look-up in a plain
//! cache; and what a key costs that nobody issued.

#[path = "apikey_cache/clock.rs"]
mod clock;
#[path = "apikey_cache/ours.rs"]
mod ours;
#[path = "apikey_cache/peers.rs"]
mod peers;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use portcullis_benches::{
    keys::Distribution,
    processor_time::{self, ProcessorTime},
    threads::on_threads,
};

use self::{
    ours::{Ours, TENANT},
    peers::{Lookup, Peer},
};

const DISTRIBUTIONS: [Distribution; 3] =
    [Distribution::Hot, Distribution::Zipf, Distribution::Uniform];
/// In which order keys are presented; then again from the front.
const DRAWS: usize = 1 << 20;

/// Without `--bench` each is run once, which a few keys are enough for.
fn is_measured() -> bool {
    std::env::args().any(|argument| argument == "--bench")
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
    for threads in [1, 2] {
        let mut group = criterion.benchmark_group(format!("api_key_on_{threads}"));
        for distribution in DISTRIBUTIONS {
            let order = distribution.draw(keys.len(), draws);
            let presented = Presented { keys, order };
            let mut measure = |name, validate: &(dyn Fn(&str) + Sync)| {
                let id = BenchmarkId::new(name, distribution.name());
                group.bench_function(id, |bencher| {
                    on_threads(bencher, threads, |thread| {
                        let mut texts = presented.from(thread, threads);
                        move || validate(texts.next().expect("it has no end"))
                    });
                });
            };
            measure("apikey_cache", &|text| {
                black_box(ours.validate(text).expect("it was issued"));
            });
            measure("quick_cache", &|text| {
                black_box(quick_cache.validate(text).expect("it is known"));
            });
            measure("quick_cache_alone", &|text| {
                black_box(quick_cache.look_up(text).expect("it is known"));
            });
            measure("moka", &|text| {
                black_box(moka.validate(text).expect("it is known"));
            });
        }
        group.finish();
    }
}

fn quick_cache_knowing(keys: &[String]) -> Peer<impl Lookup> {
    Peer::<quick_cache::sync::Cache<_, _>>::knowing(keys, TENANT)
}

/// Keys in the order in which requests bring them.
struct Presented<'a> {
    keys: &'a [String],
    order: Vec<usize>,
}

impl Presented<'_> {
    /// Each thread begins elsewhere.
    fn from(&self, thread: usize, threads: usize) -> impl Iterator<Item = &str> {
        let start = self.order.len() * thread / threads;
        let order = self.order.iter().cycle().skip(start);
        order.map(|at| self.keys[*at].as_str())
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
criterion_main!(benches);
