//! Everything that is received is accounted for, under the reason that the sender was told.

use std::{collections::BTreeMap, io::Write as _, net::TcpStream};

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    bad_input::{cases, send},
    conservation::{Conservation, assert_balanced},
    harness::{ALL_SCOPES, Key, Server, page_view, wait_for},
    tier_limits::limit_for_good,
};

#[tokio::test]
async fn each_kind_of_bad_input_counts_under_its_own_reason_and_nothing_is_lost() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut expected: BTreeMap<&str, f64> = BTreeMap::new();
    for case in cases() {
        let reason = case.reason;
        send(&server, &key, case).await;
        *expected.entry(reason).or_default() += 1.0;
    }
    let strangers = [
        (
            "auth.missing",
            reqwest::Client::new().post(server.public_url("/v1/events")),
        ),
        (
            "auth.invalid",
            reqwest::Client::new()
                .post(server.public_url("/v1/events"))
                .bearer_auth("nonsense"),
        ),
    ];
    for (reason, request) in strangers {
        let answer = request.json(&page_view(1)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        *expected.entry(reason).or_default() += 1.0;
    }
    let reader = server.issue("acme", &["leads:read"]).await;
    server
        .post("/v1/events", &reader, &page_view(1))
        .send()
        .await
        .unwrap();
    *expected.entry("auth.scope").or_default() += 1.0;

    let metrics = server.metrics().await;
    for (reason, count) in &expected {
        let sample = format!("dq_rejected_total{{reason=\"{reason}\"}}");
        assert_eq!(metrics.get(&sample), Some(count), "{reason}");
    }
    let all: f64 = expected.values().sum();
    assert_eq!(Conservation::of(&server).await, Conservation::balanced(all));
}

#[tokio::test]
async fn a_request_that_is_refused_whole_counts_for_its_tenant() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let whole = [
        "parse.json",
        "transport.too_large",
        "transport.content_type",
    ];
    for case in cases() {
        if whole.contains(&case.reason) {
            send(&server, &key, case).await;
        }
    }
    let quality = server.admin(Method::GET, "/admin/quality?tenant=acme");
    let quality: Value = quality.send().await.unwrap().json().await.unwrap();
    let rejections = quality["rejections"].as_array().unwrap();
    for reason in whole {
        let found = rejections.iter().any(|entry| entry["reason"] == reason);
        assert!(found, "{reason} in {quality}");
    }
}

#[tokio::test]
async fn received_is_the_sum_of_all_outcomes_after_a_load_with_everything_in_it() {
    let server = Server::start();
    limit_for_good(&server, [("ingest", 20)]).await;
    let enterprise = server.issue("large", &ALL_SCOPES).await;
    let free = server.issue_tier("small", "free", &ALL_SCOPES).await;
    let requests = (0..60).map(|n| {
        let (server, key) = (&server, if n % 3 == 0 { &free } else { &enterprise });
        async move {
            let mut conflicting = page_view(n / 2);
            conflicting["data"]["url"] = json!(format!("https://shop.example/{n}"));
            let body = match n % 4 {
                0 => json!([page_view(n / 2), page_view(n / 2), { "id": "x" }, 7]),
                1 => json!([conflicting, page_view(format!("only-{n}"))]),
                2 => json!("nothing"),
                _ => page_view(n / 2),
            };
            let request = server.post("/v1/events", key, &body).send().await.unwrap();
            let lead = json!({ "email": format!("p{}@b.example", n % 7) });
            let lead = server.post("/v1/leads", key, &lead).send().await.unwrap();
            (request.status(), lead.status())
        }
    });
    let statuses = join_all(requests).await;
    for wanted in [202, 400, 429] {
        assert!(
            statuses.iter().any(|(status, _)| status.as_u16() == wanted),
            "no {wanted}"
        );
    }
    assert_balanced(&server).await;
    let quality = server
        .admin(Method::GET, "/admin/quality")
        .send()
        .await
        .unwrap();
    let quality: Value = quality.json().await.unwrap();
    assert_eq!(
        quality["conservation"]["received"],
        quality["conservation"]["outcomes"]
    );
    for outcome in [
        "accepted",
        "duplicate_natural",
        "duplicate_conflicting",
        "rate_limited",
    ] {
        assert!(
            quality["outcomes"][outcome].as_u64() > Some(0),
            "{outcome} in {quality}"
        );
    }
    assert_eq!(quality["outcomes"]["lost"], 0);
    let of_tenant = server
        .admin(Method::GET, "/admin/quality?tenant=large")
        .send()
        .await
        .unwrap();
    let of_tenant: Value = of_tenant.json().await.unwrap();
    let score = of_tenant["score"]["value"].as_f64().unwrap();
    assert!((0.0..100.0).contains(&score), "{of_tenant}");
    let unknown = server
        .admin(Method::GET, "/admin/quality?tenant=nobody")
        .send()
        .await
        .unwrap();
    assert_eq!(unknown.json::<Value>().await.unwrap()["score"], Value::Null);
}

/// Its text is in the sample, which fewer people read than a log.
#[tokio::test]
async fn that_an_event_was_sampled_is_logged_in_its_trace_without_its_text() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut event = page_view(1);
    event["type"] = json!("canary.unplanned");
    let answer = server
        .post("/v1/events", &key, &event)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let trace = answer.headers()["x-trace-id"].to_str().unwrap();
    let logs = server.logs();
    let mut lines = logs
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let line = lines.find(|line| line["message"] == "a discarded event was sampled");
    let line = line.unwrap_or_else(|| panic!("{logs}"));
    assert_eq!(line["trace_id"], trace, "{line}");
    assert_eq!(line["reason"], "schema.unplanned_event", "{line}");
    assert!(!line.to_string().contains("canary"), "{line}");
    let samples = server
        .admin(Method::GET, "/admin/quality/samples")
        .send()
        .await;
    let samples: Value = samples.unwrap().json().await.unwrap();
    assert!(samples.to_string().contains(trace), "{samples}");
}

/// Sends a head and the first byte of its body.
fn begin(server: &Server, key: &Key) -> TcpStream {
    let head = format!(
        "POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: 1000\r\n\r\n{{",
        key.text
    );
    let mut stream = TcpStream::connect(server.public_address()).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

async fn assert_rejected_once(server: &Server, reason: &str) {
    let sample = format!("dq_rejected_total{{reason=\"{reason}\"}}");
    // A scrape meanwhile shows each metric as of another moment.
    wait_for(&sample, async || {
        let metrics = server.metrics().await;
        let is_balanced = Conservation::in_scrape(&metrics) == Conservation::balanced(1.0);
        (metrics.get(&sample) == Some(&1.0) && is_balanced).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_sender_who_hangs_up_is_accounted_for_too() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    drop(begin(&server, &key));
    assert_rejected_once(&server, "transport.incomplete").await;
}

#[tokio::test]
async fn a_sender_who_stops_in_the_middle_of_a_body_is_accounted_for_too() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let stalled = begin(&server, &key);
    assert_rejected_once(&server, "transport.timeout").await;
    drop(stalled);
}

#[tokio::test]
async fn ten_thousand_invented_event_types_leave_the_series_count_flat() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let invent = async |numbers: std::ops::Range<u32>| {
        for first in numbers.step_by(1_000) {
            let events: Vec<Value> = (first..first + 1_000)
                .map(|n| {
                    let mut event = page_view(n);
                    event["type"] = json!(format!("invented.type-{n}"));
                    event
                })
                .collect();
            let answer = server
                .post("/v1/events", &key, &json!(events))
                .send()
                .await
                .unwrap();
            assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        }
        server.metrics().await.len()
    };
    // The first scrape does not show itself yet.
    server.metrics().await;
    let after_one_thousand = invent(0..1_000).await;
    let after_ten_thousand = invent(1_000..10_000).await;
    assert_eq!(after_one_thousand, after_ten_thousand);
    assert!(after_ten_thousand < 2_500, "{after_ten_thousand} series");
}
