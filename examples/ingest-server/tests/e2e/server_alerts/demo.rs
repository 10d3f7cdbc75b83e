//! The demo with all faults, watched: every panel and recording rule shows something, and what Prometheus has counted
//! at rest is what the senders of the demo counted.

use std::{
    collections::BTreeMap,
    fs,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use reqwest::Url;
use serde_json::Value;

use super::{
    faults::command,
    stage::admin_token,
    watch::{JOB, PROBE_JOB, Target, Watch},
};
use crate::{
    harness::{Data, Server},
    probes::{Probe, ProbeKeys},
    programs::free_address,
};

/// How long it sends.
const SECONDS: &str = "15";

/// After which Prometheus has scraped and recorded all that there is.
const SEEN: Duration = Duration::from_secs(60);

/// What stands for the variables of a dashboard when everything is chosen.
const CHOSEN: [(&str, &str); 4] = [
    ("$__rate_interval", "5m"),
    ("$job", ".+"),
    ("$instance", ".+"),
    ("$tenant", ".+"),
];

/// Answers of the public listener.
const ANSWERS: &str = "http_server_request_duration_seconds";
const PUBLIC: &str = "http_route=~\"/v1/.*\"";

/// Runs until it is dropped.
struct Demo(Child);

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Demo {
    /// What it says when it has sent everything.
    fn summary(&mut self) -> String {
        let stdout = BufReader::new(self.0.stdout.take().unwrap());
        let lines = stdout.lines().map(Result::unwrap);
        let lines: Vec<_> = lines
            .take_while(|line| !line.contains("Stop it with Ctrl-C."))
            .collect();
        lines.join("\n")
    }
}

/// What Prometheus says, by the value of a label.
async fn ask(watch: &Watch, query: &str, label: &str) -> BTreeMap<String, f64> {
    let url = format!("{}/api/v1/query", watch.prometheus_url());
    let url = Url::parse_with_params(&url, [("query", query)]).unwrap();
    let answer = reqwest::get(url).await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!(answer["status"], "success", "{query}: {answer}");
    let series = answer["data"]["result"].as_array().unwrap().iter();
    let value = |series: &Value| {
        let name = series["metric"][label].as_str().unwrap_or_default();
        let value = series["value"][1].as_str().unwrap().parse().unwrap();
        (name.to_owned(), value)
    };
    series.map(value).collect()
}

/// One number, 0 if there is none.
async fn number(watch: &Watch, query: &str) -> f64 {
    ask(watch, query, "").await.get("").copied().unwrap_or(0.0)
}

/// A line of the summary and the number in it.
fn told(summary: &str, name: &str) -> f64 {
    let lines = summary.lines().map(str::trim);
    let line = lines.filter_map(|line| line.strip_prefix(name)).next();
    let line = line.unwrap_or_else(|| panic!("{name} in {summary}"));
    let number = line.split_whitespace().next().unwrap();
    number.parse().unwrap()
}

/// The reasons below `rejected`, each with its number.
fn reasons(summary: &str) -> BTreeMap<String, f64> {
    let rows = summary
        .lines()
        .skip_while(|line| !line.trim().starts_with("rejected"))
        .skip(1)
        .take_while(|line| line.starts_with("    "));
    let row = |row: &str| {
        let (reason, number) = row.trim().split_once(' ').unwrap();
        (reason.to_owned(), number.trim().parse().unwrap())
    };
    rows.map(row).collect()
}

/// The answers by status: `12 × 202`.
fn answers(summary: &str) -> BTreeMap<String, f64> {
    let lines = summary.lines().map(str::trim);
    let line = lines.filter_map(|line| line.strip_prefix("answers")).next();
    let words: Vec<_> = line.unwrap().split_whitespace().collect();
    let groups = words.split(|word| *word == "×");
    let flat: Vec<_> = groups.flatten().collect();
    let pairs = flat.chunks_exact(2);
    pairs
        .map(|pair| (pair[1].to_string(), pair[0].parse().unwrap()))
        .collect()
}

/// Every query of the committed dashboards and every rule that records, with where it stands.
fn queries() -> Vec<(String, String)> {
    let monitoring = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/monitoring");
    let texts = |folder: &str| {
        let entries = fs::read_dir(monitoring.join(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths.map(|path| fs::read_to_string(path).unwrap())
    };
    let mut queries = Vec::new();
    for dashboard in texts("dashboards") {
        let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
        let panels = dashboard["panels"].as_array().unwrap();
        for panel in panels {
            let targets = panel["targets"].as_array().map_or(&[][..], Vec::as_slice);
            for target in targets {
                let query = target["expr"].as_str().unwrap().to_owned();
                let plain = CHOSEN
                    .iter()
                    .fold(query, |text, (name, value)| text.replace(name, value));
                let place = format!("{} of {}", panel["title"], dashboard["title"]);
                queries.push((place, plain));
            }
        }
    }
    for rules in texts("rules") {
        let names = rules
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- record: "));
        let names = names.map(|name| name.trim_matches('"').to_owned());
        queries.extend(names.map(|name| (name.clone(), name)));
    }
    queries
}

/// Where nothing comes back even after a while.
async fn without_data(watch: &Watch) -> Vec<(String, String)> {
    let mut missing = queries();
    assert!(missing.len() > 80, "{} queries", missing.len());
    let deadline = Instant::now() + SEEN;
    loop {
        let mut still = Vec::new();
        for (place, query) in missing {
            if ask(watch, &query, "").await.is_empty() {
                still.push((place, query));
            }
        }
        if still.is_empty() || Instant::now() > deadline {
            return still;
        }
        missing = still;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// In which bucket of the histogram so many seconds are, counted from the fastest.
async fn bucket_of(watch: &Watch, seconds: f64) -> usize {
    let query = format!("sum by (le) ({ANSWERS}_bucket{{{PUBLIC}}})");
    let bounds = ask(watch, &query, "le").await;
    let bounds = bounds.keys().filter_map(|le| le.parse::<f64>().ok());
    bounds.filter(|bound| *bound < seconds).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_panel_has_data_and_prometheus_has_counted_what_the_senders_did() {
    let data = Data::new();
    let mut command = command(&data);
    let admin = free_address();
    command.env("INGEST_ADMIN_LISTEN", &admin);
    command.args(["demo", "--all-faults", "--seconds", SECONDS]);
    // Of another service, so that it counts nothing here.
    let probed = Server::start();
    let keys = ProbeKeys::issue(&probed, "probe").await;
    let probe = Probe::start(
        probed.data(),
        keys.command(&format!("http://{}", probed.public_address())),
    );
    let targets = [(JOB, admin), (PROBE_JOB, probe.address.clone())];
    let targets = targets.map(|(job, address)| Target { job, address });
    let watch = Watch::over(&targets, admin_token(), "").await;
    let piped = command.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut demo = Demo(piped.spawn().unwrap());
    let summary = tokio::task::block_in_place(|| demo.summary());

    let answers = answers(&summary);
    let count = format!("sum by (http_response_status_code) ({ANSWERS}_count{{{PUBLIC}}})");
    let deadline = Instant::now() + SEEN;
    let seen = loop {
        let seen = ask(&watch, &count, "http_response_status_code").await;
        if seen == answers || Instant::now() > deadline {
            break seen;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    };
    assert_eq!(seen, answers, "{summary}");
    for status in ["200", "201", "202", "204", "400", "401", "415", "429"] {
        assert!(answers[status] > 0.0, "{status} in {summary}");
    }

    for (name, outcomes) in [
        ("accepted", "accepted|modified"),
        ("duplicates", "duplicate_.*"),
        ("rejected", "rejected"),
    ] {
        let query = format!("sum(dq_outcomes_total{{outcome=~\"{outcomes}\"}})");
        let counted = number(&watch, &query).await;
        assert_eq!(counted, told(&summary, name), "{name} in {summary}");
    }
    let by_reason = ask(&watch, "sum by (reason) (dq_rejected_total) > 0", "reason");
    assert_eq!(by_reason.await, reasons(&summary), "{summary}");
    assert!(reasons(&summary).len() > 12, "{summary}");

    // Its senders wait for a little longer than the service takes.
    let quantile = format!("histogram_quantile(0.95, sum by (le) ({ANSWERS}_bucket{{{PUBLIC}}}))");
    let of_service = bucket_of(&watch, number(&watch, &quantile).await).await;
    let of_senders = bucket_of(&watch, told(&summary, "p95") / 1_000.0).await;
    assert!(
        of_service == of_senders || of_service + 1 == of_senders,
        "{of_service} and {of_senders}: {summary}"
    );

    assert_eq!(without_data(&watch).await, [] as [(String, String); 0]);
}
