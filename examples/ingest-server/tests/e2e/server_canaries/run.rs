//! A server that is given canaries everywhere, and all that comes out of it.

use std::{collections::BTreeSet, fs, mem, process::Command};

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::{
    by_design::{FAULT, FAULT_WORD, HISTORY_FAULT, PARENT},
    canaries::Canaries,
    commands,
    delivered::Delivered,
    outputs::{self, Output},
    records, surface,
    tee::Tee,
    traffic::Traffic,
};
use crate::{
    harness::{ALL_SCOPES, Data, Server, page_view, wait_for},
    programs::{Program, Redis, collector},
};

const REDIS_PASSWORD: &str = "q7x-redis-password-canary-0123456789";

/// What was sown, and what came out.
pub(super) struct Run {
    canaries: Canaries,
    pub(super) outputs: Vec<Output>,
}

/// A place that a canary was put in, and one that it came out at.
pub(super) type Finding = (String, String);

impl Run {
    /// A server that was given everything, by a command that starts it.
    pub(super) async fn of(data: &Data, command: Command) -> Self {
        let mut canaries = Canaries::default();
        let (collector, endpoint) = collector().await;
        let collecting = endpoint.strip_prefix("http://").unwrap();
        let tee = Tee::before(collecting).await;
        let delivered = Delivered::start(&mut canaries, collecting).await;
        let redis = Redis::start_with(Some(REDIS_PASSWORD)).await;
        let monitor = monitor(&redis).await;
        let archive = data.path().join("archive");
        fs::create_dir(&archive).unwrap();
        let settings = [
            (
                "INGEST_AUDIT_ARCHIVE",
                format!("file://{}", archive.display()),
            ),
            ("INGEST_LOG", "trace".to_owned()),
            ("INGEST_REDIS_URL", redis.url()),
            ("INGEST_AUDIT_SINKS", delivered.sinks()),
            ("INGEST_TRACE_SAMPLE_RATIO", "1".to_owned()),
            ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
            (
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                format!("http://{}", tee.address()),
            ),
        ];
        let command = || {
            let mut again = Command::new(command.get_program());
            again.env_clear();
            let given = command.get_envs();
            again.envs(given.filter_map(|(name, value)| Some((name, value?))));
            again.envs(settings.iter().cloned());
            again
        };
        sow_secrets(&mut canaries, &command());
        let server = Server::start_command(data, command());
        let (lead, mut outputs) = be_used(&server, &mut canaries).await;
        outputs.extend(outputs::shown(&server).await);
        outputs.extend(outputs::files(data));
        assert!(server.terminate().success());

        // What is kept of it, as the next process shows it.
        let server = Server::start_command(data, command());
        outputs.extend(commands::run_all(data, &command, &mut canaries, &lead));
        outputs.extend(outputs::shown(&server).await);
        outputs.extend(outputs::files(data));
        Delivered::all(&server).await;
        outputs.extend(delivered.outputs());
        assert!(server.terminate().success());
        assert!(archive.join("server/checkpoints").is_dir());
        outputs.extend(outputs::tables(data).await);
        outputs.extend(outputs::files(data));
        outputs.push(("the log".to_owned(), data.logs().into_bytes()));
        outputs.push(("the spans as they are sent".to_owned(), tee.sent()));
        let collected = collector.output().into_bytes();
        outputs.push(("the spans as they are collected".to_owned(), collected));
        outputs.push(("what Redis keeps".to_owned(), redis.kept()));
        outputs.push((
            "what Redis is asked".to_owned(),
            monitor.output().into_bytes(),
        ));
        Self { canaries, outputs }
    }

    /// Every canary in every output.
    pub(super) fn findings(&self) -> BTreeSet<Finding> {
        let search = self.canaries.search();
        let mut findings = BTreeSet::new();
        for (output, bytes) in &self.outputs {
            let places = search.places_in(bytes);
            findings.extend(places.into_iter().map(|place| (place, output.clone())));
        }
        findings
    }
}

/// Everything that a Redis is told, as it comes.
async fn monitor(redis: &Redis) -> Program {
    let mut command = Command::new("redis-cli");
    command.args(["-p", &redis.port().to_string(), "--no-auth-warning"]);
    command.args(["-a", REDIS_PASSWORD, "MONITOR"]);
    let folder = tempfile::tempdir().unwrap();
    let monitor = Program::start(&mut command, folder, "apt-get install redis-tools");
    wait_for("a Redis that is watched", async || {
        monitor.output().contains("OK").then_some(())
    })
    .await;
    monitor
}

/// The secrets of the configuration.
fn sow_secrets(canaries: &mut Canaries, command: &Command) {
    canaries.add("the password of Redis", REDIS_PASSWORD);
    for name in [
        "INGEST_ADMIN_TOKEN",
        "PORTCULLIS_KEKS",
        "PORTCULLIS_INDEX_ROOTS",
        "PORTCULLIS_KEY_PEPPERS",
    ] {
        let mut given = command.get_envs().filter(|(found, _)| *found == name);
        let value = given.next().and_then(|(_, value)| value?.to_str());
        let value = value
            .unwrap()
            .trim_start_matches("1:")
            .trim_end_matches('=');
        canaries.add(name, value);
    }
}

/// All that callers and operators do, and faults on top of it. Gives a lead, and what was answered.
async fn be_used(server: &Server, canaries: &mut Canaries) -> (String, Vec<Output>) {
    let put = server
        .admin(Method::PUT, "/admin/limits")
        .json(&roomy_limits());
    assert_eq!(put.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let secret = key.text.rsplit('_').next().unwrap();
    canaries.add("an API key", secret);
    let parent = canaries.add(PARENT, "q7x-parent-trace");
    let traceparent = format!("00-{}-{}-01", hex::encode(&parent), hex::encode("q7x-span"));
    let mut traffic = Traffic {
        server,
        key,
        canaries,
        answers: Vec::new(),
        traceparent,
    };
    let erasure = leave(&mut traffic).await;
    let lead = records::accepted(&mut traffic).await;
    records::refused(&mut traffic).await;
    for route in surface::routes() {
        traffic.try_route(&route).await;
    }
    traffic.try_heads();
    let erased = erasure.await.unwrap();
    assert_eq!(erased.status(), StatusCode::OK);
    operate(&mut traffic).await;
    fail(&mut traffic).await;
    let answers = traffic.answers.into_iter();
    let answers = answers.map(|(to, answer)| (format!("the answer to {to}"), answer));
    (lead, answers.collect())
}

/// A tenant comes with a lead and is erased while the others go on, which takes its time.
async fn leave(traffic: &mut Traffic<'_>) -> JoinHandle<Response> {
    let server = traffic.server;
    let former = server.issue("former", &ALL_SCOPES).await;
    let staying = mem::replace(&mut traffic.key, former);
    records::of_a_tenant_that_leaves(traffic).await;
    traffic.key = staying;
    let request = json!({ "tenant": "former", "all": true });
    let erasure = server.admin(Method::POST, "/admin/erasures").json(&request);
    tokio::spawn(async move { erasure.send().await.unwrap() })
}

/// Limits that keep no operator from asking for all of this.
fn roomy_limits() -> Value {
    let limit = json!({ "address": { "per-second": 10_000, "burst": 10_000 } });
    json!({ "tier": { "operator": { "category": { "admin": limit } } } })
}

/// What operators do that is done.
async fn operate(traffic: &mut Traffic<'_>) {
    let policy = json!({ "default": { "email": "reject" } });
    for (method, path, body) in [
        (Method::PUT, "/admin/limits", roomy_limits()),
        (Method::PUT, "/admin/detection", policy),
        (Method::POST, "/admin/keys/verify", json!({})),
        (Method::POST, "/admin/reencryption", json!({})),
    ] {
        let server = traffic.server;
        let answer = server.admin(method, path).json(&body).send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{path}: {}",
            answer.text().await.unwrap()
        );
    }
}

/// The database refuses, in words that hold what it was given.
async fn fail(traffic: &mut Traffic<'_>) {
    let (of_events, of_history) = (
        traffic.canaries.email(FAULT),
        traffic.canaries.email(HISTORY_FAULT),
    );
    let word = traffic.canaries.word(FAULT_WORD);
    let triggers = format!(
        "CREATE TRIGGER refuse_event BEFORE INSERT ON event WHEN NEW.id = 'fault'
           BEGIN SELECT RAISE(ABORT, 'no room for {of_events} or {word} there'); END;
         CREATE TRIGGER refuse_history BEFORE INSERT ON dq_metrics_tally
           BEGIN SELECT RAISE(ABORT, 'no room for {of_history} there'); END"
    );
    let data = traffic.server.data().clone();
    let mut database = data.connect().await;
    let made = sqlx::raw_sql(sqlx::AssertSqlSafe(triggers));
    made.execute(&mut database).await.unwrap();
    let (status, _) = records::post(traffic, &page_view("fault")).await;
    assert!(status.is_server_error(), "{status}");
    let server = traffic.server;
    wait_for("a failure of the history", async || {
        let metrics = server.metrics().await;
        (metrics["dq_history_failures_total"] > 0.0).then_some(())
    })
    .await;
    let mend = sqlx::raw_sql("DROP TRIGGER refuse_event; DROP TRIGGER refuse_history");
    mend.execute(&mut database).await.unwrap();
}
