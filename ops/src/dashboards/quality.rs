//! How good the data is that comes in.

use super::{Dashboard, Panel, Row};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "quality",
        title: "Data quality",
        tenants: true,
        rows: vec![
            Row {
                title: "By tenant",
                panels: vec![
                    Panel::new("Score", "From 0 to 100, since the start; absent without data.", "short", &[
                        ("min by (tenant) (dq_score{tenant=~\"$tenant\",$sel})", "{{tenant}}"),
                    ]),
                    Panel::new("Lower bound", "The score is above it with 95 percent confidence.", "short", &[
                        ("min by (tenant) (dq_score_lower_bound{tenant=~\"$tenant\",$sel})", "{{tenant}}"),
                    ]),
                    Panel::new("Received", "Events, and requests refused as a whole, a second.", "ops", &[
                        ("sum by (tenant) (rate(dq_received_total{tenant=~\"$tenant\",$sel}[$__rate_interval]))",
                            "{{tenant}}"),
                    ]),
                    Panel::new("Rejected", "Share of what was received.", "percentunit", &[
                        ("sum by (tenant) (rate(dq_outcomes_total{outcome=\"rejected\",tenant=~\"$tenant\",$sel}[10m])) / \
                          sum by (tenant) (rate(dq_received_total{tenant=~\"$tenant\",$sel}[10m]))", "{{tenant}}"),
                    ]).alert("QualityDrop", 0.05),
                ],
            },
            Row {
                title: "What became of it",
                panels: vec![
                    Panel::new("Outcomes", "Events a second, by what became of them.", "ops", &[
                        ("sum by (outcome) (rate(dq_outcomes_total{tenant=~\"$tenant\",$sel}[$__rate_interval]))",
                            "{{outcome}}"),
                    ]),
                    Panel::new("Reasons", "Rejections a second, by reason, that happened in the last hour.", "ops", &[
                        ("topk(10, sum by (reason) (rate(dq_rejected_total{$sel}[1h])) > 0) or \
                          0 * sum(dq_unaccounted)", "{{reason}}"),
                    ]),
                    Panel::new("Unaccounted", "Events without an outcome, which are being worked on.", "short", &[
                        ("dq_unaccounted{$sel}", "{{instance}}"),
                    ]).alert("EventsUnaccounted", 1_000.0),
                    Panel::new("Samples", "Refused events chosen as samples, a second.", "ops", &[
                        ("sum by (result) (rate(dq_samples_total{$sel}[$__rate_interval]))", "{{result}}"),
                    ]),
                ],
            },
            Row {
                title: "Versions of schemas",
                panels: vec![
                    Panel::new("Events by version", "Events a second, by type and version.", "ops", &[
                        ("sum by (event_type, version) (rate(dq_schema_version_events_total{$sel}[$__rate_interval]))",
                            "{{event_type}} {{version}}"),
                    ]),
                    Panel::new("Deprecated", "Share of events with a version that is deprecated.", "percentunit", &[
                        ("max by (event_type) (dq_schema_deprecated_ratio{$sel})", "{{event_type}}"),
                    ]),
                ],
            },
        ],
    }
}
