//! One of the servers is stopped, and not dead: it answers nobody, keeps whatever it has in its hands, and goes on later.

use std::{
    collections::BTreeSet,
    fs::{File, TryLockError},
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use sqlx::{Connection as _, Executor as _};

use super::{
    connect,
    faults::{goes_on, is_refused},
    file,
    leader::{LEADER, command_with_sink, delivered, kept_references},
    run, start, told, verified,
};
use crate::{
    harness::{ALL_SCOPES, Data, Key, Server, count, on_record, wait_for},
    server_audit_sinks::receivers::Stage,
};

/// The promise is two seconds; the rest is what the test takes itself.
const ANSWERED_WITHIN: Duration = Duration::from_millis(2_500);

/// Longer than a server that does not lead waits before it asks again whether it may.
const STOPPED_FOR: Duration = Duration::from_secs(7);

fn signal(server: &Server, signal: Signal) {
    let pid = Pid::from_raw(server.pid().cast_signed()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// A server and a lead in it that may be read.
async fn with_a_lead(data: &Data) -> (Server, Key, String) {
    let server = start(data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lead = json!({ "email": "ada@lead.example" });
    let lead = server.lead(&key, &lead).await;
    goes_on(&server, &key, &lead).await;
    (server, key, lead)
}

/// Reads a lead for a reason of that name. Gives whether it was shown, which is told in time.
async fn is_shown(server: &Server, key: &Key, lead: &str, name: &str) -> bool {
    let read = server.request(Method::GET, &format!("/v1/leads/{lead}"), key);
    let read = read.header("x-access-reason", format!("support {name}"));
    let asked = Instant::now();
    let status = read.send().await.unwrap().status();
    assert!(asked.elapsed() < ANSWERED_WITHIN, "{:?}", asked.elapsed());
    assert!(
        status == StatusCode::OK || status == StatusCode::SERVICE_UNAVAILABLE,
        "{status}"
    );
    status == StatusCode::OK
}

#[tokio::test]
async fn while_the_leader_is_stopped_others_record_and_when_it_goes_on_nothing_is_missed() {
    let (data, stage) = (Data::new(), Stage::new());
    let start = || Server::start_command(&data, command_with_sink(&data, &stage));
    let first = start();
    wait_for("the first to lead", async || {
        (first.metrics().await[LEADER] == 1.0).then_some(())
    })
    .await;
    let second = start();
    let key = first.issue("acme", &ALL_SCOPES).await;
    let lead = json!({ "email": "ada@lead.example" });
    let lead = first.lead(&key, &lead).await;

    let mut shown = BTreeSet::new();
    let mut read = async |server: &Server, name: String| {
        if is_shown(server, &key, &lead, &name).await {
            shown.insert(name);
        }
    };
    for number in 0..20 {
        read(&first, format!("a-{number}")).await;
        read(&second, format!("b-{number}")).await;
    }
    signal(&first, Signal::STOP);
    let stopped = Instant::now();
    for number in 0.. {
        if stopped.elapsed() > STOPPED_FOR {
            break;
        }
        read(&second, format!("c-{number}")).await;
    }
    // One that is stopped has the lock of the leader still: nobody delivers what it may deliver again.
    assert_eq!(second.metrics().await[LEADER], 0.0);
    signal(&first, Signal::CONT);
    read(&first, "d-0".to_owned()).await;
    assert_eq!(first.metrics().await[LEADER], 1.0);

    let last = on_record(&second, "").await;
    let last = last.last().unwrap()["n"].as_u64().unwrap();
    wait_for("all to be delivered", async || {
        delivered(&stage).contains(&last).then_some(())
    })
    .await;
    let delivered: Vec<_> = delivered(&stage)
        .into_iter()
        .filter(|n| *n <= last)
        .collect();
    assert_eq!(delivered, (0..=last).collect::<Vec<_>>());
    let kept = kept_references(&second).await;
    let lost: Vec<_> = shown.difference(&kept).collect();
    assert!(lost.is_empty(), "{lost:?}");
    assert!(shown.iter().any(|name| name.starts_with('c')), "{shown:?}");
    assert!(shown.contains("d-0"), "{shown:?}");
    assert_eq!(verified(&second).await["outcome"], "sound");
    assert!(first.terminate().success() && second.terminate().success());
}

/// Whether somebody is the next to have the lock of the file.
fn is_waited_for(data: &Data) -> bool {
    let turn = file(data).with_file_name("audit.db-turn");
    matches!(
        File::open(turn).unwrap().try_lock(),
        Err(TryLockError::WouldBlock)
    )
}

#[tokio::test]
async fn who_is_stopped_while_it_is_the_next_to_write_keeps_nobody_from_writing() {
    let data = Data::new();
    let (first, key, lead) = with_a_lead(&data).await;
    let mut other = connect(&data).await;
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    let read = first.request(Method::GET, &format!("/v1/leads/{lead}"), &key);
    let read = tokio::spawn(read.header("x-access-reason", "support").send());
    wait_for("a group that waits for the file", async || {
        is_waited_for(&data).then_some(())
    })
    .await;
    signal(&first, Signal::STOP);
    other.execute("ROLLBACK").await.unwrap();
    other.close().await.unwrap();
    assert!(is_waited_for(&data));

    // Another starts, shows what is asked for, changes something, and ends; and so does a command.
    let second = start(&data);
    for name in ["one", "two", "three"] {
        assert!(is_shown(&second, &key, &lead, name).await);
    }
    let asked = Instant::now();
    second.issue("acme", &["events:write"]).await;
    assert!(asked.elapsed() < ANSWERED_WITHIN, "{:?}", asked.elapsed());
    told(run(&data, &["api-key", "list"]), 0);
    assert!(is_waited_for(&data));
    assert!(second.terminate().success());

    signal(&first, Signal::CONT);
    read.await.unwrap().unwrap();
    goes_on(&first, &key, &lead).await;
    assert_eq!(verified(&first).await["outcome"], "sound");
    assert!(first.terminate().success());
}

/// Makes the recording of what is done in the name of the tenant `slow` take seconds.
async fn slow_down(data: &Data) {
    let statements = "CREATE VIEW numbers AS WITH RECURSIVE number (n) AS
          (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 12000000) SELECT n FROM number;
        CREATE TRIGGER slow AFTER INSERT ON audit_event WHEN NEW.tenant = 'slow' AND NEW.action = 'lead.read'
          BEGIN SELECT count(*) FROM numbers; END";
    let mut log = connect(data).await;
    sqlx::raw_sql(statements).execute(&mut log).await.unwrap();
    log.close().await.unwrap();
}

/// Whether somebody has the lock of the file, and does not give it up soon.
async fn is_locked(data: &Data) -> bool {
    let mut log = connect(data).await;
    for statement in ["PRAGMA busy_timeout = 500", "BEGIN IMMEDIATE", "ROLLBACK"] {
        if log.execute(statement).await.is_err() {
            return true;
        }
    }
    false
}

#[tokio::test]
async fn who_is_stopped_while_it_writes_has_others_refuse_in_time_until_it_goes_on() {
    let data = Data::new();
    let (first, key, lead) = with_a_lead(&data).await;
    let second = start(&data);
    let slow = first.issue("slow", &ALL_SCOPES).await;
    let slow_lead = json!({ "email": "ada@lead.example" });
    let slow_lead = first.lead(&slow, &slow_lead).await;
    goes_on(&second, &key, &lead).await;
    slow_down(&data).await;
    let keys = count(&data, "apikey_cache_api_key").await;

    let read = first.request(Method::GET, &format!("/v1/leads/{slow_lead}"), &slow);
    let read = tokio::spawn(read.header("x-access-reason", "support").send());
    wait_for("a group that is written", async || {
        is_locked(&data).await.then_some(())
    })
    .await;
    signal(&first, Signal::STOP);
    assert!(is_locked(&data).await);
    for _ in 0..3 {
        is_refused(&second, &key, &lead).await;
        let issue = json!({ "tenant": "acme", "tier": "free", "scopes": ["events:write"] });
        let issue = second.admin(Method::POST, "/admin/api-keys").json(&issue);
        let asked = Instant::now();
        let refused = issue.send().await.unwrap();
        assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(asked.elapsed() < ANSWERED_WITHIN, "{:?}", asked.elapsed());
    }
    assert_eq!(count(&data, "apikey_cache_api_key").await, keys);
    told(run(&data, &["api-key", "list"]), 1);

    signal(&first, Signal::CONT);
    // It had no answer for more than two seconds: what is recorded by now was not shown.
    let read = read.await.unwrap().unwrap();
    assert_eq!(read.status(), StatusCode::SERVICE_UNAVAILABLE);
    goes_on(&second, &key, &lead).await;
    goes_on(&first, &key, &lead).await;
    assert_eq!(verified(&first).await["outcome"], "sound");
    assert!(first.terminate().success() && second.terminate().success());
}
