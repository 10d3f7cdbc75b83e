//! A store that fails or hangs.

use super::{flaky::Mood, *};

const EVERY_FAILURE: [Mood; 3] = [Mood::Refuses, Mood::LosesGroups, Mood::HidesGroups];

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_refuses_within_2_s_what_must_be_on_record() {
    let log = open().await;
    log.store.is_to(Mood::Hangs);
    let began = now();
    let (read, change) = tokio::join!(
        log.audit.record(draft(READ), None),
        log.audit.begin(draft(LOGIN), None),
    );
    assert_eq!(read, Err(Unrecorded::TimedOut));
    assert_eq!(change.err(), Some(Unrecorded::TimedOut));
    assert_eq!(began.elapsed(), Duration::from_secs(2));

    // Nothing was shown or done, and the log does not say so; it goes on by itself.
    log.store.is_to(Mood::Works);
    let recorded = log.audit.record(draft(READ), None).await;
    assert!(recorded.is_ok());
    let said = said(&log.closed().await);
    let reads = said.iter().filter(|said| *said == "lead.read success");
    assert_eq!(reads.count(), 1, "{said:?}");
    // It may be that the change was begun: then the log says that nobody knows.
    let begun = said.iter().filter(|said| said.starts_with("session.begin"));
    let unfinished = said
        .iter()
        .filter(|said| said.starts_with("audit.unfinished"));
    assert_eq!(begun.count(), unfinished.count(), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_refuses_at_once_and_is_used_again_when_it_works() {
    for mood in EVERY_FAILURE {
        let log = open().await;
        log.audit.record(draft(READ), None).await.expect("it works");
        log.store.is_to(mood);
        let refused = log.audit.record(draft(READ), None).await;
        assert_eq!(refused, Err(Unrecorded::Unavailable), "{mood:?}");
        assert!(log.audit.status().is_failing);
        let refused = log.audit.begin(draft(LOGIN), None).await;
        assert!(refused.is_err(), "{mood:?}");
        log.store.is_to(Mood::Works);
        let recorded = log.audit.record(draft(READ), None).await;
        assert!(recorded.is_ok(), "{mood:?}: {recorded:?}");
        assert!(!log.audit.status().is_failing);
        assert!(log.seen.failed() > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_note_is_in_the_log_once_whatever_happened_to_its_group() {
    for mood in EVERY_FAILURE {
        let log = open().await;
        log.audit.record(draft(READ), None).await.expect("it works");
        log.store.is_to(mood);
        for _ in 0..10 {
            log.audit.note(draft(LOGIN), None);
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        log.store.is_to(Mood::Works);
        let said = said(&log.closed().await);
        let notes = said.iter().filter(|said| *said == "session.begin success");
        assert_eq!(notes.count(), 10, "{mood:?}: {said:?}");
        let dropped = said.iter().any(|said| said.starts_with("audit.dropped"));
        assert!(!dropped, "{mood:?}: {said:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_others_write_too_a_note_is_in_the_log_once() {
    for mood in [Mood::HidesGroupsAmongOthers, Mood::LosesGroupsAmongOthers] {
        let log = open().await;
        log.audit.record(draft(READ), None).await.expect("it works");
        log.store.is_to(mood);
        log.audit.note(draft(READ), None);
        tokio::time::sleep(Duration::from_millis(10)).await;
        log.store.is_to(Mood::Works);
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(log.seen.dropped(), [], "{mood:?}");
        let said = said(&log.closed().await);
        let of = |what: &str| said.iter().filter(|said| *said == what).count();
        assert_eq!(of("lead.read success"), 2, "{mood:?}: {said:?}");
        assert_eq!(of("session.begin success"), 1, "{mood:?}: {said:?}");
    }
}

/// Where it was pruned meanwhile, nobody can tell.
#[tokio::test(start_paused = true)]
async fn of_a_group_whose_place_is_pruned_what_is_missing_is_counted() {
    let log = open().await;
    log.audit.record(draft(READ), None).await.expect("it works");
    log.store.is_to(Mood::HidesGroupsAmongOthers);
    log.audit.note(draft(READ), None);
    tokio::time::sleep(Duration::from_millis(10)).await;
    log.store.is_to(Mood::Refuses);
    log.store.grow_and_prune(600).await;
    log.store.is_to(Mood::Works);
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(log.seen.dropped(), [(READ, DropReason::Store)]);
}

#[tokio::test(start_paused = true)]
async fn to_an_older_copy_of_the_log_nothing_is_appended() {
    let log = open().await;
    log.audit.record(draft(READ), None).await.expect("it works");
    log.store.is_to(Mood::HasForgotten);
    let refused = log.audit.record(draft(READ), None).await;
    assert_eq!(refused, Err(Unrecorded::Unavailable));
    log.store.is_to(Mood::Works);
    let recorded = log.audit.record(draft(READ), None).await;
    assert!(recorded.is_ok(), "{recorded:?}");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_cannot_be_written_is_closed_all_the_same() {
    let log = open().await;
    log.audit.record(draft(READ), None).await.expect("it works");
    log.store.is_to(Mood::Refuses);
    log.audit.note(draft(LOGIN), None);
    let began = now();
    log.closed().await;
    assert!(began.elapsed() < Duration::from_secs(5));
}
