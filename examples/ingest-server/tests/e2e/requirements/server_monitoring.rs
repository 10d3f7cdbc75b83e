//! Alerts and where they lead, as Prometheus and Alertmanager have them. Each alert is fired by its cause, within two
//! minutes, by `server_alerts` in `scripts/nightly`, on one Prometheus for all of them; here the committed rule fires
//! at its bound and not below, what it reads is counted by the service, and it is among those of that run.

use std::{path::Path, process::Command};

use crate::harness::Server;

const RULES: &str = include_str!("../../../../../deploy/monitoring/rules/alerts.yml");
/// The faults of `server_alerts`, which say what has to fire.
const FAULTS: [&str; 2] = [
    include_str!("../server_alerts/faults/answers.rs"),
    include_str!("../server_alerts/faults/storage.rs"),
];

fn run(program: &str, arguments: &[&str]) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/monitoring");
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .output();
    let output =
        output.unwrap_or_else(|error| panic!("{program}: {error}: run scripts/components install"));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    said.trim().to_owned()
}

/// The committed rule: what it asks for, and its severity.
fn rule(alert: &str) -> &str {
    let (_, rule) = RULES
        .split_once(&format!("- alert: \"Portcullis{alert}\"\n"))
        .unwrap();
    rule.split("- alert: ").next().unwrap()
}

/// Checks that an alert fires at its bound and not below, from series that the service has, and who is told.
async fn assert_fires(alert: &str, cases: &str, bound: &str, reads: &[&str], told: &str) {
    run(
        "promtool",
        &["test", "rules", &format!("tests/{cases}.yml")],
    );
    let rule = rule(alert);
    assert!(rule.contains(bound), "{bound} in {rule}");
    let server = Server::start();
    let samples = server.metrics().await;
    for series in reads {
        assert!(samples.contains_key(*series), "{series}");
        let name = series.split('{').next().unwrap();
        assert!(rule.contains(name), "{name} in {rule}");
    }
    let row = format!("fires(\"{alert}\", ");
    assert!(
        FAULTS.iter().any(|faults| faults.contains(&row)),
        "nothing fires {alert}"
    );
    let severity = if told == "pager" { "page" } else { "ticket" };
    assert!(
        rule.contains(&format!("severity: \"{severity}\"")),
        "{rule}"
    );
    let name = format!("alertname=Portcullis{alert}");
    let severity = format!("severity={severity}");
    let routes = ["config", "routes", "test", "--config.file=alertmanager.yml"];
    let arguments = [routes.as_slice(), &[&name, &severity]].concat();
    assert_eq!(run("amtool", &arguments), told);
}

/// An alert fires when more than 5 % of answers take longer than 120 ms (p95 above 120 ms).
///
/// Also: `e2e::server_alerts::each_alert_arrives_within_two_minutes_of_its_cause_and_resolves`,
/// `ops::server_rules::each_alert_fires_below_at_above_and_without_data_as_its_cases_say`.
#[tokio::test]
async fn r6_2_latency_alert_fires() {
    let reads = [
        r#"slo_requests_total{slo="latency",verdict="good"}"#,
        r#"slo_requests_total{slo="latency",verdict="bad"}"#,
    ];
    assert_fires("LatencyHigh", "latency-high", "0.05", &reads, "pager").await;
}

/// An alert fires when more than 1 % of answers are 5xx.
///
/// Also: `e2e::server_alerts::each_alert_arrives_within_two_minutes_of_its_cause_and_resolves`,
/// `e2e::server_alerts::an_alert_arrives_with_its_runbook`.
#[tokio::test]
async fn r6_3_server_errors_alert_fires() {
    let reads = [
        r#"slo_requests_total{slo="availability",verdict="good"}"#,
        r#"slo_requests_total{slo="availability",verdict="bad"}"#,
    ];
    assert_fires("ServerErrors", "server-errors", "0.01", &reads, "pager").await;
}

/// An alert fires when more than 20 % of the decisions of a limit are refusals.
///
/// Also: `e2e::server_alerts::each_alert_arrives_within_two_minutes_of_its_cause_and_resolves`,
/// `e2e::counters::limits_count_what_they_admit_and_refuse`.
#[tokio::test]
async fn r6_4_limit_hits_alert_fires() {
    assert_fires("LimitHitsHigh", "limit-hits-high", "0.2", &[], "tickets").await;
    assert!(rule("LimitHitsHigh").contains("ratelimit_decisions_total"));
}

/// There are objectives with budgets, counted from the start, and what burns them is told to who has to act.
///
/// Also: `e2e::objectives::each_answer_event_and_revocation_has_one_verdict`,
/// `ops::server_rules::alertmanager_takes_the_configuration_and_each_alert_reaches_its_receiver`.
#[tokio::test]
async fn r6_5_objectives_are_counted_and_their_alerts_are_routed() {
    let samples = Server::start().metrics().await;
    for objective in ["availability", "latency", "durable", "revocation"] {
        for verdict in ["good", "bad"] {
            let series = format!("slo_requests_total{{slo=\"{objective}\",verdict=\"{verdict}\"}}");
            assert_eq!(samples[&series], 0.0, "{series}");
        }
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/monitoring/slo");
        assert!(
            folder.join(format!("{objective}.yaml")).exists(),
            "{objective}"
        );
    }
    run(
        "promtool",
        &["test", "rules", "tests/error-budget-burn.yml"],
    );
    let routes = ["config", "routes", "test", "--config.file=alertmanager.yml"];
    for (severity, told) in [
        ("page", "pager"),
        ("ticket", "tickets"),
        ("none", "heartbeat"),
    ] {
        let labels = [
            "alertname=PortcullisErrorBudgetBurn".to_owned(),
            format!("severity={severity}"),
        ];
        let arguments = [routes.as_slice(), &[&labels[0], &labels[1]]].concat();
        assert_eq!(run("amtool", &arguments), told);
    }
}
