//! Each row names what it needs: an event its lead, and both the data keys that open them, so that
//! none of these is thrown away while the row is there.

use std::collections::BTreeSet;

use portcullis_pii_crypto::{AnyPii, Sealed};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::SqliteConnection;

use crate::harness::{ALL_SCOPES, Server};

/// The ids of the data keys that sealed the values of a payload.
fn key_ids(payload: &str) -> BTreeSet<u32> {
    let payload: Value = serde_json::from_str(payload).unwrap();
    let texts = payload.as_object().unwrap().values();
    let sealed = texts.filter_map(|value| value.as_str()?.parse::<Sealed<AnyPii>>().ok());
    sealed.map(|sealed| sealed.key_id().value()).collect()
}

/// The ids that a row of a table is said to need.
async fn references(connection: &mut SqliteConnection, table: &str, row: &str) -> BTreeSet<u32> {
    let statement = r#"SELECT key_id FROM sealed_ref WHERE "table" = ? AND row = ?"#;
    let ids: Vec<u32> = sqlx::query_scalar(statement)
        .bind(table)
        .bind(row)
        .fetch_all(connection)
        .await
        .unwrap();
    ids.into_iter().collect()
}

#[tokio::test]
async fn rows_name_their_lead_and_the_data_keys_that_open_them() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let event = |id: &str, event_type: &str, data: Value| json!({ "type": event_type, "source": "test/web", "id": id, "data": data });
    let form = json!({ "form": "contact", "email": "a@b.example", "phone": "+442079460958" });
    let person = json!({ "email": "a@b.example", "phone": "+442079460958", "name": "Ada" });
    let batch = json!([
        event("1", "form.submitted", form),
        event("2", "lead.created", person.clone()),
        event("3", "page.viewed", json!({ "url": "/" })),
    ]);
    let answer = server.post("/v1/events", &key, &batch).send().await;
    let answer: Value = answer.unwrap().json().await.unwrap();
    assert_eq!(answer["accepted"], 3, "{answer}");
    let lead = server.lead(&key, &person).await;

    let mut database = server.data().connect().await;
    let events: Vec<(String, Option<String>, String)> =
        sqlx::query_as("SELECT id, lead, payload FROM event ORDER BY id")
            .fetch_all(&mut database)
            .await
            .unwrap();
    let mut needed = Vec::new();
    for (id, _, payload) in &events {
        let keys = key_ids(payload);
        let row = format!("test/web {id}");
        assert_eq!(references(&mut database, "event", &row).await, keys, "{id}");
        needed.push(keys);
    }
    // One data key for each purpose: e-mail and phone, and the name's.
    let counts: Vec<usize> = needed.iter().map(BTreeSet::len).collect();
    assert_eq!(counts, [2, 3, 0]);
    let of_lead = references(&mut database, "lead", &lead).await;
    assert_eq!(of_lead, needed[1]);
    let leads: Vec<Option<&str>> = events.iter().map(|(_, lead, _)| lead.as_deref()).collect();
    assert_eq!(leads, [None, Some(lead.as_str()), None]);
    assert_eq!(server.read_lead(&key, &lead).await.status(), StatusCode::OK);
}
