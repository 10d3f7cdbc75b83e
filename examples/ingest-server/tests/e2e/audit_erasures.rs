//! What lies beside the audit log is erased before its time.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{Data, Server, noted, on_record};

async fn personal(server: &Server, n: u64) -> Value {
    let path = format!("/admin/audit/events/{n}");
    let answer = server.admin(Method::GET, &path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json::<Value>().await.unwrap()["personal"].take()
}

async fn erase(server: &Server, whose: &Value) -> (StatusCode, Value) {
    let request = server.admin(Method::POST, "/admin/audit/erasures");
    let answer = request.json(whose).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

#[tokio::test]
async fn the_parts_of_an_event_an_actor_and_a_tenant_go_and_the_log_stays() {
    let server = Server::start();
    let acme = server.issue("acme", &["audit:read"]).await;
    let other = server.issue("other", &["audit:read"]).await;
    for key in [&acme, &acme, &acme, &other] {
        let answer = server.request(Method::GET, "/v1/audit", key);
        assert_eq!(answer.send().await.unwrap().status(), StatusCode::OK);
    }
    let by = |events: &[Value], id: &str| -> Vec<u64> {
        let own = events.iter().filter(|event| event["actor"]["id"] == id);
        own.map(|event| event["n"].as_u64().unwrap()).collect()
    };
    let events = on_record(&server, "").await;
    let (of_acme, of_other) = (by(&events, &acme.kid), by(&events, &other.kid));
    assert_eq!((of_acme.len(), of_other.len()), (3, 1));
    for n in of_acme.iter().chain(&of_other) {
        assert_eq!(personal(&server, *n).await["ip"], "127.0.0.1");
    }

    let told = erase(&server, &json!({ "event": of_acme[0] })).await;
    assert_eq!(
        told,
        (StatusCode::OK, json!({ "erased": 1, "not_reached": [] }))
    );
    assert_eq!(personal(&server, of_acme[0]).await, Value::Null);
    let told = erase(&server, &json!({ "actor": acme.kid })).await;
    assert_eq!(
        told,
        (StatusCode::OK, json!({ "erased": 2, "not_reached": [] }))
    );
    assert_eq!(personal(&server, of_acme[2]).await, Value::Null);
    assert_ne!(personal(&server, of_other[0]).await, Value::Null);
    let (status, told) = erase(&server, &json!({ "tenant": "other" })).await;
    assert_eq!(status, StatusCode::OK);
    // The operator's, who issued the key, is among them.
    assert_eq!(told, json!({ "erased": 2, "not_reached": [] }));
    assert_eq!(personal(&server, of_other[0]).await, Value::Null);

    let verified = server.admin(Method::POST, "/admin/audit/verify");
    let verified: Value = verified.send().await.unwrap().json().await.unwrap();
    assert_eq!(verified["report"]["outcome"], "sound", "{verified}");
    let list = server.admin(Method::GET, "/admin/audit/erasures?limit=2");
    let list: Value = list.send().await.unwrap().json().await.unwrap();
    let counts = |page: &Value| -> Vec<u64> {
        let events = page["events"].as_array().unwrap().iter();
        events
            .map(|event| event["count"].as_u64().unwrap())
            .collect()
    };
    assert_eq!(counts(&list), [2, 2]);
    let next = list["next"].as_str().unwrap();
    let path = format!("/admin/audit/erasures?limit=2&cursor={next}");
    let list = server.admin(Method::GET, &path).send().await.unwrap();
    assert_eq!(counts(&list.json().await.unwrap()), [1]);
    // Who asked, and what came of it.
    let asked = on_record(&server, "&action=audit.erase").await;
    let outcomes: Vec<_> = asked.iter().map(|event| &event["outcome"]).collect();
    assert_eq!(
        outcomes,
        [
            "unknown", "success", "unknown", "success", "unknown", "success"
        ]
    );
    assert_eq!(asked[0]["actor"]["id"], "admin-token");
}

#[tokio::test]
async fn the_logs_of_processes_that_have_ended_are_reached_and_the_others_are_named() {
    let data = Data::new();
    let first = Server::start_on(&data);
    let second = Server::start_on(&data);
    let acme = first.issue("acme", &["audit:read"]).await;
    for server in [&first, &second, &second] {
        let answer = server.request(Method::GET, "/v1/audit", &acme).send();
        assert_eq!(answer.await.unwrap().status(), StatusCode::OK);
    }
    let whose = json!({ "actor": acme.kid });
    let told = erase(&first, &whose).await;
    let running = json!([{ "log": "server-2", "why": "in_use" }]);
    let expected = json!({ "erased": 1, "not_reached": running });
    assert_eq!(told, (StatusCode::OK, expected));
    assert!(second.terminate().success());
    let told = erase(&first, &whose).await;
    let expected = json!({ "erased": 2, "not_reached": [] });
    assert_eq!(told, (StatusCode::OK, expected));
}

#[tokio::test]
async fn what_no_entry_has_is_not_put_on_record_by_being_asked_for() {
    let server = Server::start();
    for (whose, status) in [
        (json!({ "actor": "canary7Q" }), StatusCode::NOT_FOUND),
        (json!({ "tenant": "canary7Q" }), StatusCode::NOT_FOUND),
        (json!({ "resource": "canary7Q" }), StatusCode::NOT_FOUND),
        (json!({ "event": 1_000_000 }), StatusCode::NOT_FOUND),
        (json!({ "event": u64::MAX }), StatusCode::NOT_FOUND),
        (json!({ "actor": "a canary7Q" }), StatusCode::BAD_REQUEST),
        (json!({}), StatusCode::BAD_REQUEST),
        (
            json!({ "event": 0, "actor": "canary7Q" }),
            StatusCode::BAD_REQUEST,
        ),
        (json!({ "shoe": "canary7Q" }), StatusCode::BAD_REQUEST),
    ] {
        let (told, problem) = erase(&server, &whose).await;
        assert_eq!(told, status, "{whose}: {problem}");
        assert!(!problem.to_string().contains("canary7Q"), "{problem}");
    }
    let log = server.data().files();
    let has = |bytes: &[u8]| bytes.windows(8).any(|part| part == b"canary7Q");
    let found: Vec<_> = log.iter().filter(|(_, bytes)| has(bytes)).collect();
    assert!(found.is_empty(), "{:?}", found[0].0);
}

#[tokio::test]
async fn who_asks_says_by_what_program_beside_the_entry_and_not_in_it() {
    const AGENT: &str = "canary7Q/8.5 (X11; Linux)";
    let server = Server::start();
    let key = server.issue("acme", &["audit:read"]).await;
    let shown = async |request: reqwest::RequestBuilder| {
        let answer = request.header("user-agent", AGENT).send().await.unwrap();
        assert!(answer.status() != StatusCode::INTERNAL_SERVER_ERROR);
    };
    shown(server.request(Method::GET, "/v1/audit", &key)).await;
    shown(server.admin(Method::GET, "/admin/keys")).await;
    let url = format!("http://{}/v1/audit", server.public_address());
    shown(reqwest::Client::new().get(url).bearer_auth("no key")).await;
    // Cut, and not refused.
    let long = format!("{AGENT}{}", "x".repeat(1_000));
    let request = server.request(Method::GET, "/v1/audit", &key);
    let answer = request.header("user-agent", &long).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);

    noted(&server, "&action=auth.attempt", 1).await;
    let events = on_record(&server, "").await;
    let mut agents = Vec::new();
    for event in &events {
        let n = event["n"].as_u64().unwrap();
        let answer = server.admin(Method::GET, &format!("/admin/audit/events/{n}"));
        let one: Value = answer.send().await.unwrap().json().await.unwrap();
        assert!(!one["leaf"].as_str().unwrap().contains("canary7Q"), "{one}");
        if let Some(agent) = one["personal"]["ua"].as_str() {
            agents.push((
                event["action"].as_str().unwrap().to_owned(),
                agent.to_owned(),
            ));
        }
    }
    for action in ["audit.read", "data_key.list", "auth.attempt"] {
        let told = agents
            .iter()
            .filter(|(of, agent)| of == action && agent == AGENT);
        assert_eq!(told.count(), 1, "{action}: {agents:?}");
    }
    assert!(
        agents.iter().any(|(_, agent)| agent == &long[..256]),
        "{agents:?}"
    );
    // Sealed on the disk, and erased like the rest.
    let has = |bytes: &[u8]| bytes.windows(8).any(|part| part == b"canary7Q");
    let log = server.data().files();
    let found: Vec<_> = log.iter().filter(|(_, bytes)| has(bytes)).collect();
    assert!(found.is_empty(), "{:?}", found[0].0);
    let (status, _) = erase(&server, &json!({ "actor": key.kid })).await;
    assert_eq!(status, StatusCode::OK);
    let of_key = events
        .iter()
        .find(|event| event["actor"]["id"] == key.kid.as_str());
    let n = of_key.unwrap()["n"].as_u64().unwrap();
    assert_eq!(personal(&server, n).await, Value::Null);
}
