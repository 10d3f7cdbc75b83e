//! A detection policy in a file: read at the start and whenever it changes, and written by `PUT`.

use std::{fs, path::PathBuf, process::Command};

use reqwest::{Method, StatusCode};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use crate::{
    harness::{ALL_SCOPES, Data, Key, Server, page_view, run_to_end, wait_for},
    policy_files::wait_until_on_record,
};

const EMAIL: &str = "canary.q7x@sealed-mail.example";

fn file(data: &Data) -> PathBuf {
    data.path().join("detection.json")
}

fn write(data: &Data, text: &str) {
    fs::write(file(data), text).unwrap();
}

fn command(data: &Data) -> Command {
    let mut command = data.command();
    command.env("INGEST_DETECTION_FILE", file(data));
    command
}

fn start(data: &Data) -> Server {
    Server::start_command(data, command(data))
}

async fn status(server: &Server, key: &Key, id: &str) -> StatusCode {
    let mut event = page_view(id);
    event["data"]["referrer"] = json!(EMAIL);
    let answer = server.post("/v1/events", key, &event).send().await;
    answer.unwrap().status()
}

async fn email(server: &Server) -> String {
    let answer = server.admin(Method::GET, "/admin/detection").send().await;
    let policy: Value = answer.unwrap().json().await.unwrap();
    policy["default"]["email"].as_str().unwrap().to_owned()
}

async fn wait_for_email(server: &Server, handling: &str) {
    wait_for("the policy of the file", async || {
        (email(server).await == handling).then_some(())
    })
    .await;
}

async fn actions(server: &Server, outcome: &str) -> f64 {
    let series =
        format!(r#"ingest_admin_actions_total{{action="detection.replace",outcome="{outcome}"}}"#);
    server.metrics().await.get(&series).copied().unwrap_or(0.0)
}

#[tokio::test]
async fn the_file_is_read_at_the_start_and_followed() {
    let data = Data::new();
    write(&data, r#"{"default": {"email": "off"}}"#);
    let server = start(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(status(&server, &key, "1").await, StatusCode::ACCEPTED);

    write(&data, r#"{"default": {"email": "reject"}}"#);
    wait_for_email(&server, "reject").await;
    assert_eq!(
        status(&server, &key, "2").await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    wait_until_on_record(&server, "detection-file", "detection.replace").await;

    // What cannot be used is told, and changes nothing.
    for (broken, why) in [
        (
            Some("{\n\"default\": {\n\"canary7Q\": \"off\"}}"),
            "line 3: there is a kind",
        ),
        (Some("{\n\"default\""), "line 2"),
        (None, "cannot be read"),
    ] {
        let before = actions(&server, "rejected").await;
        match broken {
            Some(text) => write(&data, text),
            None => fs::remove_file(file(&data)).unwrap(),
        }
        wait_for("the refusal", async || {
            (actions(&server, "rejected").await > before).then_some(())
        })
        .await;
        assert!(server.logs().contains(why), "{why}: {}", server.logs());
        assert_eq!(email(&server).await, "reject");
    }
    assert!(!server.logs().contains("canary7Q"));
    write(
        &data,
        r#"{"default": {"email": "off"}, "tenant": {"acme": {"email": "seal"}}}"#,
    );
    wait_for_email(&server, "off").await;
    assert_eq!(status(&server, &key, "3").await, StatusCode::ACCEPTED);
    // Each refusal was told once.
    assert_eq!(actions(&server, "rejected").await, 3.0);
    assert!(server.terminate().success());
}

#[tokio::test]
async fn what_is_put_is_written_to_the_file_and_the_file_wins_over_the_database() {
    let data = Data::new();
    let put = async |server: &Server, policy: &Value| {
        let request = server.admin(Method::PUT, "/admin/detection").json(policy);
        request.send().await.unwrap().status()
    };
    let server = Server::start_on(&data);
    let seal = json!({ "default": { "email": "seal" } });
    assert_eq!(put(&server, &seal).await, StatusCode::NO_CONTENT);
    server.kill();

    write(&data, "{}");
    let server = start(&data);
    assert_eq!(email(&server).await, "reject");
    assert!(
        server.logs().contains("INGEST_DETECTION_FILE"),
        "{}",
        server.logs()
    );
    let off = json!({ "default": { "email": "off" } });
    assert_eq!(put(&server, &off).await, StatusCode::NO_CONTENT);
    assert_eq!(email(&server).await, "off");
    let written: Value = serde_json::from_slice(&fs::read(file(&data)).unwrap()).unwrap();
    assert_eq!(written, off);
    server.kill();
    assert_eq!(email(&start(&data)).await, "off");

    // Without the file, the database says what it said before.
    let server = Server::start_on(&data);
    assert_eq!(email(&server).await, "seal");
    server.kill();

    // A file that cannot be written refuses the change.
    let server = start(&data);
    fs::remove_file(file(&data)).unwrap();
    fs::create_dir(file(&data)).unwrap();
    assert_eq!(put(&server, &seal).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(email(&server).await, "off");
}

/// The log of the database has room on this disk, and the file has none.
#[tokio::test]
async fn a_full_disk_refuses_the_change_and_leaves_the_file_as_it_was() {
    let data = Data::new();
    write(&data, "{}");
    let server = Server::start_command(&data, command(&data));
    let names = (0..20_000).map(|n| (format!("tenant-{}", letters(n)), json!({ "phone": "seal" })));
    let tenants: serde_json::Map<String, Value> = names.collect();
    let policy = json!({ "tenant": tenants });
    let pid = Pid::from_raw(server.pid().cast_signed());
    // More than the log of the database has after a start, which is to be written.
    let most = policy.to_string().len() / 4 * 3;
    let limit = |bytes| Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(pid, Resource::Fsize, limit(Some(most as u64))).unwrap();
    let request = server.admin(Method::PUT, "/admin/detection").json(&policy);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "capacity.policy_file");
    let detail = problem["detail"].as_str().unwrap();
    assert!(
        detail.contains("`INGEST_DETECTION_FILE` cannot be written (file too large)"),
        "{problem}"
    );
    assert_eq!(email(&server).await, "reject");
    assert_eq!(fs::read_to_string(file(&data)).unwrap(), "{}");
    let drafts = data.files().into_iter().filter(|(path, _)| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with("detection.json.")
    });
    assert_eq!(drafts.count(), 0);
    prlimit(pid, Resource::Fsize, limit(None)).unwrap();
    let request = server.admin(Method::PUT, "/admin/detection").json(&policy);
    let status = request.send().await.unwrap().status();
    assert_eq!(status, StatusCode::NO_CONTENT);
}

/// A number in letters: one in digits would look like somebody's.
fn letters(number: u32) -> String {
    let digits = number.to_string().into_bytes().into_iter();
    digits
        .map(|digit| char::from(digit - b'0' + b'a'))
        .collect()
}

/// Also where it is put back before anybody has looked at what was put in its place.
#[tokio::test]
async fn a_file_that_is_put_back_after_a_put_is_in_force_again() {
    let data = Data::new();
    let before = r#"{"default": {"email": "seal"}}"#;
    write(&data, before);
    let server = start(&data);
    wait_for_email(&server, "seal").await;
    // So that the file has been looked at.
    write(&data, "{}");
    wait_for_email(&server, "reject").await;
    write(&data, before);
    wait_for_email(&server, "seal").await;
    let off = json!({ "default": { "email": "off" } });
    let put = server.admin(Method::PUT, "/admin/detection").json(&off);
    assert_eq!(put.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    write(&data, before);
    wait_for_email(&server, "seal").await;
}

#[test]
fn a_file_that_cannot_be_used_is_refused_before_anything_is_served() {
    let data = Data::new();
    for (text, why) in [
        (
            Some("{\n\n\"canary7Q\": {}}"),
            "line 3: there is a member that is not known; known are default, tenant",
        ),
        (
            Some("{\"default\": {\n\"email\": \"canary7Q\"}}"),
            "line 2: what is done with `email` must be one of reject, seal, off",
        ),
        (Some("{\"default\": {},\n\"default\": {}}"), "line 2"),
        (Some("canary7Q"), "line 1"),
        (Some(""), "detection.json says nothing"),
        (None, "cannot be read"),
    ] {
        match text {
            Some(text) => write(&data, text),
            None => fs::remove_file(file(&data)).unwrap(),
        }
        for arguments in [&["check-config"][..], &["serve"][..]] {
            let output = run_to_end(command(&data).args(arguments));
            assert_eq!(output.status.code(), Some(2), "{text:?}: {output:?}");
            let told = String::from_utf8(output.stderr).unwrap();
            assert!(told.contains("INGEST_DETECTION_FILE: "), "{told}");
            assert!(told.contains(why), "{text:?}: {told}");
            assert!(!told.contains("canary7Q"), "{told}");
        }
    }
    write(&data, r#"{"tenant": {"acme": {"phone": "seal"}}}"#);
    let output = run_to_end(command(&data).arg("check-config"));
    assert!(output.status.success(), "{output:?}");
}
