//! blackbox_exporter with the committed modules, against a real server and what may stand before it.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    thread,
};

use crate::{
    harness::{Server, wait_for},
    programs::{Program, free_address},
};

const INSTALL: &str = "apt-get install prometheus-blackbox-exporter";

/// One with the committed file, and its address.
async fn exporter() -> (Program, String) {
    let modules =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/monitoring/blackbox.yml");
    let address = free_address();
    let mut command = Command::new("prometheus-blackbox-exporter");
    command
        .arg(format!("--config.file={}", modules.display()))
        .arg(format!("--web.listen-address={address}"));
    let program = Program::start(&mut command, tempfile::tempdir().unwrap(), INSTALL);
    wait_for("a listening exporter", async || {
        TcpStream::connect(&address).ok()
    })
    .await;
    (program, address)
}

/// Whether a module finds what it looks for.
async fn finds(exporter: &str, module: &str, target: &str) -> bool {
    let url = format!("http://{exporter}/probe?module={module}&target={target}");
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    let value = text
        .lines()
        .find_map(|line| line.strip_prefix("probe_success "));
    match value {
        Some("1") => true,
        Some("0") => false,
        other => panic!("{other:?}: {text}"),
    }
}

/// Answers everybody with this head, until the process of the test ends.
fn answering(head: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/v1/status", listener.local_addr().unwrap());
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4_096]);
            drop(write!(
                stream,
                "HTTP/1.1 {head}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            ));
        }
    });
    url
}

#[tokio::test]
async fn modules_find_readiness_redirects_and_that_there_is_no_tls() {
    let server = Server::start();
    let (_program, exporter) = exporter().await;
    let ready = format!("http://{}/readyz", server.admin_address());
    assert!(finds(&exporter, "ready", &ready).await);
    let status = server.public_url("/v1/status");
    for module in ["tls", "redirect"] {
        assert!(!finds(&exporter, module, &status).await, "{module}");
    }
    for (head, is_right) in [
        (
            "308 Permanent Redirect\r\nlocation: https://ingest.example.com/",
            true,
        ),
        (
            "301 Moved Permanently\r\nlocation: https://ingest.example.com/",
            true,
        ),
        (
            "308 Permanent Redirect\r\nlocation: http://ingest.example.com/",
            false,
        ),
        ("200 OK", false),
    ] {
        assert_eq!(
            finds(&exporter, "redirect", &answering(head)).await,
            is_right,
            "{head}"
        );
    }
    assert!(!finds(&exporter, "ready", &answering("503 Service Unavailable")).await);
    server.kill();
    assert!(!finds(&exporter, "ready", &ready).await);
}
