//! More than the service can carry is refused whole, and told so.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpStream},
};

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{
    ALL_SCOPES, Data, Server, count, page_view, shell, slow_down, wait_for, waiting_rows,
};

fn batch(name: usize, events: usize) -> Value {
    (0..events)
        .map(|n| page_view(format!("{name}-{n}")))
        .collect()
}

#[tokio::test]
async fn a_full_queue_answers_503_with_retry_after_and_stores_nothing_of_it() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    // One tenant gets a quarter of the queue.
    let tenants = ["a", "b", "c", "d", "e"];
    let keys = join_all(tenants.map(|tenant| server.issue(tenant, &ALL_SCOPES))).await;
    // While a commit takes long, what is accepted has to wait.
    slow_down(server.data(), 5).await;
    let slow = tokio::spawn(server.post("/v1/events", &key, &page_view("slow")).send());
    wait_for("a commit that takes long", async || {
        (waiting_rows(&server).await == 1).then_some(())
    })
    .await;
    let send = async |name: usize| {
        let body = batch(name, 1_000);
        let key = &keys[name / 2];
        server.post("/v1/events", key, &body).send().await.unwrap()
    };
    let answers = join_all((0..9).map(send)).await;
    let slow = slow.await.unwrap().unwrap();
    assert_eq!(slow.status(), StatusCode::ACCEPTED);

    let mut accepted = 0;
    let mut refused = 0;
    for answer in answers {
        match answer.status() {
            StatusCode::ACCEPTED => accepted += 1,
            status => {
                assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
                let retry = answer.headers()["retry-after"].to_str().unwrap().to_owned();
                assert!(retry.parse::<u64>().unwrap() >= 1);
                let problem: Value = answer.json().await.unwrap();
                assert_eq!(problem["reason"], "capacity.queue_full");
                refused += 1;
            }
        }
    }
    assert_eq!((accepted, refused), (8, 1));
    assert_eq!(count(server.data(), "event").await, 1 + 1_000 * accepted);
}

#[tokio::test]
async fn work_whose_senders_hung_up_keeps_its_permits_and_refusals_are_counted() {
    // One of the 512 is the slow one's; a tenant gets 128.
    const PERMITS: u64 = 511;
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let others = ["b", "c", "d"].map(|tenant| server.issue(tenant, &ALL_SCOPES));
    let mut keys = vec![key.clone()];
    keys.extend(join_all(others).await);
    slow_down(server.data(), 3_600).await;
    let slow = server.post("/v1/events", &key, &page_view("slow"));
    let slow = tokio::spawn(slow.send());
    wait_for("a commit that takes long", async || {
        (waiting_rows(&server).await == 1).then_some(())
    })
    .await;

    for first in (0..PERMITS).step_by(64) {
        let last = PERMITS.min(first + 64);
        let requests = (first..last).map(|n| {
            let body = page_view(n).to_string();
            let key = &keys[usize::try_from((n + 1) / 128).unwrap()];
            let mut stream = TcpStream::connect(server.public_address()).unwrap();
            let head = format!(
                "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                key.text,
                body.len()
            );
            stream.write_all(head.as_bytes()).unwrap();
            stream
        });
        let requests: Vec<TcpStream> = requests.collect();
        wait_for("requests that wait for their commit", async || {
            (waiting_rows(&server).await > last).then_some(())
        })
        .await;
        for mut stream in requests {
            stream.shutdown(Shutdown::Write).unwrap();
            // The end of the answer: the server knows that nobody waits.
            assert_eq!(stream.read_to_end(&mut Vec::new()).unwrap(), 0);
        }
    }
    for path in ["/v1/events", "/v1/leads"] {
        let refused = server.post(path, &key, &page_view("more"));
        let refused = refused.send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        let problem: Value = refused.json().await.unwrap();
        assert_eq!(problem["reason"], "capacity.overloaded");
    }
    // Reading brings nothing that could get lost.
    let read = server.request(Method::GET, "/v1/leads?email=a@b.example", &key);
    let refused = read.send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let metrics = server.metrics().await;
    let rejected = metrics.get("dq_rejected_total{reason=\"capacity.overloaded\"}");
    assert_eq!(rejected, Some(&2.0));
    server.kill();
    slow.await.unwrap().unwrap_err();
}

#[tokio::test]
async fn a_full_disk_is_told_and_what_was_acknowledged_stays() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    assert!(server.terminate().success());

    // Files of this process cannot grow beyond 600 KiB, of which the system tells it by a signal that would end it.
    let limits = "ulimit -f 1200; exec \"$0\"";
    let limited = shell(limits, &data.command());
    let server = Server::start_command(&data, limited);
    let mut acknowledged = 0;
    let mut refused = None;
    for name in 0..50 {
        let answer = server
            .post("/v1/events", &key, &batch(name, 200))
            .send()
            .await
            .unwrap();
        if answer.status() == StatusCode::ACCEPTED {
            acknowledged += 200;
        } else {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("the disk never filled");
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    let problem: Value = refused.json().await.unwrap();
    assert_eq!(problem["reason"], "capacity.store_unavailable");
    assert!(acknowledged > 0);
    server.kill();

    let server = Server::start_on(&data);
    assert_eq!(count(&data, "event").await, acknowledged);
    let answer = server
        .post("/v1/events", &key, &json!([page_view("later")]))
        .send()
        .await;
    assert_eq!(answer.unwrap().status(), StatusCode::ACCEPTED);
}
