//! The audit log as it comes.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use reqwest::{Client, Method, Response, StatusCode};
use serde_json::Value;
use tokio::time::timeout;

use crate::{
    files_of_secrets::{Files, TAKEN, logged},
    harness::{ADMIN_TOKEN, Server, random_secret, wait_for},
};

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
async fn who_comes_back_again_and_again_gets_each_entry_once() {
    let server = Server::start();
    let (mut got, mut last) = (Vec::new(), None);
    for round in 0..5 {
        // What comes while nobody reads.
        server.issue("acme", &["events:write"]).await;
        let query = if last.is_none() {
            "?from=2020-01-01T00:00:00Z"
        } else {
            ""
        };
        let mut reader = Reader::open(&server, query, last.as_deref()).await;
        for _ in 0..=round {
            let (id, event) = reader.next().await;
            assert_eq!(id, event["n"].to_string());
            got.push(event["n"].as_u64().unwrap());
            last = Some(id);
        }
    }
    assert_eq!(got, Vec::from_iter(0..15));
    let none = server.admin(Method::GET, "/admin/audit/stream");
    let none = none.header("last-event-id", "1000000").send().await;
    assert_eq!(none.unwrap().status(), StatusCode::BAD_REQUEST);
}

/// As an operator of another host does.
async fn asked_from(server: &Server, host: u8) -> Response {
    let client = Client::builder().local_address(Some(Ipv4Addr::new(127, 0, 7, host).into()));
    let url = format!("http://{}/admin/audit/stream", server.admin_address());
    let request = client.build().unwrap().get(url).bearer_auth(ADMIN_TOKEN);
    request.send().await.unwrap()
}

#[tokio::test]
async fn there_are_32_places_for_all_networks_together() {
    let server = Server::start();
    let mut readers = Vec::new();
    for host in 0..32 {
        let answer = asked_from(&server, 1 + host / 8).await;
        assert_eq!(answer.status(), StatusCode::OK, "{host}");
        readers.push(answer);
    }
    let answer = asked_from(&server, 5).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "capacity.overloaded");
    readers.pop();
    wait_for("the place of who has gone", async || {
        (asked_from(&server, 5).await.status() == StatusCode::OK).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_stream_ends_with_the_token_that_it_was_asked_with() {
    let files = Files::new();
    let mut server = files.start();
    let mut reader = Reader::open(&server, "", None).await;
    let new = random_secret().replace('/', "-");
    files.write("INGEST_ADMIN_TOKEN", &new);
    logged(&server, TAKEN, 1).await;
    let end = async { while reader.answer.chunk().await.unwrap().is_some() {} };
    let end = timeout(Duration::from_secs(6), end).await;
    end.expect("an end within five seconds");
    server.use_token(&new);
    Reader::open(&server, "", None).await;
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
