//! Leads are found by what identifies them, all of them.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Key, Server};

async fn find(server: &Server, key: &Key, query: &str) -> (Vec<String>, Option<String>) {
    let request = server.request(Method::GET, &format!("/v1/leads?{query}"), key);
    let found: Value = request.send().await.unwrap().json().await.unwrap();
    let leads = found["leads"].as_array().unwrap();
    let id = |lead: &Value| lead["id"].as_str().unwrap().to_owned();
    let next = found["next"].as_str().map(str::to_owned);
    (leads.iter().map(id).collect(), next)
}

#[tokio::test]
async fn more_than_100_leads_of_one_phone_number_are_read_page_by_page() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let leads: Value = (0..201)
        .map(|n| {
            json!({
                "type": "lead.created", "source": "test/web", "id": n.to_string(),
                "data": { "email": format!("p{n}@b.example"), "phone": "+5511987654321" }
            })
        })
        .collect();
    let answer = server.post("/v1/events", &key, &leads).send().await;
    let answer = answer.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["accepted"], 201, "{answer}");

    let phone = "phone=%2B5511987654321";
    let (mut all, mut next) = find(&server, &key, phone).await;
    let mut pages = vec![all.len()];
    while let Some(after) = next {
        let page = find(&server, &key, &format!("{phone}&after={after}")).await;
        pages.push(page.0.len());
        all.extend(page.0);
        next = page.1;
    }
    assert_eq!(pages, [100, 100, 1]);
    assert_eq!(BTreeSet::from_iter(all).len(), 201);
}
