//! A process ends, and something of its audit log cannot be brought to an end: it ends in time, and tells what is left.

use std::{
    net::{SocketAddr, TcpListener},
    thread,
    time::{Duration, Instant},
};

use portcullis_audit_log::note::CosigningKey;
use secrecy::SecretBox;
use sqlx::Executor as _;

use crate::{
    audit_anchors::read_a_lead,
    audit_database::{command, connect},
    harness::{Data, HiddenLog, Server, run_to_end, slow_down, wait_for},
    server_audit_sinks::receivers::Stage,
};

/// How long the end of a service takes at most.
const ENDS_WITHIN: Duration = Duration::from_secs(10);

/// How long a start takes at most that waits for a witness: five seconds, and what it takes itself.
const STARTS_WITHIN: Duration = Duration::from_secs(9);

const UNWRITTEN: &str = "nobody knows whether its last";

/// Takes connections, and says nothing to anybody.
fn silent_listener() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut taken = Vec::new();
        for stream in listener.incoming() {
            taken.push(stream);
        }
    });
    address
}

/// Ends the server in time and in order, and gives the lines that it logged from then on.
fn end(server: Server) -> String {
    let data = server.data().clone();
    let before = data.logs();
    let asked = Instant::now();
    let status = server.terminate();
    let (took, logs) = (asked.elapsed(), data.logs());
    let is_new = |line: &&str| !before.contains(line);
    let logs: Vec<_> = logs.lines().filter(is_new).collect();
    let logs = logs.join("\n");
    assert_eq!(status.code(), Some(0), "{logs}");
    assert!(took < ENDS_WITHIN, "{took:?}: {logs}");
    assert!(logs.contains("\"message\":\"stopped\""), "{logs}");
    logs
}

#[tokio::test]
async fn a_witness_that_never_answers_delays_neither_start_nor_end_for_long_and_is_told_to_have_nothing()
 {
    const NAME: &str = "witness.example/silent";
    let (data, stage) = (Data::new(), Stage::new());
    let key = CosigningKey::from_seed(NAME.parse().unwrap(), &SecretBox::new(Box::new([9; 32])));
    let key = key.unwrap().verifying_key().clone();
    let address = silent_listener();
    let file = stage.write(
        "witness.toml",
        &format!(
            "keys = [\"{key}\"]\nsubmission = \"http://{address}/submit/\"\n\
             monitoring = \"http://{address}/monitor\"\ncleartext = true\nnetworks = [\"127.0.0.0/8\"]\n"
        ),
    );
    let mut command = data.production();
    let anchors = format!("database,witness:{}", file.display());
    command.env("INGEST_AUDIT_ANCHORS", anchors);
    let began = Instant::now();
    let server = Server::start_command(&data, command);
    assert!(began.elapsed() < STARTS_WITHIN, "{:?}", began.elapsed());
    read_a_lead(&server).await;
    let logs = end(server);
    let told = logs.lines().filter(|line| line.contains(NAME));
    assert!(
        told.clone().any(|line| line.contains("was not anchored")),
        "{logs}"
    );
    // The other has it, and nothing is left.
    for line in ["\"anchor\":\"database\"", UNWRITTEN, "not put in place"] {
        assert!(!logs.contains(line), "{line}: {logs}");
    }
}

#[tokio::test]
async fn a_service_whose_log_is_gone_tells_how_much_of_it_is_not_written() {
    let data = Data::new();
    let start = || Server::start_command(&data, data.production());
    let server = start();
    read_a_lead(&server).await;
    let hidden = HiddenLog::of(&server).await;
    let logs = end(server);
    let told: Vec<_> = logs
        .lines()
        .filter(|line| line.contains(UNWRITTEN))
        .collect();
    assert_eq!(told.len(), 1, "{logs}");
    assert!(told[0].contains("\"events\":"), "{logs}");
    assert!(logs.contains("was not put in place"), "{logs}");
    hidden.show();
    let server = start();
    read_a_lead(&server).await;
    let logs = end(server);
    assert!(!logs.contains(UNWRITTEN), "{logs}");
}

/// What it did stays done, and is on record as begun.
#[tokio::test]
async fn a_command_whose_log_is_locked_at_its_end_tells_how_much_of_it_is_not_written() {
    let data = Data::new();
    let server = Server::start_command(&data, command(&data));
    // What the command does then takes long enough to lock its log meanwhile.
    slow_down(&data, 4).await;
    let slow = "CREATE TRIGGER slow_key AFTER UPDATE ON apikey_cache_api_key
        BEGIN SELECT count(*) FROM numbers; END";
    data.connect().await.execute(slow).await.unwrap();
    let key = server.issue("acme", &["events:write"]).await;
    let mut revoke = command(&data);
    revoke.args(["api-key", "revoke", &key.kid]);
    let revoking = tokio::task::spawn_blocking(move || run_to_end(&mut revoke));
    let mut log = connect(&data).await;
    wait_for("the change to be begun", async || {
        let begun = "SELECT count(*) FROM audit_event WHERE action = 'api_key.revoke'";
        let begun: i64 = sqlx::query_scalar(begun).fetch_one(&mut log).await.unwrap();
        (begun == 1).then_some(())
    })
    .await;
    log.execute("PRAGMA busy_timeout = 1000").await.unwrap();
    log.execute("BEGIN IMMEDIATE").await.unwrap();
    let revoked = revoking.await.unwrap();
    log.execute("ROLLBACK").await.unwrap();

    let text = |bytes| String::from_utf8(bytes).unwrap();
    let (out, error) = (text(revoked.stdout), text(revoked.stderr));
    assert_eq!(revoked.status.code(), Some(0), "{out}{error}");
    let told: Vec<_> = error
        .lines()
        .filter(|line| line.contains(UNWRITTEN))
        .collect();
    assert!(
        told.len() == 1 && told[0].starts_with("warning: "),
        "{error}"
    );
    let left = told[0].rsplit_once(": ").unwrap().1.parse::<u64>().unwrap();
    assert!(left > 0, "{error}");
    assert!(server.terminate().success());
}
