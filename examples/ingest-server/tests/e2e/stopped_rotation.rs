//! A rotation of the index root that cannot go on: what stops it is named and nothing of it shown, and it can be
//! given up.

use std::{
    process::{Command, Output},
    time::Duration,
};

use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, INDEX_ROOT, OTHER_SECRET, Server, count, run_to_end};

fn command(data: &Data) -> Command {
    let second = OTHER_SECRET.replacen("1:", "2:", 1);
    let mut command = data.command();
    command
        .env("PORTCULLIS_INDEX_ROOTS", format!("{INDEX_ROOT},{second}"))
        .env("PORTCULLIS_INDEX_ROOTS_PRIMARY", "1");
    command
}

fn run(data: &Data, arguments: &[&str]) -> Output {
    run_to_end(command(data).args(["index", "rotate"]).args(arguments))
}

async fn execute(data: &Data, statement: &'static str, lead: &str) {
    let mut database = data.connect().await;
    let done = sqlx::query(statement).bind(lead).execute(&mut database);
    assert!(done.await.unwrap().rows_affected() > 0, "{statement}");
}

/// Rotates to version 2 until it ends: the phase it is in is a minute older than it was, which a test does not
/// wait for.
async fn rotate(data: &Data, arguments: &[&'static str]) -> (Option<i32>, String, String) {
    let mut rotation = command(data);
    rotation.args(["index", "rotate", "--version", "2"]);
    rotation.args(arguments);
    let rotation = tokio::task::spawn_blocking(move || rotation.output().unwrap());
    while !rotation.is_finished() {
        let older = "UPDATE index_state SET since = since - 61000
             WHERE since > (unixepoch() - 60) * 1000";
        let mut database = data.connect().await;
        sqlx::query(older).execute(&mut database).await.unwrap();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let output = rotation.await.unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code(),
        text(output.stdout),
        text(output.stderr),
    )
}

fn live(data: &Data) -> Vec<(u64, String)> {
    let output = run(data, &["--status", "--json"]);
    let status: Value = serde_json::from_slice(&output.stdout).unwrap();
    let live = status["live"].as_array().unwrap().iter();
    live.map(|it| {
        let phase = it["phase"].as_str().unwrap().to_owned();
        (it["version"].as_u64().unwrap(), phase)
    })
    .collect()
}

#[tokio::test]
async fn what_stops_a_rotation_is_named_and_it_can_be_given_up() {
    let data = Data::new();
    let server = Server::start_command(&data, command(&data));
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = |name: &str| json!({ "email": format!("{name}@canary.example") });
    let first = server.lead(&key, &lead("john")).await;
    // Under another normal form it was another's.
    let former = "UPDATE lead_index SET value = unhex('0001' || hex(randomblob(length(value) - 2)))
         WHERE lead = ? AND field = 'lead.email'";
    execute(&data, former, &first).await;
    let former = "UPDATE lead SET email_fp = (SELECT value FROM lead_index WHERE lead = lead.id
         AND field = 'lead.email') WHERE id = ?";
    execute(&data, former, &first).await;
    let second = server.lead(&key, &lead("john")).await;
    assert_ne!(first, second);
    let other = server.lead(&key, &lead("grace")).await;
    assert!(server.terminate().success());

    let (code, said, told) = rotate(&data, &["--json"]).await;
    assert_eq!(code, Some(1), "{said}{told}");
    let stopped: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(stopped["outcome"], "stopped", "{stopped}");
    let duplicates = stopped["duplicates"].as_array().unwrap();
    let [duplicate] = &duplicates[..] else {
        panic!("{stopped}");
    };
    // Whichever of the two comes later.
    let named = duplicate["row"].as_str().unwrap();
    assert_eq!(named, first.clone().max(second.clone()), "{stopped}");
    assert_eq!(
        (&duplicate["table"], &duplicate["tenant"]),
        (&json!("lead"), &json!("acme"))
    );
    assert_eq!(
        (&stopped["left"], &stopped["wrong"]),
        (&json!(1), &json!(0))
    );
    assert!(
        told.contains("run it again, or give it up with --abandon"),
        "{told}"
    );
    // Where no person looks: lines, and nothing that moves a cursor.
    let progress = told
        .lines()
        .filter(|line| line.starts_with("index to version 2 ("));
    assert!(progress.count() >= 1, "{told}");
    assert!(told.contains(" of 3, "), "{told}");
    assert!(!told.contains(['\u{1b}', '\r']), "{told:?}");
    let for_people = rotate(&data, &[]).await;
    let line = format!("lead {named} of acme: ");
    assert!(for_people.1.contains(&line), "{for_people:?}");
    for text in [&said, &told, &for_people.1, &for_people.2] {
        assert!(!text.contains("canary"), "{text}");
    }
    let both = vec![(1, "enforced".to_owned()), (2, "written".to_owned())];
    assert_eq!(live(&data), both);

    // One of the two is erased, and of another lead a value is one that it had before.
    let erase = ["erase", "--tenant", "acme", "--lead", named];
    assert!(run_to_end(command(&data).args(erase)).status.success());
    let before = "UPDATE lead_index SET value = unhex('0002' || hex(randomblob(length(value) - 2)))
         WHERE lead = ? AND version = 2 AND field = 'lead.email'";
    execute(&data, before, &other).await;
    let (code, said, told) = rotate(&data, &["--json"]).await;
    assert_eq!(code, Some(1), "{said}{told}");
    let stopped: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(
        (&stopped["left"], &stopped["differences"], &stopped["wrong"]),
        (&json!(0), &json!(0), &json!(2)),
        "{stopped}"
    );
    assert!(
        told.contains("give it up with --abandon and rotate again"),
        "{told}"
    );

    // Given up; and then all is written again.
    let abandon = ["--version", "2", "--abandon", "--json"];
    let abandoned = run(&data, &abandon);
    assert!(abandoned.status.success(), "{abandoned:?}");
    assert_eq!(live(&data), [(1, "enforced".to_owned())]);
    // Asked again, it says that there is nothing.
    let again = run(&data, &abandon);
    assert!(again.status.success(), "{again:?}");
    assert!(String::from_utf8_lossy(&again.stderr).contains("nothing to give up"));
    let (code, said, told) = rotate(&data, &["--json"]).await;
    assert_eq!(code, Some(0), "{said}{told}");
    assert_eq!(live(&data), [(2, "enforced".to_owned())]);
    assert_eq!(count(&data, "lead_index WHERE version = 1").await, 0);
    assert_eq!(count(&data, "lead_index WHERE version = 2").await, 2);
}
