//! Limits in a file: read at the start and whenever it changes, and written by `PUT`.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown},
    path::PathBuf,
    process::Command,
    time::{Duration, Instant},
};

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{ALL_SCOPES, Data, HiddenLog, Key, Server, page_view, run_to_end, shell, wait_for},
    policy_files::wait_until_on_record,
};

/// The user that owns nothing.
const NOBODY: u32 = 65_534;

fn file(data: &Data) -> PathBuf {
    data.path().join("limits.toml")
}

fn write(data: &Data, text: &str) {
    fs::write(file(data), text).unwrap();
}

fn command(data: &Data) -> Command {
    let mut command = data.command();
    command.env("INGEST_LIMITS_FILE", file(data));
    command
}

fn start(data: &Data) -> Server {
    Server::start_command(data, command(data))
}

/// A tenant of the free tier, and how much it may ingest at once.
fn free(burst: u32) -> String {
    format!("[tier.free.category.ingest]\ntenant = {{ per-hour = 60, burst = {burst} }}\n")
}

async fn report(server: &Server) -> Value {
    let answer = server.admin(Method::GET, "/admin/limits").send().await;
    answer.unwrap().json().await.unwrap()
}

fn burst(report: &Value) -> &Value {
    &report["policies"]["tier"]["free"]["category"]["ingest"]["tenant"]["burst"]
}

async fn wait_for_burst(server: &Server, expected: u32) {
    wait_for("the limits of the file", async || {
        (*burst(&report(server).await) == expected).then_some(())
    })
    .await;
}

async fn put(server: &Server, limits: &Value) -> Response {
    let request = server.admin(Method::PUT, "/admin/limits").json(limits);
    request.send().await.unwrap()
}

async fn status(server: &Server, key: &Key, id: u32) -> StatusCode {
    let answer = server.post("/v1/events", key, &page_view(id)).send().await;
    answer.unwrap().status()
}

async fn metric(server: &Server, series: &str) -> Option<f64> {
    server.metrics().await.get(series).copied()
}

async fn unusable(server: &Server) -> Option<f64> {
    metric(server, r#"ingest_policy_unusable{policy="limits"}"#).await
}

async fn changes(server: &Server, outcome: &str) -> f64 {
    let labels = format!(r#"action="limits.replace",outcome="{outcome}""#);
    let series = format!("ingest_admin_actions_total{{{labels}}}");
    metric(server, &series).await.unwrap_or(0.0)
}

async fn rejected(server: &Server) -> f64 {
    changes(server, "rejected").await
}

/// Events that the audit log did not take.
async fn unrecorded(server: &Server) -> f64 {
    let series = "ingest_audit_unrecorded_total";
    metric(server, series).await.unwrap()
}

#[tokio::test]
async fn the_file_is_read_at_the_start_and_followed() {
    let data = Data::new();
    write(&data, &free(2));
    let server = start(&data);
    let key = server.issue_tier("small", "free", &ALL_SCOPES).await;
    for (id, expected) in [(1, 202), (2, 202), (3, 429)] {
        assert_eq!(status(&server, &key, id).await, expected);
    }
    let told = report(&server).await;
    let source = json!({ "from": "file", "file": file(&data) });
    assert_eq!(told["source"], source);
    assert_eq!(*burst(&told), 2);

    write(&data, &free(4));
    wait_for_burst(&server, 4).await;
    // The two that were taken still count.
    for (id, expected) in [(4, 202), (5, 202), (6, 429)] {
        assert_eq!(status(&server, &key, id).await, expected);
    }
    wait_until_on_record(&server, "limits-file", "limits.replace").await;

    // What cannot be used is told, and changes nothing.
    for (broken, why) in [
        (
            Some("[tier.free]\n\n[tier.canary7q]\n"),
            "line 3: `tier`: there is a tier that is not known; known are free, standard",
        ),
        (
            Some("[tier.free]\ntenant = \"canary7q\n"),
            "line 2: is not TOML",
        ),
        (None, "cannot be read: entity not found"),
    ] {
        let before = rejected(&server).await;
        match broken {
            Some(text) => write(&data, text),
            None => fs::remove_file(file(&data)).unwrap(),
        }
        wait_for("the refusal", async || {
            (rejected(&server).await > before).then_some(())
        })
        .await;
        assert!(server.logs().contains(why), "{why}: {}", server.logs());
        // It is counted before it is told here.
        let told = wait_for(why, async || {
            let told = report(&server).await;
            let is_told = told["source"]["problem"].as_str()?.contains(why);
            is_told.then_some(told)
        })
        .await;
        let problem = told["source"]["problem"].as_str().unwrap();
        assert!(problem.contains("limits.toml"), "{told}");
        assert_eq!(*burst(&told), 4);
        wait_for("a policy that is told to be unusable", async || {
            (unusable(&server).await == Some(1.0)).then_some(())
        })
        .await;
        assert_eq!(status(&server, &key, 7).await, 429);
    }
    assert!(!server.logs().contains("canary7q"));
    // Each refusal was told once.
    assert_eq!(rejected(&server).await, 3.0);
    // The limits in force, put back, are no change and no problem any more.
    write(&data, &free(4));
    wait_for("no problem", async || {
        (unusable(&server).await == Some(0.0)).then_some(())
    })
    .await;
    assert_eq!(report(&server).await["source"], source);
    assert!(server.terminate().success());
}

#[tokio::test]
async fn what_is_put_is_written_to_the_file_and_the_file_wins_over_the_database() {
    let data = Data::new();
    let server = Server::start_on(&data);
    assert_eq!(
        report(&server).await["source"],
        json!({ "from": "defaults" })
    );
    let limits = |burst: u32| {
        json!({ "tier": { "free": { "category": { "ingest": {
            "tenant": { "per-hour": 60, "burst": burst }, "key": null,
        } } } } })
    };
    assert_eq!(put(&server, &limits(7)).await.status(), 204);
    assert_eq!(
        report(&server).await["source"],
        json!({ "from": "database" })
    );
    server.kill();

    write(&data, "# mine\n[tier]\n");
    fs::set_permissions(file(&data), Permissions::from_mode(0o644)).unwrap();
    let server = start(&data);
    assert_eq!(*burst(&report(&server).await), 20);
    let logs = server.logs();
    assert!(logs.contains("`INGEST_LIMITS_FILE` is set"), "{logs}");
    assert_eq!(put(&server, &limits(8)).await.status(), 204);
    assert_eq!(*burst(&report(&server).await), 8);
    let written = fs::read_to_string(file(&data)).unwrap();
    assert!(written.starts_with("# Written by `PUT"), "{written}");
    assert!(written.contains("burst = 8"), "{written}");
    assert!(!written.contains("mine"), "{written}");
    let mode = fs::metadata(file(&data)).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    // All that `GET` gives can be sent back.
    let told = report(&server).await;
    assert_eq!(put(&server, &told).await.status(), 204);
    assert_eq!(report(&server).await["policies"], told["policies"]);
    // What cannot be used is not written.
    let before = fs::read(file(&data)).unwrap();
    let refused = put(&server, &json!({ "tier": { "gold": {} } })).await;
    assert_eq!(refused.status(), StatusCode::BAD_REQUEST);
    assert_eq!(fs::read(file(&data)).unwrap(), before);
    server.kill();
    let server = start(&data);
    assert_eq!(*burst(&report(&server).await), 8);
    server.kill();

    // Without the file, the database says what it said before.
    let server = Server::start_on(&data);
    assert_eq!(*burst(&report(&server).await), 7);
}

/// As an editor leaves it that empties a file first, and a copy that is cut off.
#[tokio::test]
async fn a_file_that_is_being_written_is_not_taken_over() {
    let data = Data::new();
    write(&data, &free(3));
    let server = start(&data);
    for text in ["", "# limits of mine\n\n"] {
        let before = rejected(&server).await;
        write(&data, text);
        wait_for("the refusal", async || {
            (rejected(&server).await > before).then_some(())
        })
        .await;
        // It is counted before it is told here.
        let told = wait_for("the problem", async || {
            let told = report(&server).await;
            let problem = told["source"]["problem"].as_str()?;
            problem.contains("limits.toml says nothing").then_some(told)
        })
        .await;
        assert_eq!(*burst(&told), 3);
    }
    assert_eq!(changes(&server, "done").await, 0.0);
    // Everything by default has to be said, as `PUT` does.
    assert_eq!(put(&server, &json!({})).await.status(), 204);
    assert_eq!(*burst(&report(&server).await), 20);
    let written = fs::read_to_string(file(&data)).unwrap();
    assert!(written.ends_with("\n[tier]\n"), "{written}");
    server.kill();
    assert_eq!(*burst(&report(&start(&data)).await), 20);
}

/// Each text can be used, and none stands for long enough to be seen twice.
#[tokio::test]
async fn a_text_counts_once_it_stays() {
    // A text that this process leaves for longer than a look takes may have been seen twice.
    const STAYS: Duration = Duration::from_millis(300);
    for _ in 0..5 {
        let data = Data::new();
        write(&data, &free(3));
        let server = start(&data);
        let mut turns = tokio::time::interval(Duration::from_millis(50));
        let (mut written, mut longest) = (Instant::now(), Duration::ZERO);
        for burst in 100..160 {
            turns.tick().await;
            write(&data, &free(burst));
            longest = longest.max(written.elapsed());
            written = Instant::now();
        }
        let done = changes(&server, "done").await;
        write(&data, &free(4));
        if longest.max(written.elapsed()) > STAYS {
            continue;
        }
        assert_eq!(done, 0.0, "{}", server.logs());
        wait_for_burst(&server, 4).await;
        // It is in force before its end is on record, and counted after that.
        wait_for("the change to be counted", async || {
            (changes(&server, "done").await >= 1.0).then_some(())
        })
        .await;
        assert_eq!(changes(&server, "done").await, 1.0, "{}", server.logs());
        return;
    }
    panic!("this machine stops for more than {STAYS:?} again and again");
}

#[tokio::test]
async fn a_change_that_cannot_be_put_on_record_is_told_once_and_made_later() {
    let data = Data::new();
    write(&data, &free(3));
    let server = start(&data);
    let hidden = HiddenLog::of(&server).await;
    for (text, told) in [(free(5), 1), (free(6), 2)] {
        let tries = unrecorded(&server).await;
        write(&data, &text);
        wait_for("three tries", async || {
            (unrecorded(&server).await >= tries + 3.0).then_some(())
        })
        .await;
        assert_eq!(changes(&server, "failed").await, f64::from(told));
        let logs = server.logs();
        let lines = logs.matches("the changed policy is not in force yet");
        assert_eq!(u32::try_from(lines.count()), Ok(told), "{logs}");
    }
    hidden.show();
    wait_for_burst(&server, 6).await;
    // It is in force before its end is on record, and counted after that.
    wait_for("the change to be counted", async || {
        (changes(&server, "done").await >= 1.0).then_some(())
    })
    .await;
    assert_eq!(changes(&server, "done").await, 1.0);
}

#[tokio::test]
async fn the_log_says_what_was_changed_to_what_and_by_whom() {
    let data = Data::new();
    write(&data, &free(3));
    let server = start(&data);
    write(&data, &free(5));
    wait_for_burst(&server, 5).await;
    let told = report(&server).await;
    write(&data, "[canary7q]\n");
    wait_for("the refusal", async || {
        (rejected(&server).await > 0.0).then_some(())
    })
    .await;
    let logs = server.logs();
    let lines = logs.lines().map(|line| serde_json::from_str(line).unwrap());
    let lines: Vec<Value> = lines
        .filter(|line: &Value| line["action"] == "limits.replace")
        .collect();
    let [changed, refused] = &lines[..] else {
        panic!("{lines:?}");
    };
    for line in [changed, refused] {
        assert_eq!(line["actor"], "limits-file", "{line}");
    }
    assert_eq!(changed["message"], "an operator changed something");
    let details = changed["details"].as_str().unwrap();
    let details: Value = serde_json::from_str(details).unwrap();
    assert_eq!(details, told["policies"]);
    let message = refused["message"].as_str().unwrap();
    assert_eq!(message, "a change that cannot be made was rejected");
}

/// The service runs as somebody who may read the file and make none beside it, as with a read-only mount.
#[tokio::test]
async fn a_file_that_cannot_be_written_refuses_the_change_and_nothing_else() {
    let data = Data::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("limits.toml");
    fs::write(&file, free(3)).unwrap();
    fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o555)).unwrap();
    let mut command = data.command();
    command.env("INGEST_LIMITS_FILE", &file);
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        // Whom a mode keeps from nothing. The binary may lie where nobody else may look.
        let binary = data.path().join("server");
        fs::copy(command.get_program(), &binary).unwrap();
        chown(data.path(), Some(NOBODY), Some(NOBODY)).unwrap();
        let binary = binary.display();
        let script =
            format!("exec setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups \"{binary}\"");
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command = shell(&script, &command);
    }
    let server = Server::start_command(&data, command);
    let limits = json!({ "client-address": { "per-hour": 60, "burst": 1 } });
    let answer = put(&server, &limits).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    // It does not pass by itself.
    assert_eq!(answer.headers().get("retry-after"), None);
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "capacity.policy_file");
    let detail = problem["detail"].as_str().unwrap();
    for part in [
        "`INGEST_LIMITS_FILE` cannot be written",
        "permission denied",
        "as before",
    ] {
        assert!(detail.contains(part), "{problem}");
    }
    let told = report(&server).await;
    assert_eq!(*burst(&told), 3);
    assert_eq!(told["source"]["problem"], Value::Null);
    assert_eq!(told["policies"]["client-address"]["burst"], 20_000);
    assert_eq!(fs::read_to_string(&file).unwrap(), free(3));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_that_cannot_be_used_is_refused_before_anything_is_served() {
    let data = Data::new();
    for (text, why) in [
        (
            Some("\n[canary7q]\n"),
            "limits.toml: line 2: there is a member that is not known; known are client-address, tier",
        ),
        (
            Some("[tier.free]\n\ntenant = { per-second = 1 }\n"),
            "limits.toml: line 3: `tier.free.tenant`: `burst` is missing",
        ),
        (Some("canary7q"), "limits.toml: line 1: is not TOML"),
        (Some(""), "limits.toml says nothing"),
        (Some("# mine\n \n"), "limits.toml says nothing"),
        (None, "limits.toml cannot be read"),
    ] {
        match text {
            Some(text) => write(&data, text),
            None => fs::remove_file(file(&data)).unwrap(),
        }
        for arguments in [&["check-config"][..], &["serve"][..]] {
            let output = run_to_end(command(&data).args(arguments));
            assert_eq!(output.status.code(), Some(2), "{text:?}: {output:?}");
            assert!(output.stdout.is_empty(), "{output:?}");
            let told = String::from_utf8(output.stderr).unwrap();
            assert!(told.contains("INGEST_LIMITS_FILE: "), "{told}");
            assert!(told.contains(why), "{text:?}: {told}");
            assert!(!told.contains("canary7q"), "{told}");
            assert!(!data.database().exists());
        }
    }
    write(&data, &free(1));
    let output = run_to_end(command(&data).arg("check-config"));
    assert!(output.status.success(), "{output:?}");
}
