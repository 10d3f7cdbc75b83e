//! Leaves: what goes in comes out, in one spelling, and nothing else goes in.

mod arbitrary;
mod personal;
mod refused;
mod respelled;
mod texts;

use proptest::prelude::*;

use self::{arbitrary::builder, respelled::respell};
use super::*;

/// Takes what stands in the tests for personal data.
#[derive(Debug)]
struct NoJane;

impl Screen for NoJane {
    fn is_personal(&self, text: &str) -> bool {
        text.to_ascii_lowercase().contains("jane")
    }
}

fn stamp() -> Stamp {
    let time = Timestamp::parse("2026-01-02T03:04:05.678901Z").unwrap();
    let id = EventId::new(time, [0xA5; 10]);
    Stamp::new(id, time, Delivery::Best, Id::constant("a"))
}

fn least() -> EventBuilder {
    const ACTION: Action = Action::new("log.heartbeat");
    let actor = Actor::new(ActorType::System, Id::constant("writer"));
    EventBuilder::new(Id::SYSTEM_TENANT, ACTION, Activity::Other, actor)
}

fn leaf_of(event: &Event, numbers: LeafNumbers) -> Vec<u8> {
    let mut bytes = Vec::new();
    event.write_leaf(numbers, &mut bytes);
    bytes
}

const FIRST: LeafNumbers = LeafNumbers {
    in_tree: 0,
    in_tenant: 0,
};
const LONGEST: LeafNumbers = LeafNumbers {
    in_tree: u64::MAX,
    in_tenant: u64::MAX,
};

#[test]
fn what_is_not_there_is_left_out() {
    let event = least().build(stamp()).unwrap();
    let text = r#"{"v":1,"n":0,"tn":0,"id":"019b7ca9-8f2e-75a5-a5a5-a5a5a5a5a5a5","time":"2026-01-02T03:04:05.678901Z","tenant":"system","action":"log.heartbeat","activity":"other","actor":{"type":"system","id":"writer"},"resources":[],"count":0,"fields":[],"outcome":"success","delivery":"best","node":"a"}"#;
    assert_eq!(leaf_of(&event, FIRST), text.as_bytes());
}

#[test]
fn the_count_is_the_true_number() {
    let lead = |n: u32| {
        let id = Id::parse(&format!("l-{n}"), &NoJane).unwrap();
        Resource::new(ResourceType::new("lead"), id)
    };
    let count = |builder: EventBuilder| {
        let leaf = leaf_of(&builder.build(stamp()).unwrap(), FIRST);
        Leaf::parse(&leaf).unwrap().count()
    };
    assert_eq!(count(least().resources((0..3).map(lead))), 3);
    assert_eq!(
        count(least().resources((0..3).map(lead)).count(5_000)),
        5_000
    );
    assert_eq!(count(least().resources((0..3).map(lead)).count(2)), 3);
}

#[test]
fn an_event_has_at_most_128_resources_and_a_leaf_16_kib() {
    let resource = |length: usize| {
        let id = Id::parse(&"x".repeat(length), &NoJane).unwrap();
        Resource::new(ResourceType::new("lead"), id)
    };
    let build = |count: usize, length: usize| {
        least()
            .resources((0..count).map(|_| resource(length)))
            .build(stamp())
    };
    assert_eq!((MAX_RESOURCES, MAX_LEAF_BYTES), (128, 16_384));
    assert!(build(128, 1).is_ok());
    let too_many = EventError::TooManyResources { found: 129 };
    assert_eq!(build(129, 1).unwrap_err(), too_many);
    // Each takes 24 bytes beside its id.
    let event = build(105, 128).unwrap();
    assert_eq!(leaf_of(&event, LONGEST).len(), 16_288);
    assert_eq!(
        build(106, 128).unwrap_err(),
        EventError::TooLong { found: 16_440 }
    );
}

#[test]
fn a_leaf_that_is_too_long_is_none() {
    let fields =
        [Field::new("a-field-of-some-length-that-is-repeated-to-fill-the-whole-leaf.x"); 300];
    let event = least()
        .fields(fields[..200].iter().copied())
        .build(stamp())
        .unwrap();
    let leaf = String::from_utf8(leaf_of(&event, FIRST)).unwrap();
    assert!(Leaf::parse(leaf.as_bytes()).is_ok());
    let one = format!("\"{}\",", fields[0]);
    let longer = leaf.replacen(&one, &one.repeat(100), 1);
    assert!(longer.len() > MAX_LEAF_BYTES);
    let error = Leaf::parse(longer.as_bytes()).unwrap_err();
    assert!(error.at > 16_000, "{error}");
}

proptest! {
    #[test]
    fn a_leaf_says_what_the_event_said(
        builder in builder(), in_tree in any::<u64>(), in_tenant in any::<u64>(),
    ) {
        let numbers = LeafNumbers { in_tree, in_tenant };
        let event = builder.clone().build(stamp()).unwrap();
        let bytes = leaf_of(&event, numbers);
        let leaf = Leaf::parse(&bytes).unwrap();
        prop_assert_eq!(respell(&leaf).into_bytes(), bytes.clone());
        prop_assert_eq!(leaf.numbers(), numbers);
        prop_assert_eq!(leaf.id(), event.id());
        prop_assert_eq!(leaf.actor_id(), builder.actor.id().as_str());
        prop_assert_eq!(leaf.refs().collect::<Vec<_>>(), builder.refs);
        prop_assert_eq!(leaf.personal(), builder.personal);
        // Any reader of JSON sees the same.
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        prop_assert_eq!(&json["n"], in_tree);
        prop_assert_eq!(&json["outcome"], leaf.outcome().as_str());
        prop_assert_eq!(json["resources"].as_array().unwrap().len(), leaf.resources().count());
        prop_assert_eq!(json["fields"].as_array().unwrap().len(), leaf.fields().count());
    }

    #[test]
    fn the_longest_leaf_is_as_long_as_it_was_said_to_be(builder in builder()) {
        let event = builder.build(stamp()).unwrap();
        let bytes = leaf_of(&event, LONGEST);
        prop_assert_eq!(bytes.len(), event.longest);
        prop_assert!(leaf_of(&event, FIRST).len() <= bytes.len());
    }

    #[test]
    fn one_leaf_has_one_spelling(
        builder in builder(), at in any::<prop::sample::Index>(), byte in any::<u8>(), how in 0_u8..4,
    ) {
        let mut bytes = leaf_of(&builder.build(stamp()).unwrap(), FIRST);
        let at = at.index(bytes.len());
        match how {
            0 => bytes[at] = byte,
            1 => bytes.insert(at, byte),
            2 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
        match Leaf::parse(&bytes) {
            Ok(leaf) => prop_assert_eq!(respell(&leaf).into_bytes(), bytes.clone()),
            Err(error) => prop_assert!(error.at <= bytes.len()),
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Leaf::parse(&bytes).is_err());
    }
}
