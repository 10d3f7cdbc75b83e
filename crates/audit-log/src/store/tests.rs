//! Groups.

use std::collections::HashMap;

use super::*;
use crate::{
    event::{
        Action, Activity, Actor, ActorType, Delivery, Event, EventBuilder, EventId, Stamp,
        Timestamp,
    },
    tree::RightEdge,
};

fn event(resources: u64) -> Event {
    let actor = Actor::new(ActorType::System, Id::constant("writer"));
    let draft = EventBuilder::new(
        Id::SYSTEM_TENANT,
        Action::new("test.write"),
        Activity::Other,
        actor,
    )
    .count(resources);
    let time = Timestamp::from_unix_micros(1).expect("after 1970");
    let stamp = Stamp::new(
        EventId::new(time, [1; 10]),
        time,
        Delivery::Must,
        Id::constant("a"),
    );
    draft.build(stamp).expect("short")
}

#[test]
fn a_group_has_at_most_2048_events() {
    let mut group = Group::new(LogState::default());
    for n in 0..2_048 {
        assert_eq!(group.push(&event(1), None), Ok(n));
    }
    assert_eq!(group.push(&event(1), None), Err(GroupFull));
    assert_eq!((group.len(), group.edge_after().size()), (2_048, 2_048));
}

#[cfg(unix)]
#[test]
fn a_group_fits_a_frame_of_the_journal_whatever_it_has() {
    use crate::journal::{FrameWriter, MAX_FRAME_BYTES};

    for sealed in [0, 4_200, 60_000, 65_535] {
        let state = LogState::new(RightEdge::new(), HashMap::new());
        let (mut group, mut frame) = (Group::new(state), FrameWriter::new());
        frame.begin(0);
        while group.push(&event(u64::MAX), Some(vec![0; sealed])).is_ok() {}
        for entry in group.entries() {
            assert_eq!(frame.push(entry.leaf, entry.sealed), Ok(()));
        }
        let frame = frame.finish(&group.edge_after().root());
        let frame = frame.expect("it has entries");
        assert!(frame.as_bytes().len() <= MAX_FRAME_BYTES as usize);
        let is_full = group.len() == MAX_GROUP_EVENTS
            || frame.as_bytes().len() + 66_000 > MAX_FRAME_BYTES as usize;
        assert!(is_full, "{} events", group.len());
    }
}
