//! What a reader is sent, and when it ends.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use futures_util::StreamExt as _;
use portcullis_audit_log::store::{MemoryStore, Store as _};
use tokio::time::timeout;

use super::*;
use crate::{
    admin::audit::test_log,
    audit::{AuditActor, AuditDraft, AuditLog, actions::LEAD_READ},
    json,
};

async fn log() -> AuditLog {
    let (log, writing) = test_log::in_memory().await;
    tokio::spawn(writing);
    log
}

fn draft(tenant: &str) -> AuditDraft {
    AuditDraft::new(Some(tenant), LEAD_READ, AuditActor::Anonymous)
}

fn reader(log: &AuditLog, stopping: &Stopping, filter: Filter, next: u64) -> Reader<()> {
    let rights = Box::new(|| true);
    Reader::new(stopping, log.tail(), filter, next, rights, ())
}

fn text(said: Option<Result<Bytes, Infallible>>) -> String {
    let Ok(said) = said.unwrap();
    String::from_utf8(said.to_vec()).unwrap()
}

/// The numbers of the entries in it.
fn ids(said: &str) -> Vec<u64> {
    let lines = said.lines().filter_map(|line| line.strip_prefix("id: "));
    lines.map(|id| id.parse().unwrap()).collect()
}

/// The numbers of all that comes, until nothing has for a while.
async fn all_of(events: &mut (impl Stream<Item = Result<Bytes, Infallible>> + Unpin)) -> Vec<u64> {
    let mut got = Vec::new();
    loop {
        let said = text(events.next().await);
        if said == ":\n\n" {
            return got;
        }
        got.extend(ids(&said));
    }
}

#[tokio::test(start_paused = true)]
async fn what_matches_comes_with_its_number_and_a_reader_goes_on_behind_it() {
    let log = log().await;
    let stopping = Stopping::new();
    let request = AuditRequest {
        tenant: Some("acme".to_owned()),
        ..AuditRequest::default()
    };
    let filter = request.query().unwrap().filter().clone();
    let mut events = Box::pin(reader(&log, &stopping, filter.clone(), 0).stream());
    for tenant in ["other", "acme", "other", "acme"] {
        log.record(draft(tenant)).await.unwrap();
    }
    let mut said = String::new();
    while ids(&said).len() < 2 {
        said += &text(events.next().await);
    }
    let both = ids(&said);
    let data: Vec<_> = said
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .collect();
    assert_eq!(data.len(), 2);
    for (n, data) in both.iter().zip(data) {
        let event = json::read(data.as_bytes()).unwrap();
        assert_eq!(
            (&event["n"], &event["tenant"]),
            (&(*n).into(), &"acme".into())
        );
    }
    let mut again = Box::pin(reader(&log, &stopping, filter, both[0] + 1).stream());
    assert_eq!(ids(&text(again.next().await)), [both[1]]);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_was_cut_off_anywhere_gets_the_rest_and_nothing_twice() {
    let log = log().await;
    let stopping = Stopping::new();
    for _ in 0..20 {
        log.record(draft("acme")).await.unwrap();
    }
    for had in 0..20 {
        // What comes while it is away.
        log.record(draft("acme")).await.unwrap();
        let size = log.status().now().size;
        let mut events = Box::pin(reader(&log, &stopping, Filter::new(), had + 1).stream());
        let got = all_of(&mut events).await;
        assert_eq!(got, Vec::from_iter(had + 1..size));
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_is_told_which_were_pruned_before_it_came_to_them_and_gets_each_other_once() {
    let kept = MemoryStore::new();
    let (log, writing) = test_log::kept_in(kept.clone()).await;
    tokio::spawn(writing);
    for _ in 0..300 {
        log.record(draft("acme")).await.unwrap();
    }
    assert_eq!(kept.prune(256).await.unwrap(), 256);
    let stopping = Stopping::new();
    let mut events = Box::pin(reader(&log, &stopping, Filter::new(), 3).stream());
    let gap = "event: gap\ndata: {\"from\":3,\"to\":256}\n\n";
    assert_eq!(text(events.next().await), gap);
    let got = all_of(&mut events).await;
    assert_eq!(got, Vec::from_iter(256..301));
}

#[tokio::test(start_paused = true)]
async fn a_heartbeat_comes_after_15_seconds_of_nothing() {
    const HEARTBEAT: Duration = Duration::from_secs(15);
    let log = log().await;
    let stopping = Stopping::new();
    log.record(draft("acme")).await.unwrap();
    let end = log.status().now().size;
    let mut events = Box::pin(reader(&log, &stopping, Filter::new(), end).stream());
    let moment = Duration::from_millis(1);
    for _ in 0..3 {
        let early = timeout(HEARTBEAT - moment, events.next()).await;
        assert!(early.is_err(), "{early:?}");
        let said = timeout(2 * moment, events.next()).await.unwrap();
        assert_eq!(text(said), ":\n\n");
    }
}

#[tokio::test(start_paused = true)]
async fn it_ends_within_5_seconds_of_the_rights() {
    const RIGHTS_EVERY: Duration = Duration::from_secs(5);
    let log = log().await;
    let stopping = Stopping::new();
    let may_read = Arc::new(AtomicBool::new(true));
    let rights = Arc::clone(&may_read);
    let reader = Reader {
        rights: Box::new(move || rights.load(Ordering::Relaxed)),
        ..reader(&log, &stopping, Filter::new(), 1_000)
    };
    let mut events = Box::pin(reader.stream());
    assert_eq!(text(events.next().await), ":\n\n");
    may_read.store(false, Ordering::Relaxed);
    let moment = Duration::from_millis(1);
    let end = timeout(RIGHTS_EVERY + moment, events.next()).await;
    assert!(end.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn it_ends_with_the_service_and_gives_its_place_back() {
    let log = log().await;
    let stopping = Stopping::new();
    let place = Arc::new(());
    let rights = Box::new(|| true);
    let held = Arc::clone(&place);
    let reader = Reader::new(&stopping, log.tail(), Filter::new(), 1_000, rights, held);
    let mut events = Box::pin(reader.stream());
    assert_eq!(text(events.next().await), ":\n\n");
    stopping.stop();
    let end = timeout(Duration::from_millis(1), events.next()).await;
    assert!(end.unwrap().is_none());
    drop(events);
    assert_eq!(Arc::strong_count(&place), 1);
}
