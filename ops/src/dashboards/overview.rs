//! Is anyone hurt, and what is wrong.

use super::{Dashboard, Panel, Row};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "overview",
        title: "Overview",
        tenants: false,
        rows: vec![
            Row {
                title: "Is anyone hurt",
                panels: vec![
                    Panel::new("Error budget left", "Of the budget of 30 days, by objective.", "percentunit", &[
                        ("slo:budget_remaining:ratio", "{{slo}}"),
                    ]).stat(),
                    Panel::new("Answers", "Answers on /v1 a second, by whether the service failed.", "reqps", &[
                        ("sum by (verdict) (rate(slo_requests_total{slo=\"availability\",$sel}[$__rate_interval]))",
                            "{{verdict}}"),
                    ]),
                    Panel::new("Failing answers", "Share of answers on /v1 that are 5xx.", "percentunit", &[
                        ("sum(rate(slo_requests_total{slo=\"availability\",verdict=\"bad\",$sel}[$__rate_interval])) / \
                          sum(rate(slo_requests_total{slo=\"availability\",$sel}[$__rate_interval]))", "failing"),
                    ]).alert("ServerErrors", 0.01),
                    Panel::new("Late answers", "Share of answers 2xx on /v1 that took longer than 120 ms.", "percentunit", &[
                        ("sum(rate(slo_requests_total{slo=\"latency\",verdict=\"bad\",$sel}[$__rate_interval])) / \
                          sum(rate(slo_requests_total{slo=\"latency\",$sel}[$__rate_interval]))", "late"),
                    ]).alert("LatencyHigh", 0.05),
                ],
            },
            Row {
                title: "What is wrong",
                panels: vec![
                    Panel::new("Firing", "Alerts that fire now.", "short", &[
                        ("ALERTS{alertname=~\"Portcullis.*\",alertstate=\"firing\"}", "{{alertname}}"),
                    ]).table(),
                    Panel::new("Degraded", "1 for a part that does less than it promises while the rest goes on.", "short", &[
                        ("max by (component) (degraded{$sel})", "{{component}}"),
                    ]),
                    Panel::new("Processes", "Processes that answer Prometheus.", "short", &[
                        ("sum(up{$sel})", "up"), ("count(up{$sel})", "known"),
                    ]).alert("TargetDown", 1.0),
                    Panel::new("Versions", "What runs.", "short", &[
                        ("sum by (version, commit) (build_info{$sel})", "{{version}}"),
                    ]).table(),
                    Panel::new("Events", "What became of what was received, a second.", "ops", &[
                        ("sum by (outcome) (rate(dq_outcomes_total{$sel}[$__rate_interval]))", "{{outcome}}"),
                    ]),
                ],
            },
        ],
    }
}
