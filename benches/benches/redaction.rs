//! What redaction takes of a log line: its fields through [`Redactor`], beside the same through regular
//! expressions.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use portcullis_benches::{
    patterns::Patterns,
    processor_time::{self, ProcessorTime},
    texts::{LOG_FIELDS, LOG_FIELDS_WITH_PERSONAL_DATA},
};
use portcullis_telemetry::{Redaction, Redactor};

fn lines(criterion: &mut Criterion<ProcessorTime>) {
    let (redactor, patterns) = (Redactor::new(Redaction::standard()), Patterns::new());
    for (group, fields) in [
        ("line_clean", LOG_FIELDS),
        ("line_with_personal_data", LOG_FIELDS_WITH_PERSONAL_DATA),
    ] {
        let mut group = criterion.benchmark_group(group);
        group.throughput(Throughput::Elements(1));
        group.bench_function("redactor", |bencher| {
            bencher.iter(|| {
                let (_, message) = fields[0];
                let message = redactor.mask(black_box(message)).len();
                let rest = fields[1..].iter();
                let rest = rest.map(|(name, value)| redactor.field(name, black_box(value)).len());
                message + rest.sum::<usize>()
            });
        });
        group.bench_function("patterns", |bencher| {
            bencher.iter(|| {
                let fields = fields.iter();
                let lengths = fields.map(|(_, value)| patterns.mask(black_box(value)).len());
                lengths.sum::<usize>()
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = processor_time::criterion();
    targets = lines
}
criterion_main!(benches);
