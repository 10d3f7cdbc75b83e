//! Web servers: those that publish a log, and those that do something else.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    sync::atomic::{AtomicU32, AtomicUsize, Ordering},
    thread,
    time::Duration,
};

const PYTHON: &str = "Install it with `apt-get install python3`";
/// Python's own server, behind TLS.
const ENCRYPTED: &str = r"
import http.server, ssl, sys
port, folder, certificates = sys.argv[1:]
class Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *given):
        super().__init__(*given, directory=folder)
server = http.server.ThreadingHTTPServer(('127.0.0.1', int(port)), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificates + '/server.pem', certificates + '/server.key')
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
";

/// Python's web server on a folder.
pub(crate) struct Web {
    child: Child,
    pub(crate) port: u16,
}

impl Web {
    pub(crate) fn serve(folder: &Path) -> Self {
        Self::start(|command, port| {
            command
                .args(["-m", "http.server", "--bind", "127.0.0.1", "--directory"])
                .arg(folder)
                .arg(port.to_string());
        })
    }

    pub(crate) fn serve_encrypted(folder: &Path, certificates: &Path) -> Self {
        Self::start(|command, port| {
            command
                .args(["-c", ENCRYPTED, &port.to_string()])
                .args([folder, certificates]);
        })
    }

    fn start(arguments: impl FnOnce(&mut Command, u16)) -> Self {
        let port = free_port();
        let mut command = Command::new("python3");
        arguments(&mut command, port);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn();
        let child = child.unwrap_or_else(|error| panic!("python3: {error}. {PYTHON}"));
        let mut web = Self { child, port };
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = web.child.try_wait().unwrap();
            assert!(ended.is_none(), "python3: {ended:?}. {PYTHON}");
            thread::yield_now();
        }
        web
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that gives the same answers in turns, the last of them for ever, and closes each connection.
pub(crate) struct Answers {
    pub(crate) port: u16,
    asked: Arc<AtomicUsize>,
}

impl Answers {
    pub(crate) fn give(answers: Vec<String>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", free_port())).unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        thread::spawn(move || {
            let last = answers.last().cloned().unwrap();
            let mut answers = answers.into_iter();
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                stream
                    .set_read_timeout(Some(Duration::from_secs(30)))
                    .unwrap();
                let lines = BufReader::new(&stream).lines();
                let _head: Vec<_> = lines
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                count.fetch_add(1, Ordering::SeqCst);
                let answer = answers.next().unwrap_or_else(|| last.clone());
                // Who has read enough closes the connection.
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Self { port, asked }
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}\r\n{body}"
    )
}

/// A port that nobody has. The system does not give it to a connection, for which it has those from 32,768 on, and
/// other processes that look for one begin elsewhere.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = std::process::id() * 8 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + u16::try_from(next % 10_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
