//! A writer in a process of its own, which is the test `child` of the same binary, and is killed while it writes.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Tells the child where it writes.
const FOLDER: &str = "PORTCULLIS_WRITER_FOLDER";
const SIGKILL: i32 = 9;

/// Where the child writes; `None` in a process that is not the child.
pub(crate) fn folder() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "what the test says to its child")]
    let folder = std::env::var(FOLDER);
    folder.ok().map(PathBuf::from)
}

/// The child says how many entries are durable.
pub(crate) fn say_appended(size: u64) {
    let mut out = std::io::stdout();
    writeln!(out, "\nappended {size}").unwrap();
    out.flush().unwrap();
}

/// The child, to be started.
pub(crate) fn command(folder: &Path) -> Command {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "child", "--nocapture", "--test-threads=1"])
        .env(FOLDER, folder);
    child
}

/// Kills the child when it has said something for the `lines`-th time. Gives all that it acknowledged.
pub(crate) fn killed_after(lines: usize, folder: &Path) -> u64 {
    let mut child = command(folder).stdout(Stdio::piped()).spawn().unwrap();
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
