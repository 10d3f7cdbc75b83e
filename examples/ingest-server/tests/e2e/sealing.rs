//! Personal data is readable for who may read it, and nowhere else.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    forms::find,
    harness::{ALL_SCOPES, Server},
};

const EMAIL: &str = "canary.q7x@sealed-mail.example";
const PHONE: &str = "+442079460958";
const PHONE_DIGITS: &str = "442079460958";

const CPF: &str = "52998224725";
const NAME: &str = "Canary Q7x";
const ADDRESS: &str = "7 Sealed Street, Q7x-Town";
const TEXT: &str = "the canary likes red shoes";

/// Every canary, and the parts that would give one away.
const CANARIES: [&str; 11] = [
    EMAIL,
    "canary.q7x",
    "sealed-mail",
    PHONE,
    PHONE_DIGITS,
    CPF,
    "529.982.247-25",
    NAME,
    ADDRESS,
    "Sealed Street",
    TEXT,
];

fn assert_absent(server: &Server) {
    for (path, content) in server.data().files() {
        for value in CANARIES {
            let found = find(&content, value).map(|form| String::from_utf8(form).unwrap());
            assert_eq!(found, None, "in {}", path.display());
        }
    }
}

#[tokio::test]
async fn personal_data_is_sealed_at_rest_and_comes_back_to_who_may_read_them() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let event = json!({
        "specversion": "1.0", "type": "form.submitted", "source": "test/web", "id": "1",
        "data": {
            "form": "contact", "email": EMAIL, "phone": PHONE,
            "answers": [{ "question": "How?", "answer": format!("write to {EMAIL}: {TEXT}") }]
        }
    });
    let created = json!({
        "specversion": "1.0", "type": "lead.created", "source": "test/web", "id": "2",
        "data": {
            "email": EMAIL, "national_id": CPF, "name": NAME, "address": ADDRESS, "notes": TEXT
        }
    });
    for event in [event, created] {
        let answer = server
            .request(Method::POST, "/v1/events", &key)
            .header("content-type", "application/cloudevents+json")
            .json(&event)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        assert_eq!(answer.json::<Value>().await.unwrap()["accepted"], 1);
    }
    let lead = json!({
        "email": EMAIL, "phone": "+44 20 7946 0958", "national_id": "529.982.247-25",
        "name": NAME, "address": ADDRESS
    });
    let id = server.lead(&key, &lead).await;

    // The write-ahead log still holds everything; after the stop, the file does.
    assert!(
        server
            .data()
            .files()
            .iter()
            .any(|(path, _)| path.ends_with("ingest.db-wal"))
    );
    assert_absent(&server);

    let opened = server
        .read_lead(&key, &id)
        .await
        .json::<Value>()
        .await
        .unwrap();
    assert_eq!(opened["email"], EMAIL);
    assert_eq!(opened["phone"], PHONE);
    assert_eq!(opened["national_id"], CPF);
    assert_eq!(opened["name"], NAME);
    assert_eq!(opened["address"], ADDRESS);

    let clerk = server.issue("acme", &["leads:read"]).await;
    let masked = server
        .read_lead(&clerk, &id)
        .await
        .json::<Value>()
        .await
        .unwrap();
    assert_eq!(masked["email"], "c***@s***.example");
    assert_eq!(masked["masked"], true);
    assert!(!masked.to_string().contains("canary"));
    assert!(!masked.to_string().contains(&PHONE[3..]));
    for value in CANARIES {
        assert!(!masked.to_string().contains(value), "{masked}");
    }

    let path = format!("/v1/leads/{id}");
    let without_reason = server
        .request(Method::GET, &path, &key)
        .send()
        .await
        .unwrap();
    assert_eq!(without_reason.json::<Value>().await.unwrap(), masked);

    for parameter in [
        format!("email={EMAIL}"),
        "phone=%2B44+20+79460958".to_owned(),
    ] {
        let path = format!("/v1/leads?{parameter}");
        let found = server
            .request(Method::GET, &path, &clerk)
            .send()
            .await
            .unwrap();
        let found = found.json::<Value>().await.unwrap();
        assert_eq!(found["leads"], json!([masked]), "{found}");
    }
    assert_absent(&server);
    let data = server.data().clone();
    assert!(server.terminate().success());
    let after = Server::start_on(&data);
    assert_absent(&after);
}

#[tokio::test]
async fn personal_data_in_an_undeclared_place_is_refused_and_not_stored() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    for (field, event) in [
        (
            "data",
            json!({ "id": "1", "data": { "url": format!("https://x.example/?m={EMAIL}") } }),
        ),
        (
            "id",
            json!({ "id": EMAIL, "data": { "url": "https://x.example/" } }),
        ),
        (
            "source",
            json!({ "id": "2", "source": format!("mailto:{EMAIL}"), "data": { "url": "/" } }),
        ),
    ] {
        let mut event = event;
        event["type"] = json!("page.viewed");
        if event.get("source").is_none() {
            event["source"] = json!("test/web");
        }
        let answer = server
            .post("/v1/events", &key, &event)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{field}");
        let problem = answer.json::<Value>().await.unwrap();
        assert_eq!(problem["reason"], "policy.undeclared_pii", "{field}");
        // Not to its sender either: answers are logged on their way.
        assert_eq!(
            find(problem.to_string().as_bytes(), EMAIL),
            None,
            "{problem}"
        );
        assert_eq!(
            problem["rejected"][0]["id"].is_null(),
            field == "id",
            "{problem}"
        );
    }
    assert_absent(&server);
}

#[tokio::test]
async fn samples_show_no_personal_data_however_broken_the_event_is() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = |extra: &str| {
        format!(
            r#"{{"type":"lead.created","source":"test/web","id":"1","data":{{"name":"{NAME}",
                "address":"{ADDRESS}","national_id":"{CPF}","notes":"{TEXT}"{extra}}}}}"#
        )
    };
    // Text that is none leaves nothing to take a sample of.
    let answer = server
        .request(Method::POST, "/v1/events", &key)
        .header("content-type", "application/json")
        .body(lead(r#","x":"\ud800""#))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let problem = answer.text().await.unwrap();
    for value in CANARIES {
        assert_eq!(find(problem.as_bytes(), value), None, "{value}: {problem}");
    }
    let items = [
        lead(r#","x":1e999"#),
        lead(r#","x":1,"x":2"#),
        lead(r#","x":1"#),
        lead(&format!(r#","{NAME}":"{CPF}""#)),
        format!(r#""{NAME}, {ADDRESS}""#),
        format!(r#"["{NAME}", {CPF}]"#),
        CPF.to_owned(),
        PHONE_DIGITS.to_owned(),
        format!(r#"{{"type":"{NAME}","{ADDRESS}":{CPF}}}"#),
    ];
    let answer = server
        .request(Method::POST, "/v1/events", &key)
        .header("content-type", "application/json")
        .body(format!("[{}]", items.join(",")))
        .send()
        .await
        .unwrap();
    let answer = answer.json::<Value>().await.unwrap();
    let rejected = answer["rejected"].as_array().map(Vec::len);
    assert_eq!(rejected, Some(items.len()), "{answer}");

    let samples = server
        .admin(Method::GET, "/admin/quality/samples")
        .send()
        .await
        .unwrap();
    let samples = samples.text().await.unwrap();
    assert_eq!(samples.matches("excerpt").count(), items.len(), "{samples}");
    for value in CANARIES {
        assert_eq!(find(samples.as_bytes(), value), None, "{value}: {samples}");
    }
}

/// The known answer of `docs/formats.md`, computed with the Python package `cryptography`.
#[tokio::test]
async fn the_fingerprint_of_an_event_is_the_documented_one() {
    let server = Server::start();
    let key = server.issue("tenant-7", &ALL_SCOPES).await;
    let event = json!({
        "type": "form.submitted", "source": "test/web", "id": "1",
        "data": { "form": "contact", "email": "john.smith+a1@example.com" }
    });
    let answer = server
        .post("/v1/events", &key, &event)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let fingerprint: Vec<u8> = sqlx::query_scalar("SELECT content_fp FROM event")
        .fetch_one(&mut server.data().connect().await)
        .await
        .unwrap();
    assert_eq!(
        hex::encode(fingerprint),
        "00014f92f1b3d0991703e8f0d15976c371bf"
    );
}

#[tokio::test]
async fn the_record_of_another_tenant_answers_like_one_that_does_not_exist() {
    let server = Server::start();
    let a = server.issue("tenant-a", &ALL_SCOPES).await;
    let b = server.issue("tenant-b", &ALL_SCOPES).await;
    let id = server.lead(&b, &json!({ "email": EMAIL })).await;

    let foreign = server.read_lead(&a, &id).await;
    assert_eq!(foreign.status(), StatusCode::NOT_FOUND);
    let missing = server
        .read_lead(&a, "01890000-0000-7000-8000-000000000000")
        .await;
    assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    let mut answers = [
        foreign.json::<Value>().await.unwrap(),
        missing.json().await.unwrap(),
    ];
    for answer in &mut answers {
        answer
            .as_object_mut()
            .unwrap()
            .remove("trace_id")
            .expect("each has its own");
    }
    assert_eq!(answers[0], answers[1]);

    let path = format!("/v1/leads?email={EMAIL}");
    let found = server.request(Method::GET, &path, &a).send().await.unwrap();
    assert_eq!(found.json::<Value>().await.unwrap()["leads"], json!([]));
    let own = server.lead(&a, &json!({ "email": EMAIL })).await;
    assert_ne!(own, id);
}
