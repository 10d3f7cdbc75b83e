//! The audit log as it comes.

use std::time::{Duration, Instant};

use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use tokio::time::timeout;

use crate::harness::{Server, wait_for};

/// A reader of the stream, and what was sent and not looked at yet.
struct Reader {
    answer: Response,
    text: String,
}

impl Reader {
    async fn open(server: &Server, query: &str, last: Option<&str>) -> Self {
        let path = format!("/admin/audit/stream{query}");
        let mut request = server.admin(Method::GET, &path);
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        Self {
            answer,
            text: String::new(),
        }
    }

    /// The id of the next event, and the event.
    async fn next(&mut self) -> (String, Value) {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = block.lines();
                    lines
                        .find_map(|line| line.strip_prefix(name))
                        .map(str::to_owned)
                };
                let event = field("id: ").zip(field("data: "));
                self.text = rest.to_owned();
                if let Some((id, data)) = event {
                    return (id, serde_json::from_str(&data).unwrap());
                }
                continue;
            }
            let more = timeout(Duration::from_secs(10), self.answer.chunk()).await;
            let more = more.expect("an event in time").unwrap().expect("no end");
            self.text += str::from_utf8(&more).unwrap();
        }
    }
}

#[tokio::test]
async fn entries_come_as_they_are_written_and_a_reader_goes_on_where_it_was() {
    let server = Server::start();
    let mut all = Reader::open(&server, "", None).await;
    let mut issued = Reader::open(&server, "?action=api_key.issue&outcome=success", None).await;
    // The second that reads is an event for the first.
    let (_, event) = all.next().await;
    assert_eq!(event["action"], "audit.read");
    for tenant in ["acme", "other"] {
        server.issue(tenant, &["events:write"]).await;
    }
    let (id, event) = issued.next().await;
    assert_eq!(id, event["n"].to_string());
    assert_eq!(
        (&event["action"], &event["tenant"]),
        (&"api_key.issue".into(), &"acme".into())
    );
    drop(issued);
    let query = "?action=api_key.issue&outcome=success";
    let mut again = Reader::open(&server, query, Some(&id)).await;
    let (next, event) = again.next().await;
    assert_eq!(event["tenant"], "other");
    assert!(next.parse::<u64>().unwrap() > id.parse().unwrap());
    let mut from = Reader::open(&server, "?from=2020-01-01T00:00:00Z", None).await;
    let (id, event) = from.next().await;
    assert_eq!(
        (id.as_str(), &event["action"]),
        ("0", &"audit.opened".into())
    );
}

#[tokio::test]
async fn one_network_has_a_quarter_of_the_places() {
    let server = Server::start();
    let mut readers = Vec::new();
    for _ in 0..8 {
        readers.push(Reader::open(&server, "", None).await);
    }
    let ask = async || {
        let request = server.admin(Method::GET, "/admin/audit/stream");
        request.send().await.unwrap()
    };
    let answer = ask().await;
    assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "capacity.network_in_flight");
    // Others of the network are served all the same.
    let limits = server.admin(Method::GET, "/admin/limits").send().await;
    assert_eq!(limits.unwrap().status(), StatusCode::OK);
    readers.pop();
    wait_for("the place of who has gone", async || {
        (ask().await.status() == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn an_orderly_end_waits_for_no_reader() {
    let server = Server::start();
    let mut reader = Reader::open(&server, "", None).await;
    let began = Instant::now();
    let ended = tokio::task::spawn_blocking(|| server.terminate());
    // To its end, which is none of an error.
    while timeout(Duration::from_secs(10), reader.answer.chunk())
        .await
        .expect("an end in time")
        .unwrap()
        .is_some()
    {}
    assert_eq!(ended.await.unwrap().code(), Some(0));
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
}
