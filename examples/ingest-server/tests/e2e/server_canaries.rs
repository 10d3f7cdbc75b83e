//! Unique values are put into everything that the service takes in, and looked for in everything that it gives out or
//! keeps, in all their forms. Where they are by design is said, place by place. A control run hides nothing in logs,
//! spans and samples, and finds them there.

#[path = "server_canaries/canaries.rs"]
mod canaries;
#[path = "server_canaries/commands.rs"]
mod commands;
#[path = "server_canaries/outputs.rs"]
mod outputs;
#[path = "server_canaries/records.rs"]
mod records;
#[path = "server_canaries/surface.rs"]
mod surface;
#[path = "server_canaries/tee.rs"]
mod tee;
#[path = "server_canaries/traffic.rs"]
mod traffic;

use std::{collections::BTreeSet, mem, process::Command};

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use self::{
    canaries::Canaries,
    outputs::Output,
    records::{PUBLIC, REASON},
    tee::Tee,
    traffic::Traffic,
};
use crate::{
    harness::{ALL_SCOPES, Data, Server, page_view, wait_for},
    programs::{Program, Redis, collector},
};

const REDIS_PASSWORD: &str = "q7x-redis-password-canary-0123456789";

/// Values that the database itself complains about.
const FAULT: &str = "the message of a database error";
/// Words among them that no pattern recognises.
const FAULT_WORD: &str = "a word in the message of a database error";
const PARENT: &str = "the trace of a caller";
const HISTORY_FAULT: &str = "the message of an error of the history";

/// What was sown, and what came out.
struct Run {
    canaries: Canaries,
    outputs: Vec<Output>,
}

/// A place that a canary was put in, and one that it came out at.
type Finding = (String, String);

impl Run {
    /// A server that was given everything, by a command that starts it.
    async fn of(data: &Data, command: Command) -> Self {
        let mut canaries = Canaries::default();
        let (collector, endpoint) = collector().await;
        let tee = Tee::before(endpoint.strip_prefix("http://").unwrap()).await;
        let redis = Redis::start_with(Some(REDIS_PASSWORD)).await;
        let monitor = monitor(&redis).await;
        let settings = [
            ("INGEST_LOG", "trace".to_owned()),
            ("INGEST_REDIS_URL", redis.url()),
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
        assert!(server.terminate().success());
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
    fn findings(&self) -> BTreeSet<Finding> {
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

/// Where a canary was put that comes out by design, where it comes out, and why.
type Design = (&'static str, &'static str, &'static str);

const BY_DESIGN: [Design; 11] = [
    (
        PUBLIC,
        "table event, ",
        "it is not personal, and stored as it came",
    ),
    (
        PUBLIC,
        "file ingest.db",
        "the same, in the file and its log",
    ),
    (
        PUBLIC,
        "the answer to POST /v1/events",
        "a sender is told which of its events conflict",
    ),
    (
        REASON,
        "table audit_event, ",
        "it is on record what personal data was read for",
    ),
    (
        REASON,
        "file ingest.db",
        "the same, in the file and its log",
    ),
    (
        REASON,
        "GET /admin/audit/events",
        "operators see what is on record",
    ),
    (
        PARENT,
        "the spans as they are ",
        "a span links to the trace that it was called from",
    ),
    (
        FAULT,
        "file ingest.db",
        "the statement stands in the schema that this test changed",
    ),
    (HISTORY_FAULT, "file ingest.db", "likewise"),
    (FAULT_WORD, "file ingest.db", "likewise"),
    (
        FAULT_WORD,
        "the log",
        "operators are told what the database says, but for what a pattern recognises",
    ),
];

/// The same, in the dev profile alone.
const BY_DESIGN_IN_DEV: [Design; 1] = [(
    FAULT_WORD,
    "the spans as they are ",
    "the list of fields that may be shown is for production",
)];

fn is_by_design((place, output): &Finding, in_this_profile: &[Design]) -> bool {
    let own = format!("output of {}", place.trim_start_matches("an argument of "));
    // Who typed an argument wrong is told which.
    let is_own = place.starts_with("an argument of ") && *output == own;
    let is_audit = place.starts_with(REASON) && output == "the answer to GET /admin/audit/events";
    let mut designs = BY_DESIGN.iter().chain(in_this_profile);
    is_own
        || is_audit
        || designs.any(|(from, to, _)| place.starts_with(from) && output.starts_with(to))
}

/// What must be there for the search to mean something: each output has what it is for.
const PRESENT: [(&str, &str); 16] = [
    ("the log", "\"level\":\"TRACE\""),
    (
        "the log",
        "the history of data quality cannot be written now",
    ),
    ("the spans as they are sent", "POST /v1/events"),
    ("the spans as they are sent", "EVALSHA"),
    ("the spans as they are sent", "dq_metrics_tally"),
    ("the spans as they are collected", "POST /v1/leads"),
    ("the spans as they are collected", "redis"),
    ("the spans as they are collected", "sqlite"),
    ("GET /metrics", "dq_rejected_total"),
    ("GET /metrics, OpenMetrics", "# EOF"),
    ("GET /admin/quality/samples", "excerpt"),
    ("what Redis is asked", "evalsha"),
    ("what Redis keeps", "apikey"),
    ("file erasures.jsonl", "\"lead\""),
    ("file ingest.db-wal", ""),
    ("output of quality report", "Data quality"),
];

/// Tables in which all this leaves nothing: who reads now, and what waits in memory.
const EMPTY: [&str; 2] = ["apikey_cache_reader", "event_hash"];

fn assert_whole(run: &Run) {
    for (output, part) in PRESENT {
        let mut outputs = run.outputs.iter().filter(|(found, _)| found == output);
        let is_there = outputs.any(|(_, bytes)| {
            let text = String::from_utf8_lossy(bytes);
            !text.is_empty() && text.to_lowercase().contains(&part.to_lowercase())
        });
        assert!(is_there, "{part} is not in {output}");
    }
    let tables = run.outputs.iter().filter_map(|(output, bytes)| {
        let (table, _) = output.strip_prefix("table ")?.split_once(", ")?;
        Some((table, bytes.is_empty()))
    });
    let (empty, filled): (Vec<_>, Vec<_>) = tables.partition(|(_, is_empty)| *is_empty);
    let [empty, filled] = [empty, filled]
        .map(|tables| -> BTreeSet<&str> { tables.into_iter().map(|(table, _)| table).collect() });
    assert!(filled.len() > 15, "{filled:?}");
    let expected = BTreeSet::from(EMPTY);
    assert_eq!(empty, expected, "what is to be put into a new table?");
}

fn assert_hidden(run: &Run, in_this_profile: &[Design]) {
    let findings = run.findings();
    let leaks: Vec<&Finding> = findings
        .iter()
        .filter(|found| !is_by_design(found, in_this_profile))
        .collect();
    assert!(leaks.is_empty(), "{} leaks: {leaks:#?}", leaks.len());
    assert_whole(run);
    // The search sees what is there by design, so that it would see what is not.
    for (from, to, why) in BY_DESIGN.iter().chain(in_this_profile) {
        let mut of_design = findings.iter();
        let is_found =
            of_design.any(|(place, output)| place.starts_with(from) && output.starts_with(to));
        assert!(is_found, "{from} is not in {to}, where {why}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_comes_in_comes_out_in_production() {
    let data = Data::new();
    assert_hidden(&Run::of(&data, data.production()).await, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_comes_in_comes_out_in_the_dev_profile() {
    let data = Data::new();
    assert_hidden(&Run::of(&data, data.command()).await, &BY_DESIGN_IN_DEV);
}

/// What an error says comes out in these once nothing is hidden there: whose error it is, and where it is to be found.
#[cfg(feature = "dangerous-unredacted")]
const UNHIDDEN_ERRORS: [(&str, &str); 4] = [
    (FAULT, "the log"),
    (FAULT, "the spans as they are sent"),
    (FAULT, "the spans as they are collected"),
    (HISTORY_FAULT, "the log"),
];

/// Parts of events that are refused, each of which comes out wherever samples are shown.
#[cfg(feature = "dangerous-unredacted")]
const SAMPLED: [&str; 6] = [
    "the e-mail address of ",
    "the phone number of ",
    "the national id of ",
    "the name of ",
    "an unknown member of ",
    "a deep member of ",
];

#[cfg(feature = "dangerous-unredacted")]
const SAMPLES: [&str; 7] = [
    "GET /admin/quality",
    "GET /admin/quality?days=1",
    "GET /admin/quality/report",
    "GET /admin/quality/report?days=1",
    "GET /admin/quality/samples",
    "output of quality report",
    "table dq_metrics_sample, excerpt",
];

#[cfg(feature = "dangerous-unredacted")]
#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_hidden_in_logs_spans_and_samples_the_same_search_finds_them_there() {
    let data = Data::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ingest-server-unredacted"));
    command.env_clear();
    let given = data.command();
    command.envs(
        given
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    let run = Run::of(&data, command).await;
    let findings = run.findings();
    let sampled = SAMPLES
        .iter()
        .flat_map(|to| SAMPLED.map(|from| (from, *to)));
    for (from, to) in UNHIDDEN_ERRORS.into_iter().chain(sampled) {
        let mut others = findings.iter().filter(|found| !is_by_design(found, &[]));
        let is_found = others.any(|(place, output)| place.starts_with(from) && output == to);
        assert!(is_found, "{from:?} is not in {to}");
    }
}
