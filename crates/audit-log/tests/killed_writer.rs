//! A writer that is killed at any time leaves a log that a third party can verify: journal and folder together.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/child.rs"]
mod child;
#[path = "known_answers/log.rs"]
mod log;

use std::path::Path;

use portcullis_audit_log::{
    checkpoint::{Checkpoint, Policy},
    folder::LogFolder,
    journal::{FrameWriter, Journal},
    note::SigningKey,
    source::FolderSource,
    tree::{RightEdge, TreeHash},
    verify::{Outcome, Verification},
};
use secrecy::SecretBox;
use tempfile::TempDir;

const KILLED: usize = 10;
/// Entries of a frame.
const GROUP: u64 = 23;

fn key() -> SigningKey {
    let seed = SecretBox::new(Box::new([0x60; 32]));
    SigningKey::from_seed("portcullis.example/audit".parse().unwrap(), &seed).unwrap()
}

fn open(dir: &Path) -> (Journal, LogFolder) {
    let mut log = LogFolder::open(&dir.join("log")).unwrap();
    let edge = log.edge().clone();
    let (journal, recovered) = Journal::open(&dir.join("journal"), edge, |frame| {
        for (n, entry) in (frame.first()..).zip(frame.entries()) {
            if n >= log.edge().size() {
                log.push(entry).unwrap();
            }
        }
    })
    .unwrap();
    assert_eq!(*log.edge(), recovered.edge);
    (journal, log)
}

fn publish(log: &mut LogFolder) {
    let origin = key().verifying_key().name().clone();
    let checkpoint = Checkpoint::new(origin, log.edge().size(), log.edge().root());
    log.publish(&checkpoint.sign(&[key()]).unwrap()).unwrap();
}

fn append(journal: &mut Journal, edge: &mut RightEdge, log: &mut LogFolder) {
    let mut writer = FrameWriter::new();
    writer.begin(edge.size());
    let entries: Vec<_> = (edge.size()..edge.size() + GROUP).map(log::leaf).collect();
    for entry in &entries {
        writer.push(entry, None).unwrap();
        edge.push(TreeHash::of_leaf(entry));
    }
    journal
        .append(&writer.finish(&edge.root()).unwrap())
        .unwrap();
    // Not before it is durable.
    entries.iter().for_each(|entry| log.push(entry).unwrap());
}

/// The child's part: appends, writes behind and publishes, and says how far it is, until it is killed.
#[test]
fn child() {
    let Some(dir) = child::folder() else {
        return;
    };
    let (mut journal, mut log) = open(dir.as_ref());
    let mut edge = log.edge().clone();
    for group in 0_u64.. {
        append(&mut journal, &mut edge, &mut log);
        child::say_appended(journal.size());
        if group.is_multiple_of(3) {
            log.write().unwrap();
        }
        if group.is_multiple_of(7) {
            publish(&mut log);
        }
        journal.prepare().unwrap();
        journal.drop_before(log.in_place()).unwrap();
    }
}

/// As a third party does, who has the folder and the key. Gives the size of the log.
fn verify(log: &Path) -> u64 {
    let policy = Policy::new(vec![key().verifying_key().clone()]).unwrap();
    let report = Verification::new(&FolderSource::new(log), &policy).run();
    assert_eq!(report.outcome(), Outcome::Sound, "{report:?}");
    report.signed.unwrap().checkpoint().size()
}

#[test]
fn a_log_is_whole_whenever_its_writer_was_killed() {
    let dir = TempDir::new().unwrap();
    for round in 1..=KILLED {
        let acknowledged = child::killed_after(5 + 4 * round, dir.path());
        // What was published last is sound as it stands, before anything was put right.
        assert!(verify(&dir.path().join("log")) <= acknowledged + GROUP);
        let (journal, mut log) = open(dir.path());
        let size = log.edge().size();
        assert!(
            acknowledged > 0 && size >= acknowledged,
            "{size}, and {acknowledged} promised"
        );
        assert!(
            size <= acknowledged + GROUP,
            "{size}, and {acknowledged} promised"
        );
        publish(&mut log);
        assert_eq!(verify(&dir.path().join("log")), journal.size());
    }
}
