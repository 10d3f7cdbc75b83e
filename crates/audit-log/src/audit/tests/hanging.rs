//! What hangs, wherever it does: who must record is told within 2 s, and the log goes on when it answers again.

use std::future::pending;

use async_trait::async_trait;

use super::{flaky::Mood, *};
use crate::{
    anchor::{Anchor, AnchorError, FileAnchor},
    event::Personal,
    note::NoteSignature,
    sealer::{PartToSeal, SealError},
};

const LIMIT: Duration = Duration::from_secs(2);

/// Records what must be on record, and gives what came of it and how long it took.
async fn timed(audit: &Audit) -> (Result<Recorded, Unrecorded>, Duration) {
    let began = now();
    let recorded = audit.record(draft(READ), None).await;
    (recorded, began.elapsed())
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_refuses_within_2_s_wherever_it_does_and_is_used_when_it_answers() {
    for mood in [Mood::Hangs, Mood::HangsInGroups] {
        let log = open().await;
        log.audit.record(draft(READ), None).await.expect("it works");
        log.store.is_to(mood);
        for _ in 0..3 {
            let refused = timed(&log.audit).await;
            assert_eq!(refused, (Err(Unrecorded::TimedOut), LIMIT), "{mood:?}");
            assert!(log.audit.status().is_failing, "{mood:?}");
        }
        log.store.is_to(Mood::Works);
        let (recorded, took) = timed(&log.audit).await;
        assert!(recorded.is_ok() && took < LIMIT, "{mood:?}: {recorded:?}");
        assert!(!log.audit.status().is_failing, "{mood:?}");
        // Of a read that was refused, nothing was shown. What was being written then is in the log all the same.
        let said = said(&log.closed().await);
        let reads = said.iter().filter(|said| *said == "lead.read success");
        let most = if mood == Mood::Hangs { 2 } else { 3 };
        assert!((2..=most).contains(&reads.count()), "{mood:?}: {said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_hangs_keeps_no_record_out() {
    let log = open().await;
    log.store.is_to(Mood::HangsInCheckpoints);
    for _ in 0..3 {
        let (recorded, took) = timed(&log.audit).await;
        assert!(recorded.is_ok() && took < LIMIT);
        let began = now();
        let refused = log.audit.checkpoint().await.err();
        assert_eq!(refused, Some(Unrecorded::TimedOut));
        assert_eq!(began.elapsed(), LIMIT);
    }
    log.store.is_to(Mood::Works);
    let note = log.audit.checkpoint().await.expect("it answers again");
    let size = Checkpoint::parse(note.unverified_text()).map(|checkpoint| checkpoint.size());
    assert_eq!(size, Ok(4));
}

#[tokio::test(start_paused = true)]
async fn a_log_whose_store_hangs_is_closed_within_10_s_and_says_what_is_not_written() {
    for (mood, left, why) in [
        (Mood::Hangs, 3, DropReason::Closed),
        (Mood::HangsInGroups, 3, DropReason::Store),
        (Mood::HangsInCheckpoints, 0, DropReason::Closed),
    ] {
        let opened = open_with(MemoryStore::new(), |builder| {
            builder.anchor(Arc::new(Hanging))
        });
        let log = opened.await.expect("empty");
        log.audit.record(draft(READ), None).await.expect("it works");
        log.store.is_to(mood);
        for _ in 0..3 {
            log.audit.note(draft(READ), None);
        }
        // They are on their way by then.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let began = now();
        log.audit.close();
        log.writer.await.expect("no panic");
        assert!(began.elapsed() <= CLOSE_WAIT, "{mood:?}");
        assert_eq!(log.seen.left_unwritten(), left, "{mood:?}");
        assert_eq!(log.seen.dropped(), vec![(READ, why); left], "{mood:?}");
        assert!(log.seen.failed() > 0, "{mood:?}");
    }
    assert_eq!(CLOSE_WAIT, Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn anchors_that_hang_are_waited_for_at_once_and_a_log_is_closed_within_10_s() {
    let opened = open_with(MemoryStore::new(), |builder| {
        (0..3).fold(builder, |builder, _| builder.anchor(Arc::new(Hanging)))
    });
    let began = now();
    let log = opened.await.expect("empty");
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    log.audit.record(draft(READ), None).await.expect("it works");
    assert_eq!(log.seen.anchors_failed(), 3);
    let (store, seen) = (log.store.clone(), log.seen.clone());
    let began = now();
    let said = said(&log.closed().await);
    assert!(began.elapsed() <= CLOSE_WAIT, "{:?}", began.elapsed());
    assert_eq!(
        said.last().map(String::as_str),
        Some("audit.closed success")
    );
    let note = store.checkpoint().await.expect("it answers");
    let note = note.expect("it is published");
    let size = Checkpoint::parse(note.unverified_text()).map(|checkpoint| checkpoint.size());
    assert_eq!(size, Ok(3));
    assert!(seen.anchors_failed() >= 6, "{}", seen.anchors_failed());
    assert_eq!(seen.left_unwritten(), 0);
}

#[tokio::test(start_paused = true)]
async fn an_anchor_that_hangs_keeps_no_other_from_the_last_checkpoint() {
    let folder = tempfile::tempdir().expect("a folder");
    let other = Arc::new(FileAnchor::new("other", folder.path().join("kept")));
    let opened = open_with(MemoryStore::new(), |builder| {
        builder.anchor(Arc::new(Hanging)).anchor(other.clone())
    });
    let log = opened.await.expect("empty");
    log.audit.checkpoint().await.expect("nobody waits for it");
    log.closed().await;
    let kept = other
        .latest()
        .await
        .expect("it answers")
        .expect("it is kept");
    let size = Checkpoint::parse(kept.unverified_text()).map(|checkpoint| checkpoint.size());
    assert_eq!(size, Ok(2));
}

/// One that hangs for good.
#[derive(Debug)]
struct Hanging;

#[async_trait]
impl Anchor for Hanging {
    fn name(&self) -> &str {
        "hanging"
    }

    async fn latest(&self) -> Result<Option<SignedNote>, AnchorError> {
        pending().await
    }

    async fn keep(&self, _: &SignedNote) -> Result<Vec<NoteSignature>, AnchorError> {
        pending().await
    }
}

#[async_trait]
impl Sealer for Hanging {
    async fn seal(&self, _: &[PartToSeal<'_>]) -> Vec<Result<Vec<u8>, SealError>> {
        pending().await
    }

    async fn open(&self, _: &Id, _: EventId, _: &[u8]) -> Result<Personal, SealError> {
        pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn an_anchor_that_hangs_keeps_no_record_out_and_no_checkpoint() {
    let began = now();
    let opened = open_with(MemoryStore::new(), |builder| {
        builder.anchor(Arc::new(Hanging))
    });
    let log = opened.await.expect("it is not asked for longer than 10 s");
    assert_eq!(began.elapsed(), Duration::from_secs(10));
    for n in 1..50 {
        let (recorded, took) = timed(&log.audit).await;
        assert!(recorded.is_ok() && took < LIMIT);
        // Somebody wants a proof.
        let note = log.audit.checkpoint().await.expect("nobody waits for it");
        let size = Checkpoint::parse(note.unverified_text()).map(|checkpoint| checkpoint.size());
        assert_eq!(size, Ok(n + 1));
    }
    assert!(log.seen.anchors_failed() > 3);
}

#[tokio::test(start_paused = true)]
async fn a_sealer_that_hangs_keeps_no_record_out_even_of_who_wait_for_the_group_before() {
    let hanging = |builder: AuditBuilder| builder.sealer(Arc::new(Hanging));
    let log = open_with(MemoryStore::new(), hanging).await.expect("empty");
    let text = PersonalText {
        text: Some("customer called"),
        ..PersonalText::default()
    };
    let recording = |n: u64| {
        let audit = log.audit.clone();
        async move {
            tokio::time::sleep(Duration::from_millis(100 * n)).await;
            let began = now();
            let recorded = audit.record(draft(READ), Some(&text)).await;
            (recorded.is_ok(), began.elapsed())
        }
    };
    let (first, second, third) = tokio::join!(recording(0), recording(1), recording(6));
    for (is_recorded, took) in [first, second, third] {
        assert!(is_recorded && took <= Duration::from_secs(1), "{took:?}");
    }
    assert_eq!(log.seen.parts_lost(), 3);
}
