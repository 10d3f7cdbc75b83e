//! Other programs that tests start, and stop when they are done.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

pub(crate) struct Program {
    child: Child,
    output: Arc<Mutex<String>>,
}

const DEADLINE: Duration = Duration::from_secs(30);

impl Program {
    /// Starts the program. `install` says how to get it when it is not there.
    pub(crate) fn start(command: &mut Command, install: &str) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}. {install}"));
        let output = Arc::default();
        collect(child.stdout.take().unwrap(), &output);
        collect(child.stderr.take().unwrap(), &output);
        Self { child, output }
    }

    /// What the program has printed so far.
    pub(crate) fn output(&self) -> String {
        self.output.lock().unwrap().clone()
    }

    /// Asks again and again until `ready` answers.
    pub(crate) fn wait<T>(&self, what: &str, mut ready: impl FnMut(&str) -> Option<T>) -> T {
        #[expect(clippy::disallowed_methods, reason = "a deadline on another program")]
        let start = Instant::now();
        loop {
            if let Some(answer) = ready(&self.output()) {
                return answer;
            }
            assert!(
                start.elapsed() < DEADLINE,
                "no {what} in {DEADLINE:?}: {}",
                self.output()
            );
            thread::park_timeout(Duration::from_millis(20));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A port that nobody has. The system does not give it to a connection, for which it has those from 32,768 on, and
/// other processes that look for one begin elsewhere.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = std::process::id() * 8 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + u16::try_from(next % 10_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn collect(pipe: impl std::io::Read + Send + 'static, output: &Arc<Mutex<String>>) {
    let output = Arc::clone(output);
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            let mut output = output.lock().unwrap();
            output.push_str(&line);
            output.push('\n');
        }
    });
}
