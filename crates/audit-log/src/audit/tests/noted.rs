//! Notes, which wait for nothing.

use super::{flaky::Mood, *};

fn count_of(leaves: &[Vec<u8>], action: &str) -> u64 {
    let parsed = leaves
        .iter()
        .map(|bytes| Leaf::parse(bytes).expect("a leaf"));
    let of_action = parsed.filter(|leaf| leaf.action() == action);
    of_action.map(|leaf| leaf.count()).sum()
}

#[tokio::test(start_paused = true)]
async fn a_note_is_in_the_log() {
    let log = open().await;
    log.audit.note(draft(READ), None);
    let leaves = log.closed().await;
    let leaf = Leaf::parse(&leaves[1]).expect("it is a leaf");
    assert_eq!(
        (leaf.action(), leaf.delivery()),
        ("lead.read", Delivery::Best)
    );
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_notes_keeps_no_record_out_and_each_drop_is_told() {
    let log = open().await;
    log.store.is_to(Mood::Hangs);
    for _ in 0..20_000 {
        log.audit.note(draft(LOGIN), None);
    }
    assert_eq!(log.audit.status().notes_waiting, 8_192);
    let dropped = log.seen.dropped();
    assert_eq!(dropped.len(), 20_000 - 8_192);
    assert!(
        dropped
            .iter()
            .all(|dropped| *dropped == (LOGIN, DropReason::Full))
    );
    let record = tokio::spawn({
        let audit = log.audit.clone();
        async move { audit.record(draft(READ), None).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    log.store.is_to(Mood::Works);
    let recorded = record.await.expect("no panic");
    assert!(recorded.is_ok(), "{recorded:?}");
    let leaves = log.closed().await;
    let said = said(&leaves);
    let kept = said.iter().filter(|said| *said == "session.begin success");
    assert_eq!(kept.count(), 8_192);
    assert_eq!(count_of(&leaves, "audit.dropped"), 20_000 - 8_192);
}

#[tokio::test(start_paused = true)]
async fn what_is_dropped_while_the_store_fails_is_told_in_few_entries_however_long_that_lasts() {
    for mood in [Mood::Refuses, Mood::LosesGroups, Mood::Hangs] {
        let log = open().await;
        log.audit.record(draft(READ), None).await.expect("it works");
        log.store.is_to(mood);
        for _ in 0..8_192 {
            log.audit.note(draft(LOGIN), None);
        }
        for _ in 0..30 {
            log.audit.note(draft(LOGIN), None);
            log.audit.note(draft(READ), None);
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        log.store.is_to(Mood::Works);
        let leaves = log.closed().await;
        let said = said(&leaves);
        let told = said.iter().filter(|said| said.starts_with("audit.dropped"));
        let told = told.count();
        assert!((2..=4).contains(&told), "{mood:?}: {told}");
        assert_eq!(count_of(&leaves, "audit.dropped"), 60, "{mood:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_over_a_limit_is_refused_and_a_note_of_it_told() {
    use crate::event::{EventError, Resource, ResourceType};

    let log = open().await;
    let resource = Resource::new(ResourceType::new("lead"), Id::constant("lead-1"));
    let large = || draft(READ).resources((0..129).map(|_| resource.clone()));
    let refused = log.audit.record(large(), None).await;
    let found = EventError::TooManyResources { found: 129 };
    assert_eq!(refused, Err(Unrecorded::Event(found)));
    log.audit.note(large(), None);
    assert_eq!(log.seen.dropped(), [(READ, DropReason::Invalid)]);
    assert_eq!(count_of(&log.closed().await, "audit.dropped"), 1);
}
