//! The value of a blind index.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use hmac::{Hmac, KeyInit as _, Mac as _};
use portcullis_benches::{processor_time::ProcessorTime, threads::on_threads};
use portcullis_pii_crypto::{Email, Pii};
use sha2::Sha256;

use super::{
    THREADS, named,
    peers::content,
    world::{ADDRESS, FIELD, KEY, World},
};

/// From the address as text to its value in a unique index.
pub(super) fn index(criterion: &mut Criterion<ProcessorTime>) {
    let world = World::new();
    let mut group = criterion.benchmark_group("index");
    group.throughput(Throughput::Elements(1));
    let index = world.roots.unique_index(&world.tenant(0), FIELD);
    for threads in THREADS {
        group.bench_function(named("portcullis", threads), |bencher| {
            on_threads(bencher, threads, |_| {
                || {
                    let email = Pii::<Email>::parse(black_box(ADDRESS)).expect("an address");
                    black_box(index.values(&email));
                }
            });
        });
        let key = Hmac::<Sha256>::new_from_slice(&KEY).expect("it takes any length");
        group.bench_function(named("rustcrypto", threads), |bencher| {
            on_threads(bencher, threads, |_| {
                || {
                    let mut hmac = key.clone();
                    for part in content(&black_box(ADDRESS).to_ascii_lowercase()) {
                        hmac.update(part);
                    }
                    black_box(hmac.finalize().into_bytes()[..16].to_vec());
                }
            });
        });
        let key = ::ring::hmac::Key::new(::ring::hmac::HMAC_SHA256, &KEY);
        group.bench_function(named("ring", threads), |bencher| {
            on_threads(bencher, threads, |_| {
                || {
                    let mut hmac = ::ring::hmac::Context::with_key(&key);
                    for part in content(&black_box(ADDRESS).to_ascii_lowercase()) {
                        hmac.update(part);
                    }
                    black_box(hmac.sign().as_ref()[..16].to_vec());
                }
            });
        });
    }
    group.finish();

    // The value in its normal form already: the HMAC, and what is around it.
    let mut group = criterion.benchmark_group("index_normalised");
    group.throughput(Throughput::Elements(1));
    let index = world.roots.fingerprint_index(&world.tenant(0), FIELD);
    group.bench_function("portcullis", |bencher| {
        bencher.iter(|| index.value("email/1", black_box(ADDRESS).as_bytes()));
    });
    let key = Hmac::<Sha256>::new_from_slice(&KEY).expect("it takes any length");
    group.bench_function("rustcrypto", |bencher| {
        bencher.iter(|| {
            let mut hmac = key.clone();
            for part in content(black_box(ADDRESS)) {
                hmac.update(part);
            }
            hmac.finalize().into_bytes()
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("index_key_derived");
    group.throughput(Throughput::Elements(1));
    let tenant = world.tenant(0);
    group.bench_function("portcullis", |bencher| {
        bencher.iter(|| {
            let email = Pii::<Email>::parse(black_box(ADDRESS)).expect("an address");
            world.roots.unique(&tenant, FIELD, &email)
        });
    });
    group.bench_function("ring", |bencher| {
        use ::ring::{hkdf, hmac};
        bencher.iter(|| {
            let info: [&[u8]; 3] = [b"portcullis/index/v1", b"tenant-0", FIELD.as_bytes()];
            let root = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &KEY);
            let key = root
                .expand(&info, hmac::HMAC_SHA256)
                .expect("32 bytes")
                .into();
            let mut hmac = hmac::Context::with_key(&key);
            for part in content(&black_box(ADDRESS).to_ascii_lowercase()) {
                hmac.update(part);
            }
            hmac.sign().as_ref()[..16].to_vec()
        });
    });
}
