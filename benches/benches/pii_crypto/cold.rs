//! A subkey of its own for each value.

use std::{array, hint::black_box};

use criterion::{Criterion, Throughput};
use portcullis_benches::processor_time::ProcessorTime;
use portcullis_pii_crypto::{Aead, EpochPolicy};

use super::{
    peers::associated_data,
    world::{ADDRESS, FIELD, KEY, NONCE, RECORD, Renewed, World, address},
};

/// Where nothing is at hand: a subkey of its own for each message, and values of more epochs than are kept.
/// The peer derives a key from as much, and schedules it, for each.
pub(super) fn subkey_for_each(criterion: &mut Criterion<ProcessorTime>) {
    use ::ring::{aead, hkdf, rand::SecureRandom as _};

    /// Of how many epochs: several times as many as a key keeps for opening.
    const EPOCHS: usize = 64;

    let (world, aad) = (World::new(), associated_data());
    let root = hkdf::Prk::new_less_safe(hkdf::HKDF_SHA256, &KEY);
    let derive = |salt: &[u8]| {
        let info = [b"portcullis/field/v1".as_slice(), salt];
        let key = root.expand(&info, &aead::AES_256_GCM);
        let key: aead::UnboundKey = key.expect("32 bytes").into();
        aead::LessSafeKey::new(key)
    };
    let nonce = || aead::Nonce::assume_unique_for_key(NONCE);

    let mut group = criterion.benchmark_group("seal_per_message");
    group.throughput(Throughput::Elements(1));
    group.bench_function("portcullis", |bencher| {
        let (email, mut renewed) = (address(), Renewed::new(&world, Aead::Ring));
        bencher.iter(|| {
            let cipher = renewed.cipher().clone();
            let cipher = cipher.with_epochs(EpochPolicy::PerMessage);
            cipher.seal(FIELD, RECORD, &email).expect("it seals")
        });
    });
    let random = ::ring::rand::SystemRandom::new();
    group.bench_function("ring", |bencher| {
        bencher.iter(|| {
            let mut salt = [0; 16];
            random.fill(&mut salt).expect("there are random bytes");
            let mut bytes = black_box(ADDRESS).as_bytes().to_vec();
            let sealed =
                derive(&salt).seal_in_place_append_tag(nonce(), aead::Aad::from(&aad), &mut bytes);
            sealed.expect("it is short");
            bytes
        });
    });
    group.finish();

    let mut group = criterion.benchmark_group("open_cold");
    group.throughput(Throughput::Elements(1));
    let cipher = world.cipher(&world.tenant(0));
    let cipher = cipher.with_epochs(EpochPolicy::PerMessage);
    let sealed: Vec<_> = (0..EPOCHS)
        .map(|_| cipher.seal(FIELD, RECORD, &address()).expect("it seals"))
        .collect();
    group.bench_function("portcullis", |bencher| {
        let (mut renewed, mut values) = (Renewed::new(&world, Aead::Ring), sealed.iter().cycle());
        bencher.iter(|| {
            let value = values.next().expect("it goes round");
            renewed
                .cipher()
                .open(FIELD, RECORD, value)
                .expect("it opens")
        });
    });
    let salts: Vec<[u8; 16]> = (0..EPOCHS)
        .map(|number| array::from_fn(|_| number.to_le_bytes()[0]))
        .collect();
    let seal = |salt: &[u8; 16]| {
        let mut bytes = ADDRESS.as_bytes().to_vec();
        let sealed =
            derive(salt).seal_in_place_append_tag(nonce(), aead::Aad::from(&aad), &mut bytes);
        sealed.expect("it is short");
        (*salt, bytes)
    };
    let sealed: Vec<_> = salts.iter().map(seal).collect();
    group.bench_function("ring", |bencher| {
        let mut values = sealed.iter().cycle();
        bencher.iter(|| {
            let (salt, value) = values.next().expect("it goes round");
            let mut bytes = value.clone();
            let opened = derive(salt).open_in_place(nonce(), aead::Aad::from(&aad), &mut bytes);
            let len = opened.expect("it was sealed here").len();
            bytes.truncate(len);
            bytes
        });
    });
}
