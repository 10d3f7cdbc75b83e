//! A log in a database: what stands in it, who signs it, and a verification as third parties do it.

use std::sync::Arc;

use portcullis_audit_log::{
    checkpoint::{Checkpoint, Policy},
    event::{
        Action, Activity, Actor, ActorType, Delivery, Event, EventBuilder, EventId, Field, Id,
        Resource, ResourceType, Stamp, Timestamp,
    },
    note::{KeyName, SigningKey},
    source::StoreSource,
    store::{Group, IndexRows, Store},
    tree::RightEdge,
    verify::{Report, Verification},
};
use secrecy::SecretBox;
use tokio::runtime::Handle;

pub(crate) const TENANTS: [Id; 3] = [
    Id::constant("tenant-a"),
    Id::constant("tenant-b"),
    Id::SYSTEM_TENANT,
];

pub(crate) fn key() -> SigningKey {
    let seed = SecretBox::new(Box::new([0x60; 32]));
    SigningKey::from_seed(origin(), &seed).unwrap()
}

pub(crate) fn origin() -> KeyName {
    "portcullis.example/audit".parse().unwrap()
}

pub(crate) fn draft(n: u64) -> EventBuilder {
    let tenants = TENANTS;
    let tenant = tenants[usize::try_from(n % 7 % 3).unwrap()].clone();
    let actor = Actor::new(ActorType::System, Id::constant("writer"));
    EventBuilder::new(tenant, Action::new("test.write"), Activity::Other, actor)
        .resources([Resource::new(
            ResourceType::new("lead"),
            Id::constant("lead-7"),
        )])
        .fields([Field::new("lead.email")])
}

pub(crate) fn event(n: u64) -> Event {
    let time = Timestamp::from_unix_micros(1_767_323_045_000_000 + n).unwrap();
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    let node = Id::constant("a");
    let stamp = Stamp::new(EventId::new(time, random), time, Delivery::Must, node);
    draft(n).build(stamp).unwrap()
}

/// Appends so many events, each with what `sealed` gives for it, and publishes the log.
pub(crate) async fn append(
    store: &dyn Store,
    events: u64,
    sealed: impl Fn(u64) -> Option<Vec<u8>>,
) -> RightEdge {
    let taken = store.lock(&TENANTS).await.unwrap();
    let mut group = Group::new(taken.state());
    for n in group.first()..group.first() + events {
        group.push(&event(n), sealed(n)).unwrap();
    }
    let edge = group.edge_after().clone();
    taken.commit(&group).await.unwrap();
    let checkpoint = Checkpoint::new(origin(), edge.size(), edge.root());
    let note = checkpoint.sign(&[key()]).unwrap();
    store.publish(&note).await.unwrap();
    edge
}

/// Verifies the log, and the rows of its index.
pub(crate) async fn verify(store: Arc<dyn Store>, mut rows: IndexRows) -> Report {
    let source = StoreSource::new(store, Handle::current());
    let policy = Policy::new(vec![key().verifying_key().clone()]).unwrap();
    let verifying = move || {
        let verification = Verification::new(&source, &policy);
        verification.companions(&mut rows).run()
    };
    tokio::task::spawn_blocking(verifying).await.unwrap()
}
