//! Stands between Prometheus and a process, and edits what it tells once it is asked to.

use std::{
    io::{self, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::harness::Server;

/// Where Prometheus asks instead of the process.
pub(super) struct EditedMetrics {
    pub(super) address: String,
    edits: Arc<AtomicBool>,
}

/// What is done to a line of metrics.
type Edit = fn(&str) -> String;

impl EditedMetrics {
    pub(super) fn of(server: &Server, edit: Edit) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (edits, process) = (
            Arc::new(AtomicBool::new(false)),
            server.admin_address().to_owned(),
        );
        let now = Arc::clone(&edits);
        // Ends with the process of the test.
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                let edit = now.load(Ordering::SeqCst).then_some(edit);
                // One that breaks off is asked again.
                drop(connection.and_then(|it| answer(it, &process, edit)));
            }
        });
        Self { address, edits }
    }

    /// Edits from now on, or does not any more.
    pub(super) fn edit(&self, edits: bool) {
        self.edits.store(edits, Ordering::SeqCst);
    }
}

fn answer(mut asked: TcpStream, process: &str, edit: Option<Edit>) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && asked.read(&mut byte)? > 0 {
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head);
    let authorization = head
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("authorization:"));
    let mut upstream = TcpStream::connect(process)?;
    // Of HTTP/1.0, so that the answer is in one piece, and without what says which formats are taken: as text.
    let request = format!(
        "GET /metrics HTTP/1.0\r\nhost: {process}\r\n{}\r\n\r\n",
        authorization.unwrap_or_default()
    );
    upstream.write_all(request.as_bytes())?;
    let mut text = String::new();
    upstream.read_to_string(&mut text)?;
    let (_, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    let body = match edit {
        Some(edit) => body.lines().map(|line| edit(line) + "\n").collect(),
        None => body.to_owned(),
    };
    let head = "HTTP/1.0 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\n";
    write!(asked, "{head}content-length: {}\r\n\r\n{body}", body.len())
}
