//! The contract of [`SampleStore`] as a test for any implementation (feature `conformance`).

use super::{Fingerprint, Place, SAMPLES_PER_REASON, Sample, SampleStore};
use crate::clock::UnixMillis;
use crate::reason::Reason;

/// Checks an empty store against its contract.
///
/// # Panics
/// If the store breaks the contract.
pub fn keeps_the_contract(store: &dyn SampleStore) {
    starts_empty(store);
    keeps_what_is_put(store);
    ignores_what_is_out_of_order(store);
    clears_a_place(store);
    keeps_reasons_apart(store);
    stays_within_its_places(store);
}

fn starts_empty(store: &dyn SampleStore) {
    for reason in Reason::ALL {
        assert!(store.samples(reason).is_empty(), "an empty store is needed");
    }
}

fn keeps_what_is_put(store: &dyn SampleStore) {
    put(store, Reason::ParseJson, 1, 2);
    put(store, Reason::ParseJson, 0, 1);
    assert_eq!(
        ordinals(store, Reason::ParseJson),
        [1, 2],
        "in the order of their places"
    );
}

fn ignores_what_is_out_of_order(store: &dyn SampleStore) {
    put(store, Reason::ParseUtf8, 0, 9);
    put(store, Reason::ParseUtf8, 0, 5);
    assert_eq!(
        ordinals(store, Reason::ParseUtf8),
        [9],
        "the later event stays"
    );
    put(store, Reason::ParseUtf8, 0, 10);
    assert_eq!(
        ordinals(store, Reason::ParseUtf8),
        [10],
        "a later one replaces it"
    );
}

fn clears_a_place(store: &dyn SampleStore) {
    put(store, Reason::ParseDepth, 3, 4);
    clear(store, Reason::ParseDepth, 3, 2);
    assert_eq!(
        ordinals(store, Reason::ParseDepth),
        [4],
        "an earlier clearing comes too late"
    );
    clear(store, Reason::ParseDepth, 3, 7);
    assert_eq!(
        ordinals(store, Reason::ParseDepth),
        [0; 0],
        "a later one clears"
    );
    put(store, Reason::ParseDepth, 3, 6);
    assert_eq!(
        ordinals(store, Reason::ParseDepth),
        [0; 0],
        "and is remembered"
    );
}

fn keeps_reasons_apart(store: &dyn SampleStore) {
    let reasons = [Reason::TransportTooLarge, Reason::Internal];
    for reason in reasons {
        put(store, reason, 0, 1);
    }
    for reason in reasons {
        assert!(
            store
                .samples(reason)
                .iter()
                .all(|sample| sample.reason == reason)
        );
        assert_eq!(ordinals(store, reason), [1]);
    }
}

fn stays_within_its_places(store: &dyn SampleStore) {
    for ordinal in 0..1_000 {
        let index = usize::try_from(ordinal % 16).expect("below 16");
        put(store, Reason::PolicyConsent, index, 1 + ordinal);
    }
    let kept = ordinals(store, Reason::PolicyConsent);
    assert_eq!(kept.len(), SAMPLES_PER_REASON);
    assert!(kept.iter().all(|ordinal| *ordinal > 1_000 - 16));
}

fn put(store: &dyn SampleStore, reason: Reason, index: usize, ordinal: u64) {
    let sample = Some(example(reason, ordinal));
    store
        .replace(place(reason, index), ordinal, sample)
        .expect("an available store");
}

fn clear(store: &dyn SampleStore, reason: Reason, index: usize, ordinal: u64) {
    store
        .replace(place(reason, index), ordinal, None)
        .expect("an available store");
}

fn place(reason: Reason, index: usize) -> Place {
    Place::new(reason, index).expect("an index below SAMPLES_PER_REASON")
}

fn ordinals(store: &dyn SampleStore, reason: Reason) -> Vec<u64> {
    store
        .samples(reason)
        .iter()
        .map(|sample| sample.ordinal)
        .collect()
}

fn example(reason: Reason, ordinal: u64) -> Sample {
    Sample {
        reason,
        tenant: "tenant".to_owned(),
        event_type: "type".to_owned(),
        ordinal,
        taken_at: UnixMillis::from_millis(ordinal),
        trace_id: None,
        detail: "/data/email".to_owned(),
        excerpt: "{}".to_owned(),
        fingerprint: Fingerprint::new(ordinal),
    }
}
