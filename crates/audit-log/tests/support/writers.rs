//! Two writers of one log, each in a process of its own, which is the test `child` of the same binary.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::process::ExitStatusExt as _,
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    thread::{self, JoinHandle},
};

use portcullis_audit_log::{audit::Audit, event::Id, store::Store};

use crate::shared_log::{draft, key, origin};

/// Tell the child where the log is, and what it is called.
const PLACE: &str = "PORTCULLIS_WRITER_PLACE";
const NODE: &str = "PORTCULLIS_WRITER_NODE";
const SIGKILL: i32 = 9;

/// How many record at once in a process.
const AT_ONCE: usize = 8;

/// What was acknowledged: index and id.
pub(crate) type Acknowledged = Vec<(u64, String)>;

/// Where the child writes; `None` in a process that is not the child.
pub(crate) fn place() -> Option<String> {
    variable(PLACE)
}

#[expect(clippy::disallowed_methods, reason = "what the test says to its child")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// The child's part: records, says what is acknowledged, and closes the log when nobody talks to it any more.
pub(crate) async fn record_all(store: Arc<dyn Store>) {
    let node = match variable(NODE).as_deref() {
        Some("node-a") => Id::constant("node-a"),
        _ => Id::constant("node-b"),
    };
    let builder = Audit::builder(store, origin(), node).key(key());
    let (audit, writing) = builder.open().await.unwrap();
    let writing = tokio::spawn(writing);
    let recording: Vec<_> = (0..AT_ONCE)
        .map(|of| tokio::spawn(record(audit.clone(), of as u64)))
        .collect();
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()))
        .await
        .unwrap()
        .unwrap();
    audit.close();
    for recording in recording {
        recording.await.unwrap();
    }
    writing.await.unwrap();
}

async fn record(audit: Audit, of: u64) {
    for n in of.. {
        let Ok(recorded) = audit.record(draft(n), None).await else {
            if audit.status().is_open {
                continue;
            }
            return;
        };
        let mut out = std::io::stdout().lock();
        writeln!(out, "\nacknowledged {} {}", recorded.n, recorded.id).unwrap();
        out.flush().unwrap();
    }
}

/// A writer that is running.
pub(crate) struct Writer {
    child: Child,
    lines: BufReader<ChildStdout>,
    said: Acknowledged,
}

impl Writer {
    pub(crate) fn start(place: &str, node: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(PLACE, place)
            .env(NODE, node)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            lines: BufReader::new(child.stdout.take().unwrap()),
            child,
            said: Vec::new(),
        }
    }

    /// Until it has said something so many times more.
    fn read(&mut self, more: usize) {
        let wanted = self.said.len().saturating_add(more);
        let mut line = String::new();
        while self.said.len() < wanted {
            line.clear();
            if self.lines.read_line(&mut line).unwrap() == 0 {
                return;
            }
            // What was cut off by the end of the process was not said.
            let Some(told) = line
                .strip_suffix('\n')
                .and_then(|line| line.strip_prefix("acknowledged "))
            else {
                continue;
            };
            let (n, id) = told.split_once(' ').unwrap();
            self.said.push((n.parse().unwrap(), id.to_owned()));
        }
    }

    /// Kills it when it has said something so many times, and gives all that it has said.
    fn killed(mut self, after: usize) -> Acknowledged {
        self.read(after);
        self.child.kill().unwrap();
        self.read(usize::MAX);
        assert_eq!(self.child.wait().unwrap().signal(), Some(SIGKILL));
        self.said
    }

    /// Lets it end when it has said something so many times.
    fn ended(mut self, after: usize) -> Acknowledged {
        self.read(after);
        drop(self.child.stdin.take());
        self.read(usize::MAX);
        assert!(self.child.wait().unwrap().success());
        self.said
    }
}

/// Two write at once, until one is killed; the other goes on for as long again. Gives what each has acknowledged.
pub(crate) fn one_of_two_is_killed(place: &str, after: usize) -> [Acknowledged; 2] {
    let mut other = Writer::start(place, "node-b");
    // It is writing when the one that is to be killed begins to.
    other.read(1);
    let killed = Writer::start(place, "node-a");
    let killed: JoinHandle<_> = thread::spawn(move || killed.killed(after));
    // It writes on after the death of the other.
    other.read(after);
    let killed = killed.join().unwrap();
    [killed, other.ended(after)]
}
