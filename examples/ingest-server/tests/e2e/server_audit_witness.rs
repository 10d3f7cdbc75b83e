//! A witness in another process cosigns the audit log, and knows when an old copy was put back.

use std::{
    fs,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use portcullis_audit_log::{
    checkpoint::Policy,
    note::{CosigningKey, VerifyingKey},
};
use reqwest::Method;
use secrecy::SecretBox;

use crate::{
    audit_anchors::{copy, read_a_lead, refusal},
    harness::{Data, Server, wait_for},
    programs::Program,
    server_audit_sinks::receivers::Stage,
};

const NAME: &str = "witness.example/w1";
const SEED: [u8; 32] = [0x80; 32];

/// A witness that knows the log of that key, and the key of its own.
async fn witness(log_key: &str) -> (Program, String, VerifyingKey) {
    let program = "../../crates/audit-log/tests/server_witness/witness.py";
    let mut command = Command::new("python3");
    command
        .arg("-u")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(program))
        .args([&hex::encode(SEED), NAME, log_key]);
    let folder = tempfile::tempdir().unwrap();
    let mut program = Program::start(&mut command, folder, "scripts/components install");
    let port = wait_for("a witness that listens", async || {
        program.assert_runs();
        let said = program.output();
        said.strip_suffix('\n').map(str::to_owned)
    })
    .await;
    let key = CosigningKey::from_seed(NAME.parse().unwrap(), &SecretBox::new(Box::new(SEED)));
    let key = key.unwrap().verifying_key().clone();
    (program, port, key)
}

async fn checkpoint(server: &Server) -> Vec<u8> {
    let answer = server.admin(Method::GET, "/audit/log/checkpoint");
    answer.send().await.unwrap().bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn a_witness_cosigns_and_misses_what_was_cut_and_nobody_waits_for_one_that_hangs() {
    let (data, stage) = (Data::new(), Stage::new());
    let vkey = String::from_utf8(data.run(&["audit", "vkey"]).stdout).unwrap();
    let vkey = vkey.trim();
    let (program, port, key) = witness(vkey).await;
    let file = stage.write(
        "witness.toml",
        &format!(
            "keys = [\"{key}\"]\nsubmission = \"http://127.0.0.1:{port}/submit/\"\n\
             monitoring = \"http://127.0.0.1:{port}/monitor\"\ncleartext = true\n\
             networks = [\"127.0.0.0/8\"]\n"
        ),
    );
    let command = || {
        let mut command = data.command();
        command.env(
            "INGEST_AUDIT_ANCHORS",
            format!("witness:{}", file.display()),
        );
        command
    };
    let log = data.path().join("audit/server");
    let (old, newest) = (data.path().join("old"), data.path().join("newest"));
    assert!(
        Server::start_command(&data, command())
            .terminate()
            .success()
    );
    copy(&log, &old);

    let server = Server::start_command(&data, command());
    read_a_lead(&server).await;
    let policy = Policy::new(vec![vkey.parse().unwrap()]).unwrap();
    let policy = policy.with_witnesses(1, vec![key.clone()]).unwrap();
    checkpoint(&server).await;
    wait_for("a cosignature", async || {
        let published = fs::read(log.join("log/checkpoint")).unwrap();
        policy.open(&published).ok()
    })
    .await;
    program.signal("STOP");
    let age = format!("ingest_audit_anchor_age_seconds{{anchor=\"{NAME}\"}}");
    let began = Instant::now();
    read_a_lead(&server).await;
    checkpoint(&server).await;
    assert!(began.elapsed() < Duration::from_secs(5), "{began:?}");
    wait_for("an anchor that is behind", async || {
        (server.metrics().await[&age] > 3.0).then_some(())
    })
    .await;
    program.signal("CONT");
    wait_for("an anchor that has all", async || {
        // Each look is on record itself, and in a checkpoint within a second.
        checkpoint(&server).await;
        (server.metrics().await[&age] < 2.0).then_some(())
    })
    .await;
    assert!(server.terminate().success());

    fs::rename(&log, &newest).unwrap();
    copy(&old, &log);
    // What the service remembers of it is put back too.
    sqlx::query("DELETE FROM audit_anchor")
        .execute(&mut data.connect().await)
        .await
        .unwrap();
    let said = refusal(&mut command());
    assert!(said.contains(&format!("`{NAME}`")), "{said}");
    fs::remove_dir_all(&log).unwrap();
    fs::rename(&newest, &log).unwrap();
    // One that is away stops nothing, and commands do not ask it.
    drop(program);
    let server = Server::start_command(&data, command());
    read_a_lead(&server).await;
    assert!(
        command()
            .args(["api-key", "list"])
            .output()
            .unwrap()
            .status
            .success()
    );
    assert!(server.terminate().success());
}
