//! A private moto on a free port, ended when it is dropped.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    num::NonZeroU32,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use portcullis_versioned_secrets::aws::{AwsConnection, SecretsManager};
use secrecy::SecretString;
use serde_json::{Value, json};

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
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut command = Command::new("moto_server");
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command.stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("{command:?}: {error}: {INSTALL}"));
        let moto = Self { child, port };
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(started.elapsed() < Duration::from_secs(60), "no moto");
            std::thread::sleep(Duration::from_millis(10));
        }
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
