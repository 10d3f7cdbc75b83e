//! What stands between a client and moto: it notes each call, and answers some itself.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A proxy until it is dropped.
#[derive(Debug)]
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepts: JoinHandle<()>,
}

/// A call and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `Decrypt`.
    pub(crate) operation: String,
    pub(crate) sent: Value,
    pub(crate) received: Value,
}

/// The status and the body that an operation is answered with.
type Answer = (u16, String);

#[derive(Debug)]
struct Shared {
    server: u16,
    calls: Mutex<Vec<Call>>,
    answers: Mutex<HashMap<String, Answer>>,
}

impl Proxy {
    pub(crate) async fn before(server: u16) -> Self {
        let shared = Arc::new(Shared {
            server,
            calls: Mutex::default(),
            answers: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let accepts = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self {
            address,
            shared,
            accepts,
        }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every call so far, in the order of their answers.
    pub(crate) fn calls(&self) -> Vec<Call> {
        self.shared.calls.lock().unwrap().clone()
    }

    /// How many calls of an operation were answered.
    pub(crate) fn count(&self, operation: &str) -> usize {
        let calls = self.calls();
        calls
            .iter()
            .filter(|call| call.operation == operation)
            .count()
    }

    /// Answers an operation with an error of KMS, in place of moto.
    pub(crate) fn fails(&self, operation: &str, status: u16, code: &str) {
        let body = format!("{{\"__type\":\"{code}\",\"message\":\"as the test says\"}}");
        self.answers(operation, status, body);
    }

    pub(crate) fn answers(&self, operation: &str, status: u16, body: String) {
        let mut answers = self.shared.answers.lock().unwrap();
        answers.insert(operation.to_owned(), (status, body));
    }

    /// Passes everything on again.
    pub(crate) fn passes_on(&self) {
        self.shared.answers.lock().unwrap().clear();
    }

    /// Connections are refused.
    pub(crate) async fn close(&mut self) {
        self.accepts.abort();
        drop((&mut self.accepts).await);
    }

    /// Takes connections again, at the same port.
    pub(crate) async fn reopen(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.accepts = tokio::spawn(accept(listener, Arc::clone(&self.shared)));
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepts.abort();
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // A client that gives up is what some tests are about.
            drop(serve(client, &shared).await);
        });
    }
}

/// One request, one connection: moto closes it after each.
async fn serve(mut client: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut request = Vec::new();
    let (operation, body_at) = loop {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
        if let Some(read) = whole(&request) {
            break read;
        }
    };
    let chosen = shared.answers.lock().unwrap().get(&operation).cloned();
    let answer = match chosen {
        Some((status, body)) => format!(
            "HTTP/1.1 {status} Said\r\nContent-Type: application/x-amz-json-1.1\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes(),
        None => {
            let mut server = TcpStream::connect(("127.0.0.1", shared.server)).await?;
            server.write_all(&request).await?;
            let mut answer = Vec::new();
            server.read_to_end(&mut answer).await?;
            answer
        }
    };
    let json = |bytes: &[u8]| serde_json::from_slice(bytes).unwrap_or_default();
    let head = head_of(&answer).unwrap_or_default();
    shared.calls.lock().unwrap().push(Call {
        operation,
        sent: json(&request[body_at..]),
        received: json(&answer[head..]),
    });
    client.write_all(&answer).await
}

/// The operation, and where the body begins, once all of it is there.
fn whole(request: &[u8]) -> Option<(String, usize)> {
    let body_at = head_of(request)?;
    let head = String::from_utf8_lossy(&request[..body_at]).to_lowercase();
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    let length: usize = field("content-length:")?.trim().parse().ok()?;
    if request.len() < body_at + length {
        return None;
    }
    let original = String::from_utf8_lossy(&request[..body_at]);
    let target = original
        .lines()
        .find_map(|line| line.split_once("TrentService."));
    let operation = target.map_or("", |(_, operation)| operation.trim());
    Some((operation.to_owned(), body_at))
}

fn head_of(message: &[u8]) -> Option<usize> {
    let end = message.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    Some(end + 4)
}
