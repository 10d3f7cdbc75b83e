//! What the service does with what its probe writes: it tells nothing of the quality of data, and goes.

use std::{fs, process::Command};

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::{
    harness::{Data, Server, count, on_record, page_view, run_to_end, wait_for},
    movement::Samples,
    probes::{ProbeKeys, SCOPES, lead},
    programs::libfaketime,
};

fn command(data: &Data) -> Command {
    let mut command = data.command();
    command.env("INGEST_PROBE_TENANT", "probe");
    command
}

/// The same, as long after now.
fn later(data: &Data, offset: &str) -> Command {
    let mut command = command(data);
    command
        .env("LD_PRELOAD", libfaketime())
        .env("FAKETIME", offset)
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    command
}

/// As the probe sends it.
fn event(id: &str) -> Value {
    let mut event = page_view(id);
    event["source"] = "probe".into();
    event
}

fn probe_once(keys: &ProbeKeys, server: &Server) {
    let output = run_to_end(keys.command(&server.public_url("")).arg("--once"));
    assert!(output.status.success(), "{output:?}");
}

/// What the quality of data is told by.
fn quality(samples: &Samples) -> Vec<(&String, &f64)> {
    let of_quality = samples.iter().filter(|(name, _)| name.starts_with("dq_"));
    of_quality.collect()
}

#[tokio::test]
async fn the_quality_of_data_is_the_same_with_a_probe_and_without_and_objectives_count_it() {
    let data = Data::new();
    let server = Server::start_command(&data, command(&data));
    let keys = ProbeKeys::issue(&server, "probe").await;
    let key = server.issue("acme", &SCOPES).await;
    server
        .post("/v1/events", &key, &page_view("1"))
        .send()
        .await
        .unwrap();
    let before = server.metrics().await;
    probe_once(&keys, &server);
    // Also of what is refused.
    let broken = server
        .post("/v1/events", &keys.key, &serde_json::json!([{}]))
        .send();
    assert_eq!(
        broken.await.unwrap().status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
    let after = server.metrics().await;
    assert_eq!(quality(&before), quality(&after));
    let counted = "slo_requests_total{slo=\"availability\",verdict=\"good\"}";
    assert!(
        after[counted] >= before[counted] + 9.0,
        "{}",
        after[counted]
    );
    let samples = server.admin(Method::GET, "/admin/quality/samples?tenant=probe");
    let samples: Value = samples.send().await.unwrap().json().await.unwrap();
    assert!(!samples.to_string().contains("parse."), "{samples}");

    // That tenant alone: another one's count.
    server
        .post("/v1/events", &key, &page_view("2"))
        .send()
        .await
        .unwrap();
    assert_ne!(quality(&after), quality(&server.metrics().await));
}

#[tokio::test]
async fn the_probe_searches_and_erases_as_often_as_it_wants_and_leaves_no_note_of_it() {
    let data = Data::new();
    let server = Server::start_command(&data, command(&data));
    let key = server.issue("probe", &SCOPES).await;
    let other = server.issue("acme", &SCOPES).await;
    let search = async |key| {
        let found = server.request(Method::GET, "/v1/leads?email=a1%40example.com", key);
        found.send().await.unwrap().status()
    };
    let mut last = StatusCode::OK;
    for _ in 0..61 {
        assert_eq!(search(&key).await, StatusCode::OK);
        last = search(&other).await;
    }
    assert_eq!(last, StatusCode::TOO_MANY_REQUESTS);
    let erased = data.path().join("erasures.jsonl");
    let notes = || fs::read_to_string(&erased).unwrap().lines().count();
    let before = notes();
    for (key, noted) in [(&key, 0), (&other, 1)] {
        let id = server.lead(key, &lead(2)).await;
        let path = format!("/v1/leads/{id}");
        let erase = server.request(Method::DELETE, &path, key).send();
        assert_eq!(erase.await.unwrap().status(), StatusCode::NO_CONTENT);
        let gone = server.request(Method::GET, &path, key).send();
        assert_eq!(gone.await.unwrap().status(), StatusCode::NOT_FOUND);
        assert_eq!(notes(), before + noted);
    }
    // It is on record all the same.
    let erasures = on_record(&server, "&action=lead.erase").await;
    assert!(erasures.len() >= 2, "{erasures:#?}");
}

#[tokio::test]
async fn what_the_probe_wrote_is_gone_within_the_hour_and_what_others_wrote_is_not() {
    let data = Data::new();
    let server = Server::start_command(&data, command(&data));
    let keys = ProbeKeys::issue(&server, "probe").await;
    let key = server.issue("acme", &SCOPES).await;
    for round in 0..3 {
        probe_once(&keys, &server);
        let event = server.post("/v1/events", &key, &page_view(round)).send();
        assert_eq!(event.await.unwrap().status(), StatusCode::ACCEPTED);
    }
    let event = event("again");
    server
        .post("/v1/events", &keys.key, &event)
        .send()
        .await
        .unwrap();
    // Of a probe that was killed before it could erase it.
    server.lead(&keys.key, &lead(3)).await;
    server.lead(&key, &lead(3)).await;
    assert_eq!(
        (count(&data, "event").await, count(&data, "lead").await),
        (7, 2)
    );
    server.kill();

    let server = Server::start_command(&data, later(&data, "+1h"));
    wait_for("what the probe wrote to be deleted", async || {
        let left = (count(&data, "event").await, count(&data, "lead").await);
        (left == (3, 1)).then_some(())
    })
    .await;
    let deleted = on_record(&server, "&action=probe.delete").await;
    assert!(!deleted.is_empty(), "it is on record");
    assert_eq!(deleted[0]["tenant"], "probe", "{deleted:#?}");
    // What came before is not known any more, and nothing hinders it from coming again.
    let again = server
        .post("/v1/events", &keys.key, &event)
        .send()
        .await
        .unwrap();
    let again: Value = again.json().await.unwrap();
    assert_eq!(again["accepted"], 1, "{again}");
    let twice = server
        .post("/v1/events", &key, &page_view(0))
        .send()
        .await
        .unwrap();
    let twice: Value = twice.json().await.unwrap();
    assert_eq!(twice["duplicates"], 1, "{twice}");
}

#[tokio::test]
async fn a_customer_called_probe_loses_nothing_where_the_setting_names_another() {
    let data = Data::new();
    let server = Server::start_on(&data);
    for tenant in ["probe", "synthetic"] {
        let key = server.issue(tenant, &SCOPES).await;
        server
            .post("/v1/events", &key, &event(tenant))
            .send()
            .await
            .unwrap();
    }
    server.kill();
    let mut command = later(&data, "+1h");
    command.env("INGEST_PROBE_TENANT", "synthetic");
    let _server = Server::start_command(&data, command);
    let tenants = async || {
        let tenants = sqlx::query_scalar("SELECT tenant FROM event ORDER BY tenant");
        let tenants = tenants.fetch_all(&mut data.connect().await).await;
        tenants.unwrap() as Vec<String>
    };
    wait_for("the rows of the tenant that is named to go", async || {
        (tenants().await == ["probe"]).then_some(())
    })
    .await;
}

/// Whether it has leads alone, other events alone, or some as the probe sends them too.
#[tokio::test]
async fn a_tenant_that_is_named_by_mistake_loses_nothing() {
    for events in [vec![], vec![page_view(1)], vec![event("1"), page_view(2)]] {
        let data = Data::new();
        let server = Server::start_on(&data);
        let key = server.issue("probe", &SCOPES).await;
        for event in &events {
            let sent = server.post("/v1/events", &key, event).send().await;
            assert_eq!(sent.unwrap().status(), StatusCode::ACCEPTED);
        }
        server.lead(&key, &lead(3)).await;
        // Of another tenant, so that there is something to look at.
        let other = server.issue("acme", &SCOPES).await;
        let sent = server.post("/v1/events", &other, &page_view(3)).send();
        assert_eq!(sent.await.unwrap().status(), StatusCode::ACCEPTED);
        server.kill();
        let server = Server::start_command(&data, later(&data, "+1h"));
        wait_for("the rows to be looked at", async || {
            let told = "names a tenant that has events of another source";
            let noted = "SELECT count(*) FROM sweep_cursor WHERE sweep = 'old rows'";
            let noted = sqlx::query_scalar(noted);
            let noted: i64 = noted.fetch_one(&mut data.connect().await).await.unwrap();
            (noted > 0 || server.logs().contains(told)).then_some(())
        })
        .await;
        let left = (count(&data, "event").await, count(&data, "lead").await);
        let sent = i64::try_from(events.len()).unwrap();
        assert_eq!(left, (sent + 1, 1));
    }
}
