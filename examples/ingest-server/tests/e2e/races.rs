//! Requests that want the same new lead: one makes it, the others find it and lose nothing.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Server, count, page_view, slow_down, wait_for, waiting_rows};

fn lead_created(id: usize) -> Value {
    json!({
        "type": "lead.created", "source": "test/crm", "id": id.to_string(),
        "data": { "email": "one@person.example", "name": format!("Name {id}") }
    })
}

#[tokio::test]
async fn events_that_lost_a_race_for_their_lead_are_stored_with_the_winner() {
    const EVENTS: u32 = 20;
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    // The data keys are there before the file is busy.
    let other = json!({ "email": "other@person.example", "name": "Name" });
    server.lead(&key, &other).await;
    // While a commit takes long, nobody can make the lead: each event is sealed for one of its own.
    slow_down(server.data(), 4).await;
    let slow = tokio::spawn(server.post("/v1/events", &key, &page_view("slow")).send());
    wait_for("a commit that takes long", async || {
        (waiting_rows(&server).await == 1).then_some(())
    })
    .await;
    let send = |id| server.post("/v1/events", &key, &lead_created(id)).send();
    let answers = join_all((0..EVENTS as usize).map(send)).await;
    assert_eq!(slow.await.unwrap().unwrap().status(), StatusCode::ACCEPTED);
    for answer in answers {
        let answer = answer.unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert_eq!(answer.json::<Value>().await.unwrap()["accepted"], 1);
    }

    let written = server.metrics().await["ingest_group_rows_sum"];
    assert!(
        written > f64::from(EVENTS + 2),
        "no race was lost: {written}"
    );
    assert_eq!(count(server.data(), "lead").await, 2);
    let leads: Vec<String> = sqlx::query_scalar("SELECT lead FROM event WHERE lead IS NOT NULL")
        .fetch_all(&mut server.data().connect().await)
        .await
        .unwrap();
    assert_eq!(leads.len(), EVENTS as usize);
    assert_eq!(BTreeSet::from_iter(leads).len(), 1);
}

#[tokio::test]
async fn a_batch_of_one_new_lead_loses_no_race_with_itself() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let batch: Value = (0..5).map(lead_created).collect();
    let answer = server.post("/v1/events", &key, &batch).send().await;
    let answer: Value = answer.unwrap().json().await.unwrap();
    assert_eq!(answer["accepted"], 5, "{answer}");
    assert_eq!(count(server.data(), "lead").await, 1);
    // What had lost would have been written once more.
    let metrics = server.metrics().await;
    assert_eq!(metrics["ingest_group_rows_sum"], 5.0);
    assert_eq!(metrics["ingest_group_rows_count"], 1.0);
}
