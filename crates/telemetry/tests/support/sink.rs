//! An OTLP endpoint that keeps the bytes it is sent.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

#[derive(Clone, Debug)]
pub(crate) struct Sink {
    url: String,
    received: Arc<Mutex<Vec<u8>>>,
}

impl Sink {
    /// Listens on a free port until the process ends.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let sink = Self {
            url,
            received: Arc::default(),
        };
        let received = Arc::clone(&sink.received);
        thread::spawn(move || {
            for connection in listener.incoming() {
                let received = Arc::clone(&received);
                thread::spawn(move || serve(&connection.unwrap(), &received));
            }
        });
        sink
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Headers and bodies of everything that came.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.received.lock().unwrap().clone()
    }
}

fn serve(connection: &TcpStream, received: &Mutex<Vec<u8>>) {
    let mut reader = BufReader::new(connection);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            received.lock().unwrap().extend_from_slice(line.as_bytes());
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        received.lock().unwrap().extend_from_slice(&body);
        let mut connection = connection;
        connection
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            .unwrap();
    }
}
