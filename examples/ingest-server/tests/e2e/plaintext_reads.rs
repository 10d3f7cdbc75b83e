//! Who reads personal data in the clear is on record.

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::harness::{ALL_SCOPES, Key, Server};

/// The lines of the log that record a read in the clear.
fn recorded(server: &Server) -> Vec<String> {
    let logs = server.logs();
    let lines = logs.lines();
    let reads = lines.filter(|line| line.contains("personal data was read"));
    reads.map(str::to_owned).collect()
}

async fn get(server: &Server, key: &Key, path: &str, reason: Option<&str>) {
    let mut request = server.request(Method::GET, path, key);
    if let Some(reason) = reason {
        request = request.header("x-access-reason", reason);
    }
    assert_eq!(request.send().await.unwrap().status(), StatusCode::OK);
}

#[tokio::test]
async fn each_read_in_the_clear_is_recorded_with_its_key_and_lead_and_no_other_is() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let clerk = server.issue("acme", &["leads:read"]).await;
    let lead = server.lead(&key, &json!({ "email": "a@b.example" })).await;
    let by_id = format!("/v1/leads/{lead}");
    let by_email = "/v1/leads?email=a@b.example";

    for path in [&by_id, by_email] {
        get(&server, &key, path, None).await;
        get(&server, &key, path, Some("")).await;
        get(&server, &clerk, path, Some("test")).await;
    }
    assert_eq!(recorded(&server), [""; 0]);

    for path in [&by_id, by_email] {
        get(&server, &key, path, Some("test")).await;
    }
    let reads = recorded(&server);
    assert_eq!(reads.len(), 2, "{reads:#?}");
    for read in reads {
        assert!(read.contains(&key.kid) && read.contains(&lead), "{read}");
        assert!(!read.contains("a@b.example"), "{read}");
    }
}
