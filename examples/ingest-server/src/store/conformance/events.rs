//! What an event is.

use super::{commit, event};
use crate::store::{Receipt, Store};

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
