//! What somebody with the file changes in it.

use std::sync::Arc;

use portcullis_audit_log::{
    store::{Store, StoreError},
    verify::{EntryFault, Finding, Outcome},
};
use sqlx::Executor as _;
use tempfile::TempDir;
use tokio::runtime::Handle;

use super::*;
use crate::shared_log::{append, verify};

const TAKE_TRIGGERS_AWAY: &str = "
    DROP TRIGGER audit_event_is_never_changed;
    DROP TRIGGER audit_event_goes_by_pruning_alone";

/// What is found in a log of 700 leaves, pruned below 256, in which a statement was run.
async fn findings(change: &'static str) -> (Outcome, Vec<Finding>) {
    let folder = TempDir::new().unwrap();
    let store = open(folder.path()).await;
    append(&store, 700, |_| None).await;
    assert_eq!(store.prune(300).await.unwrap(), 256);
    let pool = pool(options(folder.path()));
    pool.execute(TAKE_TRIGGERS_AWAY).await.unwrap();
    pool.execute(change).await.unwrap();
    let rows = store.index_rows(Handle::current());
    let report = verify(Arc::new(store), rows).await;
    (report.outcome(), report.findings)
}

fn fault_of(findings: &[Finding]) -> Option<(u64, EntryFault)> {
    match findings {
        [Finding::Entry { n, fault, .. }, ..] => Some((*n, *fault)),
        _ => None,
    }
}

#[tokio::test]
async fn a_log_that_nobody_changed_is_sound() {
    let (outcome, findings) = findings("SELECT 1").await;
    assert_eq!(outcome, Outcome::Sound, "{findings:?}");
}

#[tokio::test]
async fn each_row_of_the_index_that_is_changed_is_found() {
    for change in [
        "UPDATE audit_event SET time = time + 1 WHERE n = 300",
        "UPDATE audit_event SET tenant = 'tenant-x' WHERE n = 300",
        "UPDATE audit_event SET actor = 'nobody' WHERE n = 300",
        "UPDATE audit_event SET action = 'test.read' WHERE n = 300",
        "UPDATE audit_event SET outcome = 'denied' WHERE n = 300",
        "DELETE FROM audit_term WHERE n = 300 AND kind = 'resource'",
        "DELETE FROM audit_term WHERE n = 300 AND kind = 'field'",
        "UPDATE audit_term SET value = 'lead-8' WHERE n = 300 AND kind = 'resource'",
        "INSERT INTO audit_term (n, kind, value) VALUES (300, 'resource', 'lead-8')",
        "UPDATE audit_bundle SET earliest = 1767323045000301 WHERE number = 1",
        "UPDATE audit_bundle SET latest = 1767323045000299 WHERE number = 1",
        "DELETE FROM audit_bundle WHERE number = 1",
    ] {
        let (outcome, findings) = findings(change).await;
        assert_eq!(outcome, Outcome::Tampered, "{change}: {findings:?}");
        let found = fault_of(&findings).map(|(_, fault)| fault);
        assert_eq!(found, Some(EntryFault::Row), "{change}: {findings:?}");
    }
}

#[tokio::test]
async fn each_leaf_that_is_changed_taken_out_or_moved_is_found() {
    for (change, expected) in [
        (
            "UPDATE audit_event SET leaf = CAST(replace(leaf, 'lead-7', 'lead-8') AS BLOB) WHERE n = 300",
            Some((300, EntryFault::Changed)),
        ),
        (
            "DELETE FROM audit_event WHERE n = 300",
            Some((300, EntryFault::WrongIndex { found: 301 })),
        ),
        (
            "UPDATE audit_event SET leaf = (SELECT leaf FROM audit_event WHERE n = 301) WHERE n = 300",
            Some((300, EntryFault::WrongIndex { found: 301 })),
        ),
        ("DELETE FROM audit_event WHERE n >= 699", None),
        (
            "UPDATE audit_tile SET hashes = zeroblob(length(hashes)) WHERE number = 1",
            None,
        ),
        (
            "UPDATE audit_checkpoint SET note = replace(note, '700', '600')",
            None,
        ),
    ] {
        let (outcome, findings) = findings(change).await;
        assert_eq!(outcome, Outcome::Tampered, "{change}: {findings:?}");
        if expected.is_some() {
            let found = findings
                .iter()
                .find_map(|finding| fault_of(std::slice::from_ref(finding)));
            assert_eq!(found, expected, "{change}: {findings:?}");
        }
    }
}

#[tokio::test]
async fn to_a_tree_that_is_not_that_of_the_log_nothing_is_appended() {
    for change in [
        "UPDATE audit_tile SET hashes = zeroblob(length(hashes)) WHERE number = 0",
        "DELETE FROM audit_tile WHERE level = 0",
        "UPDATE audit_log SET root = zeroblob(32)",
        "UPDATE audit_log SET size = 99",
    ] {
        let folder = TempDir::new().unwrap();
        let store = open(folder.path()).await;
        append(&store, 100, |_| None).await;
        pool(options(folder.path())).execute(change).await.unwrap();
        let refused = store.lock(&[]).await;
        assert!(
            matches!(refused, Err(StoreError::Damaged(_))),
            "{change}: {refused:?}"
        );
    }
}
