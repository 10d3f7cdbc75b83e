//! What an event is, and when it is one that is there already.

use super::{commit, rows::event};
use crate::store::{Asked, Receipt, Store, StoredContent};

pub(super) async fn an_event_is_stored_once(store: &impl Store) {
    assert_eq!(
        commit(store, [event("a", "1", b"x")]).await,
        [Receipt::Stored]
    );
    let again = [
        event("a", "1", b"x"),
        event("a", "1", b"y"),
        event("b", "1", b"x"),
    ];
    for (write, receipt) in again.into_iter().zip([
        Receipt::DuplicateNatural,
        Receipt::DuplicateConflicting(StoredContent::Plain),
        Receipt::Stored,
    ]) {
        assert_eq!(commit(store, [write]).await, [receipt]);
    }
}

pub(super) async fn an_event_is_recognised_without_being_stored(store: &impl Store) {
    let asked = |content: &[u8]| {
        let mut write = event("a", "1", content);
        write.asked = Asked::Recognise;
        write
    };
    for _ in 0..2 {
        assert_eq!(commit(store, [asked(b"x")]).await, [Receipt::Unknown]);
    }
    let group = [event("a", "1", b"x"), asked(b"x"), asked(b"y")];
    let conflicting = Receipt::DuplicateConflicting(StoredContent::Plain);
    let natural = Receipt::DuplicateNatural;
    let receipts = commit(store, group).await;
    assert_eq!(receipts, [Receipt::Stored, natural, conflicting]);
    assert_eq!(commit(store, [asked(b"x")]).await, [natural]);
}

pub(super) async fn an_event_twice_in_a_group_is_stored_once(store: &impl Store) {
    let group = [
        event("a", "1", b"x"),
        event("a", "1", b"x"),
        event("a", "1", b"y"),
    ];
    assert_eq!(
        commit(store, group).await,
        [
            Receipt::Stored,
            Receipt::DuplicateNatural,
            Receipt::DuplicateConflicting(StoredContent::Plain)
        ]
    );
}

pub(super) async fn a_conflict_says_whether_the_stored_event_has_sealed_values(store: &impl Store) {
    let with_payload = |id: &str, content: &[u8], payload: &str| {
        let mut write = event("a", id, content);
        write.event.as_mut().unwrap().payload = payload.to_owned();
        write
    };
    let sealed = r#"{"email":"pc1.x"}"#;
    let plain = r#"{"code":"pc2.x"}"#;
    for (id, first, second, content) in [
        ("1", sealed, plain, StoredContent::Sealed),
        ("2", plain, sealed, StoredContent::Plain),
    ] {
        let expected = Receipt::DuplicateConflicting(content);
        let group = [
            with_payload(id, b"x", first),
            with_payload(id, b"y", second),
        ];
        assert_eq!(commit(store, group).await, [Receipt::Stored, expected]);
        // Each is compared with what is stored, also behind another that is not.
        let later = [
            with_payload(id, b"y", second),
            with_payload(id, b"y", second),
            with_payload(id, b"x", first),
        ];
        let natural = Receipt::DuplicateNatural;
        assert_eq!(commit(store, later).await, [expected, expected, natural]);
    }
}

/// A store that tells them apart by one value made of three texts has to keep these apart.
pub(super) async fn events_are_told_apart_by_all_of_their_texts(store: &impl Store) {
    let of = |tenant_name: &str, source: &str, id: &str| {
        let mut write = event(tenant_name, id, b"x");
        write.event.as_mut().unwrap().source = source.to_owned();
        write
    };
    // Texts that run together to the same, and texts in each other's place.
    let group = || {
        [
            of("a", "b", "cd"),
            of("a", "bc", "d"),
            of("ab", "c", "d"),
            of("a", "cd", "b"),
            of("b", "a", "cd"),
        ]
    };
    assert_eq!(commit(store, group()).await, [Receipt::Stored; 5]);
    let again = commit(store, group()).await;
    assert_eq!(again, [Receipt::DuplicateNatural; 5]);
}
