//! A writer that is killed at any time leaves a log that a third party can verify: journal and folder together.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "known_answers/log.rs"]
mod log;

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Command, Stdio},
};

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

/// Tells the child where its log is.
const FOLDER: &str = "PORTCULLIS_LOG";
const SIGKILL: i32 = 9;
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
    #[expect(clippy::disallowed_methods, reason = "what the test says to its child")]
    let Ok(dir) = std::env::var(FOLDER) else {
        return;
    };
    let (mut journal, mut log) = open(dir.as_ref());
    let mut edge = log.edge().clone();
    for group in 0_u64.. {
        append(&mut journal, &mut edge, &mut log);
        println!("\nappended {}", journal.size());
        std::io::stdout().flush().unwrap();
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

/// Kills a writer when it has said something for the `lines`-th time. Gives all that it acknowledged.
fn killed_after(lines: usize, dir: &Path) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = said.map_while(Result::ok);
    let acknowledged = said.filter_map(|line| line.strip_prefix("appended ")?.parse().ok());
    let mut last = 0;
    for (index, size) in acknowledged.enumerate() {
        last = size;
        if index + 1 == lines {
            // What it says until it is gone is read too.
            child.kill().unwrap();
        }
    }
    assert_eq!(child.wait().unwrap().signal(), Some(SIGKILL));
    last
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
        let acknowledged = killed_after(5 + 4 * round, dir.path());
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
