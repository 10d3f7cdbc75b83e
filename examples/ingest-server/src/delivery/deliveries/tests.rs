//! One sink, and more than one log.

use std::{
    num::NonZeroUsize,
    sync::atomic::{AtomicUsize, Ordering::SeqCst},
};

use async_trait::async_trait;
use portcullis_audit_log::{
    clock::SystemClock,
    event::{
        Action, Activity, Actor, ActorType, Delivery as Kind, EventBuilder, EventId, Stamp,
        Timestamp,
    },
    export::Entry,
    sink::{DeliveryError, RetrySchedule},
    store::{Group, MemoryStore},
};
use tokio::time::timeout;

use super::*;

/// A receiver that answers each time that it is gone, and counts how often.
#[derive(Debug)]
struct GoneSink(Arc<AtomicUsize>);

#[async_trait]
impl Sink for GoneSink {
    fn max_entries(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }

    fn retries(&self) -> RetrySchedule {
        RetrySchedule::standard_webhooks()
    }

    async fn deliver(&self, _: &[Entry<'_>], _: Timestamp) -> Result<(), DeliveryError> {
        self.0.fetch_add(1, SeqCst);
        Err(DeliveryError::Gone)
    }
}

async fn append(store: &dyn Store, n: u8) {
    let tenant = Id::constant("acme");
    let appending = store.lock(std::slice::from_ref(&tenant)).await.unwrap();
    let mut group = Group::new(appending.state());
    let actor = Actor::new(ActorType::System, Id::constant("a"));
    let event = EventBuilder::new(tenant, Action::new("lead.read"), Activity::Read, actor);
    let time = Timestamp::from_unix_micros(1_767_225_600_000_000).unwrap();
    let id = EventId::new(time, [n; 10]);
    let stamp = Stamp::new(id, time, Kind::Must, Id::constant("a"));
    group.push(&event.build(stamp).unwrap(), None).unwrap();
    appending.commit(&group).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_is_gone_for_one_log_is_asked_for_no_other() {
    let stores = [(); 3].map(|()| MemoryStore::new());
    let [own, one, other] = stores.map(|store| Arc::new(store) as Arc<dyn Store>);
    let asked = Arc::new(AtomicUsize::new(0));
    let cursor = Id::constant("sink/hook");
    let sink = Box::new(GoneSink(Arc::clone(&asked))) as _;
    let sinks = vec![("hook".to_owned(), cursor.clone(), sink)];
    let (deliveries, run) = Deliveries::of(sinks, &own, Arc::new(SystemClock::new()));
    let running = tokio::spawn(run);
    append(&*one, 1).await;
    append(&*other, 2).await;

    let delivered = deliveries.deliver_ended("command-line", &one).await;
    assert!(!delivered.unwrap());
    for (name, store) in [("command-line", &one), ("command-line-2", &other)] {
        // Nobody is left who is to get it.
        assert!(deliveries.deliver_ended(name, store).await.unwrap());
    }
    append(&*own, 3).await;
    // Longer than the log of this process is not looked at.
    timeout(Duration::from_secs(60), pending::<()>())
        .await
        .unwrap_err();
    assert_eq!(asked.load(SeqCst), 1);
    assert!(deliveries.states()[0].has_ended);
    assert_eq!(deliveries.cursors(true).collect::<Vec<_>>(), [cursor]);
    running.abort();
}
