//! The audit log, and what follows it.

use std::{
    fs,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::{Stage, again, at_one_address, command, go_on, secrets, start, stop};
use crate::{
    audit_verification::fill,
    harness::{ALL_SCOPES, Data, Server, wait_for},
    server_audit_sinks::receivers::{Hook, Stage as Receivers},
    server_clocks::Clock,
};

/// Neither the archive nor a receiver has what was recorded three hours ago.
pub(super) async fn a_clock_three_hours_later(stage: &Stage) {
    let (data, receivers) = (Data::new(), Receivers::new());
    let hanging = Hook::start(&receivers, "hang").await;
    let clock = Clock::beside(data.path());
    clock.shift("+0");
    let mut command = clock.command(&data);
    command.envs(secrets(&data));
    let archive = receivers.path("archive");
    fs::create_dir(&archive).unwrap();
    command
        .env("INGEST_AUDIT_ARCHIVE", format!("file://{}", archive.display()))
        .env(
            "INGEST_AUDIT_SINKS",
            receivers.write(
                "sinks.toml",
                &format!(
                    "[sink.hanging]\nkind = \"webhook\"\nurl = \"http://{}/hook\"\ncleartext = true\n\
                     secret_file = \"DIR/secret\"\nnetworks = [\"127.0.0.0/8\"]\n",
                    hanging.address
                ),
            ),
        );
    let server = Server::start_command(&data, command);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let instance = stage.watch(&server);
    stage.healthy().await;
    let read = server.request(Method::GET, "/v1/leads?email=a@b.example", &key);
    read.header("x-access-reason", "support")
        .send()
        .await
        .unwrap();
    let cause = stage.now();
    clock.shift("+3h");
    cause.fires("AuditNotArchived", &instance, "tickets").await;
    cause.fires("AuditBehind", &instance, "tickets").await;
    stage.all_fired().await;
    clock.shift("+0");
    let mended = stage.now();
    mended.resolves("AuditNotArchived", &instance).await;
    mended.resolves("AuditBehind", &instance).await;
}

pub(super) async fn a_byte_of_the_log_is_changed(stage: &Stage) {
    let server = start();
    let key = server.issue("acme", &["audit:read"]).await;
    let instance = stage.watch(&server);
    let bundle = fill(&server, &key).await;
    let verify = async || {
        let verify = server.admin(Method::POST, "/admin/audit/verify");
        let verify = verify.json(&json!({})).send().await.unwrap();
        assert_eq!(verify.status(), StatusCode::OK);
    };
    // It is written by then.
    verify().await;
    let written = fs::read(&bundle).unwrap();
    stage.healthy().await;
    let mut changed = written.clone();
    changed[100] ^= 1;
    fs::write(&bundle, &changed).unwrap();
    let cause = stage.now();
    verify().await;
    cause.fires("AuditUnsound", &instance, "pager").await;
    stage.all_fired().await;
    fs::write(&bundle, &written).unwrap();
    verify().await;
    stage.now().resolves("AuditUnsound", &instance).await;
}

/// What is stopped keeps the lock of who follows.
pub(super) async fn the_leader_is_stopped(stage: &Stage) {
    let data = Data::new();
    let servers = [(); 2].map(|()| {
        let mut command = command(&data);
        command.env("INGEST_AUDIT_STORE", "database");
        Server::start_command(&data, command)
    });
    for server in &servers {
        stage.watch_as_other(server);
    }
    let leader = wait_for("a leader", async || {
        for server in &servers {
            if server.metrics().await["ingest_audit_leader"] == 1.0 {
                return Some(server);
            }
        }
        None
    })
    .await;
    stage.healthy().await;
    let cause = stage.now();
    stop(leader);
    cause.fires("AuditNotFollowed", "", "tickets").await;
    stage.all_fired().await;
    go_on(leader);
    stage.now().resolves("AuditNotFollowed", "").await;
}

/// Somebody reads for an emergency.
pub(super) async fn somebody_takes_an_emergency_for_the_reason(stage: &Stage) {
    let server = start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let instance = stage.watch(&server);
    stage.healthy().await;
    let cause = stage.now();
    let read = server.request(Method::GET, "/v1/leads?email=a@b.example", &key);
    let read = read.header("x-access-reason", "break_glass INC-7").send();
    assert_eq!(read.await.unwrap().status(), StatusCode::OK);
    cause.fires("AuditFinding", &instance, "pager").await;
    stage.all_fired().await;
    // It looks back for two minutes.
    stage.now().resolves("AuditFinding", &instance).await;
}

/// A receiver says that it is gone, and takes what comes once the service was started again.
pub(super) async fn a_receiver_is_gone(stage: &Stage) {
    let (data, receivers) = (Data::new(), Receivers::new());
    let is_gone = Arc::new(AtomicBool::new(false));
    let address = receiver(Arc::clone(&is_gone)).await;
    let mut command = at_one_address(&data);
    command.env(
        "INGEST_AUDIT_SINKS",
        receivers.write(
            "sinks.toml",
            &format!(
                "[sink.leaving]\nkind = \"webhook\"\nurl = \"http://{address}/hook\"\ncleartext = true\n\
                 secret_file = \"DIR/secret\"\nnetworks = [\"127.0.0.0/8\"]\n"
            ),
        ),
    );
    let after = again(&command);
    let server = Server::start_command(&data, command);
    let instance = stage.watch(&server);
    stage.healthy().await;
    is_gone.store(true, Ordering::Relaxed);
    let cause = stage.now();
    let read = server.admin(Method::GET, "/admin/keys").send().await;
    assert_eq!(read.unwrap().status(), StatusCode::OK);
    cause.fires("AuditUndelivered", &instance, "tickets").await;
    stage.all_fired().await;
    is_gone.store(false, Ordering::Relaxed);
    assert!(server.terminate().success());
    let _server = Server::start_command(&data, after);
    stage.now().resolves("AuditUndelivered", &instance).await;
}

/// Answers each webhook with 204, or with 410 once it is gone.
async fn receiver(is_gone: Arc<AtomicBool>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let is_gone = is_gone.load(Ordering::Relaxed);
            tokio::spawn(async move {
                let status = if is_gone {
                    "410 Gone"
                } else {
                    "204 No Content"
                };
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                let read = stream.read(&mut [0; 65_536]).await;
                drop(stream.write_all(answer.as_bytes()).await);
                // What is left unread would take the answer with it.
                while read.is_ok() && matches!(stream.read(&mut [0; 4_096]).await, Ok(1..)) {}
            });
        }
    });
    address
}

/// What is recorded and verified is of the day before, as far as anybody else can tell.
pub(super) async fn a_clock_a_day_behind(stage: &Stage) {
    let data = Data::new();
    let clock = Clock::beside(data.path());
    clock.shift("+0");
    let mut command = clock.command(&data);
    command.envs(secrets(&data));
    let server = Server::start_command(&data, command);
    let instance = stage.watch(&server);
    let verify = async || {
        let verify = server.admin(Method::POST, "/admin/audit/verify");
        let verify = verify.json(&json!({})).send().await.unwrap();
        assert_eq!(verify.status(), StatusCode::OK);
    };
    verify().await;
    stage.healthy().await;
    clock.shift("-27h");
    let cause = stage.now();
    verify().await;
    cause.fires("AuditNotVerified", &instance, "tickets").await;
    cause.fires("AuditSilent", &instance, "tickets").await;
    stage.all_fired().await;
    clock.shift("+0");
    let mended = stage.now();
    verify().await;
    mended.resolves("AuditNotVerified", &instance).await;
    mended.resolves("AuditSilent", &instance).await;
}
