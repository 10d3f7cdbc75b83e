//! What makes each alert fire, and what mends it.

#[path = "faults/answers.rs"]
mod answers;
#[path = "faults/audit.rs"]
mod audit;
#[path = "faults/keys.rs"]
mod keys;
#[path = "faults/personal_data.rs"]
mod personal_data;
#[path = "faults/probes.rs"]
mod probes;
#[path = "faults/process.rs"]
mod process;
#[path = "faults/quality.rs"]
mod quality;
#[path = "faults/storage.rs"]
pub(super) mod storage;

use std::{process::Command, time::Duration};

use futures_util::future::LocalBoxFuture;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::AssertSqlSafe;

use super::{
    edited_metrics::EditedMetrics,
    senders::Sender,
    stage::{Stage, admin_token},
    watch::JOB,
};
use crate::{
    harness::{Data, Server},
    programs::free_address,
};

/// Sets a process up, waits until all are well, does something to it, and says which alerts have to come of it.
type Fault = for<'a> fn(&'a Stage) -> LocalBoxFuture<'a, ()>;

pub(super) const FAULTS: [Fault; 25] = [
    |stage| Box::pin(answers::many_tries_with_a_wrong_key(stage)),
    |stage| Box::pin(answers::another_process_locks_the_database(stage)),
    |stage| Box::pin(answers::one_sender_sends_more_than_it_may(stage)),
    |stage| Box::pin(answers::redis_is_gone(stage)),
    |stage| Box::pin(audit::a_clock_three_hours_later(stage)),
    |stage| Box::pin(audit::a_byte_of_the_log_is_changed(stage)),
    |stage| Box::pin(audit::the_leader_is_stopped(stage)),
    |stage| Box::pin(audit::somebody_takes_an_emergency_for_the_reason(stage)),
    |stage| Box::pin(audit::a_receiver_is_gone(stage)),
    |stage| Box::pin(audit::a_clock_a_day_behind(stage)),
    |stage| Box::pin(keys::a_row_of_a_key_is_edited(stage)),
    |stage| Box::pin(keys::revocations_are_held(stage)),
    |stage| Box::pin(keys::data_keys_are_old(stage)),
    |stage| Box::pin(keys::nobody_seals_again(stage)),
    |stage| Box::pin(personal_data::a_data_key_is_disabled(stage)),
    |stage| Box::pin(personal_data::data_keys_cannot_be_read(stage)),
    |stage| Box::pin(personal_data::ciphertexts_are_swapped(stage)),
    |stage| Box::pin(personal_data::erasures_cannot_be_noted(stage)),
    |stage| Box::pin(probes::a_proxy_swallows_all(stage)),
    |stage| Box::pin(process::an_odd_variable(stage)),
    |stage| Box::pin(process::a_collector_that_refuses(stage)),
    |stage| Box::pin(process::metrics_that_are_not_what_they_were(stage)),
    |stage| Box::pin(quality::a_client_that_broke(stage)),
    |stage| Box::pin(storage::a_full_disk(stage)),
    |stage| Box::pin(storage::a_damaged_page_and_a_long_commit(stage)),
];

fn pid(server: &Server) -> Pid {
    Pid::from_raw(server.pid().cast_signed()).unwrap()
}

fn stop(server: &Server) {
    kill_process(pid(server), Signal::STOP).unwrap();
}

fn go_on(server: &Server) {
    kill_process(pid(server), Signal::CONT).unwrap();
}

/// Secrets of which nothing is to be said, and the token that Prometheus has.
fn secrets(data: &Data) -> impl Iterator<Item = (&'static str, String)> {
    data.random_secrets().into_iter().map(|(name, secret)| {
        let is_token = name == "INGEST_ADMIN_TOKEN";
        (
            name,
            if is_token {
                admin_token().to_owned()
            } else {
                secret
            },
        )
    })
}

pub(super) fn command(data: &Data) -> Command {
    let mut command = data.command();
    command.envs(secrets(data));
    command
}

fn start_on(data: &Data) -> Server {
    Server::start_command(data, command(data))
}

fn start() -> Server {
    start_on(&Data::new())
}

/// A command whose process is called the same when it is started again.
fn at_one_address(data: &Data) -> Command {
    let mut command = command(data);
    command.env("INGEST_ADMIN_LISTEN", free_address());
    command
}

/// The same again, with all that it was given.
fn again(command: &Command) -> Command {
    let mut next = Command::new(command.get_program());
    next.env_clear();
    for (name, value) in command.get_envs() {
        next.env(name, value.unwrap_or_default());
    }
    next
}

async fn execute(data: &Data, statement: impl Into<String>) {
    sqlx::raw_sql(AssertSqlSafe(statement.into()))
        .execute(&mut data.connect().await)
        .await
        .unwrap();
}

/// Until Prometheus has seen what there is before a fault.
async fn scraped() {
    tokio::time::sleep(Duration::from_secs(20)).await;
}
