//! A private moto on a free port, ended when it is dropped.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    num::NonZeroU32,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use portcullis_versioned_secrets::aws::{AwsConnection, SecretsManager};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

pub(crate) const NAME: &str = "portcullis/production";
const REGION: &str = "eu-west-1";
const INSTALL: &str = "scripts/components install, or: python3 -m pip install 'moto[kms,server]'";

/// A server until it is dropped.
#[derive(Debug)]
pub(crate) struct Moto {
    child: Child,
    port: u16,
}

impl Moto {
    pub(crate) fn start() -> Self {
        // It takes a free port itself and writes down which: one that was looked for may be taken since.
        let said = NamedTempFile::new().unwrap();
        let mut command = Command::new("moto_server");
        command.args(["-H", "127.0.0.1", "-p", "0"]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(said.reopen().unwrap());
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}: {INSTALL}"));
        let mut moto = Self { child, port: 0 };
        moto.port = wait_for("moto that listens", || {
            let said = fs::read_to_string(said.path()).unwrap();
            let (_, port) = said.split_once("Running on http://127.0.0.1:")?;
            // Until the end of the line is there, the number may go on.
            port.split_once('\n')?.0.parse().ok()
        });
        moto
    }

    /// The secret named [`NAME`].
    pub(crate) async fn source(&self) -> SecretsManager {
        source(&format!("http://127.0.0.1:{}", self.port)).await
    }

    /// Has Secrets Manager do something with the secret named [`NAME`].
    pub(crate) fn secret(&self, operation: &str, mut body: Value) -> Value {
        let name = if operation == "CreateSecret" {
            "Name"
        } else {
            "SecretId"
        };
        body[name] = json!(NAME);
        let head = format!(
            "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: secretsmanager.{operation}\r\n"
        );
        let answer = self.post("/", &head, &body.to_string());
        serde_json::from_str(&answer).unwrap()
    }

    /// From here on each request needs a right signature and a policy.
    pub(crate) fn enforce_policies(&self) {
        self.post("/moto-api/reset-auth", "", "0");
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn post(&self, path: &str, head: &str, body: &str) -> String {
        let request = format!(
            "POST {path} HTTP/1.0\r\nHost: secretsmanager.{REGION}.amazonaws.com\r\n\
             Authorization: AWS4-HMAC-SHA256 \
             Credential=test/20260101/{REGION}/secretsmanager/aws4_request, SignedHeaders=host, \
             Signature=none\r\n{head}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut connection = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{answer}");
        body.to_owned()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The secret named [`NAME`] at an endpoint that is asked once.
pub(crate) async fn source(endpoint: &str) -> SecretsManager {
    let secret = SecretString::from("canary-of-the-secret-access-key");
    let connection = AwsConnection::builder()
        .region(REGION)
        .endpoint(endpoint)
        .static_credentials("AKIAEXAMPLE", &secret)
        .attempt_timeout(Duration::from_secs(20))
        .call_timeout(Duration::from_secs(40))
        .attempts(NonZeroU32::MIN);
    SecretsManager::new(&connection.build().await.unwrap(), NAME)
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "no {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
