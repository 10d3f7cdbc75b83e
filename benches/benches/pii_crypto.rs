//! What sealing, opening and blind indexes take for one e-mail address, beside the same with bare
//! primitives, and what a request pays for its keys.

#[path = "pii_crypto/cold.rs"]
mod cold;
#[path = "pii_crypto/index.rs"]
mod index;
#[path = "pii_crypto/peers.rs"]
mod peers;
#[path = "pii_crypto/prepare.rs"]
mod prepare;
#[path = "pii_crypto/sealing.rs"]
mod sealing;
#[path = "pii_crypto/world.rs"]
mod world;

use criterion::{BenchmarkId, criterion_group, criterion_main};
use portcullis_benches::processor_time;
use portcullis_pii_crypto::Aead;

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

criterion_group! {
    name = benches;
    config = processor_time::criterion();
    targets = sealing::seal, sealing::open, cold::subkey_for_each, index::index, prepare::prepare
}
criterion_main!(benches);
