//! What sealing, opening and blind indexes take for one e-mail address, beside the same with bare
//! primitives, and what a request pays for its keys.

use std::{array, hint::black_box, sync::Arc};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit as _, Mac as _};
use moka::sync::Cache;
use portcullis_benches::{
    keys::Distribution,
    processor_time::{self, ProcessorTime},
    threads::on_threads,
};
use portcullis_keyring::{
    Keyring, TenantId,
    clock::{Clock, FakeClock, SystemClock},
    kek::MemoryKek,
    store::MemoryDekStore,
};
use portcullis_pii_crypto::{
    Aead, Cipher, Email, EpochPolicy, IndexRoots, Pii, PiiType as _, secrets::VersionedSecrets,
};
use secrecy::SecretBox;
use sha2::Sha256;
use tokio::runtime::{Builder, Runtime};

/// 26 bytes.
const ADDRESS: &str = "jane.smith+a1@example1.com";
const FIELD: &str = "lead.email";
const RECORD: &str = "0198c0de-0000-7000-8000-000000000001";
const TENANTS: usize = 10_000;
const NONCE: [u8; 12] = [7; 12];
const KEY: [u8; 32] = [7; 32];

/// What each of the peers authenticates beside the text: the bytes that a [`Cipher`] does, made
/// beforehand.
fn associated_data() -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in ["tenant-0", FIELD, RECORD] {
        bytes.extend_from_slice(&u32::try_from(part.len()).expect("short").to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

struct World {
    runtime: Runtime,
    keyring: Keyring,
    roots: IndexRoots,
}

impl World {
    fn new() -> Self {
        Self::on(Arc::new(SystemClock::new()))
    }

    fn on(clock: Arc<dyn Clock>) -> Self {
        let store = Arc::new(MemoryDekStore::new());
        let kek = MemoryKek::new().expect("there are random bytes");
        let root = SecretBox::new(Box::new(array::from_fn(|at| at.to_le_bytes()[0])));
        Self {
            runtime: Builder::new_current_thread().build().expect("it starts"),
            keyring: Keyring::builder(Arc::new(kek), store).clock(clock).build(),
            roots: IndexRoots::new(VersionedSecrets::single(root)).expect("version 1 fits"),
        }
    }

    fn tenant(&self, number: usize) -> TenantId {
        TenantId::new(&format!("tenant-{number}")).expect("a name")
    }

    fn cipher(&self, tenant: &TenantId) -> Cipher {
        let purposes = [Email::purpose()];
        let keys = self.keyring.prepare(tenant, &purposes);
        Cipher::new(self.runtime.block_on(keys).expect("it answers"))
    }
}

fn address() -> Pii<Email> {
    Pii::parse(ADDRESS).expect("an address")
}

/// A cipher serves for 10 s: one for so many messages, as for a batch of requests.
const MESSAGES: u32 = 100_000;

struct Renewed<'a> {
    world: &'a World,
    tenant: TenantId,
    aead: Aead,
    cipher: Cipher,
    left: u32,
}

impl<'a> Renewed<'a> {
    fn new(world: &'a World, aead: Aead) -> Self {
        let tenant = world.tenant(0);
        let cipher = world.cipher(&tenant).with_aead(aead);
        let left = MESSAGES;
        Self {
            world,
            tenant,
            aead,
            cipher,
            left,
        }
    }

    fn cipher(&mut self) -> &Cipher {
        self.left -= 1;
        if self.left == 0 {
            self.cipher = self.world.cipher(&self.tenant).with_aead(self.aead);
            self.left = MESSAGES;
        }
        &self.cipher
    }
}

macro_rules! in_place {
    ($library:ident) => {
        mod $library {
            use std::hint::black_box;

            use $library::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

            use super::{ADDRESS, KEY, NONCE};

            pub(super) struct InPlace(LessSafeKey);

            impl InPlace {
                pub(super) fn new() -> Self {
                    let key = UnboundKey::new(&AES_256_GCM, &KEY).expect("32 bytes");
                    Self(LessSafeKey::new(key))
                }

                pub(super) fn seal(&self, aad: &[u8]) -> Vec<u8> {
                    let mut bytes = Vec::with_capacity(ADDRESS.len() + 16);
                    bytes.extend_from_slice(black_box(ADDRESS).as_bytes());
                    let nonce = Nonce::assume_unique_for_key(NONCE);
                    let sealed = self
                        .0
                        .seal_in_place_append_tag(nonce, Aad::from(aad), &mut bytes);
                    sealed.expect("it is short");
                    bytes
                }

                pub(super) fn open(&self, aad: &[u8], sealed: &[u8]) -> Vec<u8> {
                    let mut bytes = sealed.to_vec();
                    let nonce = Nonce::assume_unique_for_key(NONCE);
                    let opened = self.0.open_in_place(nonce, Aad::from(aad), &mut bytes);
                    let len = opened.expect("it was sealed here").len();
                    bytes.truncate(len);
                    bytes
                }
            }
        }
    };
}
in_place!(ring);
in_place!(aws_lc_rs);

fn tink() -> Box<dyn tink_core::Aead> {
    tink_aead::init();
    let keyset = tink_core::keyset::Handle::new(&tink_aead::aes256_gcm_key_template());
    tink_aead::new(&keyset.expect("there are random bytes")).expect("the primitive is there")
}

const THREADS: [usize; 2] = [1, 2];

/// What ours is called by the library that encrypts.
const OURS: [(&str, Aead); 2] = [
    ("portcullis", Aead::Ring),
    ("portcullis_aws_lc_rs", Aead::AwsLc),
];

fn named(library: &str, threads: usize) -> BenchmarkId {
    let input = if threads == 1 {
        "1_thread"
    } else {
        "2_threads"
    };
    BenchmarkId::new(library, input)
}

fn seal(criterion: &mut Criterion<ProcessorTime>) {
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
fn open(criterion: &mut Criterion<ProcessorTime>) {
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

/// Where nothing is at hand: a subkey of its own for each message, and values of more epochs than are kept.
/// The peer derives a key from as much, and schedules it, for each.
fn subkey_for_each(criterion: &mut Criterion<ProcessorTime>) {
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

/// What the peers hash: the bytes that an index does.
fn content(normalised: &str) -> [&[u8]; 4] {
    [
        &[0, 0, 0, 7],
        b"email/1",
        &[0, 0, 0, 26],
        normalised.as_bytes(),
    ]
}

/// From the address as text to its value in a unique index.
fn index(criterion: &mut Criterion<ProcessorTime>) {
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

/// What a request pays for the key of its tenant, once warm.
fn prepare(criterion: &mut Criterion<ProcessorTime>) {
    // On a clock that stands still, so that no states are read again: that is the store's time.
    let world = World::on(Arc::new(FakeClock::new()));
    let mut group = criterion.benchmark_group("prepare");
    group.throughput(Throughput::Elements(1));
    let purposes = [Email::purpose()];
    let peer = Cache::new(10_000);
    for (distribution, tenants) in [
        (Distribution::Hot, 1),
        (Distribution::Zipf, TENANTS),
        (Distribution::Uniform, TENANTS),
    ] {
        let all: Vec<_> = (0..tenants).map(|number| world.tenant(number)).collect();
        let drawn = distribution.draw(tenants, 1 << 16);
        group.bench_function(
            BenchmarkId::new("portcullis", distribution.name()),
            |bencher| {
                let mut drawn = drawn.iter().cycle();
                bencher.iter(|| {
                    let tenant = &all[*drawn.next().expect("it goes round")];
                    let keys = world.keyring.prepare(tenant, &purposes);
                    world.runtime.block_on(keys).expect("it answers")
                });
            },
        );
        for tenant in &all {
            peer.insert(tenant.clone(), Arc::new(KEY));
        }
        group.bench_function(BenchmarkId::new("moka", distribution.name()), |bencher| {
            let mut drawn = drawn.iter().cycle();
            bencher.iter(|| peer.get(&all[*drawn.next().expect("it goes round")]));
        });
    }
}

criterion_group! {
    name = benches;
    config = processor_time::criterion();
    targets = seal, open, subkey_for_each, index, prepare
}
criterion_main!(benches);
