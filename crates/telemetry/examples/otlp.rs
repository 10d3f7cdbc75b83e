//! Export starts when an endpoint is set and not before; the report says what became of the spans.

use std::{
    error::Error,
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use portcullis_telemetry::{Environment, Guard, Logs, Ratio, Report, Sampling, Telemetry};
use tracing::info_span;
use tracing_subscriber::layer::SubscriberExt;

/// Telemetry under these variables, in the place of those of the process.
fn run(variables: &[(&'static str, String)]) -> Result<(bool, Report), Box<dyn Error>> {
    let (layer, guard) = Telemetry::builder("shop")
        .environment(Environment::from_pairs(variables.iter().cloned()))
        .sampling(Sampling::head(Ratio::ALL))
        .logs(Logs::Off)
        .layer()?;
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        info_span!("order").in_scope(|| {});
    });
    Ok((guard.has_exporter(), stop(guard)))
}

fn stop(guard: Guard) -> Report {
    guard.shutdown(Duration::from_secs(10))
}

/// Takes the place of a collector for one request.
fn collect(connection: &TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().map_err(io::Error::other)?;
        }
    }
    reader.read_exact(&mut vec![0; length])?;
    let mut connection = connection;
    connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
}

fn main() -> Result<(), Box<dyn Error>> {
    // Where a crate of the program asks for TLS without a provider of cryptography, the program chooses one.
    drop(rustls::crypto::ring::default_provider().install_default());
    let (exports, report) = run(&[])?;
    assert!(!exports, "nobody asked for export");
    assert_eq!((report.flushed, report.dropped), (0, 0));

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let collector = thread::spawn(move || collect(&listener.accept()?.0));
    let (exports, report) = run(&[("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)])?;
    assert!(exports);
    assert_eq!((report.flushed, report.dropped), (1, 0));
    collector.join().map_err(|_| "the collector panicked")??;
    Ok(())
}
