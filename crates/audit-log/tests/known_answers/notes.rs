//! The keys of the log and of its witness, and the checkpoint that both have signed.

use portcullis_audit_log::{
    checkpoint::Checkpoint,
    event::Timestamp,
    note::{CosigningKey, SignedNote, SigningKey, VerifyingKey},
    tree::{RightEdge, TreeHash},
};
use secrecy::SecretBox;

use super::leaf;

const LOG_VKEY: &str =
    "portcullis.example/audit+beeb02ba+ARdFU7RW3d/GkI7KscEB/mqyHiuqBhd5W31DpjSCmT/V";
const WITNESS_VKEY: &str =
    "witness.example/w1+9f274363+BM0Us3+VbpUxlP9/tzs9gdzFYdYadTgJS3w+GmQ+5fOq";
const CHECKPOINT: &str = "\
portcullis.example/audit
8
usClIbbDnMnAAq0ZnmLjWNIEklVUBhfsJvGeKtse1cA=

— portcullis.example/audit vusCussVobEayFq43rmXAtyClUG2syAHtquqARB6X/5wUOfrB+tfJSvwI58jAKcw2+mIDvmM/hdc8PbPBtIPDt2tPAE=
— witness.example/w1 nydDYwAAAABlU/EAbWGYc3Upc19E0OsFBluZXsdjg1331SSh/T9ahSGyesuGOne2MFZbmLRLX8tNGkk3uTiooBh9Qcg8EGSZTKfsBw==
";
const WITNESSED: u64 = 1_700_000_000;

/// 32 bytes that count up from `first`.
fn seed(first: u8) -> SecretBox<[u8; 32]> {
    let bytes = std::array::from_fn(|n| first + u8::try_from(n).unwrap());
    SecretBox::new(Box::new(bytes))
}

fn log_key() -> SigningKey {
    let name = "portcullis.example/audit".parse().unwrap();
    SigningKey::from_seed(name, &seed(0x60)).unwrap()
}

fn witness_key() -> CosigningKey {
    let name = "witness.example/w1".parse().unwrap();
    CosigningKey::from_seed(name, &seed(0x80)).unwrap()
}

#[test]
fn keys_from_these_seeds_have_these_vkeys() {
    assert_eq!(log_key().verifying_key().to_string(), LOG_VKEY);
    assert_eq!(witness_key().verifying_key().to_string(), WITNESS_VKEY);
    assert_eq!(LOG_VKEY.parse().as_ref(), Ok(log_key().verifying_key()));
    assert_eq!(
        WITNESS_VKEY.parse().as_ref(),
        Ok(witness_key().verifying_key())
    );
}

#[test]
fn the_checkpoint_of_8_is_signed_and_cosigned_as_these_bytes() {
    let mut tree = RightEdge::new();
    (0..8).for_each(|n| tree.push(TreeHash::of_leaf(&leaf(n))));
    let origin = log_key().verifying_key().name().clone();
    let checkpoint = Checkpoint::new(origin, tree.size(), tree.root());
    let at = Timestamp::from_unix_micros(WITNESSED * 1_000_000).unwrap();
    let note = checkpoint.sign(&[log_key()]).unwrap();
    let note = note
        .with_signature(witness_key().cosign(&checkpoint, at))
        .unwrap();
    assert_eq!(note.to_string(), CHECKPOINT);
}

#[test]
fn the_checkpoint_of_8_is_verified_from_these_bytes() {
    let keys = [LOG_VKEY, WITNESS_VKEY].map(|key| key.parse::<VerifyingKey>().unwrap());
    let note = SignedNote::parse(CHECKPOINT.as_bytes()).unwrap();
    let (checkpoint, by) = Checkpoint::verify(&note, keys[0].name(), &keys).unwrap();
    assert_eq!(checkpoint.size(), 8);
    let times: Vec<_> = by.iter().map(|by| by.seconds).collect();
    assert_eq!(times, [None, Some(WITNESSED)]);
}
