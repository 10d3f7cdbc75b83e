//! Each stage of a request, of one that brings something and of one that reads, is timed and counted, and so is
//! each that ends one, by who has to do something about it.

use std::collections::BTreeMap;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::{
    harness::{ALL_SCOPES, Data, Key, Server, page_view},
    movement::assert_moved,
    tier_limits::limit_for_good,
};

type Metrics = BTreeMap<String, f64>;

/// How often each stage has ended, and how many requests each has ended, by `stage` or `stage failure`.
fn ends(metrics: &Metrics) -> BTreeMap<String, f64> {
    let passed = metrics.iter().filter_map(|(name, value)| {
        let stage = name.strip_prefix("ingest_stage_seconds_count{stage=\"")?;
        Some((stage.strip_suffix("\"}")?.to_owned(), *value))
    });
    let failed = metrics.iter().filter_map(|(name, value)| {
        let labels = name.strip_prefix("ingest_stage_failures_total{stage=\"")?;
        let (stage, failure) = labels.strip_suffix("\"}")?.split_once("\",failure=\"")?;
        Some((format!("{stage} {failure}"), *value))
    });
    passed.chain(failed).collect()
}

/// What has grown by how much since `before`.
async fn grown(server: &Server, before: &mut Metrics) -> Vec<(String, f64)> {
    let after = server.metrics().await;
    let (was, is) = (ends(before), ends(&after));
    *before = after;
    assert_eq!(was.len(), 19 * 5, "each is there from the start: {was:#?}");
    let grown = is.into_iter().map(|(name, value)| {
        let by = value - was[&name];
        (name, by)
    });
    grown.filter(|(_, by)| *by != 0.0).collect()
}

/// The stages that ended once each, and nothing else.
fn once(stages: &[&str]) -> Vec<(String, f64)> {
    let mut stages: Vec<_> = stages
        .iter()
        .map(|stage| ((*stage).to_owned(), 1.0))
        .collect();
    stages.sort_by(|one, other| one.0.cmp(&other.0));
    stages
}

const ADMITTED: [&str; 5] = [
    "limit_address",
    "authenticate",
    "charge_request",
    "frame",
    "charge_content",
];
const TAKEN: [&str; 6] = [
    "parse",
    "validate",
    "fingerprint",
    "resolve",
    "seal",
    "store",
];
const READ: [&str; 3] = ["limit_address", "authenticate", "charge_read"];

#[tokio::test]
async fn each_stage_that_a_request_passes_is_timed_once() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut before = server.metrics().await;
    let id = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let expected = once(&[&ADMITTED[..], &TAKEN[..]].concat());
    assert_eq!(grown(&server, &mut before).await, expected);
    server.read_lead(&key, &id).await;
    let expected = once(&[&READ[..], &["read_lead", "open", "record_read"]].concat());
    assert_eq!(grown(&server, &mut before).await, expected);
    let path = format!("/v1/leads/{id}");
    let found = "/v1/leads?email=a%40b.example";
    // Masked: a guess, which is on record before its page is charged.
    let answer = server.request(Method::GET, found, &key).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::OK);
    let searched = ["charge_search", "look_up", "charge_found", "open"];
    let mut expected = once(&[&READ[..], &searched[..]].concat());
    expected.push(("record_read".to_owned(), 2.0));
    expected.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(grown(&server, &mut before).await, expected);
    let answer = server.request(Method::DELETE, &path, &key).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::NO_CONTENT);
    let expected = once(&["limit_address", "authenticate", "charge_request", "erase"]);
    let unerased = before.clone();
    assert_eq!(grown(&server, &mut before).await, expected);
    assert_moved(&unerased, &before, ["ingest_stage_seconds"]);
}

#[tokio::test]
async fn a_stage_that_ends_a_request_says_who_has_to_do_something_about_it() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let id = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let path = format!("/v1/leads/{id}");
    let small = server.issue_tier("small", "free", &ALL_SCOPES).await;
    let reader = server.issue("acme", &["leads:read"]).await;
    let writer = server.issue("acme", &["leads:write"]).await;
    let wrong = Key {
        kid: String::new(),
        text: "no key".to_owned(),
    };
    let none = server.metrics().await;
    let mut before = none.clone();
    let mut ended = async |request: reqwest::RequestBuilder, status: StatusCode| {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status, "{:?}", answer.text().await);
        let grown = grown(&server, &mut before).await;
        let failed = grown.into_iter().filter(|(name, _)| name.contains(' '));
        failed.collect::<Vec<_>>()
    };
    let refused = |stage: &str| once(&[&format!("{stage} refused")]);
    let post = |key: &Key| server.post("/v1/events", key, &page_view(1));
    let read = |key: &Key| server.request(Method::GET, &path, key);

    let failed = ended(post(&wrong), StatusCode::UNAUTHORIZED).await;
    assert_eq!(failed, refused("authenticate"));
    let failed = ended(post(&reader), StatusCode::FORBIDDEN).await;
    assert_eq!(failed, refused("authenticate"));
    let failed = ended(read(&writer), StatusCode::FORBIDDEN).await;
    assert_eq!(failed, refused("authenticate"));
    let broken = server.request(Method::POST, "/v1/events", &key).body("{");
    let broken = broken.header("content-type", "application/json");
    let failed = ended(broken, StatusCode::BAD_REQUEST).await;
    assert_eq!(failed, refused("frame"));
    limit_for_good(&server, [("ingest", 20)]).await;
    let batch: serde_json::Value = (0..20).map(page_view).collect();
    let taken = ended(
        server.post("/v1/events", &small, &batch),
        StatusCode::ACCEPTED,
    )
    .await;
    assert_eq!(taken, once(&[]));
    let failed = ended(post(&small), StatusCode::TOO_MANY_REQUESTS).await;
    assert_eq!(failed, once(&["charge_request limited"]));

    let execute = async |statement: &'static str| {
        sqlx::raw_sql(statement)
            .execute(&mut data.connect().await)
            .await
            .unwrap();
    };
    execute("UPDATE lead SET email_enc = x'00'").await;
    let failed = ended(read(&key), StatusCode::INTERNAL_SERVER_ERROR).await;
    assert_eq!(failed, once(&["open internal"]));
    execute("ALTER TABLE event RENAME TO gone").await;
    let failed = ended(post(&key), StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(failed, once(&["store unavailable"]));
    execute("ALTER TABLE lead RENAME TO nowhere").await;
    let failed = ended(read(&key), StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(failed, once(&["read_lead unavailable"]));
    let search = server.request(Method::GET, "/v1/leads?email=a%40b.example", &key);
    let failed = ended(search, StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(failed, once(&["look_up unavailable"]));
    let erase = server.request(Method::DELETE, &path, &key);
    let failed = ended(erase, StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(failed, once(&["erase unavailable"]));
    let after = server.metrics().await;
    assert_moved(&none, &after, ["ingest_stage_failures_total"]);
}
