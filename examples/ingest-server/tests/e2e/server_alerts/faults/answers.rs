//! Whether senders are answered, in time.

use std::time::Duration;

use tokio::{task::JoinHandle, time::sleep};

use super::{Sender, Stage, command, start};
use crate::{
    harness::{ALL_SCOPES, Data, Server},
    programs::Redis,
};

pub(super) async fn many_tries_with_a_wrong_key(stage: &Stage) {
    let server = start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let instance = stage.watch(&server);
    let other = start().issue("acme", &ALL_SCOPES).await;
    let _good = Sender::of_events(&server, &key.text, 2);
    stage.healthy().await;
    let cause = stage.now();
    let tries = Sender::of_tries(&server, &other.text, 20);
    cause.fires("AuthFailures", &instance, "pager").await;
    stage.all_fired().await;
    drop(tries);
    stage.now().resolves("AuthFailures", &instance).await;
}

/// Has the lock of a database for most of the time, until it is dropped.
struct Locking(JoinHandle<()>);

impl Locking {
    async fn start(data: &Data) -> Self {
        let mut connection = data.connect().await;
        Self(tokio::spawn(async move {
            loop {
                for (statement, then) in [("BEGIN EXCLUSIVE", 400), ("ROLLBACK", 50)] {
                    sqlx::query(statement)
                        .execute(&mut connection)
                        .await
                        .unwrap();
                    sleep(Duration::from_millis(then)).await;
                }
            }
        }))
    }
}

impl Drop for Locking {
    fn drop(&mut self) {
        self.0.abort();
    }
}

pub(super) async fn another_process_locks_the_database(stage: &Stage) {
    let server = start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let instance = stage.watch(&server);
    let _sender = Sender::of_events(&server, &key.text, 10);
    stage.healthy().await;
    let cause = stage.now();
    let locking = Locking::start(server.data()).await;
    cause.fires("LatencyHigh", &instance, "pager").await;
    stage.all_fired().await;
    drop(locking);
    stage.now().resolves("LatencyHigh", &instance).await;
}

pub(super) async fn one_sender_sends_more_than_it_may(stage: &Stage) {
    let server = start();
    let key = server.issue_tier("acme", "free", &ALL_SCOPES).await;
    let instance = stage.watch(&server);
    stage.healthy().await;
    let cause = stage.now();
    let flood = Sender::of_events(&server, &key.text, 60);
    cause.fires("LimitHitsHigh", &instance, "tickets").await;
    stage.all_fired().await;
    drop(flood);
    stage.now().resolves("LimitHitsHigh", &instance).await;
}

pub(super) async fn redis_is_gone(stage: &Stage) {
    let (data, mut redis) = (Data::new(), Redis::start().await);
    let mut command = command(&data);
    command.env("INGEST_REDIS_URL", redis.url());
    let server = Server::start_command(&data, command);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let instance = stage.watch(&server);
    let _sender = Sender::of_events(&server, &key.text, 2);
    stage.healthy().await;
    let cause = stage.now();
    redis.kill();
    cause.fires("LimiterDegraded", &instance, "tickets").await;
    stage.all_fired().await;
    redis.restart().await;
    stage.now().resolves("LimiterDegraded", &instance).await;
}
