//! A lead that an earlier version indexed under another normal form of its e-mail is found, shown and
//! updated, and no second one is made of its person.

use futures_util::future::join_all;
use portcullis_keyring::{TenantId, secrets::VersionedSecrets};
use portcullis_pii_crypto::{Email, IndexRoots, Pii};
use reqwest::{Method, StatusCode};
use secrecy::SecretBox;
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Key, Server, count};

/// Spellings of one address; the first is the one that was stored.
const SPELLINGS: [[&str; 3]; 3] = [
    // `ΟΔΟΣ` was `οδος`, and is `οδοσ`.
    ["ΟΔΟΣ@b.example", "οδοσ@b.example", "Οδος@B.example"],
    ["João@b.example", "JOÃO@b.example", "joa\u{303}o@b.example"],
    // It was another person than `ada`, and is found by `ada` once it was written again.
    ["ａda@b.example", "Ａda@b.example", "ＡDA@b.example"],
];

/// What the earlier version wrote for the first spelling: `email/1` of all that is not ASCII.
fn former(address: &str) -> Vec<u8> {
    // The index root of the harness.
    let mut root = [0; 32];
    root.iter_mut()
        .zip(0x20..)
        .for_each(|(byte, value)| *byte = value);
    let root = SecretBox::new(Box::new(root));
    let roots = IndexRoots::new(VersionedSecrets::single(root)).unwrap();
    let index = roots.unique_index(&TenantId::new("acme").unwrap(), "lead.email");
    let email = Pii::<Email>::parse(address).unwrap();
    index.former_values(&email)[0].as_bytes().to_vec()
}

/// A server, and a lead as an earlier version left it.
async fn with_former_lead(address: &str) -> (Server, Key, String) {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = json!({ "email": address, "name": "Before" });
    let id = server.lead(&key, &lead).await;
    let mut database = server.data().connect().await;
    for statement in [
        "UPDATE lead SET email_fp = ? WHERE id = ?",
        "UPDATE lead_index SET value = ? WHERE lead = ? AND field = 'lead.email'",
    ] {
        let done = sqlx::query(statement)
            .bind(former(address))
            .bind(&id)
            .execute(&mut database);
        assert_eq!(done.await.unwrap().rows_affected(), 1);
    }
    (server, key, id)
}

async fn find(server: &Server, key: &Key, address: &str) -> Value {
    let path = format!("/v1/leads?email={}", percent_encoded(address));
    let request = server.request(Method::GET, &path, key);
    let answer = request.header("x-access-reason", "test").send();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    answer.json().await.unwrap()
}

fn percent_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

async fn fingerprint(server: &Server, id: &str) -> Vec<u8> {
    sqlx::query_scalar("SELECT email_fp FROM lead WHERE id = ?")
        .bind(id)
        .fetch_one(&mut server.data().connect().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn it_is_found_and_shown_whole_by_each_spelling() {
    for [stored, others @ ..] in SPELLINGS {
        let (server, key, id) = with_former_lead(stored).await;
        for address in [stored].into_iter().chain(others) {
            let found = find(&server, &key, address).await;
            assert_eq!(found["leads"][0]["id"], id, "{address}: {found}");
            assert_eq!(found["leads"][0]["email"], stored, "{address}: {found}");
            assert_eq!(found["leads"].as_array().unwrap().len(), 1);
        }
        let answer = server.read_lead(&key, &id).await;
        assert_eq!(answer.status(), StatusCode::OK, "{stored}");
        let other = find(&server, &key, "other@b.example").await;
        assert_eq!(other["leads"], json!([]));
    }
}

#[tokio::test]
async fn it_is_updated_under_the_current_fingerprint_and_not_made_twice() {
    for [stored, spelling, again] in SPELLINGS {
        let (server, key, id) = with_former_lead(stored).await;
        let lead = json!({ "email": spelling, "name": "After" });
        assert_eq!(server.lead(&key, &lead).await, id, "{spelling}");
        let now = fingerprint(&server, &id).await;
        assert_ne!(now, former(stored), "{spelling}");
        let lead = json!({ "email": again, "name": "Last" });
        assert_eq!(server.lead(&key, &lead).await, id, "{again}");
        assert_eq!(fingerprint(&server, &id).await, now);
        assert_eq!(count(server.data(), "lead").await, 1);
        for address in [stored, spelling, again] {
            let found = find(&server, &key, address).await;
            assert_eq!(found["leads"][0]["id"], id, "{address}: {found}");
            assert_eq!(found["leads"][0]["name"], "Last", "{address}: {found}");
        }
    }
}

#[tokio::test]
async fn those_who_find_it_at_the_same_time_update_one_lead() {
    for [stored, spelling, _] in SPELLINGS {
        let (server, key, id) = with_former_lead(stored).await;
        let event = |n: usize| {
            json!({
                "type": "lead.created", "source": "test/crm", "id": n.to_string(),
                "data": { "email": spelling, "name": format!("Name {n}") }
            })
        };
        let send = |n: usize| {
            let batch = json!([event(2 * n), event(2 * n + 1)]);
            server.post("/v1/events", &key, &batch).send()
        };
        for answer in join_all((0..10).map(send)).await {
            let answer: Value = answer.unwrap().json().await.unwrap();
            assert_eq!(answer["accepted"], 2, "{answer}");
        }
        assert_eq!(count(server.data(), "lead").await, 1);
        let leads: Vec<String> = sqlx::query_scalar("SELECT DISTINCT lead FROM event")
            .fetch_all(&mut server.data().connect().await)
            .await
            .unwrap();
        assert_eq!(leads, [id]);
    }
}

/// Two leads, the second of which an earlier version took for somebody else: what is written goes to the
/// one that has the current fingerprint.
#[tokio::test]
async fn of_two_that_are_one_person_by_now_the_current_one_is_written() {
    let (server, key, former) = with_former_lead("ａda@b.example").await;
    let lead = json!({ "email": "ada@b.example", "name": "Current" });
    let current = server.lead(&key, &lead).await;
    assert_ne!(current, former);
    let lead = json!({ "email": "Ａda@b.example", "name": "New" });
    assert_eq!(server.lead(&key, &lead).await, current);
    let found = find(&server, &key, "ａda@b.example").await;
    let names: Vec<_> = found["leads"]
        .as_array()
        .unwrap()
        .iter()
        .map(|lead| &lead["name"])
        .collect();
    assert_eq!(names, ["Before", "New"], "{found}");
}

#[tokio::test]
async fn another_lead_cannot_take_its_email() {
    let (server, key, _) = with_former_lead("João@b.example").await;
    let lead = json!({ "email": "other@b.example" });
    let other = server.lead(&key, &lead).await;
    let event = json!({
        "type": "lead.updated", "source": "test/crm", "id": "1",
        "data": { "lead": other, "email": "joão@b.example" }
    });
    let answer = server
        .post("/v1/events", &key, &event)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "semantic.reference", "{problem}");
}

#[tokio::test]
async fn what_cannot_be_seen_or_is_no_label_is_refused_with_what_is_asked_for() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let name = |count| "字".repeat(count);
    for (lead, status, told) in [
        (
            json!({ "email": "\u{200b}ada@example.com" }),
            422,
            "an e-mail address",
        ),
        (
            json!({ "email": "user@-example.com" }),
            422,
            "an e-mail address",
        ),
        (json!({ "name": name(342) }), 201, ""),
        (json!({ "name": name(400) }), 201, ""),
        (json!({ "name": name(401) }), 422, "at most 400 characters"),
        (
            json!({ "name": "\u{200b}" }),
            422,
            "a name of at most 1,024 characters",
        ),
    ] {
        let answer = server.post("/v1/leads", &key, &lead).send().await.unwrap();
        assert_eq!(answer.status(), status, "{lead}");
        let answer: Value = answer.json().await.unwrap();
        assert!(answer.to_string().contains(told), "{lead}: {answer}");
    }
}
