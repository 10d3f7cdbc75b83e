//! A probe that runs, and something between it and the service that can swallow what it sends.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    net::{TcpListener, TcpStream},
    os::unix::fs::OpenOptionsExt as _,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
};

use reqwest::Method;
use serde_json::json;

use crate::{
    documented::assert_documented,
    harness::{Data, Key, Server, wait_for},
    movement::Samples,
};

/// What its key may do.
pub(crate) const SCOPES: [&str; 3] = ["events:write", "leads:write", "leads:read"];

/// The journeys and their steps.
pub(crate) const STEPS: [(&str, &str); 8] = [
    ("write", "event"),
    ("write", "duplicate"),
    ("lead", "create"),
    ("lead", "read"),
    ("lead", "find"),
    ("lead", "erase"),
    ("lead", "gone"),
    ("keys", "revoked"),
];

/// The keys that a probe has, and their file.
#[derive(Debug, Clone)]
pub(crate) struct ProbeKeys {
    pub(crate) key: Key,
    pub(crate) revoked: Key,
    pub(crate) file: PathBuf,
}

impl ProbeKeys {
    /// Issues two keys of a tenant, and revokes one.
    pub(crate) async fn issue(server: &Server, tenant: &str) -> Self {
        let keys = Self::issue_both(server, tenant).await;
        revoke(server, &keys.revoked).await;
        keys
    }

    /// The same, and neither is revoked yet.
    pub(crate) async fn issue_both(server: &Server, tenant: &str) -> Self {
        static FILES: AtomicU32 = AtomicU32::new(0);
        let key = server.issue(tenant, &SCOPES).await;
        let revoked = server.issue(tenant, &SCOPES).await;
        let number = FILES.fetch_add(1, Ordering::Relaxed);
        let file = server.data().path().join(format!("probe-keys-{number}"));
        let made = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&file);
        let text = format!("{}\n{}\n", key.text, revoked.text);
        std::io::Write::write_all(&mut made.unwrap(), text.as_bytes()).unwrap();
        Self { key, revoked, file }
    }

    /// The command that probes this address.
    pub(crate) fn command(&self, url: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ingest-server"));
        command
            .env_clear()
            .args(["probe", "--url", url, "--key-file"])
            .arg(&self.file);
        command
    }
}

/// Revokes a key.
pub(crate) async fn revoke(server: &Server, key: &Key) {
    let path = format!("/admin/api-keys/{}", key.kid);
    let revoked = server.admin(Method::DELETE, &path).send().await.unwrap();
    assert!(revoked.status().is_success());
}

/// A probe with a round each second.
pub(crate) struct Probe {
    child: Child,
    pub(crate) address: String,
    logs: PathBuf,
}

impl Probe {
    pub(crate) fn start(data: &Data, mut command: Command) -> Self {
        static LOGS: AtomicU32 = AtomicU32::new(0);
        let number = LOGS.fetch_add(1, Ordering::Relaxed);
        let logs = data.path().join(format!("probe-logs-{number}"));
        command
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(File::create(&logs).unwrap());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on http://");
        let address = address.and_then(|rest| rest.split(' ').next());
        let address = address.unwrap_or_else(|| {
            panic!(
                "the probe did not start: {}",
                fs::read_to_string(&logs).unwrap()
            )
        });
        Self {
            address: address.to_owned(),
            child,
            logs,
        }
    }

    /// With a round each second.
    pub(crate) fn often(data: &Data, keys: &ProbeKeys, url: &str) -> Self {
        let mut command = keys.command(url);
        command.args(["--interval", "1s"]);
        Self::start(data, command)
    }

    /// Every sample, each of which is in `docs/metrics.md`.
    pub(crate) async fn metrics(&self) -> Samples {
        let url = format!("http://{}/metrics", self.address);
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        assert_documented(&text);
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        let samples = samples.filter_map(|line| line.rsplit_once(' '));
        samples
            .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
            .collect()
    }

    /// Waits until these steps succeed, and no others.
    pub(crate) async fn wait_until_succeed(&self, expected: &[(&str, &str)]) {
        let what = format!("these steps to succeed alone: {expected:?}");
        wait_for(&what, async || {
            let samples = self.metrics().await;
            let succeeds = |step: &&(&str, &str)| samples[&sample("probe_success", **step)] == 1.0;
            let found: Vec<_> = STEPS.iter().filter(succeeds).copied().collect();
            (found == expected).then_some(())
        })
        .await;
    }

    pub(crate) fn logs(&self) -> String {
        fs::read_to_string(&self.logs).unwrap()
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

pub(crate) fn sample(name: &str, (journey, step): (&str, &str)) -> String {
    format!("{name}{{journey=\"{journey}\",step=\"{step}\"}}")
}

/// What a lead of an invented person is created with.
pub(crate) fn lead(number: u32) -> serde_json::Value {
    json!({ "email": format!("a{number}@example.com") })
}

/// Stands before a service, and passes on what it gets until it swallows it.
pub(crate) struct Proxy {
    pub(crate) url: String,
    swallows: Arc<AtomicBool>,
}

impl Proxy {
    pub(crate) fn before(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let swallows = Arc::new(AtomicBool::new(false));
        let (now, target) = (Arc::clone(&swallows), server.public_address().to_owned());
        // Ends with the process of the test.
        std::thread::spawn(move || {
            let mut swallowed = Vec::new();
            for stream in listener.incoming().map_while(Result::ok) {
                if now.load(Ordering::SeqCst) {
                    swallowed.push(stream);
                } else {
                    swallowed.clear();
                    drop(TcpStream::connect(&target).map(|to| pass_on(&stream, &to)));
                }
            }
        });
        Self { url, swallows }
    }

    pub(crate) fn swallow(&self, all: bool) {
        self.swallows.store(all, Ordering::SeqCst);
    }
}

fn pass_on(from: &TcpStream, to: &TcpStream) {
    for (from, to) in [(from, to), (to, from)] {
        let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
        std::thread::spawn(move || {
            drop(std::io::copy(&mut from, &mut to));
            drop(to.shutdown(std::net::Shutdown::Both));
        });
    }
}
