//! A Redis of a test's own, on a free port, which keeps nothing when it ends.

use std::{
    fs::File,
    net::TcpListener,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use tempfile::TempDir;

use crate::wait::wait_for;

const INSTALL: &str = "apt-get install redis-server";

/// A server until it is dropped.
#[derive(Debug)]
pub(crate) struct Redis {
    port: u16,
    child: Child,
    folder: TempDir,
}

impl Redis {
    pub(crate) async fn start() -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        let child = spawn(port, &folder);
        let mut redis = Self {
            port,
            child,
            folder,
        };
        redis.answers().await;
        redis
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// What `redis-cli` prints.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &self.port.to_string()]).args(arguments);
        let output = command.output();
        let output = output.unwrap_or_else(|error| panic!("{error}: {INSTALL}"));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again at the same address, empty.
    pub(crate) async fn restart(&mut self) {
        self.child = spawn(self.port, &self.folder);
        self.answers().await;
    }

    /// SIGSTOP: it keeps its connections, and answers nobody.
    pub(crate) fn stop(&self) {
        self.signal("STOP");
    }

    /// SIGCONT.
    pub(crate) fn go_on(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.unwrap().success());
    }

    async fn answers(&mut self) {
        wait_for("a Redis that answers", async || {
            // Somebody else may answer there.
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}");
            (self.cli(&["PING"]) == "PONG").then_some(())
        })
        .await;
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A port that nobody has. The system does not give it to a connection, for which it has those from 32,768 on, and
/// other processes that look for one begin elsewhere.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = std::process::id() * 8 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + u16::try_from(next % 10_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

fn spawn(port: u16, folder: &TempDir) -> Child {
    let log = File::create(folder.path().join("log")).unwrap();
    let mut command = Command::new("redis-server");
    command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    let child = command.spawn();
    child.unwrap_or_else(|error| panic!("{error}: {INSTALL}"))
}
