//! A store and a key-encryption key from outside the crate: what it makes public is enough, and the
//! suites hold for them.

#[path = "outside/remote_kek.rs"]
mod remote_kek;
#[path = "outside/row_store.rs"]
mod row_store;

use std::sync::Arc;

use portcullis_keyring::{Keyring, Purpose, TenantId, conformance};

use self::{
    remote_kek::RemoteKek,
    row_store::{Fault, RowStore},
};

#[tokio::test]
async fn a_store_from_outside_passes_the_suite() {
    conformance::dek_store(async || Arc::new(RowStore::default()) as _).await;
}

#[tokio::test]
async fn a_key_encryption_key_from_outside_passes_the_suite() {
    conformance::kek_provider(async || Arc::new(RemoteKek::default()) as _).await;
}

#[tokio::test]
async fn a_keyring_works_on_both() {
    let keyring = Keyring::builder(
        Arc::new(RemoteKek::default()),
        Arc::new(RowStore::default()),
    );
    let (tenant, email) = (TenantId::new("t").unwrap(), Purpose::new("email").unwrap());
    let keyring = keyring.build();
    let keys = keyring.prepare(&tenant, &[email]).await.unwrap();
    let key = keys.primary("email", keys.clock().monotonic()).unwrap();
    let same = keyring.prepare_ids(&tenant, &[key.id()]).await.unwrap();
    assert!(
        same.find(key.id(), "email", keys.clock().monotonic())
            .is_ok()
    );
}

/// Breaks one clause: it makes a second primary.
#[tokio::test]
#[should_panic(expected = "`DekStore`: a tenant and purpose have one primary and one pending key")]
async fn a_store_that_breaks_a_clause_is_told_which() {
    conformance::dek_store(async || Arc::new(RowStore::with(Fault::TwoPrimaries)) as _).await;
}

/// Breaks one clause: it does not note when a key was disabled.
#[tokio::test]
#[should_panic(expected = "`DekStore`: the time of a state is kept with it: of the disabled key")]
async fn a_store_that_keeps_no_time_is_told_so() {
    conformance::dek_store(async || Arc::new(RowStore::with(Fault::KeepsTime)) as _).await;
}

/// Breaks one clause: it does not look at the states that are asked for.
#[tokio::test]
#[should_panic(expected = "`DekStore`: a query lists what it asks for: in a state")]
async fn a_store_that_lists_too_much_is_told_so() {
    conformance::dek_store(async || Arc::new(RowStore::with(Fault::AnyState)) as _).await;
}

/// Breaks one clause: it loads one key too few.
#[tokio::test]
#[should_panic(expected = "`DekStore`: some keys are loaded together: in any order")]
async fn a_store_that_loses_a_key_is_told_so() {
    conformance::dek_store(async || Arc::new(RowStore::with(Fault::LosesLast)) as _).await;
}

/// Breaks one clause: it tells another version than the one that wraps.
#[tokio::test]
#[should_panic(expected = "`KekProvider`: a wrapped key tells the primary version: generate")]
async fn a_key_encryption_key_that_tells_a_wrong_version_is_told_so() {
    conformance::kek_provider(async || Arc::new(RemoteKek::lying()) as _).await;
}

/// Breaks one clause: it does not look at the context.
#[tokio::test]
#[should_panic(expected = "`KekProvider`: a wrapped key opens in its context only")]
async fn a_key_encryption_key_that_breaks_a_clause_is_told_which() {
    conformance::kek_provider(async || Arc::new(RemoteKek::careless()) as _).await;
}
