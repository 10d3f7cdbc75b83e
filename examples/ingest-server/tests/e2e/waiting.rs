//! How long a connection waits: idle, within a head, and for bytes that nobody takes in.

use std::time::{Duration, Instant};

use crate::{
    harness::{ADMIN_TOKEN, ALL_SCOPES, Data, Server, page_view},
    raw::Raw,
};

#[tokio::test]
async fn an_idle_connection_ends_silently_after_the_time_that_is_set() {
    let data = Data::new();
    let mut command = data.command();
    command.env("INGEST_KEEP_ALIVE", "2");
    let server = Server::start_command(&data, command);
    let request = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
    let keep_alive = Duration::from_secs(2);
    for address in [server.public_address(), server.admin_address()] {
        // From before each begins: the server measures from a moment that this process does not see.
        let opening = Instant::now();
        let mut fresh = Raw::connect(address);
        let mut used = Raw::connect(address);
        // Empty lines are no request.
        let mut empty = Raw::connect(address);
        empty.send("\r\n\r\n");
        used.send(request);
        let _answer = used.answer(false);
        let using = Instant::now();
        used.send(request);
        let _answer = used.answer(false);
        assert!(fresh.ends() && empty.ends());
        assert!(opening.elapsed() >= keep_alive);
        assert!(used.ends());
        assert!(using.elapsed() >= keep_alive);
    }
}

/// The time of a head runs from its first byte, and not from the end of the request before.
#[tokio::test]
async fn a_head_has_its_time_and_an_idle_connection_another() {
    let server = Server::start();
    let request = "GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n";
    let answers = [server.public_address(), server.admin_address()].map(|address| {
        let address = address.to_owned();
        tokio::task::spawn_blocking(move || {
            let mut late = Raw::connect(&address);
            let mut idle = Raw::connect(&address);
            idle.send(request);
            let status = idle.answer(false).status;
            late.send(request);
            let _answer = late.answer(false);
            let begun = Instant::now();
            late.send("GET /healthz HTTP/1.1\r\n");
            let answer = late.answer(false);
            assert!(begun.elapsed() >= Duration::from_secs(9));
            assert!(late.ends());
            // By now the other one has been idle for longer than a head may take.
            idle.send(request);
            assert_eq!(idle.answer(false).status, status);
            answer
        })
    });
    for answer in answers {
        let answer = answer.await.unwrap();
        assert_eq!(answer.status, 408, "{answer:?}");
        assert_eq!(answer.json()["reason"], "transport.timeout");
        assert!(answer.json()["trace_id"].is_string());
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_at_once_and_its_sender_reads_why() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let public = format!(
        "POST /v1/events HTTP/1.1\r\nhost: a\r\nx-api-key: {}\r\ncontent-type: application/json\r\n",
        key.text
    );
    let admin =
        format!("PUT /admin/limits HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {ADMIN_TOKEN}\r\n");
    for (address, head) in [
        (server.public_address(), &public),
        (server.admin_address(), &admin),
    ] {
        for length in [
            (1_usize << 20) + 1,
            2 << 20,
            8 << 20,
            (8 << 20) + 1,
            1 << 40,
        ] {
            // Nothing of the body is there, and nobody waits for it.
            let sent = Instant::now();
            let mut raw = Raw::connect(address);
            raw.send(format!("{head}content-length: {length}\r\n\r\n"));
            let answer = raw.answer(false);
            assert_eq!(answer.status, 413, "{length}: {answer:?}");
            assert_eq!(answer.json()["reason"], "transport.too_large");
            assert!(sent.elapsed() < Duration::from_secs(5), "{length}");
        }
        for length in [2_usize << 20, 6 << 20] {
            // The sender looks at nothing before it is done.
            let body = vec![b' '; length];
            let mut raw = Raw::connect(address);
            raw.send(format!("{head}content-length: {length}\r\n\r\n"));
            raw.send(&body);
            assert_eq!(raw.answer(false).status, 413, "{length}");

            let mut raw = Raw::connect(address);
            raw.send(format!(
                "{head}transfer-encoding: chunked\r\n\r\n{length:x}\r\n"
            ));
            raw.send(&body);
            raw.send("\r\n0\r\n\r\n");
            assert_eq!(raw.answer(false).status, 413, "{length} in chunks");
        }
    }
    let good = server.post("/v1/events", &key, &page_view(1)).send().await;
    assert_eq!(good.unwrap().status(), 202);
}
