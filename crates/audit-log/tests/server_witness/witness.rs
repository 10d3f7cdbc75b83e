//! A witness in another process, and requests to it.

use std::{
    io::{BufRead as _, BufReader},
    net::IpAddr,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, StatusCode};
use portcullis_audit_log::{
    anchor::{FileAnchor, WitnessAnchor, WitnessConnection},
    export::Endpoint,
    note::{CosigningKey, VerifyingKey},
    sink::{AddressPolicy, Reply, RequestLimits, Transport, TransportError},
    store::Store,
};
use secrecy::SecretBox;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::log;

/// A witness until it is dropped, and where the log remembers what it has cosigned.
pub(crate) struct Witness {
    child: Child,
    port: u16,
    key: VerifyingKey,
    folder: TempDir,
}

impl Witness {
    /// One whose key has this seed, and that knows the log of the tests.
    pub(crate) fn start(seed: u8) -> Self {
        let name = format!("witness.example/w{seed}");
        let key = SecretBox::new(Box::new([seed; 32]));
        let key = CosigningKey::from_seed(name.parse().unwrap(), &key).unwrap();
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/server_witness/witness.py");
        let mut child = Command::new("python3")
            .arg(program)
            .args([hex::encode([seed; 32]), name])
            .arg(log::key().verifying_key().to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("run scripts/components install, which looks for python3");
        let mut line = String::new();
        let mut said = BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        let port = line.trim().parse().unwrap_or_else(|_| {
            panic!("the witness ended: python3 -m pip install cryptography==48.0.0, or scripts/components install")
        });
        Self {
            child,
            port,
            key: key.verifying_key().clone(),
            folder: TempDir::new().unwrap(),
        }
    }

    pub(crate) fn key(&self) -> VerifyingKey {
        self.key.clone()
    }

    fn endpoint(&self, prefix: &str) -> Endpoint {
        Endpoint::dangerous_cleartext(&format!("http://127.0.0.1:{}/{prefix}", self.port)).unwrap()
    }

    pub(crate) fn anchor(&self, store: &Arc<dyn Store>) -> WitnessAnchor {
        let memory = FileAnchor::new("memory", self.folder.path().join("cosigned"));
        let addresses = AddressPolicy::public().allow("127.0.0.0/8".parse().unwrap());
        let submission = self.endpoint("submit/");
        let connection = WitnessConnection::new(Arc::new(Http), addresses, submission);
        let keys = vec![self.key()];
        let origin = log::origin();
        WitnessAnchor::new(
            origin,
            Arc::clone(store),
            Arc::new(memory),
            keys,
            connection,
        )
        .unwrap()
    }

    /// With what the witness publishes.
    pub(crate) fn monitored(&self, store: &Arc<dyn Store>) -> WitnessAnchor {
        self.anchor(store).monitoring(self.endpoint("monitor"))
    }

    /// The log forgets what was cosigned.
    pub(crate) fn forget(&self) {
        let memory = self.folder.path().join("cosigned");
        if memory.exists() {
            std::fs::remove_file(memory).unwrap();
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// HTTP/1.0 over a connection for each request.
#[derive(Debug)]
struct Http;

#[async_trait]
impl Transport for Http {
    async fn request(
        &self,
        request: Request<Bytes>,
        limits: &RequestLimits,
    ) -> Result<Reply, TransportError> {
        let authority = request.uri().authority().unwrap();
        let address: IpAddr = authority.host().parse().unwrap();
        limits.addresses.check(&[address])?;
        let stream = TcpStream::connect((address, authority.port_u16().unwrap()));
        let mut stream = stream.await.map_err(TransportError::unreachable)?;
        let (method, path, length) = (request.method(), request.uri().path(), request.body().len());
        let head = format!("{method} {path} HTTP/1.0\r\ncontent-length: {length}\r\n\r\n");
        let message = [head.as_bytes(), request.body()].concat();
        let sent = stream.write_all(&message).await;
        sent.map_err(TransportError::unreachable)?;
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer).await;
        read.map_err(TransportError::unreachable)?;
        let end = answer
            .windows(4)
            .position(|bytes| bytes == b"\r\n\r\n")
            .unwrap();
        let status = StatusCode::from_bytes(&answer[9..12]).map_err(TransportError::unreachable)?;
        let body = Bytes::from(answer).slice(end + 4..);
        if body.len() > limits.max_body {
            return Err(TransportError::TooLong);
        }
        Ok(Reply::new(status).body(body))
    }
}
