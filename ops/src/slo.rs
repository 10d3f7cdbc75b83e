//! Objectives, their budgets, and what is recorded and alerted on for them.

use crate::{
    alerts::{Alert, Case, Quickness, Rule, Severity},
    rules::{Group, Recording},
    yaml::Yaml,
};

/// What is promised of a share of what happens in 30 days.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slo {
    /// The label `slo` of `slo_requests_total`.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// What it is about, and what of it is bad.
    pub(crate) description: &'static str,
    /// The share that is to be good.
    pub(crate) objective: f64,
    /// The alert that tells of a total failure of it before the fastest burn alert does.
    pub(crate) quicker: Option<&'static str>,
}

/// How much faster than at the rate that lasts for 30 days the budget is used up, and over which windows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Burn {
    pub(crate) factor: f64,
    pub(crate) long: &'static str,
    pub(crate) short: &'static str,
    /// The long window in seconds.
    pub(crate) seconds: f64,
    pub(crate) severity: Severity,
}

pub(crate) const SLOS: [Slo; 4] = [
    Slo {
        name: "availability",
        title: "Answers say that it was done, or what the sender has to change",
        description: "Answers on /v1. Bad: 5xx, panics among them, and 503 of any kind; never 4xx.",
        objective: 0.999,
        quicker: None,
    },
    Slo {
        name: "latency",
        title: "Answers come in time",
        description: "Answers 2xx on /v1. Bad: later than 120 ms.",
        objective: 0.95,
        quicker: Some("LatencyHigh"),
    },
    Slo {
        name: "durable",
        title: "Accepted events are durable in time",
        description: "Accepted events. Bad: durable later than 1 s after they were read, or lost.",
        objective: 0.99,
        quicker: Some("CommitFailing"),
    },
    Slo {
        name: "revocation",
        title: "A revoked key is refused in time",
        description: "Revocations. Bad: in effect later than the bound that applied: 1 s where all processes \
                      answer for it, 3.5 s where leases have to end.",
        objective: 0.999,
        quicker: Some("RevocationLate"),
    },
];

/// The four windows of the SRE workbook.
pub(crate) const BURNS: [Burn; 4] = [
    Burn {
        factor: 14.4,
        long: "1h",
        short: "5m",
        seconds: 3_600.0,
        severity: Severity::Page,
    },
    Burn {
        factor: 6.0,
        long: "6h",
        short: "30m",
        seconds: 21_600.0,
        severity: Severity::Page,
    },
    Burn {
        factor: 3.0,
        long: "1d",
        short: "2h",
        seconds: 86_400.0,
        severity: Severity::Ticket,
    },
    Burn {
        factor: 1.0,
        long: "3d",
        short: "6h",
        seconds: 259_200.0,
        severity: Severity::Ticket,
    },
];

const WINDOWS: [&str; 7] = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];

impl Slo {
    /// What may be bad: the objective is written with at most three digits.
    pub(crate) fn budget(&self) -> f64 {
        ((1.0 - self.objective) * 1_000.0).round() / 1_000.0
    }

    /// The objective as OpenSLO has it.
    pub(crate) fn open_slo(&self) -> Yaml {
        let query = |verdict: &str| {
            let query = format!("slo_requests_total{{slo=\"{}\"{verdict}}}", self.name);
            let source = Yaml::map([
                ("type", Yaml::text("Prometheus")),
                ("spec", Yaml::map([("query", Yaml::text(query))])),
            ]);
            Yaml::map([("metricSource", source)])
        };
        let ratio = Yaml::map([
            ("counter", Yaml::plain(true)),
            ("good", query(",verdict=\"good\"")),
            ("total", query("")),
        ]);
        let window = Yaml::map([
            ("duration", Yaml::text("30d")),
            ("isRolling", Yaml::plain(true)),
        ]);
        Yaml::map([
            ("apiVersion", Yaml::text("openslo/v1")),
            ("kind", Yaml::text("SLO")),
            (
                "metadata",
                Yaml::map([
                    ("name", Yaml::text(self.name)),
                    ("displayName", Yaml::text(self.title)),
                ]),
            ),
            (
                "spec",
                Yaml::map([
                    ("description", Yaml::text(self.description)),
                    ("service", Yaml::text("portcullis")),
                    (
                        "indicator",
                        Yaml::map([
                            ("metadata", Yaml::map([("name", Yaml::text(self.name))])),
                            ("spec", Yaml::map([("ratioMetric", ratio)])),
                        ]),
                    ),
                    ("timeWindow", Yaml::list([window])),
                    ("budgetingMethod", Yaml::text("Occurrences")),
                    (
                        "objectives",
                        Yaml::list([Yaml::map([
                            ("displayName", Yaml::text(self.title)),
                            ("target", Yaml::plain(self.objective)),
                        ])]),
                    ),
                ]),
            ),
        ])
    }
}

/// What is recorded: shares and numbers by window, and budgets.
pub(crate) fn recordings() -> [Group; 2] {
    let bad = |window: &str| {
        format!("sum by (slo) (increase(slo_requests_total{{verdict=\"bad\"}}[{window}]))")
    };
    let all = |window: &str| format!("sum by (slo) (increase(slo_requests_total[{window}]))");
    let mut shares = Vec::new();
    for window in WINDOWS {
        shares.push(Recording::new(
            format!("slo:bad:ratio_increase{window}"),
            format!("{} / {}", bad(window), all(window)),
        ));
        if BURNS.iter().any(|burn| burn.long == window) {
            shares.push(Recording::new(
                format!("slo:bad:increase{window}"),
                bad(window),
            ));
        }
    }
    let mut budgets: Vec<_> = SLOS
        .iter()
        .map(|slo| {
            let record =
                Recording::new("slo:objective:ratio", format!("vector({})", slo.objective));
            record.with_label("slo", slo.name)
        })
        .collect();
    budgets.push(Recording::new(
        "slo:budget_remaining:ratio",
        format!(
            "1 - {} / ({} * (1 - slo:objective:ratio))",
            bad("30d"),
            all("30d")
        ),
    ));
    budgets.push(Recording::new(
        "slo:window_covered:ratio",
        "clamp_max((time() - max(prometheus_tsdb_lowest_timestamp_seconds)) / (30 * 86400), 1)",
    ));
    [
        Group::recording("slo-shares", None, shares),
        // 30 days change little in 5 minutes.
        Group::recording("slo-budgets", Some("5m"), budgets),
    ]
}

/// The alerts on budgets: one rule for each objective and window, and one for little traffic.
pub(crate) fn alerts() -> Vec<Alert> {
    let rules = SLOS
        .iter()
        .flat_map(|slo| BURNS.iter().map(|burn| burn_rule(slo, burn)));
    vec![
        Alert {
            name: "ErrorBudgetBurn",
            component: "objectives",
            summary: "{{ $labels.slo }} is using up its error budget too fast (window {{ $labels.window }})",
            description: "{{ $value | humanizePercentage }} of what counts for {{ $labels.slo }} was bad over \
                          {{ $labels.window }}. Senders are served worse than the objective allows. First: the \
                          dashboard slo, then the component that is bad.",
            dashboard: "slo",
            rules: rules.collect(),
            cases: vec![
                Case::new(
                    "total outage",
                    &[
                        (
                            "slo_requests_total{slo=\"availability\",verdict=\"bad\"}",
                            "0x10 0+60x20",
                        ),
                        (
                            "slo_requests_total{slo=\"availability\",verdict=\"good\"}",
                            "0+600x10 6000x20",
                        ),
                    ],
                    "16m",
                    4,
                ),
                Case::new(
                    "within budget",
                    &[
                        (
                            "slo_requests_total{slo=\"availability\",verdict=\"bad\"}",
                            "0+1x500",
                        ),
                        (
                            "slo_requests_total{slo=\"availability\",verdict=\"good\"}",
                            "0+1100x500",
                        ),
                    ],
                    "8h",
                    0,
                ),
                Case::new(
                    "nine are too few",
                    &[
                        (
                            "slo_requests_total{slo=\"availability\",verdict=\"bad\"}",
                            "0x10 9x20",
                        ),
                        (
                            "slo_requests_total{slo=\"availability\",verdict=\"good\"}",
                            "0+1x30",
                        ),
                    ],
                    "12m",
                    0,
                ),
                Case::new("no data", &[], "10m", 0),
                Case::new(
                    "reset",
                    &[
                        (
                            "slo_requests_total{slo=\"availability\",verdict=\"bad\"}",
                            "5x10 0x20",
                        ),
                        (
                            "slo_requests_total{slo=\"availability\",verdict=\"good\"}",
                            "0+600x10 0+600x20",
                        ),
                    ],
                    "20m",
                    0,
                ),
            ],
        },
        Alert {
            name: "FailingAtLowTraffic",
            component: "objectives",
            summary: "{{ $labels.slo }}: more than a tenth of the little that there was failed",
            description: "{{ $value | humanizePercentage }} of what counts for {{ $labels.slo }} was bad in 6 h, 5 or \
                          more of it. First: the trace ids of the failing answers, in the log.",
            dashboard: "slo",
            rules: vec![Rule {
                expr: "slo:bad:ratio_increase6h > 0.1 and slo:bad:increase6h >= 5".to_owned(),
                held: 0,
                severity: Severity::Ticket,
                quickness: Quickness::Slow,
                labels: Vec::new(),
            }],
            cases: vec![
                Case::new(
                    "five of twenty",
                    &[
                        (
                            "slo_requests_total{slo=\"availability\",verdict=\"bad\"}",
                            "0 0 5x30",
                        ),
                        (
                            "slo_requests_total{slo=\"availability\",verdict=\"good\"}",
                            "0 0 15x30",
                        ),
                    ],
                    "10m",
                    1,
                ),
                Case::new(
                    "four",
                    &[
                        (
                            "slo_requests_total{slo=\"availability\",verdict=\"bad\"}",
                            "0 0 4x400",
                        ),
                        (
                            "slo_requests_total{slo=\"availability\",verdict=\"good\"}",
                            "0 0 15x400",
                        ),
                    ],
                    "5h",
                    0,
                ),
                Case::new(
                    "a tenth is not more",
                    &[
                        (
                            "slo_requests_total{slo=\"availability\",verdict=\"bad\"}",
                            "0 0 10x400",
                        ),
                        (
                            "slo_requests_total{slo=\"availability\",verdict=\"good\"}",
                            "0 0 90x400",
                        ),
                    ],
                    "5h",
                    0,
                ),
                Case::new("no data", &[], "10m", 0),
            ],
        },
    ]
}

fn burn_rule(slo: &Slo, burn: &Burn) -> Rule {
    let Slo { name, .. } = slo;
    let Burn {
        factor,
        long,
        short,
        ..
    } = burn;
    let limit = format!("{factor} * {}", slo.budget());
    // A total outage at steady traffic is over the limit after this part of the long window.
    let climbs = factor * slo.budget() * burn.seconds;
    Rule {
        expr: format!(
            "slo:bad:ratio_increase{long}{{slo=\"{name}\"}} > {limit}\nand\n\
             slo:bad:ratio_increase{short}{{slo=\"{name}\"}} > {limit}\nand\n\
             slo:bad:increase{long}{{slo=\"{name}\"}} >= 10"
        ),
        held: 0,
        severity: burn.severity,
        quickness: match (slo.quicker, burn.severity) {
            (_, Severity::Ticket) => Quickness::Slow,
            (Some(alert), _) => Quickness::After(alert),
            // The faster window tells of it first.
            (None, _) if burn.factor < BURNS[0].factor => Quickness::After("ErrorBudgetBurn"),
            (None, _) => Quickness::Climbs(climbs),
        },
        labels: vec![("slo", (*name).to_owned()), ("window", (*long).to_owned())],
    }
}

/// Every objective with a factor that no share of failures can reach.
pub(crate) fn unreachable(slos: &[Slo]) -> Vec<(f64, f64)> {
    let pairs = slos
        .iter()
        .flat_map(|slo| BURNS.iter().map(move |burn| (burn.factor, slo)));
    let beyond = pairs.filter(|(factor, slo)| factor * (1.0 - slo.objective) >= 1.0);
    beyond
        .map(|(factor, slo)| (factor, slo.objective))
        .collect()
}
