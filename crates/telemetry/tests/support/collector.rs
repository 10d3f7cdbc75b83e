//! A real OpenTelemetry collector.

use std::{net::TcpStream, process::Command};

use crate::program::{Program, free_port};

const INSTALL: &str = "Install the collector with `pip install rotel==0.0.1a15`";

pub(crate) struct Collector {
    pub(crate) program: Program,
    /// Its URL for OTLP over HTTP.
    pub(crate) http: String,
    /// Its URL for OTLP over gRPC.
    pub(crate) grpc: String,
    _folder: tempfile::TempDir,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let find =
            "import rotel, os; print(os.path.join(os.path.dirname(rotel.__file__), 'rotel-agent'))";
        let found = Command::new("python3")
            .args(["-c", find])
            .output()
            .expect(INSTALL);
        assert!(
            found.status.success(),
            "no rotel in Python's packages. {INSTALL}"
        );
        let binary = String::from_utf8(found.stdout).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let [http, grpc] = [(); 2].map(|()| format!("127.0.0.1:{}", free_port()));
        let mut command = Command::new(binary.trim());
        command
            .args(["start", "--otlp-http-endpoint", &http])
            .args(["--otlp-grpc-endpoint", &grpc])
            .args(["--debug-log", "traces", "--debug-log-verbosity", "detailed"])
            .args(["--exporter", "blackhole", "--pid-file"])
            .arg(folder.path().join("pid"));
        let program = Program::start(&mut command, INSTALL);
        for address in [&http, &grpc] {
            program.wait("listening collector", |_| TcpStream::connect(address).ok());
        }
        Self {
            program,
            http: format!("http://{http}"),
            grpc: format!("http://{grpc}"),
            _folder: folder,
        }
    }
}
