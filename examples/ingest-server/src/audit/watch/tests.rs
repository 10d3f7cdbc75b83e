//! Logs that are watched from the middle on.

use std::sync::Arc;

use portcullis_audit_log::{
    clock::SystemClock,
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
