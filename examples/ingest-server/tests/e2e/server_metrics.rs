//! `/metrics` is accepted by those who read it.

use reqwest::{Method, header::ACCEPT};
use serde_json::{Value, json};

use crate::{
    harness::{ADMIN_TOKEN, ALL_SCOPES, Server, page_view, wait_for},
    programs::{feed, prometheus},
};

/// A server that has something to tell.
async fn busy_server() -> Server {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut strange = page_view("strange");
    strange["type"] = json!("strange\"type\\");
    let batch = json!([page_view(1), page_view(1), strange, { "id": "broken" }]);
    server
        .post("/v1/events", &key, &batch)
        .send()
        .await
        .unwrap();
    server.lead(&key, &json!({ "email": "a@b.example" })).await;
    server
}

async fn scrape(server: &Server, accept: &str) -> (String, String) {
    let answer = server
        .admin(Method::GET, "/metrics")
        .header(ACCEPT, accept)
        .send()
        .await
        .unwrap();
    let media_type = answer.headers()["content-type"]
        .to_str()
        .unwrap()
        .to_owned();
    (media_type, answer.text().await.unwrap())
}

#[tokio::test]
async fn the_reference_parsers_and_the_checker_accept_the_metrics() {
    let server = busy_server().await;
    let (media_type, open) = scrape(&server, "application/openmetrics-text; version=1.0.0").await;
    assert!(
        media_type.starts_with("application/openmetrics-text"),
        "{media_type}"
    );
    let (media_type, text) = scrape(&server, "text/plain").await;
    assert!(
        media_type.starts_with("text/plain; version=0.0.4"),
        "{media_type}"
    );

    let parse = "
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text
families = {'open': open_metrics, 'text': text}[sys.argv[1]](sys.stdin.read())
print(sum(len(family.samples) for family in families))
";
    for (format, body) in [("open", &open), ("text", &text)] {
        let output = feed("python3", &["-c", parse, format], body);
        assert!(output.status.success(), "{format}: {output:?}");
        let samples = String::from_utf8(output.stdout).unwrap();
        assert!(
            samples.trim().parse::<u32>().unwrap() > 100,
            "{format}: {samples}"
        );
    }
    let output = feed("promtool", &["check", "metrics"], &text);
    assert!(output.status.success(), "{output:?}");
}

#[tokio::test]
async fn a_real_prometheus_scrapes_and_answers_queries() {
    let server = busy_server().await;
    let (prometheus, address) = prometheus(server.admin_address(), ADMIN_TOKEN).await;
    let query = "sum(dq_received_total)%20==%20sum(dq_outcomes_total)";
    let url = format!("http://{address}/api/v1/query?query={query}");
    let answer = wait_for("a scrape", async || {
        let request = reqwest::Client::new().get(&url);
        let answer: Value = request.send().await.ok()?.json().await.ok()?;
        (!answer["data"]["result"].as_array()?.is_empty()).then_some(answer)
    })
    .await;
    let value = answer["data"]["result"][0]["value"][1].as_str().unwrap();
    assert_eq!(value, "5", "{answer} {}", prometheus.output());
}
