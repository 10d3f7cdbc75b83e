//! A file that is written by several, and by somebody else.

use std::{
    error::Error as _,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    thread,
};

use secrecy::SecretBox;
use tempfile::TempDir;
use tokio::{
    runtime::{Builder, Runtime},
    time::timeout,
};

use super::*;
use crate::{checkpoint::Checkpoint, note::SigningKey, tree::TreeHash};

fn signed(origin: &str, size: u64) -> SignedNote {
    let origin = origin.parse().unwrap();
    let seed = SecretBox::new(Box::new([7; 32]));
    let key = SigningKey::from_seed("log".parse().unwrap(), &seed).unwrap();
    let checkpoint = Checkpoint::new(origin, size, TreeHash::of_leaf(&size.to_be_bytes()));
    let key = key.with_name(checkpoint.origin().clone());
    checkpoint.sign(&[key]).unwrap()
}

fn size_in(path: &Path) -> u64 {
    let kept = read(path).unwrap().unwrap();
    Checkpoint::parse(kept.unverified_text()).unwrap().size()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

#[tokio::test]
async fn a_file_never_goes_back_to_an_earlier_tree() {
    let folder = TempDir::new().unwrap();
    let anchor = FileAnchor::new("elsewhere", folder.path().join("kept"));
    assert_eq!(anchor.latest().await.unwrap(), None);
    for (origin, size, is_kept) in [
        ("log", 7, true),
        ("log", 6, false),
        // Once more, as with the signature of a witness.
        ("log", 7, true),
        ("log", 8, true),
        // What follows an accepted rollback is later, however small it is.
        ("log/2", 1, true),
        ("log", 9, false),
        ("log/3", 1, true),
        ("log/2", 9, false),
        ("log/3", 0, false),
    ] {
        let checkpoint = signed(origin, size);
        let kept = anchor.keep(&checkpoint).await;
        assert_eq!(kept.is_ok(), is_kept, "{origin} {size}: {kept:?}");
        assert!(kept.err().is_none_or(|error| error.is_later()));
        let latest = anchor.latest().await.unwrap();
        assert_eq!(latest == Some(checkpoint), is_kept, "{origin} {size}");
    }
}

#[tokio::test]
async fn of_what_is_no_checkpoint_nothing_is_overwritten() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("kept");
    fs::write(&path, "something else").unwrap();
    let anchor = FileAnchor::new("elsewhere", &path);
    let refused = anchor.keep(&signed("log", 7)).await.unwrap_err();
    assert!(!refused.is_later());
    assert_eq!(fs::read(path).unwrap(), b"something else");
}

#[test]
fn of_many_who_write_at_once_the_largest_tree_is_kept_and_none_is_seen_smaller() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("kept");
    let anchor = FileAnchor::new("elsewhere", &path);
    runtime().block_on(anchor.keep(&signed("log", 0))).unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        let watching = scope.spawn(|| {
            let mut last = 0;
            while !is_over.load(SeqCst) {
                let size = size_in(&path);
                assert!(size >= last, "{size} after {last}");
                last = size;
            }
        });
        // As processes do: each opens the lock for itself.
        let writing: Vec<_> = (1..=4_u64)
            .map(|writer| {
                let path = &path;
                scope.spawn(move || {
                    let anchor = FileAnchor::new("elsewhere", path);
                    let runtime = runtime();
                    for step in 0..40 {
                        let checkpoint = signed("log", step * 4 + writer);
                        let written = runtime.block_on(anchor.keep(&checkpoint));
                        assert!(written.err().is_none_or(|error| error.is_later()));
                    }
                })
            })
            .collect();
        writing
            .into_iter()
            .for_each(|writer| writer.join().unwrap());
        is_over.store(true, SeqCst);
        watching.join().unwrap();
    });
    assert_eq!(size_in(&path), 39 * 4 + 4);
}

#[test]
fn a_lock_that_another_holds_is_told_within_2_s_and_keeps_nobody_from_ending() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("kept");
    let anchor = FileAnchor::new("elsewhere", &path);
    let held = open_lock(&path).unwrap();
    held.lock().unwrap();
    let mut builder = Builder::new_current_thread();
    let ending = builder.enable_time().start_paused(true).build().unwrap();
    ending.block_on(async {
        for _ in 0..2 {
            let (log, within) = (signed("log", 7), LOCK_WAIT + 2 * PAUSE);
            let refused = timeout(within, anchor.keep(&log)).await.unwrap();
            let refused = refused.unwrap_err();
            assert!(!refused.is_later());
            assert!(refused.source().unwrap().is::<HeldByAnother>());
            // It reads what is there meanwhile.
            assert_eq!(anchor.latest().await.unwrap(), None);
        }
    });
    // Waits for all its threads, as a process does that ends.
    drop(ending);
    drop(held);
    runtime().block_on(anchor.keep(&signed("log", 7))).unwrap();
    assert_eq!(size_in(&path), 7);
}
