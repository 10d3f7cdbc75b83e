//! Records to store, and how two of them are told apart.

use std::num::NonZeroU16;

use super::Clause;
use crate::{
    kid::Kid,
    pepper::PepperVersion,
    scope::Scopes,
    store::{
        KeyHash, KeyRecord, KeyStore, RecordState, RecordVersion, Revoked, RowMac, UnixMillis,
        Verifier,
    },
    tenant::TenantId,
    tier::Tier,
};

/// When all records were issued: 2026-01-01T00:00:00Z.
pub(super) const ISSUED: UnixMillis = UnixMillis::new(1_767_225_600_000);

pub(super) fn kid(number: u64) -> Kid {
    let text = format!("{number:022}");
    text.parse().expect("22 digits are a kid")
}

pub(super) fn tenant(id: &str) -> TenantId {
    TenantId::new(id).expect("the tenants of the suite are visible ASCII")
}

pub(super) fn record(number: u64) -> KeyRecord {
    KeyRecord {
        kid: kid(number),
        tenant: tenant("tenant-7"),
        tier: Tier::FREE,
        scopes: Scopes::default(),
        version: RecordVersion::FIRST,
        not_before: None,
        expires_at: None,
        created_at: ISSUED,
        last_used: None,
        state: RecordState::Active(verifier(1)),
    }
}

pub(super) fn pepper(version: u8) -> PepperVersion {
    let version = u32::from(version).try_into();
    version.expect("the peppers of the suite are not numbered 0")
}

pub(super) fn verifier(byte: u8) -> Verifier {
    Verifier {
        pepper: pepper(byte),
        hash: KeyHash::new([byte; 32]),
        row_mac: RowMac::new([!byte; 32]),
    }
}

pub(super) fn limit(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("the limits of the suite are not zero")
}

pub(super) async fn insert(clause: Clause, store: &dyn KeyStore, number: u64) {
    clause.done("insert", store.insert(&record(number)).await);
}

pub(super) async fn load(clause: Clause, store: &dyn KeyStore, kid: Kid) -> KeyRecord {
    let loaded = clause.done("load", store.load(&kid).await);
    loaded.unwrap_or_else(|| clause.fails("the record is not there"))
}

pub(super) async fn revoke(
    clause: Clause,
    store: &dyn KeyStore,
    number: u64,
    at: UnixMillis,
) -> Option<Revoked> {
    clause.done("revoke", store.revoke(&kid(number), at).await)
}

/// Asks to renew the hash of record 1.
pub(super) async fn rehash(
    clause: Clause,
    store: &dyn KeyStore,
    version: RecordVersion,
    under: PepperVersion,
) {
    let rehashed = store.rehash(&kid(1), version, under, &verifier(2)).await;
    clause.done("rehash", rehashed);
}

#[track_caller]
pub(super) fn assert_same(clause: Clause, loaded: &KeyRecord, expected: &KeyRecord) {
    let state = |record: &KeyRecord| match record.state {
        RecordState::Revoked => None,
        RecordState::Active(Verifier {
            pepper,
            hash,
            row_mac,
        }) => Some((pepper, *hash.as_bytes(), *row_mac.as_bytes())),
    };
    let same = state(loaded) == state(expected);
    clause.holds(same, "the verifier is another one");
    // What is left is told apart by `Debug`, except for the redacted bytes compared above.
    let (loaded, expected) = (format!("{loaded:?}"), format!("{expected:?}"));
    let seen = format_args!("{loaded}, not {expected}");
    clause.holds(loaded == expected, seen);
}
