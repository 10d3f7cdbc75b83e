//! An archive and an anchor in a bucket of S3, as moto has it.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(feature = "cli")]
mod cli;
mod moto;

use std::sync::Arc;

use portcullis_audit_log::{
    anchor::{Anchor, ArchiveAnchor},
    archive::{
        ArchiveError, ArchiveSource,
        object_store::{ObjectStoreExt as _, path::Path},
    },
    audit::{Audit, OpenError},
    checkpoint::Policy,
    event::{Action, Activity, Actor, ActorType, EventBuilder, Id},
    note::{KeyName, SigningKey},
    proof::TlogProof,
    source::{CHECKPOINT_PATH, LogSource as _, MAX_CHECKPOINT_BYTES},
    store::{MemoryStore, Store},
    verify::{Outcome, Verification},
};
use secrecy::SecretBox;
use tokio::{runtime::Handle, task::spawn_blocking};

use self::moto::Moto;

fn origin() -> KeyName {
    "portcullis.example/audit".parse().unwrap()
}

fn key() -> SigningKey {
    let seed = SecretBox::new(Box::new([0x60; 32]));
    SigningKey::from_seed(origin(), &seed).unwrap()
}

fn policy() -> Policy {
    Policy::new(vec![key().verifying_key().clone()]).unwrap()
}

fn store() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

/// Each checkpoint, below the prefix of the archive.
fn anchor(moto: &Moto) -> ArchiveAnchor {
    ArchiveAnchor::new("bucket", origin(), moto.archive("audit/server"))
}

/// Opens the log, writes some notes, and closes it.
async fn write(
    store: &Arc<dyn Store>,
    anchor: &ArchiveAnchor,
    notes: usize,
) -> Result<(), OpenError> {
    let builder = Audit::builder(Arc::clone(store), origin(), Id::constant("node-a")).key(key());
    let (audit, writing) = builder.anchor(Arc::new(anchor.clone())).open().await?;
    let writer = tokio::spawn(writing);
    for _ in 0..notes {
        let actor = Actor::new(ActorType::ApiKey, Id::constant("key-1"));
        let tenant = Id::constant("tenant-7");
        let draft = EventBuilder::new(tenant, Action::new("lead.read"), Activity::Read, actor);
        audit.note(draft, None);
    }
    audit.close();
    writer.await.unwrap();
    Ok(())
}

#[tokio::test]
async fn a_bucket_has_the_log_is_verified_and_gives_proofs() {
    let moto = Moto::start();
    let archive = moto.archive("audit/server");
    let anchor = anchor(&moto);
    let store = store();
    for (notes, size) in [(300, 302), (700, 1_004)] {
        write(&store, &anchor, notes).await.unwrap();
        let archived = archive.fill(&store, &policy()).await.unwrap();
        assert_eq!(archived.size, size);
        assert_eq!(archive.fill(&store, &policy()).await.unwrap().objects, 0);
    }
    store.prune(1_004).await.unwrap();
    let source = ArchiveSource::new(archive, Handle::current());
    let verified = spawn_blocking(move || {
        let policy = policy();
        let report = Verification::new(&source, &policy).run();
        assert_eq!(
            (report.outcome(), report.entries),
            (Outcome::Sound, 1_004),
            "{report:?}"
        );
        let checkpoint = source.read(CHECKPOINT_PATH, MAX_CHECKPOINT_BYTES).unwrap();
        let signed = policy.open(&checkpoint.unwrap()).unwrap();
        let (entry, proof) = TlogProof::from_source(&source, &signed, 100).unwrap();
        let keys = [key().verifying_key().clone()];
        proof.verify(&entry, &origin(), &keys).unwrap().0.size()
    });
    assert_eq!(verified.await.unwrap(), 1_004);
}

#[tokio::test]
async fn a_bucket_keeps_what_is_in_it() {
    let moto = Moto::start();
    let (bucket, archive) = (moto.bucket(), moto.archive("audit"));
    let anchor = ArchiveAnchor::new("bucket", origin(), moto.archive("elsewhere"));
    let store = store();
    write(&store, &anchor, 300).await.unwrap();
    let in_the_way = Path::from("audit/tile/entries/000");
    bucket.put(&in_the_way, "another".into()).await.unwrap();
    let refused = archive.fill(&store, &policy()).await;
    let Err(ArchiveError::Different { path }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(&*path, "tile/entries/000");
    let left = bucket
        .get(&in_the_way)
        .await
        .unwrap()
        .bytes()
        .await
        .unwrap();
    assert_eq!(left, "another");

    bucket.delete(&in_the_way).await.unwrap();
    archive.fill(&store, &policy()).await.unwrap();
    bucket.delete(&in_the_way).await.unwrap();
    let source = ArchiveSource::new(archive, Handle::current());
    let verified =
        spawn_blocking(move || Verification::new(&source, &policy()).pruned_below(0).run());
    assert_eq!(verified.await.unwrap().outcome(), Outcome::Incomplete);
}

#[tokio::test]
async fn a_log_that_a_bucket_knows_more_of_does_not_open() {
    let moto = Moto::start();
    let anchor = ArchiveAnchor::new("bucket", origin(), moto.archive("audit"));
    assert!(anchor.latest().await.unwrap().is_none());
    write(&store(), &anchor, 20).await.unwrap();
    let opened = write(&store(), &anchor, 1).await;
    let Err(OpenError::RolledBack(found)) = opened else {
        panic!("{opened:?}");
    };
    assert_eq!((&*found.anchor, found.had, found.have), ("bucket", 22, 0));
}
