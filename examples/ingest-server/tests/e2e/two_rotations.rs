//! The index is rotated by one process at a time: another one says at once who is at it, follows that to its end, and
//! takes over from one that was killed. What cannot be rotated to is refused before anything begins.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{ALL_SCOPES, Data, INDEX_ROOT, OTHER_SECRET, Server, run_to_end, wait_for};

fn command(data: &Data) -> Command {
    let second = OTHER_SECRET.replacen("1:", "2:", 1);
    let mut command = data.command();
    command
        .env("PORTCULLIS_INDEX_ROOTS", format!("{INDEX_ROOT},{second}"))
        .env("PORTCULLIS_INDEX_ROOTS_PRIMARY", "1");
    command
}

/// A command that rotates to version 2, and the lines of its progress.
fn rotate(data: &Data) -> (Child, std::sync::mpsc::Receiver<String>) {
    let mut rotation = command(data);
    rotation
        .args(["index", "rotate", "--version", "2", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut rotation = rotation.spawn().unwrap();
    let lines = BufReader::new(rotation.stderr.take().unwrap()).lines();
    let (told, hear) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            drop(told.send(line));
        }
    });
    (rotation, hear)
}

fn status(data: &Data) -> Value {
    let output = run_to_end(command(data).args(["index", "rotate", "--status", "--json"]));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The phase that the index is in has lasted.
async fn age(data: &Data) {
    let older =
        "UPDATE index_state SET since = since - 61000 WHERE since > (unixepoch() - 60) * 1000";
    let mut database = data.connect().await;
    sqlx::query(older).execute(&mut database).await.unwrap();
}

#[tokio::test]
async fn a_second_rotation_says_who_is_at_it_and_follows_and_takes_over() {
    let data = Data::new();
    let server = Server::start_command(&data, command(&data));
    let key = server.issue("acme", &ALL_SCOPES).await;
    for number in 0..3 {
        let lead = json!({ "email": format!("person{number}@example.com") });
        server.lead(&key, &lead).await;
    }
    // There since the first start: nobody noted when that was.
    assert_eq!(status(&data)["live"][0]["since"], Value::Null);

    let (mut first, _first_told) = rotate(&data);
    let process = first.id();
    let under_way = wait_for("the first", async || {
        let mut status = status(&data);
        (status["live"].as_array().unwrap().len() == 2 && status["under_way"].is_object())
            .then(|| status["under_way"].take())
    })
    .await;
    assert_eq!(
        (&under_way["version"], &under_way["process"]),
        (&json!(2), &json!(process))
    );
    assert!(
        under_way["by"]
            .as_str()
            .unwrap()
            .starts_with("command-line:"),
        "{under_way}"
    );

    // Another command follows, and the service refuses; both say whom it is.
    let (second, second_told) = rotate(&data);
    let who = format!("in process {process} since ");
    let at = "followed: index to version 2 (version 1 enforced";
    let is_followed = |line: &String| line.contains(&who) && line.contains(at);
    let first_line = second_told.recv().unwrap();
    assert!(first_line.contains(&who), "{first_line}");
    assert!(is_followed(&first_line) || second_told.iter().any(|line| is_followed(&line)));
    let asked = server.admin(Method::POST, "/admin/index/rotate");
    let asked = asked.json(&json!({ "version": 2 })).send().await.unwrap();
    assert_eq!(asked.status(), StatusCode::CONFLICT);
    let problem: Value = asked.json().await.unwrap();
    assert!(
        problem["detail"].as_str().unwrap().contains(&who),
        "{problem}"
    );
    let shown = server
        .admin(Method::GET, "/admin/index")
        .send()
        .await
        .unwrap();
    let shown: Value = shown.json().await.unwrap();
    assert_eq!(
        shown["versions"]["under_way"]["process"], process,
        "{shown}"
    );
    // To another version nothing is followed.
    let other = run_to_end(command(&data).args(["index", "rotate", "--version", "1"]));
    let told = String::from_utf8(other.stderr).unwrap();
    assert_eq!(other.status.code(), Some(1), "{told}");
    assert!(told.contains(&who), "{told}");

    // It is killed, and the second goes on alone.
    first.kill().unwrap();
    first.wait().unwrap();
    let process = second.id();
    wait_for("the second", async || {
        (status(&data)["under_way"]["process"] == process).then_some(())
    })
    .await;
    // A third follows it to the end, and says what came of it.
    let (third, third_told) = rotate(&data);
    let who = format!("in process {process} since ");
    assert!(third_told.iter().any(|line| line.contains(&who)));
    let followers = [second, third];
    let ended = tokio::task::spawn_blocking(move || {
        followers.map(|follower| follower.wait_with_output().unwrap())
    });
    while !ended.is_finished() {
        age(&data).await;
        tokio::task::yield_now().await;
    }
    for output in ended.await.unwrap() {
        assert!(output.status.success(), "{output:?}");
        let rotated: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(
            (&rotated["outcome"], &rotated["version"]),
            (&json!("done"), &json!(2))
        );
    }
    let status = status(&data);
    assert_eq!(status["live"].as_array().unwrap().len(), 1, "{status}");
    assert_eq!(status.get("under_way"), None, "{status}");
}

#[tokio::test]
async fn one_that_is_given_up_meanwhile_ends_and_is_not_begun_again() {
    let data = Data::new();
    let server = Server::start_command(&data, command(&data));
    server.issue("acme", &ALL_SCOPES).await;
    let (rotation, told) = rotate(&data);
    wait_for("the rotation", async || {
        (status(&data)["live"].as_array().unwrap().len() == 2).then_some(())
    })
    .await;
    // It has seen by then that its version is live.
    assert!(told.iter().any(|line| line.contains("version 2 written")));
    let abandon = ["index", "rotate", "--version", "2", "--abandon"];
    for said in [None, Some("there was nothing to give up")] {
        let output = run_to_end(command(&data).args(abandon));
        assert!(output.status.success(), "{output:?}");
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(said.is_none_or(|said| told.contains(said)), "{told}");
    }
    let ended = tokio::task::spawn_blocking(move || rotation.wait_with_output().unwrap());
    let ended = ended.await.unwrap();
    assert_eq!(ended.status.code(), Some(1), "{ended:?}");
    assert!(
        told.iter()
            .any(|line| line.contains("was given up in the meantime"))
    );
    assert_eq!(status(&data)["live"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_version_that_is_not_configured_is_refused_before_anything_begins() {
    let data = Data::new();
    let server = Server::start_command(&data, command(&data));
    for path in ["/admin/index/rotate", "/admin/index/abandon"] {
        let ask = async |version: u32| {
            let request = server.admin(Method::POST, path);
            let answer = request.json(&json!({ "version": version }));
            answer.send().await.unwrap()
        };
        let zero = ask(0).await;
        assert_eq!(zero.status(), StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        let problem: Value = zero.json().await.unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(
            detail
                .contains("`version`: 0 of the index root is not configured; configured are 1, 2"),
            "{problem}"
        );
    }
    let request = server.admin(Method::POST, "/admin/index/rotate");
    let answer = request.json(&json!({ "version": 3 })).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let shown = server
        .admin(Method::GET, "/admin/index")
        .send()
        .await
        .unwrap();
    let shown: Value = shown.json().await.unwrap();
    assert_eq!(shown["rotation"]["state"], "idle", "{shown}");
    for version in ["0", "3"] {
        let output = run_to_end(command(&data).args(["index", "rotate", "--version", version]));
        assert_eq!(output.status.code(), Some(2));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(
            told.contains("is not configured; configured are 1, 2"),
            "{told}"
        );
    }
}
