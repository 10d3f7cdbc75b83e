//! `portcullis-pii-detect` beside regular expressions for the same kinds: what a byte costs.

use std::{hint::black_box, time::Duration};

use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use portcullis_benches::{
    adversarial,
    patterns::Patterns,
    processor_time::{self, ProcessorTime},
    texts,
};
use portcullis_pii_detect::Detector;

/// Texts without a finding, and full of them.
fn find(criterion: &mut Criterion<ProcessorTime>) {
    for (group, texts) in [("clean", texts::clean()), ("dense", texts::dense())] {
        let mut group = criterion.benchmark_group(group);
        for (name, text) in &texts {
            compare(&mut group, name, text);
        }
    }
}

/// A whole body that does its worst.
fn adversaries(criterion: &mut Criterion<ProcessorTime>) {
    let mut group = criterion.benchmark_group("adversarial");
    group
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(500));
    for adversary in adversarial::ALL {
        compare(&mut group, adversary.name, &adversary.text());
    }
}

fn compare(group: &mut BenchmarkGroup<'_, ProcessorTime>, name: &str, text: &str) {
    let (detector, patterns) = (Detector::standard(), Patterns::new());
    group.throughput(Throughput::Bytes(text.len() as u64));
    group.bench_with_input(BenchmarkId::new("detector", name), text, |bencher, text| {
        bencher.iter(|| detector.find(black_box(text)).count());
    });
    group.bench_with_input(BenchmarkId::new("patterns", name), text, |bencher, text| {
        bencher.iter(|| patterns.count(black_box(text)));
    });
}

/// Short values with their names, where what a call costs counts for more than what a byte costs.
fn values(criterion: &mut Criterion<ProcessorTime>) {
    let (detector, patterns) = (Detector::standard(), Patterns::new());
    let values = texts::values();
    let mut group = criterion.benchmark_group("values");
    group.throughput(Throughput::Elements(values.len() as u64));
    group.bench_function("detector", |bencher| {
        bencher.iter(|| {
            let found = values.iter();
            let found =
                found.map(|(name, text)| detector.find_named(name, black_box(text)).count());
            found.sum::<usize>()
        });
    });
    group.bench_function("patterns", |bencher| {
        bencher.iter(|| {
            let found = values
                .iter()
                .map(|(_, text)| patterns.count(black_box(text)));
            found.sum::<usize>()
        });
    });
}

criterion_group! {
    name = benches;
    config = processor_time::criterion();
    targets = find, values, adversaries
}
criterion_main!(benches);
