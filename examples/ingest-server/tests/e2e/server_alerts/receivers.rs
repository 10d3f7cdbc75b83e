//! The receivers of an Alertmanager, which remember what they were told.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    time::Instant,
};

use serde_json::Value;

/// One alert of a message.
#[derive(Debug, Clone)]
pub(super) struct Told {
    pub(super) alert: String,
    pub(super) instance: String,
    pub(super) status: String,
    pub(super) receiver: String,
    pub(super) summary: String,
    pub(super) runbook: String,
    pub(super) at: Instant,
}

/// All receivers, at one address.
#[derive(Debug)]
pub(super) struct Receivers {
    told: Arc<Mutex<Vec<Told>>>,
    address: String,
}

impl Receivers {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let told = Arc::new(Mutex::new(Vec::new()));
        let remembered = Arc::clone(&told);
        // Ends with the process of the test.
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                // One that breaks off is tried again.
                if let Some(alerts) = connection.ok().and_then(receive) {
                    remembered.lock().unwrap().extend(alerts);
                }
            }
        });
        Self { told, address }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// The first that was told like this, to any receiver if none is named.
    pub(super) fn find(
        &self,
        alert: &str,
        instance: &str,
        status: &str,
        receiver: Option<&str>,
    ) -> Option<Told> {
        let told = self.told.lock().unwrap();
        let mut told = told.iter();
        let found = told.find(|it| {
            let is_to = receiver.is_none_or(|receiver| it.receiver == receiver);
            is_to && it.alert == alert && it.instance == instance && it.status == status
        });
        found.cloned()
    }

    pub(super) fn all(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }
}

/// Reads a message and answers it.
fn receive(connection: TcpStream) -> Option<Vec<Told>> {
    let mut reader = BufReader::new(connection);
    let mut head = String::new();
    reader.read_line(&mut head).ok()?;
    let receiver = head.split(' ').nth(1)?.trim_start_matches('/').to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    reader.into_inner().write_all(answer).ok()?;
    let message: Value = serde_json::from_slice(&body).ok()?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let alerts = message["alerts"].as_array()?.iter().map(|alert| Told {
        alert: text(&alert["labels"]["alertname"]),
        instance: text(&alert["labels"]["instance"]),
        status: text(&alert["status"]),
        receiver: receiver.clone(),
        summary: text(&alert["annotations"]["summary"]),
        runbook: text(&alert["annotations"]["runbook_url"]),
        at: Instant::now(),
    });
    Some(alerts.collect())
}
