//! A log that was put back or cut is followed by another once an operator has said so, and stays what it was.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::Output,
};

use portcullis_audit_log::{
    checkpoint::Policy,
    note::VerifyingKey,
    source::FolderSource,
    verify::{Outcome, Verification},
};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    audit_anchors::{copy, read_a_lead, refusal},
    harness::{ALL_SCOPES, Data, Server, on_record},
};

fn told(output: Output, code: i32) -> String {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, error) = (text(output.stdout), text(output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{error}");
    out + &error
}

fn lines(output: Output) -> Vec<Value> {
    let told = told(output, 0);
    let lines = told.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn accept(data: &Data, arguments: &[&str]) -> Output {
    data.run(&[&["audit", "accept-rollback"], arguments].concat())
}

/// The actions that are on record by now in the log that is written, oldest first.
fn actions(data: &Data) -> Vec<String> {
    let entries = lines(data.run(&["audit", "search", "--limit", "5000", "--json"]));
    let actions = entries.iter().rev().map(|entry| &entry["action"]);
    actions
        .map(|action| action.as_str().unwrap().to_owned())
        .collect()
}

fn is_sound(folder: &Path, key: &str) {
    let policy = Policy::new(vec![key.parse::<VerifyingKey>().unwrap()]).unwrap();
    let source = FolderSource::new(&folder.join("log"));
    let report = Verification::new(&source, &policy).run();
    assert_eq!(report.outcome(), Outcome::Sound, "{report:?}");
}

async fn run_once(data: &Data) {
    let server = Server::start_on(data);
    read_a_lead(&server).await;
    assert!(server.terminate().success());
}

#[tokio::test]
async fn a_log_that_was_put_back_is_followed_by_another_when_that_is_accepted() {
    let data = Data::new();
    let (log, old) = (data.path().join("audit/server"), data.path().join("old"));
    run_once(&data).await;
    let sound = told(accept(&data, &["--confirm"]), 2);
    assert!(sound.contains("no anchor knows another log"), "{sound}");
    copy(&log, &old);
    run_once(&data).await;
    fs::remove_dir_all(&log).unwrap();
    copy(&old, &log);
    let said = refusal(data.command().arg("serve"));
    assert!(said.contains("accept-rollback --node server"), "{said}");

    // What is done to it now would be undone with it.
    let refused = data.run(&["audit", "prune"]);
    assert!(told(refused, 2).contains("accept-rollback --node server"));

    let shown = told(accept(&data, &[]), 0);
    assert!(shown.contains("--confirm"), "{shown}");
    refusal(data.command().arg("serve"));
    let begun = lines(accept(&data, &["--confirm", "--json"])).remove(0);
    let [kept, known] = ["kept", "known"].map(|tree| begun[tree]["size"].as_u64().unwrap());
    assert!(kept < known, "{begun}");
    assert_eq!(begun["begun"]["origin"], "ingest-server/audit/2");

    let server = Server::start_on(&data);
    read_a_lead(&server).await;
    let busy = told(accept(&data, &[]), 2);
    assert!(busy.contains("runs"), "{busy}");
    let status = server.admin(Method::GET, "/admin/audit/status");
    let status: Value = status.send().await.unwrap().json().await.unwrap();
    assert_eq!(status["origin"], "ingest-server/audit/2");
    let verified = server.admin(Method::POST, "/admin/audit/verify");
    let verified: Value = verified.send().await.unwrap().json().await.unwrap();
    assert_eq!(verified["report"]["outcome"], "sound", "{verified}");
    // Who is erased is not left in the log before.
    let mut own = 0;
    for event in on_record(&server, "&tenant=acme").await {
        let event = server.admin(Method::GET, &format!("/admin/audit/events/{}", event["n"]));
        let event: Value = event.send().await.unwrap().json().await.unwrap();
        own += u64::from(!event["personal"].is_null());
    }
    let erasing = server.admin(Method::POST, "/admin/audit/erasures");
    let erasing = erasing.json(&json!({ "tenant": "acme" })).send();
    let erased: Value = erasing.await.unwrap().json().await.unwrap();
    assert!(
        own > 0 && erased["erased"].as_u64().unwrap() > own,
        "{own} {erased}"
    );
    assert!(server.terminate().success());
    assert_eq!(
        actions(&data)[..2],
        ["audit.rollback_accepted", "audit.opened"]
    );
    let keys = told(data.run(&["audit", "vkey"]), 0);
    assert!(keys.starts_with("ingest-server/audit/2+"), "{keys}");
    is_sound(&log.join("generation-2"), keys.trim());
    for generation in [&[][..], &["--generation", "1"], &["--generation", "2"]] {
        let on = |arguments: &[&str]| data.run(&[&["audit"], arguments, generation].concat());
        assert_eq!(lines(on(&["verify", "--json"]))[0]["outcome"], "sound");
        told(on(&["proof", "0"]), 0);
        told(on(&["prune"]), 0);
    }
    let first = [
        "audit",
        "search",
        "--generation",
        "1",
        "--limit",
        "5000",
        "--json",
    ];
    let first = lines(data.run(&first));
    assert!(
        first
            .iter()
            .all(|entry| entry["action"] != "audit.rollback_accepted")
    );
    let kid = first
        .iter()
        .find(|entry| entry["action"] == "lead.read")
        .unwrap();
    let kid = kid["actor"]["id"].as_str().unwrap().to_owned();
    let erase = ["audit", "erase", "--generation", "1", "--actor", &kid];
    assert!(told(data.run(&erase), 0).starts_with("0 parts"));
    let none = told(data.run(&["audit", "verify", "--generation", "3"]), 2);
    assert!(none.contains("no log of that number"), "{none}");
    told(data.run(&["audit", "prune"]), 0);

    let openings = || {
        actions(&data)
            .iter()
            .filter(|it| *it == "audit.opened")
            .count()
    };
    let before = openings();
    run_once(&data).await;
    assert_eq!(openings(), before + 1);
    let key = begun["vkeys"][0].as_str().unwrap();
    assert!(key.starts_with("ingest-server/audit+"), "{key}");
    is_sound(&log, key);

    // Who looked, and what came of it.
    let own = ["audit", "search", "--node", "command-line", "--json"];
    let own = lines(data.run(&[&own[..], &["--action", "audit.accept_rollback"]].concat()));
    let details: Vec<_> = own
        .iter()
        .rev()
        .map(|entry| entry["detail"].clone())
        .collect();
    let expected = ["begun", "not_found", "begun", "unconfirmed", "begun"].map(Value::from);
    assert_eq!(details[..5], expected, "{own:?}");
    assert_eq!(own[0]["outcome"], json!("success"));
}

#[tokio::test]
async fn a_log_whose_end_was_cut_is_followed_by_another_too() {
    let data = Data::new();
    let (log, old) = (data.path().join("audit/server"), data.path().join("old"));
    run_once(&data).await;
    copy(&log.join("journal"), &old);
    run_once(&data).await;
    fs::remove_dir_all(log.join("journal")).unwrap();
    copy(&old, &log.join("journal"));
    let said = refusal(data.command().arg("serve"));
    for word in ["accept-rollback --node server", "the tail was cut"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    // What it has published tells as much as an anchor.
    let mut alone = data.command();
    alone.env("INGEST_AUDIT_ANCHORS", "none");
    let shown = alone.args(["audit", "accept-rollback", "--json"]).output();
    let shown = lines(shown.unwrap()).remove(0);

    let begun = lines(accept(&data, &["--confirm", "--json"])).remove(0);
    assert_eq!(begun["known"], shown["known"]);
    assert_eq!(begun["kept"], begun["known"]);
    assert!(
        begun["damage"]
            .as_str()
            .unwrap()
            .contains("the tail was cut")
    );
    run_once(&data).await;
    assert_eq!(actions(&data)[0], "audit.rollback_accepted");
    run_once(&data).await;
    is_sound(&log, begun["vkeys"][0].as_str().unwrap());
}

/// The bytes of all files of a log, but for what says that another follows it, and the numbers of its tenants: a store
/// that finds no damage when it opens writes them again, of which a process that ends meanwhile leaves the draft.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !name.starts_with("generation") {
            files.extend(self::files(&path));
        } else if path.is_file() && !["generation", "tenants", ".writing"].contains(&name) {
            files.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    files
}

#[tokio::test]
async fn a_damaged_log_is_followed_by_another_that_says_so_and_stays_as_it_is() {
    let (data, kept) = (Data::new(), TempDir::new().unwrap());
    let (log, sound) = (data.path().join("audit/server"), kept.path().join("sound"));
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = json!({ "email": "ada@lead.example" });
    let lead = server.lead(&key, &lead).await;
    // So many that the last bundle is no part of what a store looks at when it opens.
    for _ in 0..540 {
        assert!(server.read_lead(&key, &lead).await.status().is_success());
    }
    assert!(server.terminate().success());
    // With the database, in which an anchor is.
    copy(data.path(), &sound);
    let checkpoint = fs::read_to_string(log.join("log/checkpoint")).unwrap();
    let size = checkpoint.lines().nth(1).unwrap().to_owned();
    let journal = log.join("journal/0000000000.paj");
    let overwritten = || {
        let file = fs::File::options().write(true).open(&journal).unwrap();
        file.write_all_at(b"x", 100).unwrap();
    };
    let emptied = || fs::File::create(&journal).map(drop).unwrap();
    let removed = |path: &str| fs::remove_file(log.join(path)).unwrap();
    let damages: [(&dyn Fn(), &str); 4] = [
        (&overwritten, "segment 0 has a broken frame at byte 0"),
        (&emptied, "segment 0 was cut"),
        (&|| removed("log/tile/0/000"), "log/tile/0/000"),
        (&|| removed("log/tile/entries/001"), "log/tile/entries/001"),
    ];
    for (damage, what) in damages {
        fs::remove_dir_all(data.path()).unwrap();
        copy(&sound, data.path());
        damage();
        let said = refusal(data.command().arg("serve"));
        for word in [what, "accept-rollback --node server"] {
            assert!(said.contains(word), "{what}: {said}");
        }
        let before = files(&log);
        let shown = told(accept(&data, &[]), 0);
        for word in [what, "damaged is:", &format!("published:   {size} entries")] {
            assert!(shown.contains(word), "{word}: {shown}");
        }
        let begun = lines(accept(&data, &["--confirm", "--json"])).remove(0);
        assert_eq!(begun["kept"]["size"].to_string(), size, "{begun}");
        assert_eq!(before, files(&log), "{what}");

        run_once(&data).await;
        let first = data.run(&["audit", "search", "--limit", "5000", "--json"]);
        let first = lines(first).pop().unwrap();
        assert_eq!(first["action"], "audit.rollback_accepted");
        let said = first["resources"].to_string();
        for word in ["damaged_log", &format!("{size}:")] {
            assert!(said.contains(word), "{word}: {said}");
        }
        assert_eq!(before, files(&log), "{what}");
    }
}

#[tokio::test]
async fn a_log_of_commands_is_followed_as_well_and_a_second_rollback_by_a_third() {
    let data = Data::new();
    run_once(&data).await;
    let list = || told(data.run(&["api-key", "list"]), 0);
    let log = data.path().join("audit/command-line");
    let (old, node) = (
        data.path().join("old"),
        ["--node", "command-line", "--confirm", "--json"],
    );
    list();
    copy(&log, &old);
    list();
    for number in [2, 3] {
        fs::remove_dir_all(&log).unwrap();
        copy(&old, &log);
        refusal(data.command().args(["api-key", "list"]));
        let begun = lines(accept(&data, &node)).remove(0);
        let origin = format!("ingest-server/audit/command-line/{number}");
        assert_eq!(begun["begun"]["origin"], origin, "{begun}");
        list();
    }
}
