//! Hashes and row MACs: known answers, and every change that must show.

use portcullis_versioned_secrets::{SecretVersion, VersionedSecrets};
use secrecy::SecretBox;

use super::*;
use crate::{
    entropy::SystemEntropy,
    key_format::KeyFormat,
    store::{RecordState, RecordVersion, UnixMillis},
    tier::Tier,
};

// Computed by `tests/oracle.py`; printed in `docs/formats.md`. They must never break.
const KNOWN_KEY: &str =
    "pcl_live_0123456789AB08HB5DldTJ_zyxwvutsrqponmlkjihgfedcbaZYXWVUTSRQPONMLKJ1VMFKK";
const KNOWN_HASH: &str = "b4064343bc38886bbe6ef81509f4f9748c087263cb92a22893677ce6fed0bb86";
const KNOWN_ROW_MAC: &str = "0fca55901258483cf9da5f05f75fba390fd28b3b2a1df77cf7c074814aebdc10";
const KNOWN_CHECK_VALUE: &str = "56ad832b1152d047ed13e27d086d46ec";

fn peppers(version: u32, first: u8) -> Peppers {
    let bytes: [u8; 32] = std::array::from_fn(|at| first + u8::try_from(at).unwrap());
    let version = SecretVersion::try_from(version).unwrap();
    let secret = (version, SecretBox::new(Box::new(bytes)));
    Peppers::new(VersionedSecrets::new(version, [secret]).unwrap()).unwrap()
}

fn known_peppers() -> Peppers {
    peppers(513, 0)
}

fn known_record() -> (KeyRecord, Verifier) {
    let key = ApiKey::parse(KNOWN_KEY).unwrap();
    let mut record = KeyRecord {
        kid: *key.kid(),
        tenant: "tenant-7".parse().unwrap(),
        tier: Tier::STANDARD,
        scopes: "events:write leads:read".parse().unwrap(),
        version: RecordVersion::FIRST,
        not_before: None,
        expires_at: Some(UnixMillis::new(1_798_761_600_000)),
        created_at: UnixMillis::new(1_767_225_600_000),
        last_used: None,
        state: RecordState::Revoked,
    };
    let verifier = Verifier::derive(known_peppers().primary(), &record, &key);
    record.state = RecordState::Active(verifier);
    (record, verifier)
}

fn authenticate(
    verifier: &Verifier,
    record: &KeyRecord,
    peppers: &Peppers,
) -> Result<(), RowFault> {
    verifier.authenticate(record, peppers).map(drop)
}

#[test]
fn the_known_answers_are_met() {
    let (record, verifier) = known_record();
    assert!(record.kid.is_tagged_by(&known_peppers()));
    assert_eq!(hex::encode(verifier.hash.as_bytes()), KNOWN_HASH);
    assert_eq!(hex::encode(verifier.row_mac.as_bytes()), KNOWN_ROW_MAC);
    let check_value = known_peppers().check_values()[&SecretVersion::try_from(513).unwrap()];
    assert_eq!(hex::encode(check_value.as_bytes()), KNOWN_CHECK_VALUE);
}

#[test]
fn the_check_of_a_record_accepts_its_key_and_that_of_nobody_accepts_none() {
    let (mut record, _) = known_record();
    let key = ApiKey::parse(KNOWN_KEY).unwrap();
    // Ids that end before, in and behind the block that is hashed once.
    for tenant in ["t", "tenant-7-of-nine", &"t".repeat(128)] {
        record.tenant = tenant.parse().unwrap();
        let verifier = Verifier::derive(known_peppers().primary(), &record, &key);
        let Ok(check) = verifier.authenticate(&record, &known_peppers()) else {
            panic!("the record of {tenant} is as it was written");
        };
        assert!(check.accepts(&key), "{tenant}");
        let other = KeyFormat::default();
        let other = ApiKey::make(&SystemEntropy, &other, record.kid).unwrap();
        assert!(!check.accepts(&other), "{tenant}");
    }
    assert!(!SecretCheck::of_nobody(&known_peppers()).accepts(&key));
}

#[test]
fn no_field_that_grants_authority_can_be_changed() {
    let changes: [fn(&mut KeyRecord, &mut Verifier); 10] = [
        |record, _| record.kid = "0123456789ABCDEFGHIJKL".parse().unwrap(),
        |record, _| record.tenant = "tenant-8".parse().unwrap(),
        |record, _| record.tier = Tier::ENTERPRISE,
        |record, _| record.scopes = "events:write leads:read pii:read".parse().unwrap(),
        |record, _| record.version = record.version.next(),
        |record, _| record.not_before = Some(UnixMillis::new(0)),
        |record, _| record.expires_at = None,
        |record, _| record.expires_at = Some(UnixMillis::new(1_798_761_600_001)),
        |_, verifier| verifier.hash.0[31] ^= 1,
        |_, verifier| verifier.row_mac.0[0] ^= 0x80,
    ];
    for (at, change) in changes.into_iter().enumerate() {
        let (mut record, mut verifier) = known_record();
        assert_eq!(authenticate(&verifier, &record, &known_peppers()), Ok(()));
        change(&mut record, &mut verifier);
        let refused = authenticate(&verifier, &record, &known_peppers());
        assert_eq!(refused, Err(RowFault::Mac), "change {at}");
    }
}

#[test]
fn a_verifier_is_renewed_for_a_change_of_a_record_that_is_as_it_was_written() {
    let (record, verifier) = known_record();
    let changed = KeyRecord {
        version: record.version.next(),
        expires_at: Some(UnixMillis::new(1_798_761_600_000 - 1)),
        ..record.clone()
    };
    let renewed = verifier.renew(&record, &changed, &known_peppers()).unwrap();
    assert_eq!(authenticate(&renewed, &changed, &known_peppers()), Ok(()));
    let before = authenticate(&renewed, &record, &known_peppers());
    assert_eq!(before, Err(RowFault::Mac));
    assert_eq!(renewed.hash.as_bytes(), verifier.hash.as_bytes());

    let altered = KeyRecord {
        tier: Tier::ENTERPRISE,
        ..record.clone()
    };
    let refused = verifier.renew(&altered, &changed, &known_peppers());
    assert_eq!(refused.map(drop), Err(RowFault::Mac));
    let refused = verifier.renew(&record, &changed, &peppers(1, 0));
    assert_eq!(refused.map(drop), Err(RowFault::UnknownPepper));
}

#[test]
fn the_date_of_last_use_can_be_written_without_a_pepper() {
    let (mut record, verifier) = known_record();
    record.last_used = Some(UnixMillis::new(1));
    assert_eq!(authenticate(&verifier, &record, &known_peppers()), Ok(()));
}

#[test]
fn a_row_of_another_pepper_is_refused() {
    let (record, verifier) = known_record();
    assert_eq!(
        authenticate(&verifier, &record, &peppers(513, 1)),
        Err(RowFault::Mac)
    );
    assert_eq!(
        authenticate(&verifier, &record, &peppers(1, 0)),
        Err(RowFault::UnknownPepper)
    );
}

#[test]
fn a_fault_says_what_to_do_and_no_data() {
    for fault in [RowFault::Mac, RowFault::UnknownPepper, RowFault::Unreadable] {
        let text = fault.to_string();
        assert!(text.contains(';') && !text.contains("tenant-7") && !text.contains("513"));
    }
}

#[test]
fn debug_shows_no_hash() {
    let (record, _) = known_record();
    let shown = format!("{record:?}");
    assert!(shown.contains("KeyHash(..)") && shown.contains("RowMac(..)"));
}

#[test]
fn hashes_that_differ_in_any_byte_are_not_the_same() {
    let (_, verifier) = known_record();
    assert!(verifier.hash.is(&KeyHash::new(*verifier.hash.as_bytes())));
    for at in 0..32 {
        let mut other = verifier.hash;
        other.0[at] ^= 1;
        assert!(!verifier.hash.is(&other));
    }
}
