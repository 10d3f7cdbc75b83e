//! Two writers of one log, each in a process of its own, which is the test `child` of the same binary.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::unix::process::ExitStatusExt as _,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{
        Arc,
        mpsc::{self, Receiver, Sender},
    },
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

/// How often another writes than before, at the least, until one is killed.
pub(crate) const TURNS: usize = 6;

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

/// Which writer has said it, the index and the id.
type Said = (usize, u64, String);

/// A writer that is running.
struct Writer {
    child: Child,
    reading: JoinHandle<()>,
}

impl Writer {
    /// What it says goes to `said`, under `number`.
    fn start(place: &str, node: &str, number: usize, said: Sender<Said>) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(PLACE, place)
            .env(NODE, node)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        let reading = thread::spawn(move || {
            each_acknowledged(lines, |n, id| said.send((number, n, id)).unwrap());
        });
        Self { child, reading }
    }

    fn killed(mut self) {
        self.child.kill().unwrap();
        assert_eq!(self.child.wait().unwrap().signal(), Some(SIGKILL));
        self.reading.join().unwrap();
    }

    fn ended(mut self) {
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
        self.reading.join().unwrap();
    }
}

fn each_acknowledged(mut lines: BufReader<ChildStdout>, each: impl Fn(u64, String)) {
    let mut line = String::new();
    while lines.read_line(&mut line).unwrap() > 0 {
        // What was cut off by the end of the process was not said.
        if let Some(told) = line
            .strip_suffix('\n')
            .and_then(|line| line.strip_prefix("acknowledged "))
        {
            let (n, id) = told.split_once(' ').unwrap();
            each(n.parse().unwrap(), id.to_owned());
        }
        line.clear();
    }
}

/// What both have said so far.
struct Heard {
    said: Receiver<Said>,
    acknowledged: [Acknowledged; 2],
    /// Who has which index.
    by_index: BTreeMap<u64, usize>,
}

impl Heard {
    /// Hears until `enough`, or until both have ended.
    fn until(&mut self, enough: impl Fn(&Self) -> bool) {
        while !enough(self) {
            let Ok((number, n, id)) = self.said.recv() else {
                return;
            };
            self.by_index.insert(n, number);
            self.acknowledged[number].push((n, id));
        }
    }

    /// How often another has written than before.
    fn turns(&self) -> usize {
        let writers: Vec<_> = self.by_index.values().collect();
        writers.windows(2).filter(|two| two[0] != two[1]).count()
    }
}

/// Two write at once, until they have taken [turns](TURNS) and each has said something so many times; then one is killed,
/// and the other goes on for as long again. Gives what each has acknowledged.
///
/// A lock need not be fair: who has just had the file has it next, more often than not.
pub(crate) fn one_of_two_is_killed(place: &str, after: usize) -> [Acknowledged; 2] {
    let (saying, said) = mpsc::channel();
    let mut heard = Heard {
        said,
        acknowledged: Default::default(),
        by_index: BTreeMap::new(),
    };
    let killed = Writer::start(place, "node-a", 0, saying.clone());
    let other = Writer::start(place, "node-b", 1, saying);
    heard.until(|heard| {
        heard.turns() >= TURNS && heard.acknowledged.iter().all(|one| one.len() >= after)
    });
    killed.killed();
    // It writes on after the death of the other.
    let wanted = heard.acknowledged[1].len() + after;
    heard.until(|heard| heard.acknowledged[1].len() >= wanted);
    other.ended();
    heard.until(|_| false);
    heard.acknowledged
}
