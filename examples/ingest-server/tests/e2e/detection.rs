//! What is done with personal data that no schema declares: by policy, for each tenant and kind.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_keyring::{
    Keyring, TenantId, kek::LocalKek, secrets::VersionedSecrets, store::SqliteDekStore,
};
use portcullis_pii_crypto::{AnyPii, Cipher, FreeText, OpenError, PiiKind, Sealed};
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    forms::find,
    harness::{ALL_SCOPES, Data, KEK, Key, Server, page_view},
    movement::assert_moved,
};

const EMAIL: &str = "canary.q7x@sealed-mail.example";
const CARD: &str = "4012888888881881";
const TOKEN: &str = "pcl_live_canary7Q0123456789";
const PHONE: &str = "+44 20 7946 0958";

/// The binary with a schema `note` that is open, but for what is declared harmless.
fn with_notes(data: &Data) -> Server {
    let mut command = data.command();
    command.env("INGEST_SCHEMA_DIR", schemas(data.path()));
    Server::start_command(data, command)
}

fn schemas(folder: &Path) -> PathBuf {
    let schemas = folder.join("schemas");
    fs::create_dir_all(schemas.join("note")).unwrap();
    let schema = json!({ "type": "object", "properties": {
        "text": { "type": "string" }, "number": { "type": "number" },
        "sku": { "type": "string", "x-pii": "none" },
        "codes": { "items": { "type": ["string", "integer", "null"], "x-pii": "none" } },
    } });
    fs::write(schemas.join("note/1.json"), schema.to_string()).unwrap();
    schemas
}

fn note(id: impl ToString, data: Value) -> Value {
    json!({ "type": "note", "source": "test/web", "id": id.to_string(), "data": data })
}

async fn put(server: &Server, policy: &Value) -> Response {
    let request = server.admin(Method::PUT, "/admin/detection").json(policy);
    request.send().await.unwrap()
}

async fn set(server: &Server, policy: Value) {
    let answer = put(server, &policy).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{policy}");
}

async fn policy(server: &Server) -> Value {
    let answer = server.admin(Method::GET, "/admin/detection").send().await;
    answer.unwrap().json().await.unwrap()
}

async fn send(server: &Server, key: &Key, event: &Value) -> (StatusCode, Value) {
    let answer = server.post("/v1/events", key, event).send().await.unwrap();
    (answer.status(), answer.json().await.unwrap())
}

async fn accepted(server: &Server, key: &Key, event: &Value) {
    let (status, answer) = send(server, key, event).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    assert_eq!(answer["accepted"], 1, "{answer}");
}

async fn rejected(server: &Server, key: &Key, event: &Value) -> String {
    let (status, answer) = send(server, key, event).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{event}");
    assert_eq!(answer["reason"], "policy.undeclared_pii", "{answer}");
    answer["detail"].as_str().unwrap().to_owned()
}

async fn payload(data: &Data, id: &str) -> Value {
    let payload: String = sqlx::query_scalar("SELECT payload FROM event WHERE id = ?")
        .bind(id)
        .fetch_one(&mut data.connect().await)
        .await
        .unwrap();
    serde_json::from_str(&payload).unwrap()
}

#[tokio::test]
async fn a_policy_holds_at_once_for_its_tenants_and_after_a_restart() {
    let data = Data::new();
    let server = with_notes(&data);
    let acme = server.issue("acme", &ALL_SCOPES).await;
    let other = server.issue("other", &ALL_SCOPES).await;
    let mail = |id: &str| note(id, json!({ "text": EMAIL }));
    let detail = rejected(&server, &acme, &mail("1")).await;
    assert!(
        detail.starts_with("`data/text` holds") && detail.contains("(email)"),
        "{detail}"
    );

    set(
        &server,
        json!({ "tenant": { "acme": { "email": "off", "phone": "off" } } }),
    )
    .await;
    accepted(&server, &acme, &mail("2")).await;
    assert_eq!(payload(&data, "2").await["text"], EMAIL);
    rejected(&server, &other, &mail("3")).await;
    let call = |id: &str| note(id, json!({ "text": format!("call {PHONE} in the night") }));
    assert!(
        rejected(&server, &other, &call("4"))
            .await
            .contains("(phone)")
    );
    accepted(&server, &acme, &call("5")).await;

    set(
        &server,
        json!({ "default": { "email": "seal" }, "tenant": { "other": { "email": "reject" } } }),
    )
    .await;
    accepted(&server, &acme, &mail("6")).await;
    assert!(
        payload(&data, "6").await["text"]
            .as_str()
            .unwrap()
            .starts_with("pc1.")
    );
    rejected(&server, &other, &mail("7")).await;
    rejected(&server, &acme, &call("8")).await;

    let set_before = policy(&server).await;
    assert_eq!(set_before["default"]["email"], "seal");
    assert_eq!(set_before["default"]["phone"], "reject");
    assert_eq!(set_before["default"]["ip_address"], "off");
    assert_eq!(
        set_before["tenant"],
        json!({ "other": { "email": "reject" } })
    );
    server.kill();
    let server = with_notes(&data);
    assert_eq!(policy(&server).await, set_before);
    accepted(&server, &acme, &mail("9")).await;
    rejected(&server, &other, &mail("10")).await;
    // What `GET` gives is taken, and says the same.
    set(&server, set_before.clone()).await;
    assert_eq!(policy(&server).await, set_before);
    set(&server, json!({})).await;
    rejected(&server, &acme, &mail("11")).await;
}

#[tokio::test]
async fn what_is_not_known_in_a_policy_is_refused_and_changes_nothing() {
    let server = Server::start();
    let before = policy(&server).await;
    for (given, known) in [
        (json!({ "canary7Q": {} }), "default, tenant"),
        (
            json!({ "default": { "canary7Q": "seal" } }),
            "email, phone, payment_card",
        ),
        (
            json!({ "default": { "email": "canary7Q" } }),
            "reject, seal, off",
        ),
        (
            json!({ "tenant": { "canary7Q x": {} } }),
            "the name of a tenant",
        ),
        (
            json!({ "tenant": { "acme": "canary7Q" } }),
            "must be a JSON object",
        ),
    ] {
        let answer = put(&server, &given).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{given}");
        let problem: Value = answer.json().await.unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(known), "{given}: {detail}");
        assert!(!problem.to_string().contains("canary7Q"), "{problem}");
        assert_eq!(policy(&server).await, before);
    }
    assert!(!server.logs().contains("canary7Q"));
    let metrics = server.metrics().await;
    let rejected = r#"ingest_admin_actions_total{action="detection.replace",outcome="rejected"}"#;
    assert_eq!(metrics[rejected], 5.0);
}

/// A value that is sealed in place is nowhere in the clear, opens as what was sent for who has the
/// keys, and is counted as what it is.
#[tokio::test]
async fn a_sealed_value_is_stored_sealed_and_its_event_counts_as_modified() {
    let data = Data::new();
    let server = with_notes(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    set(
        &server,
        json!({ "default": {
        "email": "seal", "payment_card": "seal", "phone": "seal" } }),
    )
    .await;
    let data_of_it = json!({
        "text": format!("write to {EMAIL}, please"), "number": 4_012_888_888_881_881_u64,
        "deep": [{ "a/b": PHONE }], "plain": "shoes", "sku": "A-1",
    });
    let event = note("1", data_of_it.clone());
    let before = server.metrics().await;
    accepted(&server, &key, &event).await;
    let stored = payload(&data, "1").await;
    for pointer in ["/text", "/number", "/deep/0/a~1b"] {
        let sealed = stored.pointer(pointer).unwrap().as_str().unwrap();
        assert!(sealed.starts_with("pc1."), "{pointer}: {stored}");
    }
    assert_eq!(
        (&stored["plain"], &stored["sku"]),
        (&json!("shoes"), &json!("A-1"))
    );
    // Its data keys are for texts; the service has one for what operators do.
    let purposes: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT purpose FROM keyring_data_key WHERE tenant <> 'system'",
    )
    .fetch_all(&mut data.connect().await)
    .await
    .unwrap();
    assert_eq!(purposes, ["text"]);

    // The same again is the same, and another value under its id is not.
    let (_, answer) = send(&server, &key, &event).await;
    assert_eq!(
        (&answer["accepted"], &answer["duplicates"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(answer.get("conflicts"), None, "{answer}");
    let mut changed = event.clone();
    changed["data"]["text"] = json!(format!("do not write to {EMAIL}"));
    let (_, answer) = send(&server, &key, &changed).await;
    assert_eq!(answer["conflicts"][0]["id"], "1", "{answer}");
    let mixed = note("2", json!({ "text": EMAIL, "token": TOKEN }));
    assert!(rejected(&server, &key, &mixed).await.contains("(api_key)"));
    let named = note("3", json!({ EMAIL: 1 }));
    assert!(
        rejected(&server, &key, &named)
            .await
            .contains("cannot be sealed")
    );
    accepted(&server, &key, &note("4", json!({ "text": "nothing" }))).await;

    let metrics = server.metrics().await;
    for (series, expected) in [
        (
            r#"dq_outcomes_total{tenant="acme",outcome="accepted"}"#,
            1.0,
        ),
        (
            r#"dq_outcomes_total{tenant="acme",outcome="modified"}"#,
            1.0,
        ),
        (
            r#"dq_outcomes_total{tenant="acme",outcome="duplicate_natural"}"#,
            1.0,
        ),
        (
            r#"dq_outcomes_total{tenant="acme",outcome="duplicate_conflicting"}"#,
            1.0,
        ),
        (
            r#"dq_outcomes_total{tenant="acme",outcome="rejected"}"#,
            2.0,
        ),
        (
            r#"dq_event_type_outcomes_total{event_type="note",outcome="modified"}"#,
            1.0,
        ),
        (r#"dq_received_total{tenant="acme"}"#, 6.0),
        ("dq_unaccounted", 0.0),
        (
            r#"pii_detected_total{kind="api_key",handling="reject"}"#,
            1.0,
        ),
        (
            r#"pii_detected_total{kind="payment_card",handling="seal"}"#,
            3.0,
        ),
    ] {
        assert_eq!(metrics.get(series), Some(&expected), "{series}");
    }
    assert_moved(
        &before,
        &metrics,
        ["pii_detected_total", "dq_event_type_outcomes_total"],
    );
    let quality = server
        .admin(Method::GET, "/admin/quality?tenant=acme")
        .send()
        .await;
    let quality: Value = quality.unwrap().json().await.unwrap();
    assert_eq!(quality["outcomes"]["modified"], 1, "{quality}");
    assert_eq!(
        quality["conservation"],
        json!({ "received": 6, "outcomes": 6 })
    );
    let page = server
        .admin(Method::GET, "/admin/quality/report")
        .send()
        .await;
    assert!(
        page.unwrap()
            .text()
            .await
            .unwrap()
            .contains("<td>modified<td")
    );

    let is_wal = |(path, _): &(PathBuf, Vec<u8>)| path.ends_with("ingest.db-wal");
    assert!(files(&data).iter().any(is_wal));
    for (path, content) in files(&data) {
        for value in [EMAIL, "canary.q7x", CARD, PHONE] {
            let found = find(&content, value).map(|form| String::from_utf8(form).unwrap());
            assert_eq!(found, None, "in {}", path.display());
        }
    }
}

/// The files of the folder; a schema is none of what the service writes.
fn files(data: &Data) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = fs::read_dir(data.path()).unwrap();
    let files = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file());
    files
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect()
}

#[tokio::test]
async fn a_harmless_value_is_taken_whatever_it_looks_like_and_only_there() {
    let data = Data::new();
    let server = with_notes(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let harmless = json!({ "sku": CARD, "codes": [PHONE, null, 4_012_888_888_881_881_u64, EMAIL] });
    accepted(&server, &key, &note("1", harmless.clone())).await;
    assert_eq!(payload(&data, "1").await, harmless);
    for (id, data) in [
        ("2", json!({ "sku": "A-1", "text": CARD })),
        ("3", json!({ "codes": [[PHONE]] })),
        ("4", json!({ "deep": { "sku": CARD } })),
        ("5", json!({ "codes": [], CARD: "sku" })),
    ] {
        let (status, answer) = send(&server, &key, &note(id, data)).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{id}: {answer}");
    }
}

#[tokio::test]
async fn numbers_are_looked_at_as_they_are_written() {
    let data = Data::new();
    let server = with_notes(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    for number in [
        "4012888888881881",
        "4012888888881881.0",
        "4.012888888881881e15",
        "-4012888888881881",
    ] {
        let event =
            format!(r#"{{"type":"note","source":"s","id":"1","data":{{"number":{number}}}}}"#);
        let request = server.request(Method::POST, "/v1/events", &key);
        let request = request.header("content-type", "application/cloudevents+json");
        let answer = request.body(event).send().await.unwrap();
        assert_eq!(
            answer.status(),
            StatusCode::UNPROCESSABLE_ENTITY,
            "{number}"
        );
        let problem: Value = answer.json().await.unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.starts_with("`data/number` holds"), "{detail}");
        assert!(detail.contains("(payment_card)"), "{detail}");
    }
    for (id, number) in [0.1, 12.0, 1e300, 1_700_000_000.0, -7.0]
        .into_iter()
        .enumerate()
    {
        accepted(&server, &key, &note(id, json!({ "number": number }))).await;
    }
}

/// What cannot be sealed for its place costs its own event, not the request, and is told as the sender's
/// fault: nothing would be better the next time.
#[tokio::test]
async fn a_value_too_deep_to_be_sealed_is_rejected_alone() {
    let data = Data::new();
    let server = with_notes(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    set(&server, json!({ "default": { "email": "seal" } })).await;
    let deep = json!({ "k".repeat(400): { "k".repeat(400): [EMAIL] } });
    let events = json!([note("1", deep), note("2", json!({ "text": EMAIL }))]);
    let (status, answer) = send(&server, &key, &events).await;
    assert_eq!(status, StatusCode::ACCEPTED, "{answer}");
    assert_eq!(answer["accepted"], 1, "{answer}");
    let refused = &answer["rejected"][0];
    assert_eq!(refused["reason"], "policy.undeclared_pii", "{answer}");
    let detail = refused["detail"].as_str().unwrap();
    assert!(detail.contains("more than 763 bytes"), "{detail}");
}

/// A detector learns; a policy that it would not take any more was taken when it was set.
#[tokio::test]
async fn a_stored_policy_holds_whatever_the_name_of_its_tenant_has_come_to_look_like() {
    let data = Data::new();
    Server::start_on(&data).kill();
    let stored = json!({ "tenant": { CARD: { "email": "seal" } } });
    sqlx::query("INSERT INTO detection_policy VALUES (1, ?)")
        .bind(stored.to_string())
        .execute(&mut data.connect().await)
        .await
        .unwrap();
    let server = Server::start_on(&data);
    assert_eq!(policy(&server).await["tenant"], stored["tenant"]);
}

/// The README's own line.
#[tokio::test]
async fn the_policy_that_the_readme_shows_takes_effect() {
    const README: &str = include_str!("../../README.md");
    let (_, line) = README.split_once("admin/detection -H").unwrap();
    let (_, body) = line.split_once("-d '").unwrap();
    let (body, _) = body.split_once('\'').unwrap();
    let server = Server::start();
    set(&server, serde_json::from_str(body).unwrap()).await;
    let key = server.issue("acme", &ALL_SCOPES).await;
    let mut event = page_view(1);
    event["data"]["referrer"] = json!(format!("{EMAIL} {PHONE}"));
    accepted(&server, &key, &event).await;
    event["data"]["referrer"] = json!(CARD);
    rejected(&server, &key, &event).await;
}

/// `POST /v1/leads` takes declared members alone, whatever the policy.
#[tokio::test]
async fn a_lead_has_nothing_that_is_not_declared() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    set(&server, json!({ "default": { "email": "seal" } })).await;
    let body = json!({ "name": EMAIL, "notes": EMAIL });
    let answer = server.post("/v1/leads", &key, &body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    // In an event of a lead, what is undeclared is sealed beside it, and no column takes it.
    let event = json!({ "type": "lead.created", "source": "s", "id": "1",
        "data": { "name": "Ada", "campaign": EMAIL } });
    accepted(&server, &key, &event).await;
    let stored = payload(server.data(), "1").await;
    assert!(stored["campaign"].as_str().unwrap().starts_with("pc1."));
    accepted(&server, &key, &page_view(1)).await;
}

/// A value that was sealed in place is like one at a declared place: a text, bound to its tenant, its
/// field and its record.
#[tokio::test]
async fn a_value_sealed_in_place_opens_where_it_was_sealed_and_nowhere_else() {
    let data = Data::new();
    let server = with_notes(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let policy = json!({ "default": { "email": "seal", "payment_card": "seal" } });
    set(&server, policy).await;
    let text = format!("write to {EMAIL}");
    let sent = json!({ "text": text, "deep": { "a/b": [4_012_888_888_881_881_u64] } });
    accepted(&server, &key, &note("1", sent)).await;
    let stored = payload(&data, "1").await;
    server.kill();

    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(data.database());
    let store = SqliteDekStore::new(sqlx::SqlitePool::connect_with(options).await.unwrap());
    let secrets = VersionedSecrets::parse(&KEK.to_owned().into(), None).unwrap();
    let keyring = Keyring::builder(Arc::new(LocalKek::new(secrets)), Arc::new(store)).build();
    let kind = PiiKind::of::<FreeText>();
    let cipher = async |tenant: &str, sealed: &Sealed<AnyPii>| {
        let tenant = TenantId::new(tenant).unwrap();
        let keys = keyring.prepare_ids(&tenant, &[sealed.key_id()]).await;
        keys.map(Cipher::new)
    };
    for (pointer, expected) in [("/text", text.as_str()), ("/deep/a~1b/0", CARD)] {
        let sealed = stored.pointer(pointer).unwrap().as_str().unwrap();
        // Suite 02: its length is padded.
        let sealed: Sealed<AnyPii> = sealed.parse().unwrap();
        assert_eq!(sealed.as_bytes()[..2], [0xf9, 2]);
        let (field, record) = (format!("event.note{pointer}"), "test/web 1");
        let acme = cipher("acme", &sealed).await.unwrap();
        let opened = kind.open(&acme, &field, record, &sealed).unwrap();
        // EXPOSE: a test compares what it wrote.
        assert_eq!(opened.expose(), expected);
        for (field, record) in [
            (field.as_str(), "test/web 2"),
            ("event.note/other", record),
            ("event.page.viewed/text", record),
        ] {
            let error = kind.open(&acme, field, record, &sealed).unwrap_err();
            assert_eq!(error, OpenError::Rejected, "{field} {record}");
        }
        if let Ok(other) = cipher("other", &sealed).await {
            kind.open(&other, &field, record, &sealed).unwrap_err();
        }
    }
}
