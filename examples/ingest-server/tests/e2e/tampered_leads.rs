//! Stored values that somebody changed past the service: the lead says so, the others of its page are as
//! they were, and nothing of it is told to the outside.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, Key, Server, readiness};

/// Leads that share a phone number; the first is tampered with.
struct Leads {
    server: Server,
    key: Key,
    ids: Vec<String>,
}

const PHONE: &str = "+442079460958";

async fn leads() -> Leads {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let other = server.issue("globex", &ALL_SCOPES).await;
    let mut ids = Vec::new();
    for n in 0..3 {
        let lead = json!({
            "email": format!("canary{n}@b.example"), "phone": PHONE, "name": format!("Canary {n}")
        });
        ids.push(server.lead(&key, &lead).await);
    }
    let lead = json!({ "email": "canary9@b.example", "phone": PHONE, "name": "Canary 9" });
    ids.push(server.lead(&other, &lead).await);
    Leads { server, key, ids }
}

impl Leads {
    async fn tamper(&self, statement: &str) {
        let mut statement = statement.to_owned();
        for (n, id) in self.ids.iter().enumerate() {
            statement = statement.replace(&format!("{{{n}}}"), &format!("'{id}'"));
        }
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&mut self.server.data().connect().await)
            .await
            .unwrap();
    }

    async fn page(&self) -> Value {
        let path = format!("/v1/leads?phone={}", PHONE.replace('+', "%2B"));
        let request = self.server.request(Method::GET, &path, &self.key);
        let answer = request.header("x-access-reason", "test").send();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        answer.json().await.unwrap()
    }

    async fn count(&self, labels: &str) -> f64 {
        self.server.metrics().await[&format!("pii_operations_total{{{labels}}}")]
    }
}

/// What is done to the first lead, and which of its columns that makes unreadable.
const CHANGES: [(&str, &str, &str); 14] = [
    (
        "swapped between leads",
        "name",
        "UPDATE lead SET name_enc = (SELECT name_enc FROM lead WHERE id = {1}) WHERE id = {0}",
    ),
    (
        "swapped between tenants",
        "name",
        "UPDATE lead SET (name_enc, name_key_version) =
           (SELECT name_enc, name_key_version FROM lead WHERE id = {3}) WHERE id = {0}",
    ),
    (
        "swapped between columns",
        "name",
        "UPDATE lead SET name_enc = email_enc, name_key_version = email_key_version WHERE id = {0}",
    ),
    (
        "truncated",
        "name",
        "UPDATE lead SET name_enc = substr(name_enc, 1, length(name_enc) - 1) WHERE id = {0}",
    ),
    (
        "truncated to its header",
        "name",
        "UPDATE lead SET name_enc = substr(name_enc, 1, 20) WHERE id = {0}",
    ),
    (
        "emptied",
        "name",
        "UPDATE lead SET name_enc = x'' WHERE id = {0}",
    ),
    (
        "of an unknown format",
        "name",
        "UPDATE lead SET name_enc = unhex('FF' || substr(hex(name_enc), 3)) WHERE id = {0}",
    ),
    (
        "of an unknown key",
        "name",
        "UPDATE lead SET name_key_version = 7,
           name_enc = unhex(substr(hex(name_enc), 1, 4) || '00000007' || substr(hex(name_enc), 13))
         WHERE id = {0}",
    ),
    (
        "without its key id",
        "name",
        "UPDATE lead SET name_key_version = NULL WHERE id = {0}",
    ),
    (
        "beside another key id",
        "name",
        "UPDATE lead SET name_key_version = name_key_version + 1 WHERE id = {0}",
    ),
    (
        "removed, and its key id left",
        "name",
        "UPDATE lead SET name_enc = NULL WHERE id = {0}",
    ),
    (
        "text where bytes belong",
        "name",
        "ALTER TABLE lead RENAME TO strict_lead;
         CREATE TABLE lead AS SELECT * FROM strict_lead;
         UPDATE lead SET name_enc = 'a text' WHERE id = {0}",
    ),
    (
        "beside another fingerprint",
        "phone",
        "UPDATE lead SET phone_fp = unhex(substr(hex(phone_fp), 3) || '00') WHERE id = {0}",
    ),
    (
        "beside no fingerprint",
        "phone",
        "UPDATE lead SET phone_fp = NULL WHERE id = {0}",
    ),
];

#[tokio::test]
async fn a_lead_that_was_tampered_with_leaves_the_others_of_its_page_as_they_are() {
    for (what, column, change) in CHANGES {
        let leads = leads().await;
        let rejected = format!(r#"operation="open",purpose="{column}",outcome="rejected""#);
        assert_eq!(leads.count(&rejected).await, 0.0);
        leads.tamper(change).await;

        let page = leads.page().await;
        let shown = page["leads"].as_array().unwrap();
        assert_eq!(shown.len(), 3, "{what}: {page}");
        assert_eq!(page["next"], Value::Null);
        assert_eq!(shown[0]["unreadable"], json!([column]), "{what}: {page}");
        assert_eq!(shown[0][column], Value::Null, "{what}: {page}");
        assert_eq!(shown[0]["email"], "canary0@b.example", "{what}");
        for (n, lead) in shown.iter().enumerate().skip(1) {
            assert_eq!(lead["name"], format!("Canary {n}"), "{what}");
            assert_eq!(lead["phone"], PHONE, "{what}");
            assert_eq!(lead["unreadable"], Value::Null, "{what}");
        }

        let answer = leads.server.read_lead(&leads.key, &leads.ids[0]).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR, "{what}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["reason"], "integrity.unreadable", "{what}");
        let trace = problem["trace_id"].as_str().unwrap();
        assert!(!problem.to_string().contains("anary"), "{what}: {problem}");
        let other = leads.server.read_lead(&leads.key, &leads.ids[1]).await;
        assert_eq!(other.status(), StatusCode::OK, "{what}");

        let logs = leads.server.logs();
        let mut lines = logs
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let line = lines.find(|line| line["trace_id"] == trace && line["level"] == "ERROR");
        let line = line.unwrap_or_else(|| panic!("{what}: {logs}"));
        assert_eq!(line["tenant"], "acme", "{what}");
        assert_eq!(line["lead"], leads.ids[0].as_str(), "{what}");
        assert_eq!(line["field"], format!("lead.{column}"), "{what}");
        assert!(!logs.contains("anary"), "{what}: {logs}");
        assert_eq!(leads.count(&rejected).await, 2.0, "{what}");
        let (status, components) = readiness(&leads.server).await;
        assert_eq!(status, StatusCode::OK, "{what}: {components}");
        assert_eq!(components["database"]["state"], "degraded", "{what}");
        assert!(components["database"]["action"].is_string());
    }
}

#[tokio::test]
async fn an_index_that_leads_elsewhere_finds_nobody_else() {
    let cases = [
        ("nowhere", "DELETE FROM lead WHERE id = {0}"),
        (
            "to another tenant's lead",
            "UPDATE lead_index SET lead = {3} WHERE lead = {0} AND field = 'lead.phone'",
        ),
        (
            "to no id",
            "UPDATE lead_index SET lead = 'x' WHERE lead = {0} AND field = 'lead.phone'",
        ),
        (
            "to a lead that changed hands",
            "UPDATE lead SET tenant = 'globex' WHERE id = {0}",
        ),
    ];
    for (what, change) in cases {
        let leads = leads().await;
        leads.tamper(change).await;
        let page = leads.page().await;
        let shown = page["leads"].as_array().unwrap();
        assert_eq!(shown.len(), 2, "{what}: {page}");
        assert!(!page.to_string().contains(&leads.ids[3]), "{what}: {page}");
        let labels = r#"operation="index",purpose="phone",outcome="rejected""#;
        assert_eq!(leads.count(labels).await, 1.0, "{what}");
        assert!(leads.server.logs().contains("leads to no lead"), "{what}");
    }

    // One that leads to another lead of the tenant does not make it somebody else's find.
    let leads = leads().await;
    leads
        .tamper(
            "DELETE FROM lead_index WHERE lead = {1} AND field = 'lead.email';
             UPDATE lead_index SET lead = {1} WHERE lead = {0} AND field = 'lead.email'",
        )
        .await;
    let path = "/v1/leads?email=canary0@b.example";
    let request = leads.server.request(Method::GET, path, &leads.key);
    let page: Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(page["leads"][0]["email"], Value::Null, "{page}");
    assert_eq!(page["leads"][0]["unreadable"], json!(["email"]), "{page}");
}

/// An e-mail whose index leads nowhere can be written by nobody, and the sender is told so at once.
#[tokio::test]
async fn a_write_to_an_email_whose_index_leads_nowhere_fails_with_its_reason() {
    let leads = leads().await;
    leads.tamper("DELETE FROM lead WHERE id = {0}").await;
    let lead = json!({ "email": "canary0@b.example", "name": "Other" });
    let answer = leads.server.post("/v1/leads", &leads.key, &lead).send();
    let answer = answer.await.unwrap();
    assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "integrity.unreadable");
}

fn restarted(leads: Leads) -> Leads {
    // States of keys are read again by the next process at the latest.
    let Leads { server, key, ids } = leads;
    let data: Data = server.data().clone();
    assert!(server.terminate().success());
    let server = Server::start_on(&data);
    Leads { server, key, ids }
}

/// A key that may not be used is no tampering: 503, and the other columns are shown.
#[tokio::test]
async fn a_key_that_is_disabled_or_destroyed_is_told_from_tampering() {
    let cases = [
        ("key_unavailable", "state = 'disabled'"),
        ("key_unavailable", "state = 'destroy-scheduled'"),
        ("key_destroyed", "state = 'destroyed', wrapped = NULL"),
        ("failed", "wrapped = randomblob(length(wrapped))"),
    ];
    for (outcome, change) in cases {
        let leads = leads().await;
        let change = format!(
            "UPDATE keyring_data_key SET {change} WHERE tenant = 'acme' AND purpose = 'name'"
        );
        leads.tamper(&change).await;
        let leads = restarted(leads);
        let page = leads.page().await;
        let shown = page["leads"].as_array().unwrap();
        assert_eq!(shown.len(), 3, "{change}");
        for (n, lead) in shown.iter().enumerate() {
            assert_eq!(lead["name"], Value::Null, "{change}: {lead}");
            assert_eq!(lead["unavailable"], json!(["name"]), "{change}: {lead}");
            assert_eq!(lead["email"], format!("canary{n}@b.example"), "{change}");
        }
        let answer = leads.server.read_lead(&leads.key, &leads.ids[0]).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE, "{change}");
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["reason"], "capacity.keys_unavailable", "{change}");
        let labels = format!(r#"operation="open",purpose="name",outcome="{outcome}""#);
        assert_eq!(leads.count(&labels).await, 4.0, "{change}");
        let (_, components) = readiness(&leads.server).await;
        assert_eq!(components["database"]["state"], "up", "{change}");
    }
    // Without any key there is nothing to show.
    let leads = leads().await;
    leads
        .tamper("UPDATE keyring_data_key SET state = 'disabled' WHERE tenant = 'acme'")
        .await;
    let leads = restarted(leads);
    let path = format!("/v1/leads?phone={}", PHONE.replace('+', "%2B"));
    let answer = leads.server.request(Method::GET, &path, &leads.key).send();
    assert_eq!(
        answer.await.unwrap().status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
}
