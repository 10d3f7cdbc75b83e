//! What is lost of what the service tells, and what it was told that is probably not meant.

use super::{Alert, Case, Rule};

const SPANS: &str = "telemetry_spans_dropped_total{reason=\"queue_spans\"}";
const LINES: &str = "telemetry_log_lines_dropped_total{reason=\"rate\"}";
const OVERFLOW_OF_A: &str = "telemetry_label_overflow_total{instance=\"a\",metric=\"dq_outcomes\"}";
const OVERFLOW_OF_B: &str = "telemetry_label_overflow_total{instance=\"b\",metric=\"dq_outcomes\"}";
const OVERFLOW: &str = "telemetry_label_overflow_total{metric=\"dq_outcomes\"}";

pub(super) fn alerts() -> Vec<Alert> {
    vec![
        Alert {
            name: "TelemetryLosing",
            component: "telemetry",
            summary: "{{ $labels.instance }} loses spans or log lines ({{ $labels.reason }})",
            description: "{{ $value | humanize }} spans or lines of the last 10 min were dropped: the next fault may \
                          leave no trace. First: the collector, or what writes so many lines.",
            dashboard: "health",
            rules: vec![
                Rule::ticket("increase(telemetry_spans_dropped_total[10m]) > 0", 0).named("spans"),
                Rule::ticket("increase(telemetry_log_lines_dropped_total[10m]) > 0", 0)
                    .named("lines"),
            ],
            cases: vec![
                Case::scraped("none", &[(SPANS, "0x20"), (LINES, "0x20")], "4m", 0),
                Case::scraped("the first span", &[(SPANS, "0x10 1x10")], "3m", 1),
                Case::scraped("the first line", &[(LINES, "0x10 1x10")], "3m", 1),
                Case::scraped("no data", &[], "4m", 0),
            ],
        },
        Alert {
            name: "LabelOverflow",
            component: "telemetry",
            summary: "{{ $labels.metric }} has more label values than it may",
            description: "What is new shares the series __other__ of {{ $labels.metric }}, and is not told apart. \
                          First: which label has so many values, and who sends them.",
            dashboard: "health",
            rules: vec![Rule::ticket(
                "(sum by (job, instance, metric) (increase(telemetry_label_overflow_total[10m])) or vector(0)) > 0",
                0,
            )],
            cases: vec![
                Case::scraped("none", &[(OVERFLOW, "0x20")], "4m", 0),
                Case::scraped("the first", &[(OVERFLOW, "0x10 1x10")], "3m", 1),
                Case::scraped(
                    "of two processes",
                    &[(OVERFLOW_OF_A, "0x10 1x10"), (OVERFLOW_OF_B, "0x10 1x10")],
                    "3m",
                    2,
                ),
                Case::scraped("no data", &[], "4m", 0),
            ],
        },
        Alert {
            name: "ConfigSuspect",
            component: "configuration",
            summary: "{{ $labels.instance }} has settings that are probably not meant",
            description: "{{ $value }} settings are misspelt, have no effect, or weaken what they are for. First: \
                          `check-config` lists them.",
            dashboard: "health",
            rules: vec![Rule::ticket("config_problems > 0", 0)],
            cases: vec![
                Case::scraped("none", &[("config_problems", "0x9")], "1m", 0),
                Case::scraped("one", &[("config_problems", "1x9")], "1m", 1),
                Case::scraped("no data", &[], "1m", 0),
            ],
        },
    ]
}
