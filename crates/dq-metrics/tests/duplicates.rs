//! The duplicate filter against an exact set of everything that was noted.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroU32,
};

use portcullis_dq_metrics::{
    Duplicate,
    duplicates::{ContentHash, DuplicateFilter, Sighting},
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use proptest::prelude::*;
use rand::{RngExt, SeedableRng, rngs::StdRng};

fn filter(ids: u32, recent: u32) -> DuplicateFilter {
    let [ids, recent] = [ids, recent].map(|n| NonZeroU32::new(n).expect("not 0"));
    DuplicateFilter::new(ids, recent, &mut StdRng::seed_from_u64(20_260_101))
}

fn content(n: u64) -> ContentHash {
    ContentHash::new(n)
}

/// Of the last 100,000 ids none is missed while 299,990 come, and of ids that never came as many are
/// taken for ones that did as the published bound says: within five standard deviations of a binomial count.
#[test]
fn no_id_of_the_window_is_missed_and_the_bound_holds_against_an_exact_set() {
    const WINDOW: usize = 100_000;
    const FRESH: u32 = 400_000;
    let filter = filter(100_000, 1_000);
    let mut rng = StdRng::seed_from_u64(1);
    let (mut noted, mut order) = (HashSet::new(), Vec::new());
    for n in 0..299_990 {
        let id: [u8; 16] = rng.random();
        if noted.insert(id) {
            order.push(id);
        }
        filter.note(&id, content(n));
    }
    for id in &order[order.len() - WINDOW..] {
        assert_ne!(filter.look(id, content(0)), Sighting::Unseen);
    }
    let bound = filter.false_positive_bound();
    assert!(bound > 1e-4 && bound < 2e-4, "{bound}");
    let mistaken = (0..FRESH).filter(|_| {
        let id: [u8; 16] = rng.random();
        assert!(!noted.contains(&id));
        filter.look(&id, content(0)) != Sighting::Unseen
    });
    let mistaken = f64::from(u32::try_from(mistaken.count()).unwrap());
    let expected = f64::from(FRESH) * bound;
    let deviation = (expected * (1.0 - bound)).sqrt();
    assert!(
        (mistaken - expected).abs() < 5.0 * deviation,
        "{mistaken} of {FRESH}, at {bound}"
    );
}

#[test]
fn what_came_before_the_window_is_forgotten_in_the_end() {
    let filter = filter(1_000, 10);
    filter.note(b"first", content(1));
    for n in 0..2_000_u32 {
        filter.note(&n.to_be_bytes(), content(1));
    }
    assert_eq!(filter.look(b"first", content(1)), Sighting::Unseen);
}

/// What an application does: it looks, asks an exact store where the filter does not know, and notes what
/// was stored.
#[derive(Default)]
struct Store(HashMap<u64, u64>);

proptest! {
    #[test]
    fn what_it_is_certain_of_is_what_an_exact_store_says(
        events in prop::collection::vec((0_u64..300, 0_u64..3, any::<bool>()), 1..600),
    ) {
        let (filter, mut store) = (filter(1_000, 50), Store::default());
        for (id, says, is_lost) in events {
            let first = store.0.get(&id).copied();
            match filter.look(&id.to_be_bytes(), content(says)) {
                Sighting::Unseen => prop_assert_eq!(first, None),
                Sighting::Seen(Duplicate::Natural) => prop_assert_eq!(first, Some(says)),
                Sighting::Seen(Duplicate::Conflicting) => {
                    prop_assert!(first.is_some_and(|first| first != says));
                }
                Sighting::MaybeSeen => {}
            }
            // A write that failed is not noted.
            if first.is_none() && !is_lost {
                store.0.insert(id, says);
                filter.note(&id.to_be_bytes(), content(says));
            }
        }
    }
}

#[test]
fn ten_million_ids_take_less_than_64_mib() {
    let filter = filter(10_000_000, 65_536);
    assert!(filter.memory() <= 64 << 20, "{} bytes", filter.memory());
    // 19.2 bits in each of two filters are a share of it that no mistake of the arithmetic hides.
    assert!(filter.memory() > 48_000_000, "{} bytes", filter.memory());
    let (small, held) = (self::filter(1_000, 1_000), 1_000);
    let per_recent = (small.memory() - 2 * 2_400) / held;
    assert!((90..=170).contains(&per_recent), "{per_recent}");
}

#[test]
fn memory_is_what_it_was_when_it_was_made() {
    let filter = filter(100_000, 65_536);
    let made = filter.memory();
    for n in 0..300_000_u32 {
        filter.note(&n.to_be_bytes(), content(1));
    }
    assert_eq!(filter.memory(), made);
}

#[test]
fn it_tells_of_itself_in_metrics() {
    let filter = filter(1_000, 10);
    for n in 0..100_u32 {
        filter.note(&n.to_be_bytes(), content(1));
    }
    filter.look(&99_u32.to_be_bytes(), content(1));
    filter.look(&99_u32.to_be_bytes(), content(2));
    filter.look(&0_u32.to_be_bytes(), content(1));
    filter.look(b"new", content(1));
    filter.look(b"newer", content(1));
    let mut registry = Registry::default();
    filter.register(&mut registry);
    let mut text = String::new();
    encode(&mut text, &registry).expect("writing to a String");
    for line in [
        r#"dq_duplicate_filter_lookups_total{result="unseen"} 2"#,
        r#"dq_duplicate_filter_lookups_total{result="seen_natural"} 1"#,
        r#"dq_duplicate_filter_lookups_total{result="seen_conflicting"} 1"#,
        r#"dq_duplicate_filter_lookups_total{result="maybe_seen"} 1"#,
        "dq_duplicate_filter_ids 100.0",
        &format!("dq_duplicate_filter_bytes {}.0", filter.memory()),
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} not in\n{text}"
        );
    }
    let bound = text.lines().find_map(|line| {
        let value = line.strip_prefix("dq_duplicate_filter_false_positive_bound ")?;
        value.parse().ok()
    });
    assert_eq!(bound, Some(filter.false_positive_bound()));
    let series = text.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(series.count(), 7);
}

#[test]
fn it_shows_neither_key_nor_ids() {
    assert_eq!(format!("{:?}", filter(10, 10)), "DuplicateFilter { .. }");
}
