//! The flat map does what a map does.

use std::collections::HashMap;

use proptest::prelude::*;

use super::{Entry, Slots};
use crate::{
    bucket::{Bucket, Scale, Tick},
    store::{Partition, fingerprint::Fingerprints},
};

const CAPACITY: usize = 40;

fn bucket(consumed: u64) -> Bucket {
    let one = std::num::NonZeroU64::MIN;
    Bucket::new(
        consumed,
        0,
        Scale::new(one, one.try_into().unwrap(), Tick::Micros),
    )
}

proptest! {
    #[test]
    fn it_holds_what_a_hash_map_holds_though_it_grows_and_closes_gaps(
        steps in prop::collection::vec((0..60_u8, any::<bool>()), 1..400),
    ) {
        let fingerprints = Fingerprints::make_random();
        let key = |number: u8| fingerprints.of_partition(Partition::Tenant(&number.to_string()));
        let (mut slots, mut map) = (Slots::default(), HashMap::new());
        for (step, (number, puts)) in (0..).zip(steps) {
            if puts && (map.len() < CAPACITY || map.contains_key(&number)) {
                slots.put(key(number), bucket(step), CAPACITY);
                map.insert(number, step);
            } else if let Some(place) = slots.find(key(number)) {
                slots.remove(place);
                prop_assert!(map.remove(&number).is_some());
            }
            prop_assert_eq!(slots.len(), map.len());
            for number in 0..60 {
                let found = slots.find(key(number)).and_then(|place| slots.at(place));
                let expected = map.get(&number).map(|step| bucket(*step));
                prop_assert_eq!(found.map(|entry| entry.bucket), expected);
            }
        }
        prop_assert!(slots.places() <= 54, "a quarter of them free, and one");
    }
}

#[test]
fn a_bucket_and_its_key_take_48_bytes() {
    assert_eq!(size_of::<Option<Entry>>(), 48);
}
