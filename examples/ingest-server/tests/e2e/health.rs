//! `/readyz` names every component, its state, and what to do.

use reqwest::StatusCode;
use serde_json::json;

use crate::harness::{ALL_SCOPES, Data, Server, page_view, readiness, wait_for};

#[tokio::test]
async fn every_component_tells_its_state() {
    let server = Server::start();
    let components = wait_for("the first reading of revocations", async || {
        let (status, components) = readiness(&server).await;
        assert_eq!(status, StatusCode::OK, "{components}");
        (components["api_keys"]["state"] == "up").then_some(components)
    })
    .await;
    let states: Vec<(&str, &str)> = components
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, component)| (name.as_str(), component["state"].as_str().unwrap()))
        .collect();
    let expected = [
        ("api_keys", "up"),
        ("data_keys", "up"),
        ("database", "up"),
        ("process", "up"),
        ("traces", "off"),
        ("write_queue", "up"),
    ];
    assert_eq!(states, expected);
    assert!(components["database"]["latency_ms"].is_u64());
    assert!(components["api_keys"]["confirmed_for_ms"].is_u64());

    let data = Data::new();
    let mut command = data.command();
    command.env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
    let server = Server::start_command(&data, command);
    let (_, components) = readiness(&server).await;
    assert_eq!(components["traces"], json!({ "state": "configured" }));
}

#[tokio::test]
async fn a_failed_commit_shows_until_one_succeeds() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut blocker = server.data().connect().await;
    sqlx::query("BEGIN IMMEDIATE")
        .execute(&mut blocker)
        .await
        .unwrap();
    let write = server.post("/v1/events", &key, &page_view(1)).send().await;
    assert_eq!(write.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    let (status, components) = readiness(&server).await;
    assert_eq!(status, StatusCode::OK, "{components}");
    assert_eq!(components["database"]["state"], "degraded");
    assert!(components["database"]["action"].is_string());

    sqlx::query("ROLLBACK").execute(&mut blocker).await.unwrap();
    let write = server.post("/v1/events", &key, &page_view(1)).send().await;
    assert_eq!(write.unwrap().status(), StatusCode::ACCEPTED);
    let (_, components) = readiness(&server).await;
    assert_eq!(components["database"]["state"], "up");
}

/// A table that is gone fails every request that needs it: the component says so, and what to do.
#[tokio::test]
async fn a_component_whose_table_is_gone_is_down() {
    let server = Server::start();
    for (table, component) in [
        ("keyring_data_key", "data_keys"),
        ("apikey_cache_api_key", "api_keys"),
        ("secret_check", "database"),
    ] {
        let mut connection = server.data().connect().await;
        let rename = |from: &str, to: &str| {
            sqlx::AssertSqlSafe(format!("ALTER TABLE {from} RENAME TO {to}"))
        };
        sqlx::query(rename(table, "gone"))
            .execute(&mut connection)
            .await
            .unwrap();
        let (status, components) = readiness(&server).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{components}");
        assert_eq!(components[component]["state"], "down", "{components}");
        assert!(components[component]["action"].is_string());
        for (name, other) in components.as_object().unwrap() {
            assert!(
                name == component || other["state"] != "down",
                "{components}"
            );
        }

        sqlx::query(rename("gone", table))
            .execute(&mut connection)
            .await
            .unwrap();
        let (status, components) = readiness(&server).await;
        assert_eq!(status, StatusCode::OK, "{components}");
    }
}
