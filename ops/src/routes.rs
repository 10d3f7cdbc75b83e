//! Who is told of which alert, and what is silent while something else fires.

use crate::{
    alerts::{self, Severity},
    blackbox, timing,
    yaml::Yaml,
};

/// What fires all the same while its process does not answer: it tells of somebody, and not of the process.
const NEVER_SILENT: &str = "Portcullis(TargetDown|KeyRowTampered|OpenRejected|Audit.*|Watchdog)";

/// Receivers, and how often they are told again.
const PAGER: (&str, &str) = ("pager", "4h");
const TICKETS: (&str, &str) = ("tickets", "24h");
const HEARTBEAT: (&str, &str) = ("heartbeat", "1m");

/// The receiver of each severity.
const fn receiver(severity: Severity) -> (&'static str, &'static str) {
    match severity {
        Severity::Page => PAGER,
        Severity::Ticket => TICKETS,
        Severity::Heartbeat => HEARTBEAT,
    }
}

/// The labels of each alert there can be, as `amtool` takes them, and who has to be told.
#[must_use]
pub fn route_cases() -> Vec<(Vec<String>, &'static str)> {
    let all = alerts::all();
    let cases = all.iter().flat_map(|alert| {
        alert.rules.iter().map(|rule| {
            let mut labels = vec![
                format!("alertname={}", alert.full_name()),
                format!("severity={}", rule.severity.as_str()),
                "instance=a".to_owned(),
            ];
            labels.extend(
                rule.labels
                    .iter()
                    .map(|(name, value)| format!("{name}={value}")),
            );
            (labels, receiver(rule.severity).0)
        })
    });
    cases.collect()
}

/// `alertmanager.yml`.
pub(crate) fn alertmanager() -> String {
    let severities = [Severity::Heartbeat, Severity::Page, Severity::Ticket];
    let routes = severities.map(|severity| {
        let (name, repeat) = receiver(severity);
        let matcher = format!("severity=\"{}\"", severity.as_str());
        Yaml::map([
            ("receiver", Yaml::text(name)),
            ("matchers", Yaml::texts([matcher])),
            ("repeat_interval", Yaml::plain(repeat)),
        ])
    });
    let wait = format!("{}s", timing::GROUP_WAIT.as_secs());
    let route = Yaml::map([
        ("receiver", Yaml::text(TICKETS.0)),
        ("group_by", Yaml::texts(["alertname", "slo", "instance"])),
        ("group_wait", Yaml::plain(wait)),
        ("group_interval", Yaml::plain("1m")),
        ("repeat_interval", Yaml::plain(TICKETS.1)),
        ("routes", Yaml::list(routes)),
    ]);
    let mut silences = vec![silence(
        ["alertname=\"PortcullisTargetDown\"".to_owned()],
        [
            "alertname=~\"Portcullis.*\"".to_owned(),
            format!("alertname!~\"{NEVER_SILENT}\""),
        ],
        "instance",
    )];
    // A faster burn says all that a slower one does.
    for (faster, slower) in [("1h", "6h|1d|3d"), ("6h", "1d|3d"), ("1d", "3d")] {
        let burn = || "alertname=\"PortcullisErrorBudgetBurn\"".to_owned();
        silences.push(silence(
            [burn(), format!("window=\"{faster}\"")],
            [burn(), format!("window=~\"{slower}\"")],
            "slo",
        ));
    }
    let text = |name: &str| Yaml::text(format!("{{{{ template \"portcullis.{name}\" . }}}}"));
    let file = |name: &str| Yaml::text(format!("/etc/alertmanager/secrets/{name}"));
    let pager = Yaml::map([
        ("routing_key_file", file("pager-routing-key")),
        ("description", text("title")),
        ("details", Yaml::map([("text", text("text"))])),
    ]);
    let tickets = Yaml::map([
        ("api_url_file", file("tickets-url")),
        ("title", text("title")),
        ("text", text("text")),
        ("send_resolved", Yaml::plain(true)),
    ]);
    let authorization = Yaml::map([("credentials_file", file("heartbeat-token"))]);
    let heartbeat = Yaml::map([
        ("url", Yaml::text("https://heartbeat.example/portcullis")),
        ("send_resolved", Yaml::plain(false)),
        ("http_config", Yaml::map([("authorization", authorization)])),
    ]);
    let receivers = [
        (PAGER.0, "pagerduty_configs", pager),
        (TICKETS.0, "slack_configs", tickets),
        (HEARTBEAT.0, "webhook_configs", heartbeat),
    ];
    let receivers = receivers.map(|(name, kind, settings)| {
        Yaml::map([("name", Yaml::text(name)), (kind, Yaml::list([settings]))])
    });
    Yaml::map([
        ("templates", Yaml::texts(["templates/portcullis.tmpl"])),
        ("route", route),
        ("inhibit_rules", Yaml::list(silences)),
        ("receivers", Yaml::list(receivers)),
    ])
    .file()
}

fn silence<const S: usize, const T: usize>(
    source: [String; S],
    target: [String; T],
    equal: &str,
) -> Yaml {
    Yaml::map([
        ("source_matchers", Yaml::texts(source)),
        ("target_matchers", Yaml::texts(target)),
        ("equal", Yaml::texts([equal])),
    ])
}

/// `prometheus.yml`.
pub(crate) fn prometheus() -> String {
    let seconds = |duration: std::time::Duration| Yaml::plain(format!("{}s", duration.as_secs()));
    let targets = |targets: &[&str]| {
        let targets = Yaml::texts(targets.iter().copied());
        Yaml::list([Yaml::map([("targets", targets)])])
    };
    let authorization = Yaml::map([(
        "credentials_file",
        Yaml::text("/etc/prometheus/secrets/portcullis-admin-token"),
    )]);
    let service = Yaml::map([
        ("job_name", Yaml::text("portcullis")),
        ("authorization", authorization),
        ("static_configs", targets(&["127.0.0.1:9090"])),
    ]);
    let probe = Yaml::map([
        ("job_name", Yaml::text("portcullis-probe")),
        ("static_configs", targets(&["127.0.0.1:9115"])),
    ]);
    let itself = Yaml::map([
        ("job_name", Yaml::text("prometheus")),
        ("static_configs", targets(&["127.0.0.1:9091"])),
    ]);
    let global = Yaml::map([
        ("scrape_interval", seconds(timing::SCRAPE)),
        ("scrape_timeout", seconds(timing::SCRAPE_TIMEOUT)),
        ("evaluation_interval", seconds(timing::EVALUATION)),
    ]);
    let managers = Yaml::map([("static_configs", targets(&["127.0.0.1:9093"]))]);
    let rules = ["recording", "alerts", "slo"].map(|name| format!("rules/{name}.yml"));
    Yaml::map([
        ("global", global),
        ("rule_files", Yaml::texts(rules)),
        (
            "alerting",
            Yaml::map([("alertmanagers", Yaml::list([managers]))]),
        ),
        (
            "scrape_configs",
            Yaml::list([service, probe, blackbox::job(), itself]),
        ),
    ])
    .file()
}

/// What a message says: what is limited for whom, the value in words, the first step, and where to look.
pub(crate) const TEMPLATE: &str = r#"{{/* Made by `ops generate`. Do not edit. */}}
{{ define "portcullis.title" -}}
[{{ .Status }}] {{ .CommonLabels.alertname }}: {{ with index .Alerts 0 }}{{ .Annotations.summary }}{{ end }}
{{- end }}

{{ define "portcullis.text" -}}
{{ range .Alerts -}}
{{ .Annotations.description }}
Runbook: {{ .Annotations.runbook_url }}
Dashboard: {{ .Annotations.dashboard }}, from {{ .StartsAt.Format "2006-01-02T15:04:05Z07:00" }}
{{ end -}}
{{- end }}
"#;
