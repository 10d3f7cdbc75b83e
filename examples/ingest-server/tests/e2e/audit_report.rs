//! What happened in a period, from the audit log.

use reqwest::{Method, StatusCode, header};
use serde_json::Value;

use crate::harness::{Server, on_record};

#[tokio::test]
async fn a_report_counts_what_is_on_record_in_the_form_that_is_asked_for() {
    let server = Server::start();
    server.issue("acme", &["events:write"]).await;
    let verified = server.admin(Method::POST, "/admin/audit/verify");
    assert_eq!(verified.send().await.unwrap().status(), StatusCode::OK);
    let before = on_record(&server, "").await;
    let ask = async |query: &str, accept: &str| {
        let path = format!("/admin/audit/report?from=2020-01-01{query}");
        let request = server
            .admin(Method::GET, &path)
            .header(header::ACCEPT, accept);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let kind = answer.headers()[header::CONTENT_TYPE].to_str().unwrap();
        (kind.to_owned(), answer.text().await.unwrap())
    };
    let (kind, text) = ask("", "*/*").await;
    assert_eq!(kind, "application/json");
    let report: Value = serde_json::from_str(&text).unwrap();
    let events = report["events"].as_u64().unwrap();
    assert!(events > before.len() as u64, "{report}");
    // What is begun, and what came of it.
    assert_eq!(report["by_action"]["names"]["api_key.issue"], 2, "{report}");
    let days = &report["integrity"]["verified_days"];
    assert_eq!(
        (&days["pass"], &days["of"]),
        (&1.into(), &1.into()),
        "{report}"
    );
    assert!(report["integrity"]["checkpoint"]["size"].is_number());

    let (kind, text) = ask("&format=markdown", "text/html").await;
    assert_eq!(kind, "text/markdown; charset=utf-8");
    assert!(
        text.starts_with("# Audit log") && text.contains("audit.opened"),
        "{text}"
    );
    let (kind, text) = ask("", "text/html").await;
    assert_eq!(kind, "text/html; charset=utf-8");
    assert!(
        text.contains("audit.opened") && text.contains("<style"),
        "{text}"
    );
    let (_, text) = ask("&to=2020-01-02T00:00:00Z", "*/*").await;
    let report: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        (&report["events"], &report["score"]),
        (&0.into(), &Value::Null)
    );
    // What was put on record when the service ended.
    let data = server.data().clone();
    assert!(server.terminate().success());
    let report = [
        "audit",
        "report",
        "--from",
        "2020-01-01",
        "--format",
        "json",
    ];
    let report: Value = serde_json::from_slice(&data.run(&report).stdout).unwrap();
    let anchored = &report["integrity"]["anchored"];
    assert!(anchored["of"].as_u64().unwrap() > 0, "{report}");
    assert_eq!(anchored["pass"], anchored["of"], "{report}");
}
