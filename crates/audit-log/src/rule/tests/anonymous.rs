//! Those who do not say who they are, told apart by where they come from.

use std::num::NonZeroUsize;

use super::{super::*, Constant, leaves::Access, observe, observe_at, rules};
use crate::event::{Activity, ActorType, Leaf};

const DAY_SECONDS: u64 = 24 * 60 * 60;

/// A key that was not right.
fn attempt(second: u64) -> Access {
    Access::at(0)
        .later(second)
        .actor(ActorType::Anonymous, "anonymous")
        .action("auth.attempt")
        .activity(Activity::Other)
        .resources(0..0)
        .count(1)
        .fields(0)
        .denied()
}

fn network(hasher: &NetworkHasher, nth: u64) -> NetworkHash {
    let [.., high, low] = nth.to_be_bytes();
    hasher.hash([198, high, low, 7].into())
}

#[test]
fn a_month_of_wrong_keys_from_everywhere_is_no_finding_and_one_network_that_goes_on_is_one() {
    let hasher = NetworkHasher::new(&Constant(1)).unwrap();
    let mut rules = rules();
    let (networks, a_day, planted) = (2_000, 3_000, 17 * DAY_SECONDS);
    // About ten of them in any five minutes.
    let mut attempts: Vec<_> = (0..30 * a_day)
        .map(|n| (n * DAY_SECONDS / a_day, n * 1_237 % networks))
        .collect();
    attempts.extend((0..10).map(|n| (planted + n * 29, networks)));
    // One less is somebody who mistyped.
    attempts.extend((0..9).map(|n| (planted + n * 29, networks + 1)));
    attempts.sort_unstable();
    let mut found = Vec::new();
    for (second, from) in attempts {
        let leaf = attempt(second).leaf();
        let leaf = Leaf::parse(&leaf).unwrap();
        let findings = rules.observe(&leaf, Some(network(&hasher, from)));
        found.extend(findings.into_iter().map(|finding| (from, finding)));
    }
    let [(from, finding)] = &*found else {
        panic!("{found:?}");
    };
    assert_eq!((*from, finding.rule), (networks, Rule::Failures));
    assert_eq!((finding.count, finding.refs.len()), (10, 10));
    assert_eq!(finding.actor_id.as_str(), "anonymous");
    assert_eq!(rules.actors() as u64, networks + 2);
}

#[test]
fn of_somebody_whose_network_is_not_known_any_more_nothing_is_counted_and_what_stands_together_is()
{
    let mut rules = rules();
    for second in 0..100 {
        assert_eq!(observe(&mut rules, &attempt(second).with_part()), []);
    }
    assert_eq!(rules.actors(), 0);
    // More kinds than are told apart stand in one event, without an address.
    let flood = attempt(100).count(500);
    assert_eq!(observe(&mut rules, &flood), [(Rule::Failures, 500)]);
}

#[test]
fn a_network_keeps_no_hours_and_is_nowhere_else() {
    let hasher = NetworkHasher::new(&Constant(1)).unwrap();
    let mut rules = rules();
    let from = Some(network(&hasher, 1));
    for day in 0..28 {
        for n in 0..10 {
            let at = attempt(day * DAY_SECONDS + n * 600);
            assert_eq!(observe_at(&mut rules, &at, from), []);
        }
    }
    let at_night = attempt(28 * DAY_SECONDS + DAY_SECONDS / 2);
    assert_eq!(observe_at(&mut rules, &at_night, from), []);
    let elsewhere = Some(network(&hasher, 2));
    assert_eq!(observe_at(&mut rules, &at_night, elsewhere), []);
}

#[test]
fn who_has_many_networks_gets_nobody_forgotten_who_is_known_by_name() {
    let hasher = NetworkHasher::new(&Constant(1)).unwrap();
    let room = NonZeroUsize::new(16).unwrap();
    let mut rules = Rules::new(RuleSettings::new().max_actors(room));
    let reads = |n: usize, resources| {
        let actor = format!("p-{n}");
        Access::at(0)
            .actor(ActorType::Person, &actor)
            .resources(resources)
    };
    for n in 0..8 {
        assert_eq!(observe(&mut rules, &reads(n, 0..49)), []);
        assert_eq!(observe(&mut rules, &reads(n, 49..98)), []);
    }
    for nth in 0..1_000 {
        let attempt = attempt(1 + nth % 300);
        assert_eq!(
            observe_at(&mut rules, &attempt, Some(network(&hasher, nth))),
            []
        );
        assert!(rules.actors() <= 16);
    }
    for n in 0..8 {
        let last = reads(n, 98..100).later(300);
        assert_eq!(observe(&mut rules, &last), [(Rule::Bulk, 100)], "{n}");
    }
}
