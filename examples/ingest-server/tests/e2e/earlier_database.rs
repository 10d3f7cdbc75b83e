//! A database that an earlier version wrote opens, and its rows read back.
//!
//! `data/unprefixed-tables.sqlite` was written by the first version, under the secrets of the harness:
//! tables `data_key`, `api_key` and `outbox`, one whole lead, three events (one of which made a
//! second lead), a key that is good and one that is revoked.

use std::fs;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Key, Server, count, run_to_end, wait_for};

const DATABASE: &[u8] = include_bytes!("data/unprefixed-tables.sqlite");

/// Good for nothing but that file.
const GOOD_KEY: &str =
    "pcl_live_wrvbIs64wM9D00107W2ewL_ZaRdstVaoYBojfacml5dG7HdM6xoTU5ilVQrSGX3H1L2sp9Kg";
const REVOKED_KEY: &str =
    "pcl_live_j46suoQ1WDng0019CGNdMi_sFQSMbfQRDw2cYX4CmYZ1JGa40hVlMyRbh8PmPi6jAq0QQraT";
const LEAD: &str = "01a21473-4fe0-7d94-bf7c-5d47228ca4aa";

fn key(text: &str) -> Key {
    Key {
        kid: String::new(),
        text: text.to_owned(),
    }
}

/// What the file holds under the names of its time.
const RENAMED: [(&str, &str); 4] = [
    ("data_key", "keyring_data_key"),
    ("data_key_erased_tenant", "keyring_erased_tenant"),
    ("api_key", "apikey_cache_api_key"),
    ("outbox", "apikey_cache_outbox"),
];

/// Which data key which row needs.
async fn references(data: &Data) -> Vec<(u32, String, String)> {
    sqlx::query_as(r#"SELECT key_id, "table", row FROM sealed_ref"#)
        .fetch_all(&mut data.connect().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_rows_of_the_first_version_read_back_and_go_on() {
    let data = Data::new();
    fs::write(data.database(), DATABASE).unwrap();
    let mut before = Vec::new();
    for (old, _) in RENAMED {
        before.push(count(&data, old).await);
    }
    let needed = references(&data).await;
    assert!(needed.iter().any(|(_, table, _)| table == "lead"));
    assert!(needed.iter().any(|(_, table, _)| table == "event"));
    // The second start finds everything migrated.
    for _ in 0..2 {
        let server = Server::start_on(&data);
        assert_rows(&server).await;
        assert!(server.terminate().success());
    }
    assert!(count(&data, "slo_bucket").await > 0);
    let needed_now = references(&data).await;
    for reference in needed {
        assert!(needed_now.contains(&reference), "{reference:?}");
    }
    for ((_, new), before) in RENAMED.into_iter().zip(before) {
        assert!(count(&data, new).await >= before, "{new}");
    }
    let old: Vec<String> =
        sqlx::query_scalar("SELECT name FROM sqlite_schema WHERE type = 'table'")
            .fetch_all(&mut data.connect().await)
            .await
            .unwrap();
    for (name, _) in RENAMED {
        assert!(!old.iter().any(|table| table == name), "{name} in {old:?}");
    }
}

const WAITS: &str = "waiting for the process that upgrades it";

/// This process has the lock, as one that migrates a large database has it for long.
async fn locked(data: &Data) -> sqlx::SqliteConnection {
    let mut other = data.connect().await;
    for statement in ["PRAGMA journal_mode = WAL", "BEGIN IMMEDIATE"] {
        sqlx::query(statement).execute(&mut other).await.unwrap();
    }
    other
}

#[tokio::test]
async fn a_process_waits_for_another_one_that_upgrades_the_database() {
    let data = Data::new();
    fs::write(data.database(), DATABASE).unwrap();
    let mut other = locked(&data).await;
    let starting = tokio::task::spawn_blocking({
        let data = data.clone();
        move || Server::start_on(&data)
    });
    wait_for("a start that waits", async || {
        data.logs().contains(WAITS).then_some(())
    })
    .await;
    assert!(!starting.is_finished());
    let unlock = sqlx::query("ROLLBACK");
    unlock.execute(&mut other).await.unwrap();
    assert_rows(&starting.await.unwrap()).await;
}

#[tokio::test]
async fn a_process_waits_for_no_other_lock() {
    let data = Data::new();
    assert!(Server::start_on(&data).terminate().success());
    let _other = locked(&data).await;
    let output = tokio::task::spawn_blocking(move || run_to_end(&mut data.command()));
    let output = output.await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("locked") && !said.contains(WAITS), "{said}");
}

async fn assert_rows(server: &Server) {
    let good = key(GOOD_KEY);
    let answer = server.read_lead(&good, LEAD).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let lead: Value = answer.json().await.unwrap();
    for (name, value) in [
        ("email", "ada@example.com"),
        ("phone", "+442079460958"),
        ("national_id", "52998224725"),
        ("name", "Ada Lovelace"),
        ("address", "12 Example Street"),
    ] {
        assert_eq!(lead[name], value, "{lead}");
    }

    let find = "/v1/leads?email=Ada@EXAMPLE.com";
    let found = server.request(Method::GET, find, &good).send().await;
    let found: Value = found.unwrap().json().await.unwrap();
    assert_eq!(found["leads"][0]["id"], LEAD, "{found}");

    // The fingerprints of content and e-mail are those of the first version.
    let again = json!([
        {
            "specversion": "1.0", "type": "page.viewed", "source": "shop/web", "id": "1",
            "time": "2026-11-25T20:00:00Z", "data": { "url": "https://shop.example/" }
        },
        {
            "specversion": "1.0", "type": "form.submitted", "source": "shop/web", "id": "2",
            "data": { "form": "contact", "email": "grace@example.com" }
        },
    ]);
    let answer = server.post("/v1/events", &good, &again).send().await;
    let answer: Value = answer.unwrap().json().await.unwrap();
    assert_eq!(answer["duplicates"], 2, "{answer}");
    let metrics = server.metrics().await;
    let conflicts = "dq_outcomes_total{tenant=\"acme\",outcome=\"duplicate_conflicting\"}";
    assert_eq!(metrics.get(conflicts).copied().unwrap_or_default(), 0.0);
    let merged = server
        .lead(&good, &json!({ "email": "ada@example.com" }))
        .await;
    assert_eq!(merged, LEAD);

    let revoked = key(REVOKED_KEY);
    let answer = server.post("/v1/events", &revoked, &again).send().await;
    assert_eq!(answer.unwrap().status(), StatusCode::UNAUTHORIZED);
    let new = server.issue("acme", &ALL_SCOPES).await;
    let answer = server.read_lead(&new, LEAD).await;
    assert_eq!(answer.status(), StatusCode::OK);
}
