//! Entries of the audit log reach those who watch it: receivers that fail, hang and recover, syslog over TLS, a
//! collector, and a file. Nobody who records waits for them.

#[path = "server_audit_sinks/receivers.rs"]
pub(crate) mod receivers;

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use self::receivers::{Hook, Stage, Syslog};
use crate::{
    harness::{ALL_SCOPES, Data, Key, Server, on_record, readiness, run_to_end, wait_for},
    programs::collector,
};

fn command(data: &Data, stage: &Stage, sinks: &str) -> Command {
    let mut command = data.command();
    command.env("INGEST_AUDIT_SINKS", stage.write("sinks.toml", sinks));
    command
}

/// Something that is on record.
async fn read_a_lead(server: &Server, key: &Key) {
    let lead = json!({ "email": "ada@lead.example" });
    let lead = server.lead(key, &lead).await;
    assert!(server.read_lead(key, &lead).await.status().is_success());
}

/// How many entries the log has.
async fn entries(server: &Server) -> u64 {
    let events = on_record(server, "").await;
    events.len() as u64
}

fn sink(name: &str, hook: &Hook) -> String {
    format!(
        "[sink.{name}]\nkind = \"webhook\"\nurl = \"http://{}/hook\"\ncleartext = true\n\
         secret_file = \"DIR/secret\"\nnetworks = [\"127.0.0.0/8\"]\n",
        hook.address
    )
}

#[tokio::test]
async fn receivers_that_fail_and_hang_get_every_entry_once_they_recover_and_no_reader_waits() {
    let (data, stage) = (Data::new(), Stage::new());
    // The second would be given up after 15 seconds.
    let failing = Hook::start(&stage, "503 204 302").await;
    let hanging = Hook::start(&stage, "hang").await;
    let sinks = sink("failing", &failing) + &sink("hanging", &hanging);
    let server = Server::start_command(&data, command(&data, &stage, &sinks));
    let key = server.issue("acme", &ALL_SCOPES).await;
    let began = Instant::now();
    for _ in 0..5 {
        read_a_lead(&server, &key).await;
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{began:?}");

    let is_behind = "ingest_audit_sink_lag_seconds{sink=\"hanging\"}";
    wait_for("a lag", async || {
        (server.metrics().await[is_behind] > 1.0).then_some(())
    })
    .await;
    wait_for("both failures to be over", async || {
        (failing.taken().len() > 2).then_some(())
    })
    .await;
    let metrics = server.metrics().await;
    assert_eq!(
        metrics["ingest_audit_sink_failures_total{sink=\"failing\"}"],
        2.0
    );
    assert!(hanging.taken().is_empty());
    assert!(
        server
            .logs()
            .contains("entries of the audit log were not delivered")
    );
    assert!(!server.logs().contains(&receivers::SECRET[6..]));
    assert!(server.terminate().success());

    // Another process goes on where this one was, with what this one wrote last.
    let server = Server::start_command(&data, command(&data, &stage, &sinks));
    read_a_lead(&server, &key).await;
    let size = entries(&server).await;
    for hook in [&failing, &hanging] {
        wait_for("what is new", async || {
            (hook.taken().len() as u64 >= size).then_some(())
        })
        .await;
        let mut taken = hook.taken();
        // What was under way when the first process ended may have come twice.
        taken.dedup();
        let expected: Vec<_> = (0..taken.len() as u64).collect();
        assert_eq!(taken, expected);
    }
    assert!(server.terminate().success());
}

#[tokio::test]
async fn syslog_over_tls_goes_on_after_the_collector_was_away() {
    let (data, stage) = (Data::new(), Stage::new());
    let mut syslog = Syslog::start(&stage).await;
    let sinks = format!(
        "[sink.soc]\nkind = \"syslog\"\naddress = \"{}\"\nca_file = \"DIR/ca.pem\"\nnetworks = [\"127.0.0.0/8\"]\n",
        syslog.address
    );
    let server = Server::start_command(&data, command(&data, &stage, &sinks));
    let key = server.issue("acme", &ALL_SCOPES).await;
    read_a_lead(&server, &key).await;
    let delivered = "ingest_audit_sink_delivered_total{sink=\"soc\"}";
    let lag = "ingest_audit_sink_lag_seconds{sink=\"soc\"}";
    let all = async |at_least: f64| {
        wait_for("all to be delivered", async || {
            let metrics = server.metrics().await;
            (metrics[delivered] >= at_least && metrics[lag] == 0.0).then_some(metrics[delivered])
        })
        .await
    };
    let before = all(4.0).await;
    wait_for("the collector to have read", async || {
        let last = format!(" audit {} [", before - 1.0);
        let taken = syslog.taken();
        String::from_utf8_lossy(&taken)
            .contains(&last)
            .then_some(())
    })
    .await;
    syslog.kill();
    read_a_lead(&server, &key).await;
    wait_for("an attempt that failed", async || {
        let metrics = server.metrics().await;
        (metrics["ingest_audit_sink_failures_total{sink=\"soc\"}"] > 0.0).then_some(())
    })
    .await;
    syslog.restart().await;
    let after = all(before + 1.0).await;
    assert!(server.terminate().success());
    let [messages, first, last] = syslog.checked();
    assert_eq!(first, 0);
    assert!(
        last as f64 >= after - 1.0 && messages as f64 >= after,
        "{messages} {last} {after}"
    );
    assert_eq!(readiness_of_another(&data, &stage, &sinks).await, "up");
}

/// What the next process says of its sinks.
async fn readiness_of_another(data: &Data, stage: &Stage, sinks: &str) -> String {
    let server = Server::start_command(data, command(data, stage, sinks));
    let (_, components) = readiness(&server).await;
    let state = components["audit_sinks"]["state"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(server.terminate().success());
    state
}

#[tokio::test]
async fn a_certificate_of_nobody_and_a_private_address_get_nothing() {
    let (data, stage) = (Data::new(), Stage::new());
    let syslog = Syslog::start(&stage).await;
    let hook = Hook::start(&stage, "").await;
    let host = syslog.address.replace("127.0.0.1", "localhost");
    let sinks = format!(
        "[sink.stranger]\nkind = \"syslog\"\naddress = \"{host}\"\nnetworks = [\"127.0.0.0/8\", \"::1/128\"]\n\
         [sink.inside]\nkind = \"otlp\"\nurl = \"http://{}/v1/logs\"\ncleartext = true\n",
        hook.address
    );
    let server = Server::start_command(&data, command(&data, &stage, &sinks));
    wait_for("both to be refused", async || {
        let metrics = server.metrics().await;
        let failures =
            |name| metrics[&format!("ingest_audit_sink_failures_total{{sink=\"{name}\"}}")];
        (failures("stranger") > 0.0 && failures("inside") > 0.0).then_some(())
    })
    .await;
    assert!(syslog.taken().is_empty() && hook.taken().is_empty());
    assert!(
        server.logs().contains("private or reserved address"),
        "{}",
        server.logs()
    );
}

#[tokio::test]
async fn a_receiver_that_is_gone_degrades_and_a_file_and_a_collector_get_all() {
    let (data, stage) = (Data::new(), Stage::new());
    let gone = Hook::start(&stage, "204 410").await;
    let (collector, endpoint) = collector().await;
    let sinks = sink("gone", &gone)
        + "[sink.file]\nkind = \"ocsf-file\"\npath = \"DIR/audit.jsonl\"\n"
        + &format!(
            "[sink.otel]\nkind = \"otlp\"\nurl = \"{endpoint}/v1/logs\"\ncleartext = true\nnetworks = [\"127.0.0.0/8\"]\n"
        );
    let server = Server::start_command(&data, command(&data, &stage, &sinks));
    let key = server.issue("acme", &ALL_SCOPES).await;
    read_a_lead(&server, &key).await;
    let (status, sinks) = wait_for("the end of one", async || {
        let (status, components) = readiness(&server).await;
        let sinks = components["audit_sinks"].clone();
        (sinks["state"] == "degraded").then_some((status, sinks))
    })
    .await;
    assert!(status.is_success());
    assert!(
        sinks["action"].as_str().unwrap().contains("`gone`"),
        "{sinks}"
    );
    assert_eq!(gone.taken(), [0]);
    let size = entries(&server).await as f64;
    wait_for("all in the others", async || {
        let metrics = server.metrics().await;
        let delivered =
            |name| metrics[&format!("ingest_audit_sink_delivered_total{{sink=\"{name}\"}}")];
        (delivered("file") >= size && delivered("otel") >= size).then_some(())
    })
    .await;
    assert_eq!(
        server.metrics().await["ingest_audit_sink_ended{sink=\"gone\"}"],
        1.0
    );
    assert!(server.terminate().success());
    drop(collector);

    let lines = fs::read_to_string(stage.path("audit.jsonl")).unwrap();
    let events = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let numbers: Vec<_> = events
        .map(|event| event["metadata"]["sequence"].as_u64().unwrap())
        .collect();
    let expected: Vec<_> = (0..numbers.len() as u64).collect();
    assert_eq!(numbers, expected);
    assert!(lines.contains("\"lead.read\""));
}

#[test]
fn production_does_not_start_with_secrets_and_sinks_that_others_can_change() {
    use std::os::unix::fs::PermissionsExt as _;
    let (data, stage) = (Data::new(), Stage::new());
    let text = "[sink.a]\nkind = \"webhook\"\nurl = \"https://siem.example/\"\nsecret_file = \"DIR/secret\"\n";
    let mut command = data.production();
    command.env("INGEST_AUDIT_SINKS", stage.write("sinks.toml", text));
    fs::set_permissions(stage.path("secret"), fs::Permissions::from_mode(0o644)).unwrap();
    let output = run_to_end(command.arg("check-config"));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(
        said.contains("INGEST_AUDIT_SINKS") && said.contains("chmod 600"),
        "{said}"
    );
}

#[tokio::test]
async fn what_a_command_has_recorded_is_delivered_by_the_service() {
    let (data, stage) = (Data::new(), Stage::new());
    let hook = Hook::start(&stage, "").await;
    let sinks = sink("hook", &hook) + "[sink.file]\nkind = \"ocsf-file\"\npath = \"DIR/all\"\n";
    assert!(Server::start_on(&data).terminate().success());
    assert!(data.run(&["keys", "list"]).status.success());
    let server = Server::start_command(&data, command(&data, &stage, &sinks));
    let told = |action: &str| {
        fs::read_to_string(stage.path("all"))
            .unwrap_or_default()
            .contains(action)
    };
    wait_for("both logs to be delivered", async || {
        let taken = hook.taken();
        // Each begins with its entry 0.
        let both = taken.iter().filter(|n| **n == 0).count() == 2;
        (both && told("data_key.list")).then_some(())
    })
    .await;
    // The next command has its log to itself again.
    assert!(data.run(&["keys", "list"]).status.success());
    assert!(!data.path().join("audit/command-line-2").exists());
    assert!(server.terminate().success());
}
