//! What was sealed is committed within 30 s or refused: keys and index versions retire by that.

use std::time::Duration;

use reqwest::StatusCode;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{
    harness::{ALL_SCOPES, Data, Server, count, page_view, slow_down, wait_for},
    movement::assert_moved,
};

/// From when on nothing is committed any more; the rest is left to the commit.
const TOO_LATE: Duration = Duration::from_secs(26);

/// Whether somebody has written for a while: others have the lock for a moment each.
async fn is_locked(data: &Data) -> bool {
    let mut connection = data.connect().await;
    for statement in ["PRAGMA busy_timeout = 300", "BEGIN IMMEDIATE"] {
        if sqlx::query(statement)
            .execute(&mut connection)
            .await
            .is_err()
        {
            return true;
        }
    }
    sqlx::query("ROLLBACK")
        .execute(&mut connection)
        .await
        .unwrap();
    false
}

/// A process that is stopped in the middle of a write, as a machine does that is moved or has no memory left.
#[tokio::test]
async fn what_was_sealed_too_long_ago_is_not_committed() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    slow_down(&data, 3).await;
    let slow = server.post("/v1/events", &key, &page_view("slow"));
    let before = server.metrics().await;
    let slow = tokio::spawn(slow.send());
    wait_for("a row that is written", async || {
        (server.metrics().await["ingest_write_queue_rows"] == 1.0).then_some(())
    })
    .await;
    // Twice, for any other write on a slow machine may take as long once.
    wait_for("a write that lasts", async || {
        (is_locked(&data).await && is_locked(&data).await).then_some(())
    })
    .await;
    let pid = Pid::from_raw(server.pid().cast_signed()).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
    tokio::time::sleep(TOO_LATE).await;
    kill_process(pid, Signal::CONT).unwrap();
    let answer = slow.await.unwrap().unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(answer.headers().contains_key("retry-after"));
    let problem: Value = answer.json().await.unwrap();
    assert_eq!(problem["reason"], "capacity.store_unavailable", "{problem}");
    assert_eq!(count(&data, "event").await, 0);
    let late = async || server.metrics().await["ingest_late_rows_total"];
    wait_for("the count", async || (late().await == 1.0).then_some(())).await;
    // What comes next is written as ever, by the connection that comes next.
    wait_for("another write", async || {
        let sent = server.post("/v1/events", &key, &page_view("next")).send();
        (sent.await.unwrap().status() == StatusCode::ACCEPTED).then_some(())
    })
    .await;
    let after = server.metrics().await;
    assert_moved(&before, &after, ["ingest_late_rows_total"]);
    assert_eq!(after["ingest_late_commits_total"], 0.0);
}
