//! Programs beside the service. A missing one fails the test and says how to install it.

use std::{
    fs::{self, File},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use tempfile::TempDir;

use crate::harness::wait_for;

/// A program that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    output: PathBuf,
    _folder: TempDir,
}

impl Program {
    /// Starts it; `install` says where it comes from.
    pub(crate) fn start(command: &mut Command, folder: TempDir, install: &str) -> Self {
        let output = folder.path().join("output");
        let file = File::create(&output).unwrap();
        let child = command
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}: {install}"));
        Self {
            child,
            output,
            _folder: folder,
        }
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.unwrap().success());
    }

    /// Whether it has ended by itself.
    fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Fails when it has ended by itself, since somebody else may answer at its address.
    pub(crate) fn assert_runs(&mut self) {
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "{ended:?}: {}", self.output());
    }

    /// What it has printed.
    pub(crate) fn output(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.output).unwrap()).into_owned()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// An OpenTelemetry collector that prints every span it receives, and its OTLP/HTTP endpoint.
pub(crate) async fn collector() -> (Program, String) {
    const INSTALL: &str = "python3 -m pip install rotel==0.0.1a15";
    let find =
        "import os, rotel; print(os.path.join(os.path.dirname(rotel.__file__), 'rotel-agent'))";
    let found = Command::new("python3").args(["-c", find]).output().unwrap();
    assert!(
        found.status.success(),
        "the collector is missing: {INSTALL}"
    );
    let binary = String::from_utf8(found.stdout).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (http, grpc) = (free_address(), free_address());
    let mut command = Command::new(binary.trim());
    command
        .args([
            "start",
            "--otlp-http-endpoint",
            &http,
            "--otlp-grpc-endpoint",
            &grpc,
        ])
        .args(["--debug-log", "traces", "--debug-log-verbosity", "detailed"])
        .args(["--exporter", "blackhole", "--pid-file"])
        .arg(folder.path().join("pid"));
    let mut program = Program::start(&mut command, folder, INSTALL);
    wait_for("a listening collector", async || {
        program.assert_runs();
        TcpStream::connect(&http).ok()
    })
    .await;
    (program, format!("http://{http}"))
}

/// A Prometheus that scrapes `target` every second with a bearer token, and its address.
pub(crate) async fn prometheus(target: &str, token: &str) -> (Program, String) {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("prometheus.yml");
    let text = format!(
        "global: {{ scrape_interval: 1s }}\nscrape_configs:\n- job_name: ingest\n  \
         authorization: {{ credentials: '{token}' }}\n  static_configs: [{{ targets: ['{target}'] }}]\n"
    );
    fs::write(&config, text).unwrap();
    let address = free_address();
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.path().join("data").display()
        ))
        .arg(format!("--web.listen-address={address}"));
    let mut program = Program::start(&mut command, folder, "apt-get install prometheus");
    wait_for("a listening Prometheus", async || {
        program.assert_runs();
        TcpStream::connect(&address).ok()
    })
    .await;
    (program, address)
}

/// The library that lies to a process about the time of day.
pub(crate) fn libfaketime() -> PathBuf {
    let name = format!(
        "/usr/lib/{}-linux-gnu/faketime/libfaketimeMT.so.1",
        std::env::consts::ARCH
    );
    let library = PathBuf::from(name);
    assert!(
        library.exists(),
        "libfaketime is missing: apt-get install faketime"
    );
    library
}

/// Runs a program to its end with `input` as its standard input.
pub(crate) fn feed(program: &str, arguments: &[&str], input: &str) -> Output {
    use std::io::Write as _;
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}: run scripts/components install"));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

/// An address whose port nobody has, nor the next, which OpenBao takes as well. The system gives neither to a
/// connection, for which it has those from 32,768 on, and other processes that look for one begin elsewhere.
pub(crate) fn free_address() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let is_free = |port: u32| TcpListener::bind(format!("127.0.0.1:{port}")).is_ok();
    loop {
        let next = std::process::id() * 8 + NEXT.fetch_add(2, Ordering::Relaxed);
        let port = 10_000 + next % 10_000;
        if is_free(port) && is_free(port + 1) {
            return format!("127.0.0.1:{port}");
        }
    }
}

/// A Redis server of a test's own, which can be killed, and started again at the same address with what it had.
#[derive(Debug)]
pub(crate) struct Redis {
    port: u16,
    password: Option<&'static str>,
    data: TempDir,
    program: Option<Program>,
}

impl Redis {
    pub(crate) async fn start() -> Self {
        Self::start_with(None).await
    }

    pub(crate) async fn start_with(password: Option<&'static str>) -> Self {
        let mut told = String::new();
        for _ in 0..5 {
            let address = free_address();
            let (_, port) = address.split_once(':').unwrap();
            let mut redis = Self {
                port: port.parse().unwrap(),
                password,
                data: tempfile::tempdir().unwrap(),
                program: None,
            };
            match redis.comes_up().await {
                Ok(()) => return redis,
                // The port of another test, which took it in the meantime.
                Err(output) => told = output,
            }
        }
        panic!("no Redis: {told}");
    }

    /// Starts it again. It wrote down what it did before it said so, which outlives the process.
    pub(crate) async fn restart(&mut self) {
        self.comes_up().await.unwrap();
    }

    /// Starts it, and waits until it answers itself, or gives what it has printed when it has ended.
    async fn comes_up(&mut self) -> Result<(), String> {
        self.program = None;
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--port", &self.port.to_string()])
            .args([
                "--save",
                "",
                "--appendonly",
                "yes",
                "--appendfsync",
                "no",
                "--dir",
            ])
            .arg(self.data.path());
        if let Some(password) = self.password {
            command.args(["--requirepass", password]);
        }
        let install = "apt-get install redis-server";
        let program = Program::start(&mut command, folder, install);
        let own = format!("process_id:{}\r", program.child.id());
        self.program = Some(program);
        wait_for("a Redis that answers", async || {
            let program = self.program.as_mut().unwrap();
            if program.has_ended() {
                return Some(Err(program.output()));
            }
            self.cli(&["INFO", "server"])
                .contains(&own)
                .then_some(Ok(()))
        })
        .await
    }

    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        let user = self.password.map(|password| format!(":{password}@"));
        format!(
            "redis://{}127.0.0.1:{}",
            user.unwrap_or_default(),
            self.port
        )
    }

    /// What a command answers.
    pub(crate) fn cli(&self, command: &[&str]) -> String {
        let mut cli = Command::new("redis-cli");
        cli.args(["-p", &self.port.to_string(), "--no-auth-warning"]);
        if let Some(password) = self.password {
            cli.args(["-a", password]);
        }
        let output = cli.args(command).output();
        let output = output.unwrap_or_else(|error| panic!("{error}: apt-get install redis-tools"));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Everything that it was told to keep, as it wrote it down.
    pub(crate) fn kept(&self) -> Vec<u8> {
        let folder = self.data.path().join("appendonlydir");
        let files = fs::read_dir(folder).unwrap();
        let files = files.map(|file| fs::read(file.unwrap().path()).unwrap());
        files.flatten().collect()
    }

    /// SIGKILL.
    pub(crate) fn kill(&mut self) {
        self.program = None;
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
        self.program.as_ref().unwrap().signal(name);
    }
}
