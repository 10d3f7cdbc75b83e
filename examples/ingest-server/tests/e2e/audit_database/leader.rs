//! One of the servers follows the log: when it is killed, another does, and nothing is missed.

use std::{
    collections::BTreeSet,
    fs,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::Executor as _;

use super::{command, verified};
use crate::{
    harness::{ALL_SCOPES, Data, Key, Server, on_record, wait_for},
    server_audit_sinks::receivers::Stage,
};

/// How long nobody follows the log at most, after its leader was killed.
const BOUND: Duration = Duration::from_secs(10);

pub(super) const LEADER: &str = "ingest_audit_leader";

pub(super) fn command_with_sink(data: &Data, stage: &Stage) -> Command {
    let sinks = "[sink.file]\nkind = \"ocsf-file\"\npath = \"DIR/audit.jsonl\"\n";
    let mut command = command(data);
    command
        .env("INGEST_AUDIT_SINKS", stage.write("sinks.toml", sinks))
        .env("INGEST_ACCESS_REASONS", "support,automated");
    command
}

/// The numbers of the entries that were delivered, in the order in which they were.
pub(super) fn delivered(stage: &Stage) -> Vec<u64> {
    let lines = fs::read_to_string(stage.path("audit.jsonl")).unwrap_or_default();
    let whole = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    whole
        .map(|event| event["metadata"]["sequence"].as_u64().unwrap())
        .collect()
}

/// What the status says of the leader.
async fn leader(server: &Server) -> [Value; 2] {
    let mut status = super::answer(server, Method::GET, "/admin/audit/status").await;
    ["leader", "leader_node"].map(|member| status[member].take())
}

/// How often the rules have found the read that was said to be automated.
async fn found(server: &Server) -> usize {
    let found = on_record(server, "&action=audit.suspicious").await;
    let automated = found
        .iter()
        .filter(|event| event["reason"]["code"] == "automated");
    automated.count()
}

/// Reads a lead again and again, each time for another reason; keeps those whose reads were answered.
async fn read_on(
    server: &Server,
    key: &Key,
    lead: &str,
    name: &str,
    answered: &Mutex<BTreeSet<String>>,
    is_over: &AtomicBool,
) {
    for number in 0.. {
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        let reference = format!("{name}-{number}");
        let read = server
            .request(Method::GET, &format!("/v1/leads/{lead}"), key)
            .header("x-access-reason", format!("support {reference}"));
        match read.send().await {
            Ok(answer) if answer.status() == StatusCode::OK => {
                answered.lock().unwrap().insert(reference);
            }
            Ok(answer) => assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS),
            // It was killed.
            Err(_) => return,
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn when_the_leader_is_killed_under_load_another_goes_on_and_nothing_is_missed() {
    let (data, stage) = (Data::new(), Stage::new());
    let first = Server::start_command(&data, command_with_sink(&data, &stage));
    let second = Server::start_command(&data, command_with_sink(&data, &stage));
    wait_for("the first to lead", async || {
        (first.metrics().await[LEADER] == 1.0).then_some(())
    })
    .await;
    assert_eq!(second.metrics().await[LEADER], 0.0);
    assert_eq!(leader(&first).await, [json!(true), json!("server")]);
    assert_eq!(leader(&second).await, [json!(false), json!("server")]);
    let key = first.issue("acme", &ALL_SCOPES).await;
    let lead = json!({ "email": "ada@lead.example" });
    let lead = first.lead(&key, &lead).await;
    // What the rules find is found by the leader alone, and once.
    let automated = first.request(Method::GET, &format!("/v1/leads/{lead}"), &key);
    let automated = automated.header("x-access-reason", "automated nightly");
    assert_eq!(automated.send().await.unwrap().status(), StatusCode::OK);
    wait_for("a finding", async || {
        (found(&second).await == 1).then_some(())
    })
    .await;

    let answered = Arc::new(Mutex::new(BTreeSet::new()));
    let is_over = Arc::new(AtomicBool::new(false));
    let (first, second) = (Arc::new(first), Arc::new(second));
    let readers: Vec<_> = [(&first, "a"), (&second, "b")]
        .into_iter()
        .map(|(server, name)| {
            let (server, key, lead) = (Arc::clone(server), key.clone(), lead.clone());
            let (answered, is_over) = (Arc::clone(&answered), Arc::clone(&is_over));
            tokio::spawn(async move {
                read_on(&server, &key, &lead, name, &answered, &is_over).await;
            })
        })
        .collect();
    wait_for("some load", async || {
        (answered.lock().unwrap().len() > 20).then_some(())
    })
    .await;
    // A change that is on record as begun, and waits for the database of the service.
    let mut database = data.connect().await;
    database.execute("BEGIN IMMEDIATE").await.unwrap();
    let issue = first.admin(Method::POST, "/admin/api-keys");
    let issue =
        issue.json(&json!({ "tenant": "acme", "tier": "standard", "scopes": ["events:write"] }));
    let issuing = tokio::spawn(issue.send());
    let begun = wait_for("the change to be begun", async || {
        let mut begun = on_record(&second, "&action=api_key.issue").await;
        // Behind the one that was issued before, which is begun and done.
        (begun.len() > 2).then(|| begun.remove(2))
    })
    .await;
    kill(first.pid());
    let killed = Instant::now();
    database.execute("ROLLBACK").await.unwrap();
    issuing.await.unwrap().unwrap_err();

    wait_for("another to lead", async || {
        (second.metrics().await[LEADER] == 1.0).then_some(())
    })
    .await;
    assert!(killed.elapsed() < BOUND, "{:?}", killed.elapsed());
    assert_eq!(leader(&second).await, [json!(true), json!("server-2")]);
    is_over.store(true, Ordering::Relaxed);
    for reader in readers {
        reader.await.unwrap();
    }
    // The next process of its name closes what it left behind.
    let next = Server::start_command(&data, command_with_sink(&data, &stage));
    let closed = wait_for("it to be closed", async || {
        let closed = on_record(&next, "&action=audit.unfinished").await;
        closed.into_iter().next()
    })
    .await;
    assert_eq!(closed["outcome"], "unknown", "{closed}");
    assert_eq!(closed["refs"], json!([begun["id"]]), "{closed}");
    assert_eq!(found(&second).await, 1);

    assert_eq!(verified(&second).await["outcome"], "sound");
    let kept = kept_references(&second).await;
    let answered = answered.lock().unwrap().clone();
    let lost: Vec<_> = answered.difference(&kept).collect();
    assert!(lost.is_empty(), "{lost:?}");
    let size = on_record(&second, "").await.last().unwrap()["n"]
        .as_u64()
        .unwrap();
    wait_for("all to be delivered", async || {
        delivered(&stage).contains(&size).then_some(())
    })
    .await;
    let numbers = delivered(&stage);
    let each: BTreeSet<_> = numbers.iter().copied().collect();
    assert_eq!(
        each.range(..=size).copied().collect::<Vec<_>>(),
        (0..=size).collect::<Vec<_>>()
    );
    // What the killed one delivered after it had last moved its cursor, which it did each second.
    let twice = numbers.len() - each.len();
    assert!(twice < numbers.len() / 2, "{twice} of {}", numbers.len());
    let going_back = numbers.windows(2).filter(|pair| pair[1] != pair[0] + 1);
    assert!(going_back.count() <= 1);
}

/// The references of all reads that are on record.
pub(super) async fn kept_references(server: &Server) -> BTreeSet<String> {
    let mut kept = BTreeSet::new();
    let mut cursor = String::new();
    loop {
        let path = format!("/admin/audit/events?limit=500&action=lead.read{cursor}");
        let page = super::answer(server, Method::GET, &path).await;
        for event in page["events"].as_array().unwrap() {
            if let Some(reference) = event["reason"]["ref"].as_str() {
                kept.insert(reference.to_owned());
            }
        }
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return kept,
        }
    }
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.cast_signed()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
