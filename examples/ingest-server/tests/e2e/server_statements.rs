//! What is asked of the database is a span of who asks it, names the kind of statement and the table, and no value.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    collected::{Span, spans},
    harness::{ALL_SCOPES, Data, page_view, wait_for},
    traced::{Traced, one},
};

/// A span of a statement has all that the semantic conventions ask for, and its parent.
fn assert_statement(span: &Span, operation: &str, table: Option<&str>, parent: &Span) {
    span.assert_attributes(&[
        ("db.system.name", Some("sqlite")),
        ("db.namespace", Some("ingest")),
        ("db.operation.name", Some(operation)),
        ("db.collection.name", table),
        ("db.query.text", None),
        ("error.type", None),
    ]);
    assert_eq!(span.kind, "SPAN_KIND_CLIENT", "{}", span.text);
    assert_eq!(span.parent, parent.id, "{}", span.text);
    assert!(!span.text.contains("canary"), "{}", span.text);
}

fn durations(operation: &str, table: &str) -> String {
    let labels = format!(
        "db_system_name=\"sqlite\",db_namespace=\"ingest\",db_operation_name=\"{operation}\",\
         db_collection_name=\"{table}\",error_type=\"\""
    );
    format!("db_client_operation_duration_seconds_count{{{labels}}}")
}

#[tokio::test]
async fn a_statement_is_a_client_span_below_what_asks_it() {
    let data = Data::new();
    let traced = Traced::start_on(&data).await;
    let server = &traced.server;
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = json!({ "email": "canary@b.example", "name": "Canary Q7x" });
    let (answer, _) = traced.send(server.post("/v1/leads", &key, &lead)).await;
    let lead: Value = answer.json().await.unwrap();
    let path = format!("/v1/leads/{}", lead["id"].as_str().unwrap());

    let read = server.request(Method::GET, &path, &key);
    let (answer, read) = traced.send(read.header("x-access-reason", "test")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let select = one(&read, "SELECT lead");
    let parent = read.iter().find(|span| span.id == select.parent);
    assert_statement(select, "SELECT", Some("lead"), parent.unwrap());

    // Where the sweep over rows has come to, which an erasure begins.
    let erase = server.request(Method::DELETE, &path, &key);
    let (answer, erased) = traced.send(erase).await;
    assert!(answer.status().is_success(), "{}", answer.status());
    let insert = one(&erased, "INSERT sweep_cursor");
    let parent = erased.iter().find(|span| span.id == insert.parent);
    assert_statement(insert, "INSERT", Some("sweep_cursor"), parent.unwrap());

    // What several requests write is one transaction, in a trace of its own.
    let written = wait_for(
        "the groups of a lead, its reading and its erasure",
        async || {
            let spans = spans(&traced.collector.output());
            let groups = spans.iter().filter(|span| span.name == "write_group");
            let of_group = |group: &Span| {
                let mut below = spans.iter().filter(|span| span.parent == group.id);
                Some((group.clone(), below.next()?.clone()))
            };
            let written: Vec<_> = groups.filter_map(of_group).collect();
            (written.len() >= 2).then_some(written)
        },
    );
    for (group, commit) in written.await {
        assert_eq!(commit.name, "COMMIT ingest");
        assert_statement(&commit, "COMMIT", None, &group);
    }

    let metrics = server.metrics().await;
    for (operation, table) in [
        ("SELECT", "lead"),
        ("INSERT", "sweep_cursor"),
        ("COMMIT", ""),
    ] {
        let name = durations(operation, table);
        assert!(metrics.get(&name) > Some(&0.0), "{name}");
    }
}

#[tokio::test]
async fn the_duration_of_a_request_has_its_trace_as_an_exemplar() {
    let data = Data::new();
    let traced = Traced::start_on(&data).await;
    let key = traced.server.issue("acme", &ALL_SCOPES).await;
    let post = traced.server.post("/v1/events", &key, &page_view(1));
    let (answer, _) = traced.send(post).await;
    let trace = answer.headers()["x-trace-id"].to_str().unwrap();
    wait_for("an exemplar", async || {
        let scrape = traced.server.admin(Method::GET, "/metrics");
        let scrape = scrape.header("accept", "application/openmetrics-text; version=1.0.0");
        let text = scrape.send().await.unwrap().text().await.unwrap();
        let buckets = "http_server_request_duration_seconds_bucket{";
        let route = "http_route=\"/v1/events\"";
        let exemplar = format!("# {{trace_id=\"{trace}\"");
        let mut lines = text.lines();
        lines
            .any(|line| {
                line.starts_with(buckets) && line.contains(route) && line.contains(&exemplar)
            })
            .then_some(())
    })
    .await;
}
