//! A witness that shares no code with this crate cosigns a log, and refuses one that was put back or forked.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod log;
mod witness;

use std::sync::Arc;

use portcullis_audit_log::{
    anchor::Anchor,
    audit::{OpenError, Unrecorded},
    source::StoreSource,
    store::{MemoryStore, Store},
    verify::{Outcome, Verification},
};
use tokio::{runtime::Handle, task::spawn_blocking};

use self::{log::Seen, witness::Witness};

fn store() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

fn anchors<const N: usize>(all: [impl Anchor + 'static; N]) -> Vec<Arc<dyn Anchor>> {
    all.into_iter()
        .map(|anchor| Arc::new(anchor) as _)
        .collect()
}

#[tokio::test]
async fn checkpoints_carry_the_cosignatures_that_a_policy_asks_for() {
    let witnesses = [2, 3].map(Witness::start);
    let (store, absent) = (store(), [Witness::start(4).key()]);
    let keys: Vec<_> = witnesses.iter().map(Witness::key).collect();
    let known = [keys.as_slice(), &absent].concat();
    // Proofs from nothing, within a tile, over several, and from a full tile.
    for (notes, expected) in [(3, 5), (249, 256), (0, 258), (700, 960)] {
        let seen = log::write(
            &store,
            anchors(witnesses.each_ref().map(|each| each.anchor(&store))),
            notes,
        );
        assert_eq!(seen.await.unwrap(), <[String; 0]>::default());
        let signed = log::published(&store, 2, known.clone()).await.unwrap();
        assert_eq!(
            (log::size(&signed), signed.witnesses().len()),
            (expected, 2)
        );
        assert!(log::published(&store, 3, known.clone()).await.is_none());
    }
    // Those of the log and of two witnesses, and of each one line of ML-DSA-44, unverified.
    let note = store.checkpoint().await.unwrap().unwrap();
    let mut names: Vec<_> = note
        .signatures()
        .iter()
        .map(|line| line.name().as_str())
        .collect();
    // Which of them answered first is nobody's business.
    names[1..].sort_unstable();
    let (w2, w3) = ("witness.example/w2", "witness.example/w3");
    assert_eq!(names, [log::origin().as_str(), w2, w2, w3, w3]);

    // What everybody can verify with these keys.
    let source = StoreSource::new(Arc::clone(&store), Handle::current());
    let verified = spawn_blocking(move || {
        let policy = log::policy(2, keys);
        Verification::new(&source, &policy).run().outcome()
    });
    assert_eq!(verified.await.unwrap(), Outcome::Sound);
}

#[tokio::test]
async fn what_was_forgotten_the_witness_tells() {
    let (witness, store) = (Witness::start(2), store());
    log::write(&store, anchors([witness.anchor(&store)]), 300)
        .await
        .unwrap();
    witness.forget();
    let seen = log::write(&store, anchors([witness.anchor(&store)]), 10)
        .await
        .unwrap();
    assert!(seen.is_empty(), "{seen:?}");
    let signed = log::published(&store, 1, vec![witness.key()]).await;
    assert_eq!(signed.map(|signed| log::size(&signed)), Some(314));
}

#[tokio::test]
async fn a_log_that_was_put_back_or_forked_is_not_cosigned_and_does_not_open() {
    let (witness, sound) = (Witness::start(2), store());
    log::write(&sound, anchors([witness.anchor(&sound)]), 700)
        .await
        .unwrap();
    let refusals = [
        (
            500,
            "failed: the witness has cosigned a tree of 702 entries, and this one has 502",
        ),
        // Longer, and with valid signatures.
        (
            900,
            "failed: the witness answered with status 422 Unprocessable Entity",
        ),
    ];
    for (notes, refusal) in refusals {
        // All that the log has was put back, and what it remembers.
        witness.forget();
        let other = store();
        let seen = log::write(&other, anchors([witness.anchor(&other)]), notes)
            .await
            .unwrap();
        assert_eq!(seen, [refusal]);
        assert!(
            log::published(&other, 1, vec![witness.key()])
                .await
                .is_none()
        );

        // What the witness publishes is signed by the log.
        let opened = log::write(&other, anchors([witness.monitored(&other)]), 1).await;
        let Err(OpenError::RolledBack(found)) = opened else {
            panic!("{opened:?}");
        };
        assert_eq!((found.had, found.have), (702, notes as u64 + 2));
    }
}

#[tokio::test]
async fn a_log_that_falls_behind_its_witness_while_it_is_open_records_nothing_more() {
    let (witness, ours, other, seen) = (
        Witness::start(2),
        store(),
        store(),
        Arc::new(Seen::default()),
    );
    let builder = log::builder(&ours, anchors([witness.monitored(&ours)])).observer(seen.clone());
    let (audit, writing) = builder.open().await.unwrap();
    let writer = tokio::spawn(writing);
    log::write(&other, anchors([witness.anchor(&other)]), 700)
        .await
        .unwrap();

    audit.record(log::draft(), None).await.unwrap();
    audit.checkpoint().await.unwrap();
    audit.record(log::draft(), None).await.unwrap();
    assert!(audit.checkpoint().await.is_err());
    let ahead = "failed: the witness has cosigned a tree of 702 entries, and this one has 2";
    assert_eq!(seen.told(), [ahead, "rolled back: 702 3"]);
    let refused = audit.record(log::draft(), None).await;
    assert_eq!(refused, Err(Unrecorded::RolledBack));
    audit.close();
    writer.await.unwrap();
}
