//! What is erased is in no file.

use std::{collections::BTreeSet, fs};

use portcullis_audit_log::store::{Store as _, StoreError};
use sqlx::Executor as _;
use tempfile::TempDir;

use super::*;
use crate::shared_log::append;

const MARK: &[u8] = b"secret-of-";

/// Short ones, and some that take several pages.
fn part(n: u64) -> Option<Vec<u8>> {
    let times = if n.is_multiple_of(50) { 1_500 } else { 3 };
    Some(secret(n).repeat(times).into_bytes())
}

fn secret(n: u64) -> String {
    format!("secret-of-{n:05};")
}

/// Whose parts the files of the database have anything of.
fn found(folder: &Path) -> BTreeSet<u64> {
    let mut found = BTreeSet::new();
    for file in fs::read_dir(folder).unwrap() {
        let bytes = fs::read(file.unwrap().path()).unwrap();
        for at in marks(&bytes) {
            let digits = bytes.get(at + MARK.len()..at + MARK.len() + 5);
            let digits = digits.and_then(|digits| str::from_utf8(digits).ok());
            found.extend(digits.and_then(|digits| digits.parse::<u64>().ok()));
        }
    }
    found
}

/// Where the mark stands.
fn marks(bytes: &[u8]) -> impl Iterator<Item = usize> {
    let starts = (0..bytes.len()).filter(|at| bytes[*at] == MARK[0]);
    starts.filter(|at| bytes[*at..].starts_with(MARK))
}

#[tokio::test]
async fn nothing_is_left_of_a_part_that_was_erased_in_any_file() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    for _ in 0..8 {
        append(&store, 100, part).await;
    }
    let erased: Vec<u64> = (0..800).filter(|n| n % 3 == 0).collect();
    assert_eq!(found(folder.path()), (0..800).collect());
    let (some, others) = erased.split_at(100);
    let count = store.erase(some).await.unwrap() + store.erase(others).await.unwrap();
    assert_eq!(count, 267);
    for n in 0..800 {
        let is_there = store.personal(n).await.unwrap().is_some();
        assert_eq!(is_there, n % 3 != 0, "{n}");
    }
    let left = |first: u64| (first..800).filter(|n| n % 3 != 0).collect();
    assert_eq!(found(folder.path()), left(0));
    // Nor of what was pruned.
    assert_eq!(store.prune(512).await.unwrap(), 512);
    store.erase(&[]).await.unwrap();
    assert_eq!(found(folder.path()), left(512));
}

#[tokio::test]
async fn while_somebody_reads_an_erasure_fails_and_is_done_by_the_next() {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    append(&store, 10, part).await;
    let pool = pool(options(folder.path()));
    let mut reader = pool.acquire().await.unwrap();
    reader.execute("BEGIN").await.unwrap();
    let read = "SELECT sealed FROM audit_personal WHERE n = 7";
    reader.execute(read).await.unwrap();
    let refused = store.erase(&[7]).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    reader.execute("COMMIT").await.unwrap();
    assert_eq!(store.erase(&[7]).await.unwrap(), 0);
    assert_eq!(store.personal(7).await.unwrap(), None);
    assert!(!found(folder.path()).contains(&7));
}
