//! Other programs that tests start, and stop when they are done.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
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

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
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
