//! SIGTERM ends the process in time, whatever its peers and its database do.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::harness::{ADMIN_TOKEN, ALL_SCOPES, Data, Server, page_view, wait_for};

/// Starts a request whose body never arrives, and waits until the server wants it.
fn stuck_admin_request(server: &Server) -> TcpStream {
    let mut stream = TcpStream::connect(server.admin_address()).unwrap();
    let head = format!(
        "PUT /admin/limits HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {ADMIN_TOKEN}\r\n\
         content-length: 1000\r\nexpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = [0; 25];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"{").unwrap();
    stream
}

#[tokio::test]
async fn a_stuck_admin_body_and_a_locked_database_do_not_delay_the_end_beyond_10_seconds() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut blocker = server.data().connect().await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut blocker)
        .await
        .unwrap();
    let stuck = stuck_admin_request(&server);
    let send = || tokio::spawn(server.post("/v1/events", &key, &page_view(1)).send());
    let mut write = send();
    wait_for("a write that waits", async || {
        // It is given up after a second.
        if write.is_finished() {
            write = send();
        }
        (server.metrics().await["ingest_write_queue_rows"] > 0.0).then_some(())
    })
    .await;

    let asked = Instant::now();
    assert_eq!(server.terminate().code(), Some(0));
    let took = asked.elapsed();
    assert!(took < Duration::from_secs(10), "took {took:?}");
    drop((stuck, write, blocker));
}

/// Whatever holds a part of the service for longer than that keeps the writers from ending, and the log of the
/// database from being folded into it.
#[tokio::test]
async fn a_service_that_has_nothing_to_do_ends_in_order() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    server
        .lead(&key, &json!({ "email": "ada@example.com" }))
        .await;
    assert!(server.terminate().success());
    let logs = data.logs();
    assert!(logs.contains("\"message\":\"stopped\""), "{logs}");
    assert!(!data.path().join("ingest.db-wal").exists());
}
