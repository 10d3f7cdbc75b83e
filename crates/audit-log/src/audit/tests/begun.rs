//! Changes, which are on record before they are made and after.

use super::{flaky::Mood, *};
use crate::event::Code;

const GONE: Code = Code::new("gone");

#[tokio::test(start_paused = true)]
async fn a_change_is_on_record_as_begun_and_with_what_came_of_it() {
    let endings = [
        (Ending::Success, "session.begin success"),
        (Ending::Denied(GONE), "session.begin denied gone"),
        (Ending::Failure(GONE), "session.begin failure gone"),
        (Ending::Unknown(GONE), "session.begin unknown gone"),
    ];
    for (ending, expected) in endings {
        let log = open().await;
        let pending = log.audit.begin(draft(LOGIN), None).await.expect("it works");
        let begun = said(&leaves(&*log.store).await);
        assert_eq!(
            begun.last().map(String::as_str),
            Some("session.begin unknown begun")
        );
        let intent = pending.intent();
        let finished = pending.amend(|draft| draft.count(7)).finish(ending).await;
        assert!(finished.is_ok());
        let leaves = log.closed().await;
        assert_eq!(said(&leaves)[2], expected);
        let leaf = Leaf::parse(&leaves[2]).expect("it is a leaf");
        assert_eq!(leaf.refs().collect::<Vec<_>>(), [intent.id]);
        assert_eq!(leaf.count(), 7);
        assert_eq!(leaves.len(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_never_finished_is_on_record_as_unknown() {
    let log = open().await;
    let dropped = log.audit.begin(draft(LOGIN), None).await.expect("it works");
    let dropped_intent = dropped.intent();
    drop(dropped);
    let late = log.audit.begin(draft(LOGIN), None).await.expect("it works");
    log.clock.advance(Duration::from_secs(5 * 60));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let leaves = leaves(&*log.store).await;
    let closings: Vec<_> = leaves
        .iter()
        .map(|bytes| Leaf::parse(bytes).expect("it is a leaf"))
        .filter(|leaf| leaf.action() == "audit.unfinished")
        .map(|leaf| {
            (
                leaf.detail(),
                leaf.outcome(),
                leaf.refs().next(),
                leaf.tenant(),
            )
        })
        .collect();
    let of =
        |detail, intent: Recorded| (Some(detail), Outcome::Unknown, Some(intent.id), "tenant-7");
    let expected = [
        of("abandoned", dropped_intent),
        of("expired", late.intent()),
    ];
    assert_eq!(closings, expected);
    // Who says it all the same is heard.
    assert!(late.finish(Ending::Success).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_was_finished_is_not_unknown_later() {
    let log = open().await;
    let pending = log.audit.begin(draft(LOGIN), None).await.expect("it works");
    assert!(pending.finish(Ending::Success).await.is_ok());
    log.clock.advance(Duration::from_secs(10 * 60));
    tokio::time::sleep(Duration::from_secs(2)).await;
    let said = said(&log.closed().await);
    assert_eq!(
        said[1..3],
        ["session.begin unknown begun", "session.begin success"]
    );
    assert_eq!(said.len(), 4, "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn what_was_begun_too_late_for_who_asked_is_on_record_as_unknown() {
    let log = open().await;
    log.audit.record(draft(READ), None).await.expect("it works");
    log.store.is_to(Mood::HangsInGroups);
    let refused = log.audit.begin(draft(LOGIN), None).await;
    assert_eq!(refused.err(), Some(Unrecorded::TimedOut));
    log.store.is_to(Mood::Works);
    let said = said(&log.closed().await);
    let expected = [
        "session.begin unknown begun",
        "audit.unfinished unknown abandoned",
    ];
    assert_eq!(said[2..4], expected, "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn who_made_a_change_and_left_is_on_record_when_the_store_works_again() {
    let log = open().await;
    let pending = log.audit.begin(draft(LOGIN), None).await.expect("it works");
    log.store.is_to(Mood::Hangs);
    let refused = pending.finish(Ending::Success).await;
    assert_eq!(refused, Err(Unrecorded::TimedOut));
    log.store.is_to(Mood::Works);
    let said = said(&log.closed().await);
    assert_eq!(said[2], "session.begin success", "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_crash_left_begun_is_on_record_as_unknown_after_the_next_start() {
    let kept = MemoryStore::new();
    let log = open_with(kept.clone(), |builder| builder)
        .await
        .expect("empty");
    let finished = log.audit.begin(draft(LOGIN), None).await.expect("it works");
    finished.finish(Ending::Success).await.expect("it works");
    let open = log.audit.begin(draft(LOGIN), None).await.expect("it works");
    let intent = open.intent();
    log.writer.abort();
    std::mem::forget(open);
    // More than a bundle lies between.
    let log = open_with(kept.clone(), |builder| builder)
        .await
        .expect("sound");
    for _ in 0..600 {
        log.audit.note(draft(READ), None);
    }
    let leaves = log.closed().await;
    let closing = Leaf::parse(&leaves[5]).expect("it is a leaf");
    assert_eq!(said(&leaves)[5], "audit.unfinished unknown crashed");
    assert_eq!(closing.refs().collect::<Vec<_>>(), [intent.id]);
    // Once.
    let log = open_with(kept, |builder| builder).await.expect("sound");
    let said = said(&log.closed().await);
    let closings = said
        .iter()
        .filter(|said| said.starts_with("audit.unfinished"));
    assert_eq!(closings.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_a_crash_left_begun_is_ended_however_late_the_next_start_is() {
    let kept = MemoryStore::new();
    let log = open_with(kept.clone(), |builder| builder)
        .await
        .expect("empty");
    let open = log.audit.begin(draft(LOGIN), None).await.expect("it works");
    let intent = open.intent();
    log.clock.advance(Duration::from_secs(4 * 60));
    // More than two bundles lie behind it.
    for _ in 0..600 {
        log.audit.note(draft(READ), None);
    }
    log.audit.record(draft(READ), None).await.expect("it works");
    log.writer.abort();
    std::mem::forget(open);
    let clock = log.clock;
    clock.advance(Duration::from_secs(3 * 24 * 60 * 60));
    let log = open_with(kept, |builder| builder.clock(clock))
        .await
        .expect("sound");
    let leaves = log.closed().await;
    let closings = leaves
        .iter()
        .map(|bytes| Leaf::parse(bytes).expect("it is a leaf"))
        .filter(|leaf| leaf.detail() == Some("crashed"));
    let ended = closings.flat_map(|leaf| leaf.refs().collect::<Vec<_>>());
    let ended: Vec<_> = ended.collect();
    assert_eq!(ended, [intent.id]);
}

#[tokio::test(start_paused = true)]
async fn what_another_node_has_begun_is_not_touched() {
    let kept = MemoryStore::new();
    let log = open_with(kept.clone(), |builder| builder)
        .await
        .expect("empty");
    let pending = log.audit.begin(draft(LOGIN), None).await.expect("it works");
    let (other, writing) = Audit::builder(Arc::new(kept), origin(), Id::constant("node-b"))
        .key(key())
        .clock(log.clock.clone())
        .open()
        .await
        .expect("sound");
    let writer = tokio::spawn(writing);
    other.close();
    writer.await.expect("no panic");
    assert!(pending.finish(Ending::Success).await.is_ok());
    let said = said(&log.closed().await);
    let closings = said
        .iter()
        .filter(|said| said.starts_with("audit.unfinished"));
    assert_eq!(closings.count(), 0, "{said:?}");
}
