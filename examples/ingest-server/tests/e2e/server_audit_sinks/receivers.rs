//! Receivers in other processes: of webhooks, signed, and of syslog over TLS.

use std::{
    fs::{self, File, Permissions},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

use crate::{
    harness::wait_for,
    programs::{Program, free_address},
};

pub(crate) const SECRET: &str = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const INSTALL: &str = "run scripts/components install";

/// Where receivers and the file of sinks lie, and what was taken.
#[derive(Debug)]
pub(crate) struct Stage(TempDir);

/// Takes webhooks that are signed with [`SECRET`].
#[derive(Debug)]
pub(crate) struct Hook {
    _program: Program,
    pub(crate) address: String,
    taken: PathBuf,
}

/// Takes syslog over TLS, and keeps every byte.
#[derive(Debug)]
pub(crate) struct Syslog {
    program: Option<Program>,
    pub(crate) address: String,
    folder: PathBuf,
}

const LISTENER: &str = r#"
import socket, ssl, sys
port, folder = int(sys.argv[1]), sys.argv[2]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/server.pem", folder + "/server.key")
listener = socket.create_server(("127.0.0.1", port))
while True:
    plain, _ = listener.accept()
    try:
        with context.wrap_socket(plain, server_side=True) as stream:
            while data := stream.recv(65536):
                with open(folder + "/taken", "ab") as taken:
                    taken.write(data)
    except OSError:
        pass
"#;

/// The programs that check what this repository exports.
fn checker(name: &str) -> PathBuf {
    let checkers = "../../crates/audit-log/tests/server_receivers";
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(checkers)
        .join(name)
}

impl Stage {
    pub(crate) fn new() -> Self {
        let folder = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o700))
            .tempdir();
        let stage = Self(folder.unwrap());
        stage.write("secret", SECRET);
        stage
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file for its owner, in which `DIR` is this folder.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        let text = text.replace("DIR", self.0.path().to_str().unwrap());
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        path
    }
}

impl Hook {
    /// Answers in turn as the script says: statuses, or `hang`.
    pub(crate) async fn start(stage: &Stage, script: &str) -> Self {
        let (address, folder) = (free_address(), tempfile::tempdir().unwrap());
        let (_, port) = address.split_once(':').unwrap();
        let taken = stage.path(&format!("taken-{port}"));
        fs::write(&taken, "").unwrap();
        let script_file = folder.path().join("script");
        fs::write(&script_file, script).unwrap();
        let mut command = Command::new("python3");
        command
            .arg(checker("receiver.py"))
            .args([port, SECRET])
            .arg(&taken)
            .stdin(File::open(&script_file).unwrap());
        let program = Program::start(&mut command, folder, INSTALL);
        let program = listening(program, &address).await;
        Self {
            _program: program,
            address,
            taken,
        }
    }

    /// The numbers of the entries that it took, in the order in which they came.
    pub(crate) fn taken(&self) -> Vec<u64> {
        let lines = fs::read_to_string(&self.taken).unwrap();
        lines.lines().map(|line| line.parse().unwrap()).collect()
    }
}

impl Syslog {
    /// With `ca.pem` in the stage.
    pub(crate) async fn start(stage: &Stage) -> Self {
        certificates(stage.0.path());
        let mut syslog = Self {
            program: None,
            address: free_address(),
            folder: stage.0.path().to_owned(),
        };
        fs::write(syslog.folder.join("taken"), "").unwrap();
        syslog.restart().await;
        syslog
    }

    pub(crate) fn kill(&mut self) {
        self.program = None;
    }

    pub(crate) async fn restart(&mut self) {
        let folder = tempfile::tempdir().unwrap();
        let (_, port) = self.address.split_once(':').unwrap();
        let mut command = Command::new("python3");
        command.args(["-c", LISTENER, port]).arg(&self.folder);
        let program = Program::start(&mut command, folder, INSTALL);
        self.program = Some(listening(program, &self.address).await);
    }

    pub(crate) fn taken(&self) -> Vec<u8> {
        fs::read(self.folder.join("taken")).unwrap()
    }

    /// How many messages were taken, the first and the last of them, as an independent reader says that checks each.
    pub(crate) fn checked(&self) -> [u64; 3] {
        let output = Command::new("python3")
            .arg(checker("syslog.py"))
            .stdin(File::open(self.folder.join("taken")).unwrap())
            .output()
            .unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let numbers: Vec<_> = said
            .split_whitespace()
            .map(|it| it.parse().unwrap())
            .collect();
        let why = String::from_utf8(output.stderr).unwrap();
        numbers.try_into().unwrap_or_else(|_| panic!("{why}"))
    }
}

async fn listening(mut program: Program, address: &str) -> Program {
    wait_for("a listening receiver", async || {
        program.assert_runs();
        TcpStream::connect(address).ok()
    })
    .await;
    program
}

/// An authority, and a certificate for this host that it signed: `ca.pem`, `server.pem`, `server.key`.
fn certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        let output = Command::new("openssl")
            .current_dir(folder)
            .args(arguments.split(' '))
            .output();
        let output = output.unwrap_or_else(|error| panic!("openssl: {error}: {INSTALL}"));
        assert!(output.status.success(), "{arguments}: {output:?}");
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    openssl(&format!(
        "req {key} -x509 -keyout ca.key -out ca.pem -subj /CN=authority -days 2"
    ));
    openssl(&format!(
        "req {key} -keyout server.key -out server.csr -subj /CN=localhost"
    ));
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
    fs::write(folder.join("names"), names).unwrap();
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -extfile names -days 2",
    );
}
