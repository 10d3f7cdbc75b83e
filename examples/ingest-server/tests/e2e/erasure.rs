//! A lead that is erased is gone: from answers, from the file, and from every backup that is restored.

use std::fs;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{ALL_SCOPES, Data, Key, Server, count, page_view, readiness, run_to_end},
    movement::assert_moved,
};

async fn erase(server: &Server, key: &Key, id: &str) -> Response {
    let request = server.request(Method::DELETE, &format!("/v1/leads/{id}"), key);
    request.send().await.unwrap()
}

async fn find(server: &Server, key: &Key, query: &str) -> Vec<Value> {
    let request = server.request(Method::GET, &format!("/v1/leads?{query}"), key);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let mut found: Value = answer.json().await.unwrap();
    serde_json::from_value(found["leads"].take()).unwrap()
}

async fn send(server: &Server, key: &Key, event: Value) -> Value {
    let answer = server.post("/v1/events", key, &event).send().await.unwrap();
    answer.json().await.unwrap()
}

fn event(id: &str, event_type: &str, data: Value) -> Value {
    json!({ "type": event_type, "source": "test/crm", "id": id, "data": data })
}

fn person() -> Value {
    json!({
        "email": "canary@person.example", "phone": "+442079460958",
        "national_id": "529.982.247-25", "name": "Canary Person", "address": "1 Canary Street",
    })
}

fn updated(id: &str) -> Value {
    json!({ "lead": id, "name": "Canary Person", "phone": "+442079460958" })
}

#[tokio::test]
async fn an_erased_lead_is_gone_with_what_its_events_hold() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let answer = send(&server, &key, event("1", "lead.created", person())).await;
    assert_eq!(answer["accepted"], 1, "{answer}");
    let found = find(&server, &key, "email=canary@person.example").await;
    let id = found[0]["id"].as_str().unwrap().to_owned();
    let answer = send(&server, &key, event("u", "lead.updated", updated(&id))).await;
    assert_eq!(answer["accepted"], 1, "{answer}");

    // Neither another tenant's key nor one that does not write leads.
    let other = server.issue("globex", &ALL_SCOPES).await;
    let answer = erase(&server, &other, &id).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    let reader = server.issue("acme", &["leads:read", "events:write"]).await;
    let answer = erase(&server, &reader, &id).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN);
    assert_eq!(server.read_lead(&key, &id).await.status(), StatusCode::OK);

    let answer = erase(&server, &key, &id).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert!(answer.headers().contains_key("ratelimit"));
    for again in [&id, "none", "00000000-0000-0000-0000-000000000000"] {
        let answer = erase(&server, &key, again).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{again}");
    }
    let answer = server.read_lead(&key, &id).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    for query in [
        "email=canary@person.example",
        "phone=%2B442079460958",
        "national_id=52998224725",
        "name=canary",
    ] {
        assert!(find(&server, &key, query).await.is_empty(), "{query}");
    }
    // Its event is there, without what was sealed in it; it came before, whatever comes again.
    let mut database = server.data().connect().await;
    let payload: String = sqlx::query_scalar("SELECT payload FROM event WHERE id = '1'")
        .fetch_one(&mut database)
        .await
        .unwrap();
    let blanked = json!({
        "email": null, "phone": null, "national_id": null, "name": null, "address": null,
    });
    assert_eq!(serde_json::from_str::<Value>(&payload).unwrap(), blanked);
    for table in ["lead", "lead_index", "event_sealed_ref"] {
        assert_eq!(count(server.data(), table).await, 0, "{table}");
    }
    for data in [person(), json!({ "email": "guess@person.example" })] {
        let answer = send(&server, &key, event("1", "lead.created", data)).await;
        assert_eq!(
            (&answer["accepted"], &answer["duplicates"]),
            (&json!(0), &json!(1))
        );
        assert!(answer["conflicts"].is_null(), "{answer}");
    }
    // What came before comes again, of whichever kind it was; what comes later is for a lead that nobody has.
    let answer = send(&server, &key, event("u", "lead.updated", updated(&id))).await;
    assert_eq!(answer["duplicates"], 1, "{answer}");
    let batch = json!([
        event("u", "lead.updated", updated(&id)),
        event("1", "lead.created", person()),
        event("u2", "lead.updated", updated(&id)),
    ]);
    let answer = send(&server, &key, batch).await;
    assert_eq!(
        (&answer["accepted"], &answer["duplicates"]),
        (&json!(0), &json!(2))
    );
    let rejected = &answer["rejected"][0];
    assert_eq!(
        (&rejected["index"], &rejected["reason"]),
        (&json!(2), &json!("semantic.reference"))
    );
    assert_eq!(count(server.data(), "lead").await, 0);
    let update = json!({ "lead": id, "name": "Canary" });
    let answer = send(&server, &key, event("2", "lead.updated", update)).await;
    assert_eq!(
        answer["rejected"][0]["reason"], "semantic.reference",
        "{answer}"
    );
    // Who erased what is on record.
    let path = "/admin/audit/events?tenant=acme&action=lead.erase";
    let events = server.admin(Method::GET, path).send().await.unwrap();
    let events: Value = events.json().await.unwrap();
    let outcomes = events["events"].as_array().unwrap().iter();
    let outcomes: Vec<_> = outcomes
        .map(|event| {
            (
                event["outcome"].as_str().unwrap(),
                event["resources"][0]["id"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        outcomes,
        [
            ("success", Some(id.as_str())),
            ("unknown", Some(id.as_str()))
        ]
    );
}

/// The database as it was before, in the place of the present one.
fn restore(data: &Data, backup: &[u8]) {
    for (path, _) in data.files() {
        let name = path.file_name().unwrap().to_str().unwrap();
        if name == "ingest.db" || name == "ingest.db-wal" || name == "ingest.db-shm" {
            fs::remove_file(&path).unwrap();
        }
    }
    fs::write(data.database(), backup).unwrap();
}

#[tokio::test]
async fn a_restored_backup_brings_nobody_back() {
    let server = Server::start();
    let data = server.data().clone();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let gone = server.lead(&key, &person()).await;
    let other = json!({ "email": "other@person.example", "name": "Other" });
    let kept = server.lead(&key, &other).await;
    let form = json!({ "lead": gone, "name": "Canary Again" });
    let answer = send(&server, &key, event("1", "lead.updated", form)).await;
    assert_eq!(answer["accepted"], 1, "{answer}");
    assert!(server.terminate().success());
    let backup = fs::read(data.database()).unwrap();

    let server = Server::start_on(&data);
    let answer = erase(&server, &key, &gone).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert!(server.terminate().success());
    restore(&data, &backup);

    for _ in 0..2 {
        let server = Server::start_on(&data);
        let answer = server.read_lead(&key, &gone).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
        let answer = server.read_lead(&key, &kept).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert!(find(&server, &key, "name=canary").await.is_empty());
        assert!(server.terminate().success());
        let payload: String = sqlx::query_scalar("SELECT payload FROM event")
            .fetch_one(&mut data.connect().await)
            .await
            .unwrap();
        assert!(!payload.contains("pc1."), "{payload}");
    }
    // Nobody's personal data stands in the file that brought that about.
    let erasures = fs::read_to_string(data.database().with_file_name("erasures.jsonl")).unwrap();
    assert_eq!(erasures.lines().count(), 1);
    assert!(erasures.contains(&gone) && !erasures.to_lowercase().contains("canary"));
}

#[tokio::test]
async fn a_damaged_line_of_erasures_stops_the_start_and_is_named() {
    let data = Data::new();
    let path = data.path().join("elsewhere.jsonl");
    let good = r#"{"at":"2026-08-21T09:30:00Z","lead":"0198c0de-0000-7000-8000-000000000001","tenant":"acme"}"#;
    fs::write(
        &path,
        format!("{good}\n{}\n", good.replace("tenant", "tenent")),
    )
    .unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let mut command = data.command();
    command.env("INGEST_ERASURES_FILE", &path);
    let output = run_to_end(&mut command);
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    let place = format!("{}, line 2: is damaged", path.display());
    assert!(message.contains(&place), "{message}");
    let checked = run_to_end(
        data.command()
            .arg("check-config")
            .env("INGEST_ERASURES_FILE", &path),
    );
    let message = String::from_utf8(checked.stderr).unwrap();
    assert_eq!(checked.status.code(), Some(2), "{message}");
    assert!(message.contains(&place), "{message}");
    fs::write(&path, format!("{good}\n")).unwrap();
    let mut command = data.command();
    command.env("INGEST_ERASURES_FILE", &path);
    let server = Server::start_command(&data, command);
    assert!(server.terminate().success());
}

/// A lead that cannot be noted as erased is not erased.
#[tokio::test]
async fn without_its_tombstone_nothing_is_erased() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let id = server.lead(&key, &person()).await;
    let erasures = server.data().database().with_file_name("erasures.jsonl");
    fs::remove_file(&erasures).unwrap();
    fs::create_dir(&erasures).unwrap();
    let before = server.metrics().await;
    let answer = erase(&server, &key, &id).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "capacity.erasures_unavailable");
    let ready = server.admin(Method::GET, "/readyz").send().await.unwrap();
    assert_eq!(ready.status(), StatusCode::OK);
    let ready: Value = ready.json().await.unwrap();
    let component = &ready["components"]["erasures"];
    assert_eq!(component["state"], "degraded", "{ready}");
    assert!(component["action"].is_string(), "{ready}");
    let after = server.metrics().await;
    assert_eq!(after["ingest_erasures_unnoted"], 1.0);
    assert_moved(&before, &after, ["ingest_erasures_unnoted"]);
    assert_eq!(server.read_lead(&key, &id).await.status(), StatusCode::OK);
    fs::remove_dir(&erasures).unwrap();
    fs::write(&erasures, "").unwrap();
    let answer = erase(&server, &key, &id).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn erasures_in_something_that_is_no_file_stop_the_start_at_once() {
    let data = Data::new();
    let path = data.path().join("erasures.jsonl");
    for make in ["mkdir", "mkfifo"] {
        let made = std::process::Command::new(make).arg(&path).status();
        assert!(made.unwrap().success());
        for command in ["check-config", "serve"] {
            let output = run_to_end(data.command().arg(command));
            let message = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{make} {command}: {message}");
            let expected = format!("{} is not a file", path.display());
            assert!(message.contains(&expected), "{message}");
        }
        let removed = fs::remove_dir(&path).or_else(|_| fs::remove_file(&path));
        removed.unwrap();
    }
}

/// A file that is gone would be made again and forget everybody, were it not for what the database knows.
#[tokio::test]
async fn erasures_that_are_lost_stop_the_start_until_that_is_accepted() {
    let server = Server::start();
    let data = server.data().clone();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let id = server.lead(&key, &person()).await;
    let answer = erase(&server, &key, &id).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert!(server.terminate().success());
    let path = data.path().join("erasures.jsonl");
    let noted = fs::read(&path).unwrap();
    fs::remove_file(&path).unwrap();
    for command in ["check-config", "serve", "erase --tenant acme --all"] {
        let output = run_to_end(data.command().args(command.split(' ')));
        let message = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{command}: {message}");
        let expected = format!("{} has 0 of the 1 erasures", path.display());
        assert!(message.contains(&expected), "{message}");
        assert!(!path.exists(), "{command}");
    }
    // Put back, all is well; a folder that was named is not made.
    fs::write(&path, noted).unwrap();
    fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    assert!(Server::start_on(&data).terminate().success());
    let elsewhere = data.path().join("elsewhere");
    let mut command = data.command();
    command.env("INGEST_ERASURES_FILE", elsewhere.join("erasures.jsonl"));
    assert_eq!(run_to_end(&mut command).status.code(), Some(2));
    assert!(!elsewhere.exists());
    // Accepted once, and not for what is lost later.
    fs::remove_file(&path).unwrap();
    let accepted = data.path().join("erasures.jsonl.lost");
    fs::write(&accepted, "").unwrap();
    assert!(Server::start_on(&data).terminate().success());
    assert!(path.exists() && !accepted.exists());
    assert!(Server::start_on(&data).terminate().success());
}

/// Two processes that note erasures in a file each would each forget, after a backup was restored, whom the other
/// erased.
#[tokio::test]
async fn a_process_with_another_file_of_erasures_erases_nobody() {
    let server = Server::start();
    let data = server.data().clone();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let (first, second) = (
        server.lead(&key, &person()).await,
        server
            .lead(&key, &json!({ "email": "other@person.example" }))
            .await,
    );
    let mut command = data.command();
    command.env("INGEST_ERASURES_FILE", data.path().join("another.jsonl"));
    let other = Server::start_command(&data, command);
    let answer = erase(&server, &key, &first).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    let answer = erase(&other, &key, &second).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "capacity.erasures_unavailable");
    let (_, components) = readiness(&other).await;
    assert_eq!(components["erasures"]["state"], "degraded", "{components}");
    assert_eq!(
        server.read_lead(&key, &second).await.status(),
        StatusCode::OK
    );
    let answer = erase(&server, &key, &second).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
}

/// The other process learns only later that the API key is revoked. From when the database says that the tenant is
/// erased, it stores nothing more of it, with personal data or without.
#[tokio::test]
async fn nothing_of_an_erased_tenant_is_stored_by_any_process() {
    let server = Server::start();
    let data = server.data().clone();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let kept = server.issue("globex", &ALL_SCOPES).await;
    let other = Server::start_on(&data);
    for server in [&server, &other] {
        let answer = send(server, &key, page_view(server.pid())).await;
        assert_eq!(answer["accepted"], 1, "{answer}");
    }
    let erase = ["erase", "--tenant", "acme", "--all"];
    let mut erasing = data.command().args(erase).spawn().unwrap();
    let erased = "keyring_erased_tenant WHERE tenant = 'acme'";
    let mut number = 0;
    let mut stored = 0;
    // Until it has read that the key is revoked: from then on it does not look any further.
    loop {
        let is_erased = count(&data, erased).await > 0;
        number += 1;
        let event = page_view(format!("n{number}"));
        let sent = other.post("/v1/events", &key, &event).send();
        let answer = sent.await.unwrap();
        match answer.status() {
            StatusCode::UNAUTHORIZED => break,
            StatusCode::ACCEPTED => {
                assert!(!is_erased, "the database says that the tenant is erased");
                stored += 1;
            }
            // The erasure has the lock.
            StatusCode::SERVICE_UNAVAILABLE => {}
            status => {
                assert_eq!(status, StatusCode::FORBIDDEN);
                let problem: Value = answer.json().await.unwrap();
                assert_eq!(problem["reason"], "auth.tenant_erased", "{problem}");
            }
        }
    }
    // What was acknowledged before, and that alone.
    assert_eq!(
        count(&data, "event WHERE tenant = 'acme'").await,
        stored + 2
    );
    let answer = send(&other, &kept, page_view("kept")).await;
    assert_eq!(answer["accepted"], 1, "{answer}");
    // What has to be seen was seen; the next start would go on with it.
    erasing.kill().unwrap();
    erasing.wait().unwrap();
}

/// A key that is good all the same, as in a process that reads revocations late.
#[tokio::test]
async fn an_event_without_personal_data_is_refused_for_an_erased_tenant() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let answer = send(&server, &key, page_view("before")).await;
    assert_eq!(answer["accepted"], 1, "{answer}");
    sqlx::query("INSERT INTO keyring_erased_tenant (tenant) VALUES ('acme')")
        .execute(&mut server.data().connect().await)
        .await
        .unwrap();
    for id in ["before", "after"] {
        let sent = server.post("/v1/events", &key, &page_view(id)).send();
        let answer = sent.await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        let problem: Value = answer.json().await.unwrap();
        assert_eq!(problem["reason"], "auth.tenant_erased", "{problem}");
    }
    assert_eq!(count(server.data(), "event").await, 1);
}
