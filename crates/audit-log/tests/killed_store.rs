//! What a store in files acknowledged is there after `kill -9`: no hole in `n`, none in `tn`, and each personal part.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/child.rs"]
mod child;

use std::{collections::HashMap, num::NonZeroUsize, path::Path};

use portcullis_audit_log::{
    checkpoint::{Checkpoint, Policy},
    event::{
        Action, Activity, Actor, ActorType, Delivery, Event, EventBuilder, EventId, Id, Leaf,
        Stamp, Timestamp,
    },
    note::SigningKey,
    source::FolderSource,
    store::{FileStore, Group, Store},
    verify::{Outcome, Verification},
};
use secrecy::SecretBox;
use tempfile::TempDir;

const KILLED: usize = 10;
const TENANTS: [Id; 3] = [
    Id::constant("tenant-a"),
    Id::constant("tenant-b"),
    Id::SYSTEM_TENANT,
];

fn key() -> SigningKey {
    let seed = SecretBox::new(Box::new([0x60; 32]));
    SigningKey::from_seed("portcullis.example/audit".parse().unwrap(), &seed).unwrap()
}

fn tenant_of(n: u64) -> Id {
    let tenants = TENANTS;
    tenants[usize::try_from(n % 7 % 3).unwrap()].clone()
}

fn event(n: u64) -> Event {
    let time = Timestamp::from_unix_micros(1_767_323_045_000_000 + n).unwrap();
    let mut random = [0; 10];
    random[2..].copy_from_slice(&n.to_be_bytes());
    let actor = Actor::new(ActorType::System, Id::constant("writer"));
    let draft = EventBuilder::new(
        tenant_of(n),
        Action::new("test.write"),
        Activity::Other,
        actor,
    );
    let node = Id::constant("a");
    let stamp = Stamp::new(EventId::new(time, random), time, Delivery::Must, node);
    draft.build(stamp).unwrap()
}

/// Some of 20 bytes, some of 2,000.
fn sealed(n: u64) -> Option<Vec<u8>> {
    let times = if n.is_multiple_of(3) { 250 } else { 2 };
    (!n.is_multiple_of(5)).then(|| n.to_be_bytes().repeat(times))
}

/// The child's part: appends and publishes, and says how far it is, until it is killed.
#[tokio::test]
async fn child() {
    let Some(folder) = child::folder() else {
        return;
    };
    let store = FileStore::builder(folder.as_ref()).open().await.unwrap();
    for number in 0_u64.. {
        let taken = store.lock(&TENANTS).await.unwrap();
        let mut group = Group::new(taken.state());
        let first = group.first();
        for n in first..=first + first % 400 {
            group.push(&event(n), sealed(n)).unwrap();
        }
        let edge = group.edge_after().clone();
        taken.commit(&group).await.unwrap();
        child::say_appended(edge.size());
        if number.is_multiple_of(16) {
            let origin = key().verifying_key().name().clone();
            let checkpoint = Checkpoint::new(origin, edge.size(), edge.root());
            store
                .publish(&checkpoint.sign(&[key()]).unwrap())
                .await
                .unwrap();
        }
    }
}

/// As a third party does, who has the folder and the key. Gives the size of the log.
fn verify(log: &Path) -> u64 {
    let policy = Policy::new(vec![key().verifying_key().clone()]).unwrap();
    let report = Verification::new(&FolderSource::new(log), &policy).run();
    assert_eq!(report.outcome(), Outcome::Sound, "{report:?}");
    report.signed.unwrap().checkpoint().size()
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_kill_9() {
    let dir = TempDir::new().unwrap();
    for round in 1..=KILLED {
        let acknowledged = child::killed_after(20 + 9 * round, dir.path());
        assert!(verify(&dir.path().join("log")) <= acknowledged);
        let store = FileStore::builder(dir.path()).open().await.unwrap();
        let size = store.size().await.unwrap();
        assert!(
            acknowledged > 0 && size >= acknowledged && size <= acknowledged + 400,
            "{size}, and {acknowledged} promised"
        );
        let (mut next, mut of_tenants) = (0, HashMap::new());
        while next < size {
            for (n, leaf) in store.entries(next, NonZeroUsize::MAX).await.unwrap().iter() {
                let leaf = Leaf::parse(leaf).unwrap();
                assert_eq!((n, leaf.numbers().in_tree), (next, next));
                assert_eq!(leaf.tenant(), tenant_of(n).as_str());
                let in_tenant = of_tenants.entry(tenant_of(n)).or_insert(0);
                assert_eq!(leaf.numbers().in_tenant, *in_tenant, "tn of {n}");
                *in_tenant += 1;
                next += 1;
            }
        }
        let taken = store.lock(&TENANTS).await.unwrap();
        for (tenant, next) in of_tenants {
            assert_eq!(taken.state().leaves_of(&tenant), next);
        }
        drop(taken);
        let step = usize::try_from(size / 200).unwrap().max(1);
        for n in (0..size).step_by(step).chain([size - 1]) {
            assert_eq!(store.personal(n).await.unwrap(), sealed(n), "of {n}");
        }
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let dir = TempDir::new().unwrap();
    let store = FileStore::builder(dir.path()).open().await.unwrap();
    let child = child::command(dir.path()).output().unwrap();
    let said = String::from_utf8_lossy(&child.stderr).into_owned()
        + &String::from_utf8_lossy(&child.stdout);
    assert!(!child.status.success() && said.contains("InUse"), "{said}");
    store.close().await.unwrap();
}
