//! What a journal acknowledged is there after `kill -9`, whole and without holes, and nothing else is damaged.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/child.rs"]
mod child;

use std::path::Path;

use portcullis_audit_log::{
    journal::{FrameWriter, Journal},
    tree::{RightEdge, TreeHash},
};
use tempfile::TempDir;

/// How often a writer is killed, each time further on in its journal: 10 times about 5 MiB go over segments.
const KILLED: usize = 10;

/// Of 8 to 30,000 bytes, all of which tell which entry it is.
fn entry(n: u64) -> Vec<u8> {
    let times = usize::try_from(n.wrapping_mul(7_919) % 3_750).unwrap() + 1;
    n.to_be_bytes().repeat(times)
}

fn open(folder: &Path) -> (Journal, RightEdge) {
    let mut next = 0;
    let (journal, recovered) = Journal::open(folder, RightEdge::new(), |frame| {
        assert_eq!(frame.first(), next);
        for found in frame.entries() {
            assert!(found == entry(next), "entry {next} is another");
            next += 1;
        }
    })
    .unwrap();
    assert_eq!(recovered.edge.size(), next);
    (journal, recovered.edge)
}

/// The child's part: appends, and says of each frame how far the journal goes, until it is killed.
#[test]
fn child() {
    let Some(folder) = child::folder() else {
        return;
    };
    let (mut journal, mut edge) = open(folder.as_ref());
    let mut writer = FrameWriter::new();
    loop {
        writer.begin(edge.size());
        for n in edge.size()..=edge.size() + edge.size() % 5 {
            writer.push(&entry(n), None).unwrap();
            edge.push(TreeHash::of_leaf(&entry(n)));
        }
        journal
            .append(&writer.finish(&edge.root()).unwrap())
            .unwrap();
        child::say_appended(journal.size());
        journal.prepare().unwrap();
    }
}

#[test]
fn what_was_acknowledged_is_there_after_kill_9() {
    let dir = TempDir::new().unwrap();
    for round in 1..=KILLED {
        let acknowledged = child::killed_after(80 + 8 * round, dir.path());
        let (journal, edge) = open(dir.path());
        assert!(
            acknowledged > 0 && edge.size() >= acknowledged,
            "{acknowledged}"
        );
        // One group at most was under way.
        assert!(
            edge.size() <= acknowledged + 5,
            "{acknowledged} and {}",
            edge.size()
        );
        drop(journal);
    }
    let segments = std::fs::read_dir(dir.path()).unwrap().count();
    assert!(segments > 2, "{segments} segments");
}
