//! What anchors know of a log.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use async_trait::async_trait;

use super::*;
use crate::{
    anchor::{Anchor, AnchorError, FileAnchor, KeepsLater},
    note::NoteSignature,
};

/// One that can be out of reach.
#[derive(Debug, Default)]
struct Remote {
    kept: Mutex<Option<SignedNote>>,
    is_away: AtomicBool,
}

impl Remote {
    fn answer(&self) -> Result<(), AnchorError> {
        if self.is_away.load(SeqCst) {
            return Err(AnchorError::new("no route to it"));
        }
        Ok(())
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<SignedNote>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Anchor for Remote {
    fn name(&self) -> &str {
        "remote"
    }

    async fn latest(&self) -> Result<Option<SignedNote>, AnchorError> {
        self.answer()?;
        Ok(self.kept().clone())
    }

    async fn keep(&self, checkpoint: &SignedNote) -> Result<Vec<NoteSignature>, AnchorError> {
        self.answer()?;
        *self.kept() = Some(checkpoint.clone());
        Ok(Vec::new())
    }
}

async fn open_anchored(kept: MemoryStore, anchor: Arc<dyn Anchor>) -> Result<Open, OpenError> {
    open_with(kept, |builder| builder.anchor(anchor)).await
}

/// Writes a log of some notes.
async fn write(kept: &MemoryStore, anchor: Arc<dyn Anchor>, notes: usize) {
    let log = open_anchored(kept.clone(), anchor).await.expect("sound");
    for _ in 0..notes {
        log.audit.note(draft(READ), None);
    }
    log.closed().await;
}

fn rolled_back(opened: Result<Open, OpenError>) -> Option<RolledBack> {
    match opened.err() {
        Some(OpenError::RolledBack(found)) => Some(found),
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_goes_on_where_its_anchors_left_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let file: Arc<dyn Anchor> = Arc::new(FileAnchor::new("elsewhere", folder.path().join("kept")));
    for anchor in [Arc::new(Remote::default()) as Arc<dyn Anchor>, file] {
        let kept = MemoryStore::new();
        write(&kept, anchor.clone(), 700).await;
        write(&kept, anchor.clone(), 3).await;
        write(&kept, anchor, 300).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_log_whose_tail_was_cut_does_not_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let anchor: Arc<dyn Anchor> =
        Arc::new(FileAnchor::new("elsewhere", folder.path().join("kept")));
    write(&MemoryStore::new(), anchor.clone(), 700).await;
    let shorter = MemoryStore::new();
    write(&shorter, Arc::new(Remote::default()), 500).await;
    let found = rolled_back(open_anchored(shorter, anchor).await);
    let expected = RolledBack {
        anchor: "elsewhere".to_owned(),
        had: 702,
        have: 502,
    };
    assert_eq!(found, Some(expected));
}

#[tokio::test(start_paused = true)]
async fn a_log_that_was_rewritten_with_its_own_key_does_not_open() {
    let anchor: Arc<dyn Anchor> = Arc::new(Remote::default());
    write(&MemoryStore::new(), anchor.clone(), 700).await;
    // Longer, and with valid signatures.
    let rewritten = MemoryStore::new();
    write(&rewritten, Arc::new(Remote::default()), 900).await;
    let found = rolled_back(open_anchored(rewritten, anchor).await);
    assert_eq!(found.map(|found| (found.had, found.have)), Some((702, 902)));
}

#[tokio::test(start_paused = true)]
async fn an_anchor_that_was_away_at_the_start_is_asked_before_the_next_checkpoint() {
    let anchor = Arc::new(Remote::default());
    let kept = MemoryStore::new();
    write(&kept, anchor.clone(), 10).await;

    // Of a sound log it keeps the next.
    anchor.is_away.store(true, SeqCst);
    let log = open_anchored(kept, anchor.clone())
        .await
        .expect("it is not asked");
    assert_eq!(log.seen.anchors_failed(), 1);
    anchor.is_away.store(false, SeqCst);
    log.audit.record(draft(READ), None).await.expect("it works");
    log.closed().await;
    let size = Checkpoint::parse(anchor.kept().as_ref().expect("kept").unverified_text());
    assert_eq!(size.map(|checkpoint| checkpoint.size()), Ok(15));

    // Of another, nothing is recorded any more, and nothing is published.
    anchor.is_away.store(true, SeqCst);
    let other = open_anchored(MemoryStore::new(), anchor.clone()).await;
    let other = other.expect("it is not asked");
    other
        .audit
        .record(draft(READ), None)
        .await
        .expect("it works");
    anchor.is_away.store(false, SeqCst);
    let checkpoint = other.audit.checkpoint().await;
    assert!(checkpoint.is_err());
    assert_eq!(other.seen.rolled_back(), 1);
    let refused = other.audit.record(draft(READ), None).await;
    assert_eq!(refused, Err(Unrecorded::RolledBack));
    let published = other.store.checkpoint().await.expect("the store answers");
    assert!(published.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_the_log_has_not_signed_is_no_word_of_an_anchor() {
    let anchor = Arc::new(Remote::default());
    write(&MemoryStore::new(), anchor.clone(), 10).await;
    let foreign = anchor.kept().clone().expect("kept");
    let text = foreign.to_string().replacen("\n12\n", "\n9\n", 1);
    *anchor.kept() = Some(SignedNote::parse(text.as_bytes()).expect("a note"));
    assert!(open_anchored(MemoryStore::new(), anchor).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_a_key_has_signed_that_left_the_configuration_stays_with_the_anchor_until_it_is_known()
{
    let (anchor, kept) = (Arc::new(Remote::default()), MemoryStore::new());
    write(&kept, anchor.clone(), 10).await;
    let known_then = anchor.kept().clone().expect("kept");
    let old = key().verifying_key().clone();
    // Of a log that was written once more with another key, and has as much.
    let other = MemoryStore::new();
    let elsewhere = Arc::new(Remote::default());
    let longer = open_with(other.clone(), |_| {
        Audit::builder(Arc::new(other.clone()), origin(), Id::constant("node-a"))
            .key(known::key_of(0x61))
            .anchor(elsewhere)
    });
    let longer = longer.await.expect("an empty log opens");
    for _ in 0..10 {
        longer.audit.note(draft(READ), None);
    }
    longer.closed().await;
    let with = |kept: &MemoryStore| {
        Audit::builder(Arc::new(kept.clone()), origin(), Id::constant("node-a"))
            .key(known::key_of(0x61))
            .anchor(anchor.clone())
    };
    let seen = Arc::new(Known::default());
    let opened = with(&other).observer(seen.clone()).open().await;
    let (audit, writing) = opened.expect("nobody can tell what the anchor knows");
    let writer = tokio::spawn(writing);
    audit.record(draft(READ), None).await.expect("it works");
    audit.close();
    writer.await.expect("no panic");
    // At the start, and before each checkpoint.
    assert!(seen.anchors_failed() >= 2, "{}", seen.anchors_failed());
    assert_eq!(*anchor.kept(), Some(known_then));
    let found = with(&other).old_key(old).open().await.err();
    assert!(matches!(found, Some(OpenError::RolledBack(_))), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn a_log_that_is_smaller_than_what_an_unknown_key_has_signed_does_not_open_under_another_key()
{
    let (anchor, kept) = (Arc::new(Remote::default()), MemoryStore::new());
    write(&kept, anchor.clone(), 10).await;
    let known_then = anchor.kept().clone().expect("kept");
    let begun_again = || {
        Audit::builder(
            Arc::new(MemoryStore::new()),
            origin(),
            Id::constant("node-a"),
        )
        .key(known::key_of(0x61))
        .anchor(anchor.clone())
    };
    let refused = begun_again().open().await.err();
    let expected = Unverifiable {
        anchor: "remote".to_owned(),
        signed_by: format!("{}+{}", origin(), key().verifying_key().id()),
        claimed: 12,
        have: 0,
    };
    assert!(
        matches!(&refused, Some(OpenError::Unverifiable(found)) if *found == expected),
        "{refused:?}"
    );
    // One that did not answer then stops it later.
    anchor.is_away.store(true, SeqCst);
    let seen = Arc::new(Known::default());
    let opened = begun_again().observer(seen.clone()).open().await;
    let (audit, writing) = opened.expect("it is not asked");
    let writer = tokio::spawn(writing);
    audit.record(draft(READ), None).await.expect("it works");
    anchor.is_away.store(false, SeqCst);
    assert!(audit.checkpoint().await.is_err());
    assert_eq!(seen.rolled_back(), 1);
    audit.close();
    writer.await.expect("no panic");
    assert_eq!(*anchor.kept(), Some(known_then));

    // What nobody can verify is not told as if it were known.
    let next = begun_again().accept_rollback().await;
    let next = next.expect("there is something to accept");
    let accepted = next.accepted().expect("there was one");
    assert_eq!((accepted.known.size, accepted.kept.size), (0, 0));
    let following = begun_again().generation(next).open().await;
    let (audit, writing) = following.expect("it is of another origin");
    audit.close();
    writing.await;
    let kept = anchor.kept().clone().expect("kept");
    let kept = Checkpoint::parse(kept.unverified_text()).expect("it is one");
    assert_eq!(kept.origin().as_str(), format!("{}/2", origin()));
}

/// One to which another process has given each checkpoint just before.
#[derive(Debug, Default)]
struct Given(Remote);

#[async_trait]
impl Anchor for Given {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn latest(&self) -> Result<Option<SignedNote>, AnchorError> {
        self.0.latest().await
    }

    async fn keep(&self, checkpoint: &SignedNote) -> Result<Vec<NoteSignature>, AnchorError> {
        self.0.keep(checkpoint).await?;
        Err(AnchorError::new(KeepsLater))
    }
}

#[tokio::test(start_paused = true)]
async fn an_anchor_that_another_process_has_given_as_much_has_it() {
    let anchor = Arc::new(Given::default());
    let log = open_anchored(MemoryStore::new(), anchor)
        .await
        .expect("empty");
    let seen = log.seen.clone();
    log.closed().await;
    assert_eq!((seen.anchored(), seen.anchors_failed()), (vec![2], 0));
}

#[tokio::test(start_paused = true)]
async fn what_somebody_has_put_into_a_file_as_a_later_checkpoint_is_told_and_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("kept");
    let anchor: Arc<dyn Anchor> = Arc::new(FileAnchor::new("elsewhere", &path));
    let kept = MemoryStore::new();
    write(&kept, anchor.clone(), 10).await;
    let forged = std::fs::read_to_string(&path).expect("it is there");
    let forged = forged.replacen("\n12\n", "\n900\n", 1);
    std::fs::write(&path, &forged).expect("it is there");
    let log = open_anchored(kept, anchor)
        .await
        .expect("it is not by the log");
    let seen = log.seen.clone();
    log.closed().await;
    assert!(seen.anchors_failed() > 0 && seen.anchored().is_empty());
    let left = std::fs::read_to_string(&path).expect("it is there");
    assert_eq!(left, forged);
}
