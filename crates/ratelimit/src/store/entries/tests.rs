//! A fixed number of entries, the least needed of which give way.

use std::num::NonZeroUsize;

use super::{Entries, GROUP};
use crate::store::{Partition, fingerprint::Fingerprints};

#[test]
fn the_least_needed_gives_way_and_what_may_not_stays() {
    let fingerprints = Fingerprints::make_random();
    let key = |number: usize| fingerprints.of_partition(Partition::Tenant(&number.to_string()));
    let mut entries = Entries::new(NonZeroUsize::MIN);
    for number in 0..GROUP {
        assert_eq!(entries.put(key(number), number, |_| Some(0)), Ok(None));
    }
    // The odd ones may not give way.
    let need = |held: &usize| held.is_multiple_of(2).then_some(*held);
    for number in [100, 102] {
        let replaced = entries.put(key(number), number, need);
        assert_eq!(replaced, Ok(Some(number - 100)));
    }
    assert_eq!(entries.find(key(100)), Some(&100));
    assert_eq!(entries.find(key(0)), None);
    assert_eq!(entries.put(key(99), 99, |_| None::<()>), Err(99));
    assert!(entries.remove(key(100)));
    assert!(!entries.remove(key(100)));
    assert_eq!(entries.put(key(99), 99, |_| None::<()>), Ok(None));
    assert_eq!(entries.values().count(), GROUP);
}
