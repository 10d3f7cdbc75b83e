use std::collections::HashMap;

use proptest::prelude::*;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::*;

fn size(n: usize) -> NonZeroUsize {
    NonZeroUsize::new(n).unwrap()
}

fn filter(ids: usize, recent: usize) -> DuplicateFilter {
    DuplicateFilter::new(size(ids), size(recent), &mut StdRng::seed_from_u64(3))
}

const CONTENT: Fingerprint = Fingerprint::new(1);
const OTHER_CONTENT: Fingerprint = Fingerprint::new(2);

fn id(n: u64) -> [u8; 8] {
    n.to_be_bytes()
}

#[test]
fn a_recent_id_tells_a_retry_from_a_conflict() {
    let filter = filter(100, 10);
    assert_eq!(filter.check(b"a", CONTENT), Sighting::New);
    assert_eq!(
        filter.check(b"a", CONTENT),
        Sighting::New,
        "checking remembers nothing"
    );
    filter.remember(b"a", CONTENT);
    assert_eq!(
        filter.check(b"a", CONTENT),
        Sighting::Recent(Duplicate::Natural)
    );
    assert_eq!(
        filter.check(b"a", OTHER_CONTENT),
        Sighting::Recent(Duplicate::Conflicting)
    );
    filter.remember(b"a", OTHER_CONTENT);
    assert_eq!(
        filter.check(b"a", CONTENT),
        Sighting::Recent(Duplicate::Natural),
        "first stays"
    );
}

#[test]
fn an_id_that_left_the_ring_is_likely_until_both_generations_went_by() {
    let filter = filter(100, 10);
    filter.remember(&id(0), CONTENT);
    for n in 1..=100 {
        filter.remember(&id(n), CONTENT);
    }
    assert_eq!(filter.check(&id(0), OTHER_CONTENT), Sighting::Likely);
    for n in 101..=300 {
        filter.remember(&id(n), CONTENT);
    }
    assert_eq!(filter.check(&id(0), CONTENT), Sighting::New);
}

#[test]
fn repeated_ids_use_up_no_room() {
    let filter = filter(100, 10);
    filter.remember(b"old", CONTENT);
    for n in 0..10_000 {
        filter.remember(&id(n % 50), CONTENT);
    }
    assert_eq!(filter.check(b"old", CONTENT), Sighting::Likely);
}

proptest! {
    /// Against an exact map: the last `RECENT` ids are told exactly, the last `IDS` never missed.
    #[test]
    fn agrees_with_an_exact_set(events in prop::collection::vec((0_u64..400, 0_u64..2), 0..600)) {
        const IDS: usize = 100;
        const RECENT: usize = 20;
        let filter = filter(IDS, RECENT);
        let mut stored: HashMap<u64, Fingerprint> = HashMap::new();
        let mut order: Vec<u64> = Vec::new();
        for (n, content) in events {
            let content = Fingerprint::new(content);
            let sighting = filter.check(&id(n), content);
            match order.iter().rev().position(|known| *known == n) {
                Some(age) if age < RECENT => {
                    let same = stored[&n] == content;
                    let duplicate = if same { Duplicate::Natural } else { Duplicate::Conflicting };
                    prop_assert_eq!(sighting, Sighting::Recent(duplicate));
                }
                Some(age) if age < IDS => prop_assert_eq!(sighting, Sighting::Likely),
                _ => prop_assert!(!matches!(sighting, Sighting::Recent(_))),
            }
            // The store takes an id once; the model forgets what the ring forgot.
            if !matches!(sighting, Sighting::Recent(_)) {
                order.retain(|known| *known != n);
                order.push(n);
                stored.insert(n, content);
                filter.remember(&id(n), content);
            }
        }
    }
}

#[test]
fn new_ids_are_taken_for_known_ones_within_the_published_bound() {
    const IDS: usize = 20_000;
    const TRIALS: u32 = 200_000;
    let filter = filter(IDS, 1);
    let mut rng = StdRng::seed_from_u64(11);
    for _ in 0..2 * IDS {
        filter.remember(&rng.random::<[u8; 16]>(), CONTENT);
    }
    let bound = filter.false_positive_bound();
    assert!(bound < 2e-4, "both generations are full: {bound}");
    let mistaken = (0..TRIALS)
        .filter(|_| filter.check(&rng.random::<[u8; 16]>(), CONTENT) != Sighting::New)
        .count();
    let expected = f64::from(TRIALS) * bound;
    // Five standard deviations of a Poisson count; the seed is fixed.
    let margin = 5.0 * expected.sqrt();
    let mistaken = mistaken as f64;
    assert!(
        (mistaken - expected).abs() < margin,
        "{mistaken} mistaken, expected {expected}"
    );
}

#[test]
fn ten_million_ids_take_less_than_64_mib() {
    let filter = filter(10_000_000, 65_536);
    let seen = filter.seen();
    let generations = seen.current.bytes() + seen.previous.bytes();
    // A ring entry is an id in the queue, and an id with its content in a hash table that is at
    // least 7/8 · 1/2 full, with one byte of control each.
    let entry = size_of::<IdHash>() + (size_of::<(IdHash, Fingerprint)>() + 1) * 16 / 7;
    assert!(generations + 65_536 * entry < 64 * 1024 * 1024);
}

#[test]
fn the_bound_is_a_metric() {
    let filter = filter(10, 10);
    let mut registry = prometheus_client::registry::Registry::default();
    registry.register("dq_duplicate_filter_false_positive_bound", "Help", filter);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(
        text.contains("\ndq_duplicate_filter_false_positive_bound 0.0\n"),
        "{text}"
    );
}
