//! One value sealed, and opened again.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use portcullis_benches::{processor_time::ProcessorTime, threads::on_threads};

use super::{
    OURS, THREADS, named,
    peers::{associated_data, aws_lc_rs, ring, tink},
    world::{ADDRESS, FIELD, RECORD, Renewed, World, address},
};

pub(super) fn seal(criterion: &mut Criterion<ProcessorTime>) {
    let (world, aad) = (World::new(), associated_data());
    let mut group = criterion.benchmark_group("seal");
    group.throughput(Throughput::Elements(1));
    for threads in THREADS {
        for (ours, aead) in OURS {
            group.bench_function(named(ours, threads), |bencher| {
                on_threads(bencher, threads, |_| {
                    let (email, mut renewed) = (address(), Renewed::new(&world, aead));
                    move || {
                        let cipher = renewed.cipher();
                        black_box(cipher.seal(FIELD, RECORD, &email).expect("it seals"));
                    }
                });
            });
        }
        let key = ring::InPlace::new();
        group.bench_function(named("ring", threads), |bencher| {
            on_threads(bencher, threads, |_| || drop(black_box(key.seal(&aad))));
        });
        let key = aws_lc_rs::InPlace::new();
        group.bench_function(named("aws_lc_rs", threads), |bencher| {
            on_threads(bencher, threads, |_| || drop(black_box(key.seal(&aad))));
        });
        group.bench_function(named("tink", threads), |bencher| {
            on_threads(bencher, threads, |_| {
                let (key, aad) = (tink(), &aad);
                move || drop(black_box(key.encrypt(black_box(ADDRESS).as_bytes(), aad)))
            });
        });
    }
}

/// Under a subkey that is at hand: sealed within the second, or opened before.
pub(super) fn open(criterion: &mut Criterion<ProcessorTime>) {
    let (world, aad) = (World::new(), associated_data());
    let mut group = criterion.benchmark_group("open");
    group.throughput(Throughput::Elements(1));
    for threads in THREADS {
        for (ours, aead) in OURS {
            let sealed = Renewed::new(&world, aead)
                .cipher()
                .seal(FIELD, RECORD, &address());
            let sealed = sealed.expect("it seals");
            group.bench_function(named(ours, threads), |bencher| {
                on_threads(bencher, threads, |_| {
                    let (sealed, mut renewed) = (&sealed, Renewed::new(&world, aead));
                    move || {
                        let cipher = renewed.cipher();
                        black_box(cipher.open(FIELD, RECORD, sealed).expect("it opens"));
                    }
                });
            });
        }
        let key = ring::InPlace::new();
        let sealed = key.seal(&aad);
        group.bench_function(named("ring", threads), |bencher| {
            on_threads(bencher, threads, |_| {
                || drop(black_box(key.open(&aad, &sealed)))
            });
        });
        let key = aws_lc_rs::InPlace::new();
        let sealed = key.seal(&aad);
        group.bench_function(named("aws_lc_rs", threads), |bencher| {
            on_threads(bencher, threads, |_| {
                || drop(black_box(key.open(&aad, &sealed)))
            });
        });
        group.bench_function(named("tink", threads), |bencher| {
            on_threads(bencher, threads, |_| {
                let (key, aad) = (tink(), &aad);
                let sealed = key.encrypt(ADDRESS.as_bytes(), aad).expect("it seals");
                move || drop(black_box(key.decrypt(&sealed, aad).expect("it opens")))
            });
        });
    }
}
