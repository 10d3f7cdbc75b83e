//! Logs that are watched from the middle on.

use std::sync::Arc;

use portcullis_audit_log::{
    clock::{FakeClock, SystemClock},
    event::{Action, Activity, Actor, ActorType, Delivery, EventBuilder, EventId, Stamp},
    note::{KeyName, SigningKey},
    store::{Group, MemoryStore},
};
use secrecy::SecretBox;

use super::*;

const HOUR: u64 = 60 * 60 * 1_000_000;
const BEGAN: u64 = 1_767_225_600_000_000;

/// A log that has an event each hour, of somebody who reads fifty records at once.
async fn hourly(leaves: u64) -> MemoryStore {
    let (store, tenant) = (MemoryStore::new(), Id::constant("acme"));
    let appending = store.lock(std::slice::from_ref(&tenant)).await.unwrap();
    let mut group = Group::new(appending.state());
    for n in 0..leaves {
        let actor = Actor::new(ActorType::ApiKey, Id::constant("kid"));
        let action = Action::new("lead.read");
        let event = EventBuilder::new(tenant.clone(), action, Activity::Read, actor).count(50);
        let time = Timestamp::from_unix_micros(BEGAN + n * HOUR).unwrap();
        let stamp = Stamp::new(
            EventId::new(time, [7; 10]),
            time,
            Delivery::Must,
            Id::constant("a"),
        );
        group.push(&event.build(stamp).unwrap(), None).unwrap();
    }
    appending.commit(&group).await.unwrap();
    store
}

async fn opened(store: MemoryStore) -> (Audit, impl Future<Output = ()>) {
    let origin: KeyName = "test.example/audit".parse().unwrap();
    let seed = SecretBox::new(Box::new([7; 32]));
    let key = SigningKey::from_seed(origin.clone(), &seed).unwrap();
    let builder = Audit::builder(Arc::new(store), origin, Id::constant("a"));
    builder.key(key).open().await.unwrap()
}

#[tokio::test]
async fn a_start_looks_four_weeks_back() {
    let store = hourly(1_000).await;
    let (audit, _writing) = opened(store.clone()).await;
    let watch = Watch::new(&audit, &store, &Suspicions::default()).unwrap();
    let weeks = 28 * 24;
    for (hours, end, first) in [
        (1_000, 1_000, 1_000 - weeks),
        (weeks, 1_000, 0),
        (weeks + 1, 1_000, 1),
        (5_000, 1_000, 1_000),
        (5_000, 0, 0),
        (1_000, 10, 10),
    ] {
        let now = Timestamp::from_unix_micros(BEGAN + hours * HOUR).unwrap();
        let found = watch.first_since(REMEMBERED, end, now).await.unwrap();
        assert_eq!(found, first, "{hours} {end}");
    }
}

#[tokio::test]
async fn what_was_there_before_the_rules_is_no_finding_and_what_comes_is_found_once() {
    let store = hourly(3).await;
    let (audit, writing) = opened(store.clone()).await;
    let writing = tokio::spawn(writing);
    let suspicions = Suspicions::default();
    let found = |suspicions: &Suspicions| -> u64 { suspicions.counts().map(|(_, n)| n).sum() };
    let watching = {
        let (audit, suspicions) = (audit.clone(), suspicions.clone());
        tokio::spawn(async move { watch(audit, &SystemClock::new(), suspicions).await })
    };
    let looked = async |at_least: u64| {
        while store.cursor(&CURSOR).await.unwrap().unwrap_or(0) < at_least {
            sleep(Duration::from_millis(10)).await;
        }
    };
    // That the log is opened is the fourth entry.
    timeout(Duration::from_secs(20), looked(4)).await.unwrap();
    assert_eq!(found(&suspicions), 0);
    let actor = Actor::new(ActorType::ApiKey, Id::constant("other"));
    let action = Action::new("lead.read");
    let event = EventBuilder::new(Id::constant("acme"), action, Activity::Read, actor).count(50);
    let recorded = audit.record(event, None).await.unwrap();
    timeout(Duration::from_secs(20), looked(recorded.n + 2))
        .await
        .unwrap();
    assert_eq!(found(&suspicions), 1);
    watching.abort();
    audit.close();
    writing.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_busy_is_asked_again_and_told_when_that_lasts() {
    for (busy, is_told) in [(0, false), (1, false), (29, false), (30, true)] {
        let calls = std::cell::Cell::new(0);
        let ask = || {
            calls.set(calls.get() + 1);
            let answer = if calls.get() > busy {
                Ok(7)
            } else {
                Err(StoreError::unavailable("database is locked"))
            };
            std::future::ready(answer)
        };
        assert_eq!(patiently(ask).await.is_err(), is_told, "{busy}");
    }
    // What waiting does not mend is told at once.
    let ask = || std::future::ready(Err::<(), _>(StoreError::OtherTree));
    let asked = timeout(POLL / 2, patiently(ask)).await;
    asked.unwrap().unwrap_err();
}

#[tokio::test]
async fn a_cursor_behind_the_end_is_set_back_by_ten_minutes() {
    let store = hourly(20).await;
    let (audit, writing) = opened(store.clone()).await;
    let now = Timestamp::from_unix_micros(BEGAN + 19 * HOUR + HOUR / 12).unwrap();
    let suspicions = Suspicions::default();
    let watch = Watch::new(&audit, &store, &suspicions).unwrap();
    store.move_cursor(&CURSOR, 99_999).await.unwrap();
    assert_eq!(watch.start(now).await.unwrap(), 19);
    assert_eq!(store.cursor(&CURSOR).await.unwrap(), Some(19));

    // The log of a process that has ended, as one that is new.
    let writing = tokio::spawn(writing);
    let ended = hourly(20).await;
    ended.move_cursor(&CURSOR, 99_999).await.unwrap();
    watch_ended(&audit, &ended, &FakeClock::new(at(now)), &suspicions)
        .await
        .unwrap();
    assert_eq!(ended.cursor(&CURSOR).await.unwrap(), Some(20));
    audit.close();
    writing.await.unwrap();
}

fn at(time: Timestamp) -> std::time::SystemTime {
    std::time::SystemTime::UNIX_EPOCH + Duration::from_micros(time.unix_micros())
}
