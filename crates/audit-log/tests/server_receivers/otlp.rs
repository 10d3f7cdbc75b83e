//! Log records against a collector of OpenTelemetry.

use std::{
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::Request;
use portcullis_audit_log::{
    event::Leaf,
    export::{Endpoint, Otlp},
};
use tempfile::TempDir;

use crate::{leaves, ocsf};

const INSTALL: &str =
    "Install it with `pip install rotel==0.0.1a15`, or run scripts/components install";
const TIMEOUT: Duration = Duration::from_secs(30);

struct Collector {
    child: Child,
    address: String,
    folder: TempDir,
}

impl Collector {
    fn start() -> Self {
        let find =
            "import rotel, os; print(os.path.join(os.path.dirname(rotel.__file__), 'rotel-agent'))";
        let found = Command::new("python3").args(["-c", find]).output();
        let found = found.unwrap_or_else(|error| panic!("python3: {error}. {INSTALL}"));
        assert!(
            found.status.success(),
            "no rotel in Python's packages. {INSTALL}"
        );
        let folder = TempDir::new().unwrap();
        let [address, grpc] = [(); 2].map(|()| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap().to_string()
        });
        let log = File::create(folder.path().join("log")).unwrap();
        let child = Command::new(String::from_utf8(found.stdout).unwrap().trim())
            .args(["start", "--otlp-http-endpoint", &address])
            .args(["--otlp-grpc-endpoint", &grpc])
            .args(["--debug-log", "logs", "--debug-log-verbosity", "detailed"])
            .args(["--exporter", "blackhole", "--pid-file"])
            .arg(folder.path().join("pid"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .stdin(Stdio::null())
            .spawn();
        let child = child.unwrap_or_else(|error| panic!("rotel: {error}. {INSTALL}"));
        let collector = Self {
            child,
            address,
            folder,
        };
        collector.wait("it listens", || {
            TcpStream::connect(&collector.address).is_ok()
        });
        collector
    }

    fn log(&self) -> String {
        let path: PathBuf = self.folder.path().join("log");
        fs::read_to_string(path).unwrap_or_default()
    }

    #[expect(clippy::disallowed_methods, reason = "it waits for another process")]
    fn wait(&self, what: &str, is_so: impl Fn() -> bool) {
        let start = Instant::now();
        while !is_so() {
            assert!(start.elapsed() < TIMEOUT, "{what}: never.\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The status of the answer, and its body.
    fn send(&self, request: &Request<Bytes>) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let mut head = format!(
            "{} {} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\ncontent-length: {}\r\n",
            request.method(),
            request.uri().path(),
            self.address,
            request.body().len()
        );
        for (name, value) in request.headers() {
            head += &format!("{name}: {}\r\n", value.to_str().unwrap());
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        stream.write_all(request.body()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer)
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // It is gone already if a test made it end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_collector_accepts_every_leaf() {
    let collector = Collector::start();
    let url = format!("http://{}/v1/logs", collector.address);
    let otlp = Otlp::new(ocsf(), Endpoint::dangerous_cleartext(&url).unwrap());
    let leaves = leaves::every();
    let leaves: Vec<_> = leaves
        .iter()
        .map(|leaf| Leaf::parse(leaf).unwrap())
        .collect();
    for batch in leaves.chunks(200) {
        let (status, answer) = collector.send(&otlp.request(batch));
        assert_eq!(status, 200, "{answer}");
        assert!(!answer.contains("rejectedLogRecords"), "{answer}");
    }
    // It has read them: the last one is in what it prints.
    let last = leaves.last().unwrap();
    let id = last.id().to_string();
    collector.wait("the last record", || collector.log().contains(&id));
    let log = collector.log();
    for text in [
        last.action(),
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "tenant-7",
        "ingest-server",
    ] {
        assert!(log.contains(text), "{text}");
    }
    let (status, _) = collector.send(&otlp.request(&leaves[..1]).map(|_| Bytes::from("{")));
    assert_eq!(status, 400);
}
