//! `ingest-server probe` against a service that does well, does not, and is not there.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Output},
};

use crate::{
    harness::{Data, Server, run_to_end, wait_for},
    movement::assert_moved,
    probes::{Probe, ProbeKeys, Proxy, STEPS, revoke, sample},
    programs::free_address,
};

const ALL_TRIES: [&str; 3] = ["event", "create", "revoked"];

fn once(keys: &ProbeKeys, url: &str) -> Output {
    run_to_end(keys.command(url).arg("--once"))
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn one_round_prints_a_line_for_each_step_and_ends_with_0_if_all_succeeded() {
    let server = Server::start();
    let keys = ProbeKeys::issue(&server, "probe").await;
    let output = once(&keys, &server.public_url(""));
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<_> = told(&output).lines().map(str::to_owned).collect();
    assert_eq!(lines.len(), STEPS.len(), "{lines:#?}");
    for (line, (journey, step)) in lines.iter().zip(STEPS) {
        let words: Vec<_> = line.split_whitespace().collect();
        assert_eq!(words[..4], [journey, step, "ok", "in"], "{line}");
    }
}

#[tokio::test]
async fn metrics_tell_of_each_step_what_came_of_it() {
    let server = Server::start();
    let keys = ProbeKeys::issue_both(&server, "probe").await;
    let probe = Probe::often(server.data(), &keys, &server.public_url(""));
    // A key that is accepted fails its own journey, and no other.
    let but_keys = &STEPS[..7];
    probe.wait_until_succeed(but_keys).await;
    let before = probe.metrics().await;
    revoke(&server, &keys.revoked).await;
    probe.wait_until_succeed(&STEPS).await;
    wait_for("the run of failures to end", async || {
        let samples = probe.metrics().await;
        (samples[&sample("probe_failed_rounds", ("keys", "revoked"))] == 0.0).then_some(())
    })
    .await;
    let after = probe.metrics().await;
    assert_moved(&before, &after, ["probe_success", "probe_seconds"]);
    assert!(
        probe
            .logs()
            .contains("a journey of the probe succeeds again")
    );

    // And the other way round: without its key, the probe can do nothing but be refused.
    revoke(&server, &keys.key).await;
    probe.wait_until_succeed(&[("keys", "revoked")]).await;
    assert_says_nothing_of_anybody(&probe, &keys);
}

#[tokio::test]
async fn a_service_that_is_killed_fails_every_journey_and_succeeds_when_it_is_back() {
    let data = Data::new();
    let address = free_address();
    let command = || {
        let mut command = data.command();
        command.env("INGEST_LISTEN", &address);
        command
    };
    let server = Server::start_command(&data, command());
    let keys = ProbeKeys::issue(&server, "probe").await;
    let probe = Probe::often(&data, &keys, &format!("http://{address}"));
    probe.wait_until_succeed(&STEPS).await;
    let before = probe.metrics().await;
    server.kill();
    probe.wait_until_succeed(&[]).await;
    wait_for("three failed rounds of each journey", async || {
        let samples = probe.metrics().await;
        let first = STEPS.iter().filter(|(_, step)| ALL_TRIES.contains(step));
        let mut failed = first.map(|step| samples[&sample("probe_failed_rounds", *step)]);
        failed.all(|rounds| rounds >= 3.0).then_some(())
    })
    .await;
    assert_moved(&before, &probe.metrics().await, ["probe_failed_rounds"]);
    let logs = probe.logs();
    assert!(logs.contains("no connection"), "{logs}");
    let _server = Server::start_command(&data, command());
    probe.wait_until_succeed(&STEPS).await;
    assert_says_nothing_of_anybody(&probe, &keys);
}

#[tokio::test]
async fn a_database_that_takes_nothing_fails_what_writes_and_that_is_told_step_by_step() {
    let server = Server::start();
    let keys = ProbeKeys::issue(&server, "probe").await;
    let probe = Probe::often(server.data(), &keys, &server.public_url(""));
    probe.wait_until_succeed(&STEPS).await;
    let mut lock = server.data().connect().await;
    sqlx::raw_sql("BEGIN IMMEDIATE")
        .execute(&mut lock)
        .await
        .unwrap();
    probe.wait_until_succeed(&[("keys", "revoked")]).await;
    let samples = probe.metrics().await;
    for step in [("write", "duplicate"), ("lead", "read"), ("lead", "gone")] {
        assert_eq!(
            samples[&sample("probe_failed_rounds", step)],
            0.0,
            "{step:?}"
        );
    }
    assert!(probe.logs().contains("answered 503"), "{}", probe.logs());
    sqlx::raw_sql("ROLLBACK").execute(&mut lock).await.unwrap();
    probe.wait_until_succeed(&STEPS).await;
}

#[tokio::test]
async fn what_is_swallowed_fails_at_the_deadline_of_a_step() {
    let server = Server::start();
    let keys = ProbeKeys::issue(&server, "probe").await;
    let proxy = Proxy::before(&server);
    let output = once(&keys, &proxy.url);
    assert!(output.status.success(), "{output:?}");
    proxy.swallow(true);
    let output = once(&keys, &proxy.url);
    assert_eq!(output.status.code(), Some(1));
    let text = told(&output);
    assert_eq!(text.matches("no answer in time").count(), 3, "{text}");
    assert_eq!(text.matches("not reached").count(), 5, "{text}");
    for line in text.lines().filter(|line| line.contains("failed after")) {
        let waited = line.split_whitespace().nth(4).unwrap();
        let waited: u64 = waited.parse().unwrap();
        assert!((5_000..6_000).contains(&waited), "{line}");
    }
}

#[tokio::test]
async fn a_key_that_may_see_more_sees_masks_all_the_same_and_one_that_may_do_less_fails() {
    let server = Server::start();
    let keys = ProbeKeys::issue(&server, "probe").await;
    let with = |key: &str| {
        fs::write(&keys.file, format!("{key}\n{}\n", keys.revoked.text)).unwrap();
        once(&keys, &server.public_url(""))
    };
    let open = server.issue("probe", &crate::harness::ALL_SCOPES).await;
    let output = with(&open.text);
    assert!(output.status.success(), "{output:?}");
    let writes = server.issue("probe", &["events:write"]).await;
    let output = with(&writes.text);
    assert_eq!(output.status.code(), Some(1));
    let text = told(&output);
    assert_eq!(text.matches(" ok in ").count(), 3, "{text}");
    assert!(
        text.contains("answered 403 (auth.scope), not 201"),
        "{text}"
    );
}

#[tokio::test]
async fn arguments_that_cannot_be_meant_end_with_2_and_name_the_place() {
    let server = Server::start();
    let keys = ProbeKeys::issue(&server, "probe").await;
    let refused = |mut command: Command| {
        let output = run_to_end(command.arg("--once"));
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(!text.contains(&keys.key.text), "{text}");
        text
    };
    let url = server.public_url("");
    for (url, part) in [
        ("127.0.0.1:8080", "--url must begin with `https://`"),
        (
            "http://ingest.example.com",
            "--url would show the keys without encryption",
        ),
        (
            "https://user:word@ingest.example.com",
            "--url must have no name or password",
        ),
    ] {
        let text = refused(keys.command(url));
        assert!(text.contains(part) && !text.contains("word@"), "{text}");
    }
    let readable = fs::Permissions::from_mode(0o640);
    fs::set_permissions(&keys.file, readable).unwrap();
    let text = refused(keys.command(&url));
    assert!(
        text.contains("--key-file ") && text.contains("chmod"),
        "{text}"
    );
    fs::set_permissions(&keys.file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&keys.file, format!("{}\n", keys.key.text)).unwrap();
    assert!(refused(keys.command(&url)).contains("must have two lines"));
    fs::write(&keys.file, format!("{0}\n{0}\n", keys.key.text)).unwrap();
    assert!(refused(keys.command(&url)).contains("the same key twice"));
    fs::remove_file(&keys.file).unwrap();
    assert!(refused(keys.command(&url)).contains("cannot be read"));
    let mut command = keys.command(&url);
    command.args(["--interval", "0s"]);
    assert!(refused(command).contains("--interval"));
}

/// Neither a key nor an address.
fn assert_says_nothing_of_anybody(probe: &Probe, keys: &ProbeKeys) {
    let logs = probe.logs();
    assert!(!logs.is_empty());
    for secret in [&keys.key.text, &keys.revoked.text] {
        assert!(!logs.contains(secret.as_str()), "{logs}");
    }
    assert!(
        !logs.contains("example.com") && !logs.contains('@'),
        "{logs}"
    );
}
