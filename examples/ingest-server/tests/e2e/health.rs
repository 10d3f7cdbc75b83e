//! `/readyz` names every component, its state, and what to do.

use std::time::{Duration, Instant};

use reqwest::StatusCode;
use serde_json::json;

use crate::harness::{ALL_SCOPES, Data, Server, count, page_view, readiness, wait_for};

#[tokio::test]
async fn every_component_tells_its_state() {
    let server = Server::start();
    let components = wait_for("the first reading of revocations", async || {
        let (status, components) = readiness(&server).await;
        assert_eq!(status, StatusCode::OK, "{components}");
        (components["api_key_cache"]["state"] == "up").then_some(components)
    })
    .await;
    let states: Vec<(&str, &str)> = components
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, component)| (name.as_str(), component["state"].as_str().unwrap()))
        .collect();
    let expected = [
        ("api_key_cache", "up"),
        ("api_keys", "up"),
        ("audit_log", "up"),
        ("audit_sinks", "off"),
        ("data_keys", "up"),
        ("database", "up"),
        ("erasures", "up"),
        ("limits", "up"),
        ("process", "up"),
        ("secrets", "up"),
        ("traces", "off"),
        ("write_queue", "up"),
    ];
    assert_eq!(states, expected);
    assert!(components["database"]["latency_ms"].is_u64());
    assert!(components["api_key_cache"]["confirmed_for_ms"].is_u64());

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
    for round in 0..5 {
        let lock = sqlx::query("BEGIN IMMEDIATE");
        lock.execute(&mut blocker).await.unwrap();
        let post = || server.post("/v1/events", &key, &page_view(round)).send();
        let status = post().await.unwrap().status();
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        let (status, failed) = readiness(&server).await;
        let unlock = sqlx::query("ROLLBACK");
        unlock.execute(&mut blocker).await.unwrap();
        assert_eq!(post().await.unwrap().status(), StatusCode::ACCEPTED);
        let (_, components) = readiness(&server).await;
        assert_eq!(components["database"]["state"], "up");
        // Until the writer has tried again by itself, and failed a second time.
        if failed["database"]["state"] == "down" {
            continue;
        }
        assert_eq!(status, StatusCode::OK, "{failed}");
        assert_eq!(failed["database"]["state"], "degraded");
        assert!(failed["database"]["action"].is_string());
        return;
    }
    panic!("this machine is too slow to look before the writer tries again");
}

/// What somebody else may do to the tables, which component that takes down, and how it is taken back.
const CHANGES: [(&str, &str, &str); 14] = [
    (
        "database",
        "ALTER TABLE lead RENAME COLUMN name_enc TO gone",
        "ALTER TABLE lead RENAME COLUMN gone TO name_enc",
    ),
    (
        "database",
        "ALTER TABLE event RENAME COLUMN payload TO gone",
        "ALTER TABLE event RENAME COLUMN gone TO payload",
    ),
    (
        "database",
        "DROP INDEX lead_index_unique",
        r#"CREATE UNIQUE INDEX lead_index_unique ON lead_index (value, tenant)
           WHERE field = 'lead.email' AND "index" = 'identity'"#,
    ),
    (
        "database",
        "CREATE TRIGGER read_only BEFORE INSERT ON event BEGIN SELECT raise(ABORT, 'no'); END",
        "DROP TRIGGER read_only",
    ),
    (
        "database",
        "CREATE TRIGGER read_only BEFORE UPDATE ON event_sealed_ref
         BEGIN SELECT raise(ABORT, 'no'); END;
         CREATE TRIGGER read_only_too BEFORE INSERT ON event_sealed_ref
         BEGIN SELECT raise(ABORT, 'no'); END",
        "DROP TRIGGER read_only; DROP TRIGGER read_only_too",
    ),
    (
        "database",
        "UPDATE event_hashed SET first_byte = 1000 WHERE first_byte = 0",
        "UPDATE event_hashed SET first_byte = 0 WHERE first_byte = 1000",
    ),
    (
        "database",
        "UPDATE index_state SET phase = 'gone'",
        "UPDATE index_state SET phase = 'enforced'",
    ),
    (
        "database",
        "UPDATE schema_migrations SET version = 1001 WHERE version = 1",
        "UPDATE schema_migrations SET version = 1 WHERE version = 1001",
    ),
    (
        "database",
        "DROP TRIGGER audit_event_is_not_deleted",
        "CREATE TRIGGER audit_event_is_not_deleted BEFORE DELETE ON audit_event
         BEGIN SELECT raise(ABORT, 'audit_event is append-only'); END",
    ),
    (
        "data_keys",
        "ALTER TABLE keyring_data_key RENAME COLUMN wrapped TO gone",
        "ALTER TABLE keyring_data_key RENAME COLUMN gone TO wrapped",
    ),
    (
        "data_keys",
        "CREATE TRIGGER read_only BEFORE INSERT ON keyring_data_key
         BEGIN SELECT raise(ABORT, 'no'); END",
        "DROP TRIGGER read_only",
    ),
    (
        "data_keys",
        "DROP INDEX keyring_data_key_one_primary",
        "CREATE UNIQUE INDEX keyring_data_key_one_primary ON keyring_data_key (tenant, purpose)
         WHERE state = 'primary'",
    ),
    (
        "api_keys",
        "ALTER TABLE apikey_cache_api_key RENAME COLUMN row_mac TO gone",
        "ALTER TABLE apikey_cache_api_key RENAME COLUMN gone TO row_mac",
    ),
    (
        "api_keys",
        "CREATE TRIGGER read_only BEFORE INSERT ON apikey_cache_outbox
         BEGIN SELECT raise(ABORT, 'no'); END",
        "DROP TRIGGER read_only",
    ),
];

/// Every table, and the component that needs it.
const TABLES: [(&str, &str); 24] = [
    ("database", "event"),
    ("database", "event_hash"),
    ("database", "event_hashed"),
    ("database", "event_sealed_ref"),
    ("database", "lead"),
    ("database", "lead_index"),
    ("database", "secret_check"),
    ("database", "index_state"),
    ("database", "sweep_cursor"),
    ("database", "audit_event"),
    ("database", "limit_policies"),
    ("database", "detection_policy"),
    ("database", "secret_first_use"),
    ("database", "audit_anchor"),
    ("database", "schema_migrations"),
    ("data_keys", "keyring_data_key"),
    ("data_keys", "keyring_erased_tenant"),
    ("data_keys", "keyring_change"),
    ("data_keys", "keyring_migrations"),
    ("api_keys", "apikey_cache_api_key"),
    ("api_keys", "apikey_cache_outbox"),
    ("api_keys", "apikey_cache_feed"),
    ("api_keys", "apikey_cache_reader"),
    ("api_keys", "apikey_cache_migrations"),
];

/// Tables that no request needs: what cannot be written to them waits, and is counted.
const HISTORIES: [&str; 2] = ["dq_metrics_", "slo_bucket"];

/// How long a change may take to show.
const SHOWS_WITHIN: Duration = Duration::from_secs(2);

async fn execute(server: &Server, statement: &str) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
        .execute(&mut server.data().connect().await)
        .await
        .unwrap();
}

/// Each component tries what it claims: a table that is gone, altered or read-only fails every request
/// that needs it, so the component says so, and what to do, until it is as it was.
#[tokio::test]
async fn a_component_whose_table_cannot_be_used_is_down_until_it_is_put_back() {
    let server = Server::start();
    let every = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let every: Vec<String> = sqlx::query_scalar(every)
        .fetch_all(&mut server.data().connect().await)
        .await
        .unwrap();
    for table in &every {
        let is_listed = TABLES.iter().any(|(_, listed)| listed == table)
            || HISTORIES.iter().any(|history| table.starts_with(history));
        assert!(is_listed, "{table}");
    }
    let renamed = TABLES.map(|(component, table)| {
        (
            component,
            format!("ALTER TABLE {table} RENAME TO gone"),
            format!("ALTER TABLE gone RENAME TO {table}"),
        )
    });
    let changed =
        CHANGES.map(|(component, change, back)| (component, change.to_owned(), back.to_owned()));
    for (component, change, back) in renamed.into_iter().chain(changed) {
        execute(&server, &change).await;
        let began = Instant::now();
        let components = wait_for("the component to be down", async || {
            let (status, components) = readiness(&server).await;
            (status == StatusCode::SERVICE_UNAVAILABLE).then_some(components)
        })
        .await;
        assert!(began.elapsed() < SHOWS_WITHIN, "{change}");
        assert_eq!(
            components[component]["state"], "down",
            "{change}: {components}"
        );
        let action = components[component]["action"].as_str().unwrap();
        assert!(action.contains("missing, altered or"), "{change}: {action}");
        for (name, other) in components.as_object().unwrap() {
            assert!(
                name == component || other["state"] != "down",
                "{change}: {components}"
            );
        }

        execute(&server, &back).await;
        let began = Instant::now();
        wait_for("the component to be up", async || {
            let (status, components) = readiness(&server).await;
            let is_up = components[component]["state"] == "up";
            (status == StatusCode::OK && is_up).then_some(())
        })
        .await;
        assert!(began.elapsed() < SHOWS_WITHIN, "{back}");
    }
    // And the trials have left nothing.
    for table in [
        "event",
        "event_hash",
        "lead",
        "lead_index",
        "sealed_ref",
        "limit_policies",
        "detection_policy",
        "keyring_erased_tenant",
    ] {
        assert_eq!(count(server.data(), table).await, 0, "{table}");
    }
}
