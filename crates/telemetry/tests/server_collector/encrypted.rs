//! Over TLS, which a proxy in front of the collector ends.

use std::{fs, net::TcpStream, path::Path, process::Command, time::Duration};

use portcullis_telemetry::{Environment, Logs, Report, Telemetry};
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt;

use crate::{
    collector::Collector,
    install_provider,
    program::{Program, free_port},
};

const OPENSSL: &str = "Install it with `apt-get install openssl`";
const PYTHON: &str = "Install it with `apt-get install python3`";

/// Ends TLS and passes on bytes; with a fourth argument, asks for a certificate that this authority signed.
const PROXY: &str = r#"
import asyncio, ssl, sys
listen, to, folder, *client = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/server.pem", folder + "/server.key")
context.set_alpn_protocols(["h2", "http/1.1"])
if client:
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(client[0])
async def pipe(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()
async def serve(reader, writer):
    inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", int(to))
    await asyncio.gather(pipe(reader, inner_writer), pipe(inner_reader, writer))
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", int(listen), ssl=context)
    await server.serve_forever()
asyncio.run(main())
"#;

/// An authority, and a certificate for this host that it signed: `ca.pem`, `server.pem`, `server.key`.
fn certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        let output = Command::new("openssl")
            .current_dir(folder)
            .args(arguments.split(' '))
            .output()
            .expect(OPENSSL);
        assert!(output.status.success(), "{arguments}: {output:?}");
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    let days = "-days 2";
    openssl(&format!(
        "req {key} -x509 -keyout ca.key -out ca.pem -subj /CN=authority {days}"
    ));
    openssl(&format!(
        "req {key} -keyout server.key -out server.csr -subj /CN=localhost"
    ));
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1\n";
    fs::write(folder.join("names"), names).unwrap();
    openssl(&format!(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem \
         -extfile names {days}"
    ));
}

struct Stage {
    collector: Collector,
    folder: tempfile::TempDir,
}

impl Stage {
    fn start() -> Self {
        install_provider();
        let folder = tempfile::tempdir().unwrap();
        certificates(folder.path());
        Self {
            collector: Collector::start(),
            folder,
        }
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// The proxy, and the URL that it is reached at.
    fn proxy(&self, to: &str, client_authority: Option<&str>) -> (Program, String) {
        let port = free_port();
        let (_, to) = to.rsplit_once(':').unwrap();
        let mut command = Command::new("python3");
        command
            .args(["-c", PROXY, &port.to_string(), to])
            .arg(self.folder.path())
            .args(client_authority);
        let proxy = Program::start(&mut command, PYTHON);
        proxy.wait("listening proxy", |_| {
            TcpStream::connect(("127.0.0.1", port)).ok()
        });
        (proxy, format!("https://localhost:{port}"))
    }
}

/// How long a span is tried for that is to arrive, however busy the machine is, and one that is not.
const ARRIVES: &str = "15000";
const IS_REFUSED: &str = "3000";

/// Sends one span, as the environment asks.
fn send(name: &'static str, variables: &[(&str, &str)], milliseconds: &str) -> Report {
    let always = [
        ("OTEL_TRACES_SAMPLER", "always_on"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", milliseconds),
    ];
    let variables = variables.iter().chain(&always).copied();
    let (layer, guard) = Telemetry::builder("encrypted")
        .environment(Environment::from_pairs(variables))
        .logs(Logs::Off)
        .layer()
        .unwrap();
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        info_span!("sent", otel.name = name).in_scope(|| ());
    });
    guard.shutdown(Duration::from_secs(20))
}

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const AUTHORITY: &str = "OTEL_EXPORTER_OTLP_CERTIFICATE";
const PROTOCOL: &str = "OTEL_EXPORTER_OTLP_PROTOCOL";

#[test]
fn a_collector_whose_authority_is_named_receives_spans_and_another_does_not() {
    let stage = Stage::start();
    let other = tempfile::tempdir().unwrap();
    certificates(other.path());
    let other = other.path().join("ca.pem").display().to_string();
    let authority = stage.file("ca.pem");
    for (protocol, to) in [
        ("http/protobuf", &stage.collector.http),
        ("grpc", &stage.collector.grpc),
    ] {
        let (_proxy, url) = stage.proxy(to, None);
        let asked = [(ENDPOINT, url.as_str()), (PROTOCOL, protocol)];
        let trusted = [&asked[..], &[(AUTHORITY, authority.as_str())]].concat();
        let report = send("trusted", &trusted, ARRIVES);
        assert_eq!(report.flushed, 1, "{protocol}");
        let unknown = [&asked[..], &[(AUTHORITY, other.as_str())]].concat();
        let report = send("unknown", &unknown, IS_REFUSED);
        assert_eq!((report.flushed, report.dropped), (0, 1), "{protocol}");
        // No system trusts this authority.
        let report = send("system", &asked, IS_REFUSED);
        assert_eq!((report.flushed, report.dropped), (0, 1), "{protocol}");
    }
    let output = stage.collector.program.wait("span", |output| {
        let both = output.matches("trusted").count() >= 2;
        both.then(|| output.to_owned())
    });
    assert!(
        !output.contains("unknown") && !output.contains("system"),
        "{output}"
    );
}

#[test]
fn a_collector_that_wants_a_certificate_is_shown_it() {
    let stage = Stage::start();
    let authority = stage.file("ca.pem");
    for (protocol, to) in [
        ("http/protobuf", &stage.collector.http),
        ("grpc", &stage.collector.grpc),
    ] {
        let (_proxy, url) = stage.proxy(to, Some(&authority));
        let without = [
            (ENDPOINT, url.as_str()),
            (PROTOCOL, protocol),
            (AUTHORITY, &authority),
        ];
        let report = send("stranger", &without, IS_REFUSED);
        assert_eq!(report.flushed, 0, "{protocol}");
        let (certificate, key) = (stage.file("server.pem"), stage.file("server.key"));
        let with = [
            (
                "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
                certificate.as_str(),
            ),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", key.as_str()),
        ];
        let with = [&without[..], &with].concat();
        let report = send("known", &with, ARRIVES);
        assert_eq!(report.flushed, 1, "{protocol}");
    }
}
