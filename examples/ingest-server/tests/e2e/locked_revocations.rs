//! Another process holds the lock of the database: a revocation waits for a bounded time, and then says that
//! it was not made.

use std::{
    process::Command,
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::{
    harness::{ALL_SCOPES, Data, Key, Server, run_to_end, wait_for},
    key_checks::{KeyCheck, check_key, revoke},
};

/// Within which a server answers.
const ANSWER: Duration = Duration::from_secs(2);
/// Within which a command ends; it opens the database first, and waits for that as well.
const COMMAND: Duration = Duration::from_secs(15);

/// The lock, until it is given back.
struct Lock(sqlx::SqliteConnection);

impl Lock {
    async fn take(data: &Data) -> Self {
        let mut connection = data.connect().await;
        execute(&mut connection, "BEGIN EXCLUSIVE").await;
        Self(connection)
    }

    async fn give_back(mut self) {
        execute(&mut self.0, "ROLLBACK").await;
    }
}

async fn execute(connection: &mut sqlx::SqliteConnection, statement: &'static str) {
    sqlx::query(statement).execute(connection).await.unwrap();
}

/// What the database says of a key.
async fn status(data: &Data, key: &Key) -> String {
    sqlx::query_scalar("SELECT status FROM apikey_cache_api_key WHERE kid = ?")
        .bind(&key.kid)
        .fetch_one(&mut data.connect().await)
        .await
        .unwrap()
}

/// What fails again and again while the lock is held is one line of the log each, with the cause.
fn assert_told_once(server: &Server) {
    let logs = server.logs();
    let failures = logs
        .lines()
        .filter(|line| line.contains("the API keys' store failed"));
    let mut tasks = Vec::new();
    for line in failures {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(
            line["error"]
                .as_str()
                .is_some_and(|error| !error.is_empty()),
            "{line}"
        );
        tasks.push(line["task"].as_str().unwrap().to_owned());
    }
    let count = tasks.len();
    tasks.sort_unstable();
    tasks.dedup();
    assert_eq!(tasks.len(), count, "{logs}");
}

/// Starts this server, and holds the lock while keys are to be revoked through it.
pub(crate) async fn assert_bounded_and_told(data: &Data, command: Command) {
    let server = Server::start_command(data, command);
    let key = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(check_key(&server, &key).await, KeyCheck::Accepted);
    let lock = Lock::take(data).await;

    // Longer than memory is trusted: reading goes on, and so does the key.
    let locked = Instant::now();
    while locked.elapsed() < Duration::from_secs(4) {
        let asked = Instant::now();
        let answer = revoke(&server, &key).await;
        let took = asked.elapsed();
        assert!(took < ANSWER, "took {took:?}");
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key("retry-after"));
        let problem: Value = answer.json().await.unwrap();
        let reason = problem["reason"].as_str().unwrap();
        assert!(reason.starts_with("capacity."), "{problem}");
        assert_eq!(check_key(&server, &key).await, KeyCheck::Accepted);
    }
    let metrics = server.metrics().await;
    let refused = metrics["apikey_refusals_total{reason=\"revoked\"}"];
    assert_eq!(refused, 0.0);
    assert_told_once(&server);
    let report = server.admin(Method::GET, "/admin/cache").send().await;
    assert_eq!(report.unwrap().status(), StatusCode::OK);

    lock.give_back().await;
    // Nothing that waited is done afterwards: who was told that it failed has to ask again.
    assert_eq!(check_key(&server, &key).await, KeyCheck::Accepted);
    assert_eq!(status(data, &key).await, "active");
    wait_for("a revocation", async || {
        (revoke(&server, &key).await.status() == StatusCode::NO_CONTENT).then_some(())
    })
    .await;
    assert_eq!(check_key(&server, &key).await, KeyCheck::Refused);
}

#[tokio::test]
async fn a_revocation_that_cannot_be_written_is_answered_in_time_and_leaves_the_key_good() {
    let data = Data::new();
    let command = data.command();
    assert_bounded_and_told(&data, command).await;
}

#[tokio::test]
async fn a_revocation_on_the_command_line_that_cannot_be_written_fails_aloud() {
    let data = Data::new();
    let server = Server::start_on(&data);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let lock = Lock::take(&data).await;
    let began = Instant::now();
    let mut command = data.command();
    let output = run_to_end(command.args(["api-key", "revoke", &key.kid]));
    let took = began.elapsed();
    assert!(took < COMMAND, "took {took:?}");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(
        output.stdout.is_empty() && !output.stderr.is_empty(),
        "{output:?}"
    );
    assert_eq!(check_key(&server, &key).await, KeyCheck::Accepted);

    lock.give_back().await;
    assert_eq!(status(&data, &key).await, "active");
    let output = data.run(&["api-key", "revoke", &key.kid]);
    assert!(output.status.success(), "{output:?}");
    wait_for("the revocation", async || {
        (check_key(&server, &key).await == KeyCheck::Refused).then_some(())
    })
    .await;
}
