//! A private moto on a free port, ended when it is dropped.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    num::NonZeroU32,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use portcullis_keyring::{
    KeyId, Purpose, TenantId,
    kek::{AwsKms, KekContext},
    secrets::aws::{AwsConnection, AwsConnectionBuilder},
};
use secrecy::SecretString;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

pub(crate) const REGION: &str = "us-east-1";
pub(crate) const ACCOUNT: &str = "123456789012";
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

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A connection with credentials that moto does not look at.
    pub(crate) async fn connection(&self) -> AwsConnection {
        connection(&self.endpoint(), "test", "test").await
    }

    /// The ARN of a new key.
    pub(crate) fn key(&self) -> String {
        let made = self.kms("CreateKey", &json!({}));
        made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
    }

    /// An `AwsKms` on a new key, and that key's ARN.
    pub(crate) async fn kek(&self) -> (AwsKms, String) {
        let key = self.key();
        let kek = AwsKms::new(&self.connection().await, &key).unwrap();
        (kek, key)
    }

    pub(crate) fn kms(&self, operation: &str, body: &Value) -> Value {
        self.json("kms", "TrentService", operation, body)
    }

    pub(crate) fn secrets_manager(&self, operation: &str, body: &Value) -> Value {
        self.json("secretsmanager", "secretsmanager", operation, body)
    }

    /// What IAM answers, as XML.
    pub(crate) fn iam(&self, operation: &str, parameters: &[(&str, &str)]) -> String {
        let mut form = format!("Action={operation}&Version=2010-05-08");
        for (name, value) in parameters {
            form.extend(["&", name, "=", &percent_encoded(value)]);
        }
        let kind = "Content-Type: application/x-www-form-urlencoded\r\n";
        self.post("/", "iam", kind, &form)
    }

    /// From here on each request needs a right signature and a policy.
    pub(crate) fn enforce_policies(&self) {
        self.post("/moto-api/reset-auth", "iam", "", "0");
    }

    /// Stops it without a word: connections are made, and nothing answers.
    pub(crate) fn pause(&self) {
        self.signal("-STOP");
    }

    /// Goes on where it was.
    pub(crate) fn resume(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status();
        assert!(sent.unwrap().success(), "kill {signal}");
    }

    fn json(&self, service: &str, target: &str, operation: &str, body: &Value) -> Value {
        let head = format!(
            "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: {target}.{operation}\r\n"
        );
        let answer = self.post("/", service, &head, &body.to_string());
        serde_json::from_str(&answer).unwrap()
    }

    fn post(&self, path: &str, service: &str, head: &str, body: &str) -> String {
        let request = format!(
            "POST {path} HTTP/1.0\r\nHost: {service}.{REGION}.amazonaws.com\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/{REGION}/{service}/aws4_request, \
             SignedHeaders=host, Signature=none\r\n{head}Content-Length: {}\r\n\r\n{body}",
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

/// A connection that waits longer than a busy machine needs, and asks once.
pub(crate) async fn connection(endpoint: &str, key_id: &str, secret: &str) -> AwsConnection {
    let builder = builder(endpoint, key_id, secret);
    builder.attempts(NonZeroU32::MIN).build().await.unwrap()
}

pub(crate) fn builder(endpoint: &str, key_id: &str, secret: &str) -> AwsConnectionBuilder {
    AwsConnection::builder()
        .region(REGION)
        .endpoint(endpoint)
        .static_credentials(key_id, &SecretString::from(secret))
        .connect_timeout(Duration::from_secs(20))
        .attempt_timeout(Duration::from_secs(20))
        .call_timeout(Duration::from_secs(40))
}

pub(crate) fn context(tenant: &str, purpose: &str, id: u32) -> KekContext {
    let tenant = TenantId::new(tenant).unwrap();
    KekContext::new(tenant, Purpose::new(purpose).unwrap(), KeyId::new(id))
}

fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// What `look` finds, looked for until it is there.
pub(crate) fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "no {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
