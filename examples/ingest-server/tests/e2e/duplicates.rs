//! What is sent twice is stored once.

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Server, count, page_view};

#[tokio::test]
async fn the_same_event_twice_is_stored_once_and_called_a_duplicate() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let first = server
        .post("/v1/events", &key, &page_view(1))
        .send()
        .await
        .unwrap();
    assert_eq!(first.status(), StatusCode::ACCEPTED);
    assert_eq!(
        first.json::<Value>().await.unwrap(),
        json!({ "accepted": 1, "duplicates": 0, "rejected": [] })
    );
    let second = server
        .post("/v1/events", &key, &page_view(1))
        .send()
        .await
        .unwrap();
    assert_eq!(second.status(), StatusCode::ACCEPTED);
    assert_eq!(
        second.json::<Value>().await.unwrap(),
        json!({ "accepted": 0, "duplicates": 1, "rejected": [] })
    );
    assert_eq!(count(server.data(), "event").await, 1);

    let other = server.issue("other", &ALL_SCOPES).await;
    let third = server
        .post("/v1/events", &other, &page_view(1))
        .send()
        .await
        .unwrap();
    assert_eq!(third.json::<Value>().await.unwrap()["accepted"], 1);
}

#[tokio::test]
async fn an_event_twice_in_one_batch_is_stored_once() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut changed = page_view(1);
    changed["data"]["url"] = json!("https://shop.example/hats");
    let batch = json!([page_view(1), page_view(2), page_view(1), changed]);
    let answer = server
        .post("/v1/events", &key, &batch)
        .send()
        .await
        .unwrap();
    assert_eq!(
        answer.json::<Value>().await.unwrap(),
        json!({
            "accepted": 2, "duplicates": 2, "rejected": [], "conflicts": [{ "index": 3, "id": "1" }]
        })
    );
    assert_eq!(count(server.data(), "event").await, 2);
}

#[tokio::test]
async fn of_a_batch_of_1000_with_10_broken_990_are_stored_and_10_named() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let broken: Vec<usize> = (0..10).map(|n| n * 97 + 13).collect();
    let events: Vec<Value> = (0..1_000)
        .map(|id| {
            let mut event = page_view(id);
            if broken.contains(&id) {
                event["data"] = json!({ "url": 7 });
            }
            event
        })
        .collect();
    let answer = server
        .request(Method::POST, "/v1/events", &key)
        .header("content-type", "application/cloudevents-batch+json")
        .json(&events)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let answer = answer.json::<Value>().await.unwrap();
    assert_eq!(answer["accepted"], 990);
    let rejected = answer["rejected"].as_array().unwrap();
    let indexes: Vec<u64> = rejected
        .iter()
        .map(|one| one["index"].as_u64().unwrap())
        .collect();
    let expected: Vec<u64> = broken.iter().map(|index| *index as u64).collect();
    assert_eq!(indexes, expected);
    for one in rejected {
        assert_eq!(one["reason"], "schema.type_mismatch");
        assert_eq!(one["id"], one["index"].to_string());
        assert!(
            one["detail"].as_str().unwrap().contains("/properties/url"),
            "{one}"
        );
    }
    assert_eq!(count(server.data(), "event").await, 990);
}

#[tokio::test]
async fn fifty_concurrent_leads_of_one_email_are_one_lead_that_opens() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let bodies: Vec<Value> = (0..50)
        .map(|n| json!({ "email": "one@person.example", "name": format!("Name {n}") }))
        .collect();
    let answers = join_all(
        bodies
            .iter()
            .map(|body| async { server.post("/v1/leads", &key, body).send().await.unwrap() }),
    )
    .await;
    let mut created = 0;
    let mut ids = std::collections::BTreeSet::new();
    for answer in answers {
        match answer.status() {
            StatusCode::CREATED => created += 1,
            status => assert_eq!(status, StatusCode::OK),
        }
        let answer: Value = answer.json().await.unwrap();
        ids.insert(answer["id"].as_str().unwrap().to_owned());
    }
    assert_eq!((created, ids.len()), (1, 1));
    assert_eq!(count(server.data(), "lead").await, 1);
    // One of the e-mail; the others are of parts of the name.
    let of_email = "SELECT count(*) FROM lead_index WHERE field = 'lead.email'";
    let of_email: i64 = sqlx::query_scalar(of_email)
        .fetch_one(&mut server.data().connect().await)
        .await
        .unwrap();
    assert_eq!(of_email, 1);
    let lead = server.read_lead(&key, ids.first().unwrap()).await;
    let lead = lead.json::<Value>().await.unwrap();
    assert_eq!(lead["email"], "one@person.example");
    assert!(lead["name"].as_str().unwrap().starts_with("Name "));
}

/// An event of a customer database.
fn crm_event(id: &str, event_type: &str, data: Value) -> Value {
    json!({ "type": event_type, "source": "test/crm", "id": id, "data": data })
}

#[tokio::test]
async fn leads_of_events_and_of_the_endpoint_are_the_same_by_their_email() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let batch = json!([
        crm_event(
            "1",
            "lead.created",
            json!({ "email": "ada@b.example", "campaign": "spring" })
        ),
        crm_event(
            "2",
            "lead.created",
            json!({ "email": "ADA@B.example", "phone": "+442079460958" })
        ),
    ]);
    let answer = server
        .post("/v1/events", &key, &batch)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap()["accepted"], 2);
    let id = server
        .lead(&key, &json!({ "email": "ada@b.example", "name": "Ada" }))
        .await;
    let lead = server
        .read_lead(&key, &id)
        .await
        .json::<Value>()
        .await
        .unwrap();
    assert_eq!(
        (&lead["phone"], &lead["name"]),
        (&json!("+442079460958"), &json!("Ada"))
    );

    let update = crm_event(
        "3",
        "lead.updated",
        json!({ "lead": id, "email": "new@b.example" }),
    );
    let answer = server
        .post("/v1/events", &key, &update)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert_eq!(
        server
            .lead(&key, &json!({ "email": "new@b.example" }))
            .await,
        id
    );
    assert_ne!(
        server
            .lead(&key, &json!({ "email": "ada@b.example" }))
            .await,
        id
    );

    // The old address is another lead's by now; an unknown lead cannot be updated.
    for data in [
        json!({ "lead": id, "email": "ada@b.example" }),
        json!({ "lead": "01890000-0000-7000-8000-000000000000", "name": "N" }),
    ] {
        let update = crm_event("4", "lead.updated", data);
        let answer = server
            .post("/v1/events", &key, &update)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
        let problem = answer.json::<Value>().await.unwrap();
        assert_eq!(problem["reason"], "semantic.reference");
    }
}

#[tokio::test]
async fn fifty_concurrent_retries_of_one_lead_event_are_one_event_and_one_lead() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let event = json!({
        "type": "lead.created", "source": "test/crm", "id": "1",
        "data": { "email": "one@person.example", "name": "One" }
    });
    let send = || async {
        let answer = server
            .post("/v1/events", &key, &event)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        answer.json::<Value>().await.unwrap()
    };
    let answers = join_all((0..50).map(|_| send())).await;
    let sum = |name: &str| {
        answers
            .iter()
            .map(|answer| answer[name].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!((sum("accepted"), sum("duplicates")), (1, 49));
    assert_eq!(count(server.data(), "event").await, 1);
    assert_eq!(count(server.data(), "lead").await, 1);
}

#[tokio::test]
async fn an_upsert_after_a_change_of_address_in_one_batch_is_a_lead_of_its_own() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let first = server
        .lead(&key, &json!({ "email": "old@b.example" }))
        .await;
    let batch = json!([
        crm_event(
            "1",
            "lead.updated",
            json!({ "lead": first, "email": "new@b.example" })
        ),
        crm_event(
            "2",
            "lead.created",
            json!({ "email": "old@b.example", "name": "Another" })
        ),
    ]);
    let answer = server
        .post("/v1/events", &key, &batch)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap()["accepted"], 2);
    let moved = server
        .read_lead(&key, &first)
        .await
        .json::<Value>()
        .await
        .unwrap();
    assert_eq!(moved["email"], "new@b.example");
    assert_ne!(
        server
            .lead(&key, &json!({ "email": "old@b.example" }))
            .await,
        first
    );
}
