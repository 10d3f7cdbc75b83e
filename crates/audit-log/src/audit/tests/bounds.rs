//! How much waits at most, and how often a checkpoint is signed for those who want a proof.

use super::{flaky::Mood, *};
use crate::event::{Resource, ResourceType};

const LIMIT: Duration = Duration::from_secs(2);

#[tokio::test(start_paused = true)]
async fn those_who_want_a_proof_have_a_checkpoint_signed_once_a_second_at_most() {
    let log = open().await;
    let began = now();
    for _ in 0..10 {
        let wanting = (0..50).map(|_| {
            let audit = log.audit.clone();
            tokio::spawn(async move {
                let recorded = audit.record(draft(READ), None).await.expect("it works");
                let note = audit.checkpoint().await.expect("it is published in time");
                let checkpoint = Checkpoint::parse(note.unverified_text());
                checkpoint.is_ok_and(|checkpoint| checkpoint.size() > recorded.n)
            })
        });
        for wanting in Vec::from_iter(wanting) {
            assert!(wanting.await.expect("no panic"));
        }
        let seconds = began.elapsed().as_millis().div_ceil(1_000);
        let published = log.seen.published() as u128;
        assert!(published <= seconds + 1, "{published} in {seconds} s");
    }
    // Who asks again and again waits for the next.
    assert!(began.elapsed() >= Duration::from_secs(9));
}

#[tokio::test(start_paused = true)]
async fn for_4096_that_must_be_on_record_there_is_room_and_the_next_are_refused_and_told() {
    let log = open().await;
    log.audit.record(draft(READ), None).await.expect("it works");
    log.store.is_to(Mood::Hangs);
    let recording =
        |audit: Audit| tokio::spawn(async move { audit.record(draft(READ), None).await });
    let waiting: Vec<_> = (0..4_106).map(|_| recording(log.audit.clone())).collect();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(log.audit.status().must_waiting, 4_096);
    // Notes have a room of their own.
    log.audit.note(draft(LOGIN), None);
    assert_eq!(log.audit.status().notes_waiting, 1);
    let began = now();
    for waiting in waiting {
        let refused = waiting.await.expect("no panic");
        assert_eq!(refused, Err(Unrecorded::TimedOut));
    }
    assert!(began.elapsed() <= LIMIT);
    assert_eq!(log.seen.unrecorded(), 4_106);
    log.store.is_to(Mood::Works);
    log.audit
        .record(draft(READ), None)
        .await
        .expect("there is room again");
    assert_eq!(log.audit.status().must_waiting, 0);
    assert_eq!(log.seen.dropped(), []);
}

#[tokio::test(start_paused = true)]
async fn the_next_has_the_room_that_one_has_left() {
    let log = open().await;
    log.store.is_to(Mood::Hangs);
    let waiting: Vec<_> = (0..4_106)
        .map(|_| {
            let audit = log.audit.clone();
            tokio::spawn(async move { audit.record(draft(READ), None).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(log.audit.status().must_waiting, 4_096);
    log.store.is_to(Mood::Works);
    for waiting in waiting {
        waiting.await.expect("no panic").expect("it is in time");
    }
}

/// About so many leads that it has some 13 KiB.
fn large() -> EventBuilder {
    let lead = Resource::new(
        ResourceType::new("lead"),
        Id::constant("lead-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789"),
    );
    draft(READ).resources((0..128).map(|_| lead.clone()))
}

/// How many of such events there is room for, by what one takes of it.
fn most(log: &Open, draft: EventBuilder, delivery: Delivery) -> usize {
    let queued = log.audit.shared.queued(draft, delivery, None);
    let bytes = queued.expect("it is no more than a leaf may have").bytes();
    8 * 1024 * 1024 / usize::try_from(bytes).expect("some KiB")
}

#[tokio::test(start_paused = true)]
async fn notes_take_8_mib_and_those_beyond_are_dropped_and_told() {
    let log = open().await;
    let most = most(&log, large(), Delivery::Best);
    assert!(most < 1_000, "{most}");
    log.store.is_to(Mood::Hangs);
    for _ in 0..most + 7 {
        log.audit.note(large(), None);
    }
    assert_eq!(log.audit.status().notes_waiting, most);
    assert_eq!(log.seen.dropped(), vec![(READ, DropReason::Full); 7]);
}

/// What came of a change is written whether somebody waits for it or not, if there was room for it.
#[tokio::test(start_paused = true)]
async fn what_must_be_on_record_takes_8_mib_and_who_is_beyond_them_is_refused() {
    let log = open().await;
    let begun = log
        .audit
        .record(draft(LOGIN), None)
        .await
        .expect("it works");
    let most = most(&log, large().refs([begun.id]), Delivery::Must);
    let mut changes = Vec::new();
    for _ in 0..most + 7 {
        changes.push(log.audit.begin(large(), None).await.expect("it works"));
    }
    log.store.is_to(Mood::Hangs);
    let finishing = changes
        .into_iter()
        .map(|change| tokio::spawn(async move { change.finish(Ending::Success).await }));
    for finishing in Vec::from_iter(finishing) {
        let refused = finishing.await.expect("no panic").err();
        assert_eq!(refused, Some(Unrecorded::TimedOut));
    }
    log.store.is_to(Mood::Works);
    let said = said(&log.closed().await);
    let written = said.iter().filter(|said| *said == "lead.read success");
    assert_eq!(written.count(), most);
}
