//! Who must have signed.

use secrecy::SecretBox;

use super::*;
use crate::{
    event::Timestamp,
    note::{CosigningKey, SigningKey},
    tree::TreeHash,
};

fn seed(byte: u8) -> SecretBox<[u8; 32]> {
    SecretBox::new(Box::new([byte; 32]))
}

fn log_key(byte: u8) -> SigningKey {
    SigningKey::from_seed("log.example".parse().unwrap(), &seed(byte)).unwrap()
}

fn witness(byte: u8) -> CosigningKey {
    let name = format!("w{byte}.example").parse().unwrap();
    CosigningKey::from_seed(name, &seed(byte)).unwrap()
}

/// Signed by those keys, and by those witnesses in turn, a second apart.
fn note(keys: &[SigningKey], witnesses: &[CosigningKey]) -> Vec<u8> {
    let checkpoint = Checkpoint::new("log.example".parse().unwrap(), 0, TreeHash::of_empty_tree());
    let mut note = checkpoint.sign(keys).unwrap();
    for (seconds, witness) in (1_u64..).zip(witnesses) {
        let at = Timestamp::from_unix_micros(seconds * 1_000_000).unwrap();
        note = note
            .with_signature(witness.cosign(&checkpoint, at))
            .unwrap();
    }
    note.to_string().into_bytes()
}

fn policy(required: usize, witnesses: &[u8]) -> Policy {
    let keys = witnesses
        .iter()
        .map(|byte| witness(*byte).verifying_key().clone());
    let policy = Policy::new(vec![log_key(1).verifying_key().clone()]).unwrap();
    policy.with_witnesses(required, keys.collect()).unwrap()
}

#[test]
fn as_many_witnesses_as_are_required_must_have_signed() {
    let signed = note(&[log_key(1)], &[witness(7), witness(8)]);
    for required in 0..=2 {
        let opened = policy(required, &[7, 8, 9]).open(&signed).unwrap();
        let by: Vec<_> = opened
            .witnesses()
            .iter()
            .map(|by| (by.witness.as_str(), by.seconds))
            .collect();
        assert_eq!(by, [("w7.example", 1), ("w8.example", 2)]);
    }
    let (required, found) = (3, 2);
    assert_eq!(
        policy(3, &[7, 8, 9]).open(&signed),
        Err(CheckpointError::TooFewWitnesses { required, found })
    );
    // Of those that are not known, none counts.
    let (required, found) = (1, 0);
    assert_eq!(
        policy(1, &[9]).open(&signed),
        Err(CheckpointError::TooFewWitnesses { required, found })
    );
}

#[test]
fn a_witness_that_signs_twice_is_one() {
    let signed = note(&[log_key(1)], &[witness(7), witness(7)]);
    let opened = policy(1, &[7, 8]).open(&signed).unwrap();
    assert_eq!(opened.witnesses().len(), 1);
    assert_eq!(opened.witnesses()[0].seconds, 2);
    assert!(policy(2, &[7, 8]).open(&signed).is_err());
}

#[test]
fn any_key_of_the_log_is_enough() {
    let keys = |bytes: &[u8]| {
        let keys = bytes
            .iter()
            .map(|byte| log_key(*byte).verifying_key().clone());
        Policy::new(keys.collect()).unwrap()
    };
    let signed = note(&[log_key(1), log_key(2)], &[]);
    for known in [&[1][..], &[2], &[1, 2], &[3, 2]] {
        assert!(keys(known).open(&signed).is_ok(), "{known:?}");
    }
    assert!(keys(&[3]).open(&signed).is_err());
    // That of a witness is not, whatever its name.
    let seen = note(&[log_key(1)], &[witness(7)]);
    let text = String::from_utf8(seen).unwrap();
    let alone: String = text
        .split_inclusive('\n')
        .filter(|line| !line.contains("\u{2014} log.example"))
        .collect();
    let error = policy(1, &[7]).open(alone.as_bytes()).unwrap_err();
    assert_eq!(error, CheckpointError::NotByTheLog);
}

#[test]
fn keys_that_make_no_policy_are_refused() {
    let key = |byte| log_key(byte).verifying_key().clone();
    let cosigning = witness(7).verifying_key().clone();
    let other = SigningKey::from_seed("other.example".parse().unwrap(), &seed(1)).unwrap();
    let other = other.verifying_key().clone();
    assert_eq!(Policy::new(Vec::new()).unwrap_err(), InvalidPolicy::NoKey);
    assert_eq!(
        Policy::new(vec![key(1), other]).unwrap_err(),
        InvalidPolicy::OtherName
    );
    assert_eq!(
        Policy::new(vec![cosigning.clone()]).unwrap_err(),
        InvalidPolicy::OtherType
    );
    let policy = || Policy::new(vec![key(1)]).unwrap();
    assert_eq!(
        policy().with_witnesses(1, vec![key(2)]).unwrap_err(),
        InvalidPolicy::OtherType
    );
    let twice = vec![cosigning.clone(), cosigning];
    let (required, given) = (2, 1);
    assert_eq!(
        policy().with_witnesses(2, twice).unwrap_err(),
        InvalidPolicy::TooFewWitnesses { required, given }
    );
}
