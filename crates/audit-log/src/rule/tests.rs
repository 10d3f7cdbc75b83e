//! What each rule finds, from how many on, and what it leaves alone.

mod anonymous;
mod days;
mod leaves;

use std::num::NonZeroUsize;

use self::leaves::{Access, MINUTES, START};
use super::*;
use crate::{
    entropy::{Entropy, EntropyError},
    event::{Activity, ActorType, Code, EventBuilder, Leaf},
};

fn rules() -> Rules {
    Rules::new(RuleSettings::new())
}

fn observe(rules: &mut Rules, access: &Access) -> Vec<(Rule, u64)> {
    observe_at(rules, access, None)
}

fn observe_at(
    rules: &mut Rules,
    access: &Access,
    network: Option<NetworkHash>,
) -> Vec<(Rule, u64)> {
    let leaf = access.leaf();
    let found = rules.observe(&Leaf::parse(&leaf).unwrap(), network);
    found
        .iter()
        .map(|found| (found.rule, found.count))
        .collect()
}

#[test]
fn a_hundred_different_resources_in_ten_minutes_are_bulk() {
    let mut rules = rules();
    let read = |minute: u64, from: usize, to: usize| Access::at(minute).resources(from..to);
    assert_eq!(observe(&mut rules, &read(0, 0, 49)), []);
    // The same ones again are no more.
    assert_eq!(observe(&mut rules, &read(1, 0, 49)), []);
    assert_eq!(observe(&mut rules, &read(2, 49, 98)), []);
    assert_eq!(observe(&mut rules, &read(3, 98, 99)), []);
    assert_eq!(observe(&mut rules, &read(9, 99, 100)), [(Rule::Bulk, 100)]);
    // Not again in the next ten minutes.
    for minute in 10..19 {
        let from = usize::try_from(minute).unwrap() * 40;
        assert_eq!(observe(&mut rules, &read(minute, from, from + 40)), []);
    }
    let later: Vec<_> = (19..25)
        .flat_map(|minute| {
            let from = usize::try_from(minute).unwrap() * 40;
            observe(&mut rules, &read(minute, from, from + 40))
        })
        .collect();
    assert_eq!(later, [(Rule::Bulk, 100)]);
}

#[test]
fn ninety_nine_in_ten_minutes_are_not() {
    let mut rules = rules();
    for minute in 0..100 {
        let from = usize::try_from(minute).unwrap() * 9;
        let read = Access::at(minute).resources(from..from + 9);
        assert_eq!(observe(&mut rules, &read), [], "minute {minute}");
    }
}

#[test]
fn old_resources_do_not_hide_new_ones() {
    let mut rules = rules();
    let first = Access::at(0).resources(0..49);
    let next = Access::at(1).resources(49..98);
    assert_eq!(observe(&mut rules, &first), []);
    assert_eq!(observe(&mut rules, &next), []);
    let all = Access::at(60).resources(200..328);
    assert_eq!(observe(&mut rules, &all), [(Rule::Bulk, 128)]);
}

#[test]
fn fifty_at_once_are_bulk() {
    for (count, found) in [
        (49, vec![]),
        (50, vec![(Rule::Bulk, 50)]),
        (9_000, vec![(Rule::Bulk, 9_000)]),
    ] {
        assert_eq!(observe(&mut rules(), &Access::at(0).count(count)), found);
    }
}

#[test]
fn what_was_written_or_refused_is_not_bulk() {
    let mut rules = rules();
    let write = Access::at(0)
        .count(9_000)
        .activity(Activity::Create)
        .fields(9);
    assert_eq!(observe(&mut rules, &write), []);
    assert_eq!(
        observe(&mut rules, &Access::at(1).resources(0..120).denied()),
        []
    );
    let other = Access::at(2)
        .count(9_000)
        .actor(ActorType::System, "writer");
    assert_eq!(observe(&mut rules, &other), []);
}

#[test]
fn more_than_five_fields_are_found() {
    assert_eq!(observe(&mut rules(), &Access::at(0).fields(5)), []);
    assert_eq!(
        observe(&mut rules(), &Access::at(0).fields(6)),
        [(Rule::Fields, 6)]
    );
}

#[test]
fn reasons_of_programs_are_found() {
    let access = |code| Access::at(0).reason(code);
    assert_eq!(
        observe(&mut rules(), &access("automated")),
        [(Rule::Automated, 1)]
    );
    assert_eq!(observe(&mut rules(), &access("support")), []);
    let mut other = Rules::new(RuleSettings::new().automated([Code::new("script")]));
    assert_eq!(observe(&mut other, &access("automated")), []);
    assert_eq!(
        observe(&mut other, &access("script")),
        [(Rule::Automated, 1)]
    );
}

#[test]
fn ten_failures_in_five_minutes_are_found() {
    let mut rules = rules();
    for second in 0..9 {
        let access = Access::at(0).later(second).denied();
        assert_eq!(observe(&mut rules, &access), []);
    }
    // Successes between them are none.
    assert_eq!(observe(&mut rules, &Access::at(1)), []);
    let leaf = Access::at(4).denied().leaf();
    let found = rules.observe(&Leaf::parse(&leaf).unwrap(), None);
    assert_eq!((found[0].rule, found[0].count), (Rule::Failures, 10));
    assert_eq!(found[0].refs.len(), 10);
    assert_eq!(
        found[0].refs.last(),
        Some(&Leaf::parse(&leaf).unwrap().id())
    );
    // Nine in five minutes go on for ever.
    let mut rules = self::rules();
    for n in 0..200 {
        let access = Access::at(0).later(34 * n).denied();
        assert_eq!(observe(&mut rules, &access), [], "{n}");
    }
    // Refusals that were recorded together.
    let together = Access::at(20).resources(0..0).count(10).denied();
    assert_eq!(
        observe(&mut self::rules(), &together),
        [(Rule::Failures, 10)]
    );
}

#[test]
fn an_hour_is_unusual_after_200_events() {
    // From 9 to 17 h: 17 h is still near, 3 h is not.
    let mut rules = rules();
    for day in 0..10 {
        for event in 0..20 {
            let at = Access::at(day * 24 * 60 + 9 * 60 + event * 24);
            assert_eq!(observe(&mut rules, &at), [], "day {day}, event {event}");
        }
    }
    let night = |day: u64, hour: u64| Access::at((day * 24 + hour) * 60);
    assert_eq!(observe(&mut rules, &night(10, 17)), []);
    assert_eq!(observe(&mut rules, &night(11, 3)), [(Rule::Hour, 1)]);
    assert_eq!(observe(&mut rules, &night(12, 3)), [(Rule::Hour, 1)]);
    // What was 29 days ago says nothing: there are not enough of them.
    assert_eq!(observe(&mut rules, &night(45, 3)), []);
}

#[test]
fn an_hour_is_usual_before_200_events() {
    let mut rules = rules();
    for event in 0..199 {
        let at = Access::at((event / 20) * 24 * 60 + 9 * 60 + event % 20 * 24);
        assert_eq!(observe(&mut rules, &at), []);
    }
    assert_eq!(observe(&mut rules, &Access::at((11 * 24 + 3) * 60)), []);
}

#[derive(Debug)]
struct Constant(u8);

impl Entropy for Constant {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(self.0);
        Ok(())
    }
}

#[test]
fn a_new_network_is_found_once_the_actor_is_known_for_a_week() {
    let hasher = NetworkHasher::new(&Constant(1)).unwrap();
    let network = |n: u8| Some(hasher.hash([198, 51, n, 7].into()));
    let day = |day: u64| Access::at(day * 24 * 60);
    let mut rules = rules();
    assert_eq!(observe_at(&mut rules, &day(0), network(0)), []);
    assert_eq!(observe_at(&mut rules, &day(6), network(1)), []);
    assert_eq!(
        observe_at(&mut rules, &day(7), network(2)),
        [(Rule::NewNetwork, 1)]
    );
    assert_eq!(observe_at(&mut rules, &day(8), network(2)), []);
    assert_eq!(observe_at(&mut rules, &day(27), network(0)), []);
    // 1 was last seen on day 6, 2 on day 8.
    assert_eq!(
        observe_at(&mut rules, &day(34), network(1)),
        [(Rule::NewNetwork, 1)]
    );
    assert_eq!(observe_at(&mut rules, &day(35), network(2)), []);
    assert_eq!(observe_at(&mut rules, &day(35), None), []);
}

#[test]
fn of_networks_32_are_remembered() {
    let hasher = NetworkHasher::new(&Constant(1)).unwrap();
    let mut rules = rules();
    let mut at = |minute: u64, n: u8| {
        let network = hasher.hash([198, 51, n, 7].into());
        observe_at(&mut rules, &Access::at(minute), Some(network))
    };
    for n in 0..33 {
        assert_eq!(at(n.into(), n), []);
    }
    let week = 8 * 24 * 60;
    assert_eq!(at(week, 1), []);
    assert_eq!(at(week + 20, 0), [(Rule::NewNetwork, 1)]);
}

#[test]
fn a_network_is_24_bits_or_48_and_its_hash_that_of_one_key() {
    let hasher = NetworkHasher::new(&Constant(1)).unwrap();
    let hash = |address: &str| hasher.hash(address.parse().unwrap());
    assert_eq!(hash("198.51.100.7"), hash("198.51.100.9"));
    assert_eq!(hash("198.51.100.7"), hash("::ffff:198.51.100.8"));
    assert_ne!(hash("198.51.100.7"), hash("198.51.101.7"));
    assert_eq!(hash("2001:db8:7::1"), hash("2001:db8:7:9::2"));
    assert_ne!(hash("2001:db8:7::1"), hash("2001:db8:8::1"));
    let other = NetworkHasher::new(&Constant(2)).unwrap();
    assert_ne!(hash("198.51.100.7"), other.hash([198, 51, 100, 7].into()));
    assert_eq!(
        format!("{hasher:?} {:?}", hash("::1")),
        "NetworkHasher { .. } NetworkHash { .. }"
    );
}

#[test]
fn each_emergency_is_found() {
    let mut rules = rules();
    let taken = |minute| {
        Access::at(minute)
            .action("elevation.break_glass")
            .activity(Activity::Create)
    };
    for minute in 0..3 {
        assert_eq!(observe(&mut rules, &taken(minute)), [(Rule::BreakGlass, 1)]);
    }
    // What is done by it is found once in ten minutes.
    let used = |minute| Access::at(minute).reason("break_glass");
    assert_eq!(observe(&mut rules, &used(4)), []);
    assert_eq!(observe(&mut rules, &used(13)), [(Rule::BreakGlass, 1)]);
    let system = taken(14).actor(ActorType::System, "k");
    assert_eq!(observe(&mut rules, &system), [(Rule::BreakGlass, 1)]);
}

#[test]
fn actors_are_told_apart() {
    let mut rules = rules();
    let half = |kind, id: &str| Access::at(0).resources(0..49).actor(kind, id);
    let rest = |kind, id: &str| Access::at(1).resources(49..98).actor(kind, id);
    let last = |kind, id: &str| Access::at(2).resources(98..100).actor(kind, id);
    assert_eq!(observe(&mut rules, &half(ActorType::Person, "a")), []);
    assert_eq!(observe(&mut rules, &rest(ActorType::ApiKey, "a")), []);
    assert_eq!(observe(&mut rules, &last(ActorType::Person, "b")), []);
    assert_eq!(rules.actors(), 3);
    assert_eq!(observe(&mut rules, &rest(ActorType::Person, "a")), []);
    assert_eq!(
        observe(&mut rules, &last(ActorType::Person, "a")),
        [(Rule::Bulk, 100)]
    );
}

#[test]
fn at_most_10_000_actors_are_remembered_and_the_latest_of_them() {
    let mut rules = rules();
    for n in 0..20_000_u64 {
        let access = Access::at(0)
            .later(n)
            .actor(ActorType::ApiKey, &format!("k-{n}"));
        assert_eq!(observe(&mut rules, &access), []);
        assert!(rules.actors() <= 10_000);
    }
    assert_eq!(rules.forgotten() + rules.actors() as u64, 20_000);
    assert!(rules.actors() >= 8_750);
    // One that went on acting is among them, whatever came.
    let mut rules = Rules::new(RuleSettings::new().max_actors(NonZeroUsize::new(8).unwrap()));
    for n in 0..99_u64 {
        let resource = usize::try_from(n).unwrap();
        let busy = Access::at(0).later(4 * n).resources(resource..resource + 1);
        let other = Access::at(0)
            .later(4 * n + 2)
            .actor(ActorType::ApiKey, &format!("k-{n}"));
        assert_eq!(observe(&mut rules, &busy), []);
        assert_eq!(observe(&mut rules, &other), []);
    }
    let busy = Access::at(0).later(4 * 99).resources(99..100);
    assert_eq!(observe(&mut rules, &busy), [(Rule::Bulk, 100)]);
}

#[test]
fn a_finding_is_an_event_about_the_actor() {
    let leaf = Access::at(0).fields(6).leaf();
    let leaf = Leaf::parse(&leaf).unwrap();
    let found = rules().observe(&leaf, None);
    let event: EventBuilder = found[0].event();
    let bytes = leaves::written(event, START + MINUTES);
    let finding = Leaf::parse(&bytes).unwrap();
    assert_eq!(finding.action(), "audit.suspicious");
    assert_eq!(finding.tenant(), leaf.tenant());
    assert_eq!(finding.actor_id(), "audit-rules");
    assert_eq!(finding.reason_code(), Some("fields"));
    assert_eq!(finding.count(), 6);
    assert_eq!(finding.refs().collect::<Vec<_>>(), [leaf.id()]);
    assert_eq!(
        finding.resources().collect::<Vec<_>>(),
        [("person", leaf.actor_id())]
    );
    // And no reason for another.
    assert_eq!(rules().observe(&finding, None), []);
}

#[test]
fn clocks_that_differ_are_no_gap() {
    let mut rules = rules();
    assert_eq!(
        observe(&mut rules, &Access::at(60).fields(6)),
        [(Rule::Fields, 6)]
    );
    assert_eq!(observe(&mut rules, &Access::at(0).fields(6)), []);
    assert_eq!(observe(&mut rules, &Access::at(69).fields(6)), []);
    assert_eq!(
        observe(&mut rules, &Access::at(70).fields(6)),
        [(Rule::Fields, 6)]
    );
}
