//! The process, its disk, what follows the audit log, and what telemetry loses.

use super::{Dashboard, Panel, Row};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "health",
        title: "Health",
        tenants: false,
        rows: vec![
            Row {
                title: "The process and its disk",
                panels: vec![
                    Panel::new("Answers Prometheus", "1 while it does.", "short", &[("up{$sel}", "{{instance}}")])
                        .alert("TargetDown", 1.0),
                    Panel::new("Free disk", "Share of the file system of the data that is free.", "percentunit", &[
                        ("disk_free_bytes{$sel} / disk_size_bytes{$sel}", "{{instance}}"),
                    ]).alert("DiskFilling", 0.1),
                    Panel::new("Descriptors", "Share of the file descriptors that are open.", "percentunit", &[
                        ("process_open_fds{$sel} / process_max_fds{$sel}", "{{instance}}"),
                    ]),
                    Panel::new("Running since", "When the process was started.", "dateTimeAsIso", &[
                        ("1000 * process_start_time_seconds{$sel}", "{{instance}}"),
                    ]).stat(),
                ],
            },
            Row {
                title: "What is wrong with it",
                panels: vec![
                    Panel::new("Damaged pages", "Statements that met one.", "short", &[
                        ("database_corruption_total{$sel}", "{{instance}}"),
                    ]).stat().alert("DatabaseCorrupt", 1.0),
                    Panel::new("Suspect settings", "Settings that are probably not meant.", "short", &[
                        ("config_problems{$sel}", "{{instance}}"),
                    ]).stat().alert("ConfigSuspect", 1.0),
                    Panel::new("Panics", "Panics in an hour.", "short", &[
                        ("increase(telemetry_panics_total{$sel}[1h])", "{{instance}}"),
                    ]),
                    Panel::new("Series of objectives", "Of 8.", "short", &[
                        ("count by (instance) (slo_requests_total{$sel})", "{{instance}}"),
                    ]).stat().alert("SliAbsent", 8.0),
                ],
            },
            Row {
                title: "What follows the audit log",
                panels: vec![
                    Panel::new("Followed", "1 while a process delivers, verifies and archives the audit log.", "short", &[
                        ("max by (job) (ingest_audit_leader{$sel})", "{{job}}"),
                    ]).stat().alert("AuditNotFollowed", 1.0),
                    Panel::new("Not archived", "For how long the oldest entry waits that the archive does not have.", "s", &[
                        ("ingest_audit_archive_lag_seconds{$sel}", "{{instance}}"),
                    ]).alert("AuditNotArchived", 7_200.0),
                ],
            },
            Row {
                title: "What the probe finds",
                panels: vec![
                    Panel::new("Failed rounds", "Rounds of a journey that failed in a row, by the step at which the last one did.", "short", &[
                        ("max by (journey, step) (probe_failed_rounds)", "{{journey}} {{step}}"),
                    ]).alert("ProbeFailing", 3.0),
                    Panel::new("Steps", "1 for a step that succeeded last.", "short", &[
                        ("min by (journey, step) (probe_success{journey=~\"write|lead|keys\"})", "{{journey}} {{step}}"),
                    ]),
                    Panel::new("Time of steps", "The 95th percentile, by step.", "s", &[
                        ("histogram_quantile(0.95, sum by (journey, step, le) (rate(probe_seconds_bucket[$__rate_interval])))",
                            "{{journey}} {{step}}"),
                    ]),
                ],
            },
            Row {
                title: "What telemetry loses",
                panels: vec![
                    Panel::new("Spans", "Spans that did not reach the collector, in 10 min, by why.", "short", &[
                        ("sum by (reason) (increase(telemetry_spans_dropped_total{$sel}[10m]))", "{{reason}}"),
                    ]).alert("TelemetryLosing", 0.0),
                    Panel::new("Log lines", "Lines that were not written, in 10 min, by why.", "short", &[
                        ("sum by (reason) (increase(telemetry_log_lines_dropped_total{$sel}[10m]))", "{{reason}}"),
                    ]).alert("TelemetryLosing", 0.0),
                    Panel::new("Labels", "Values that found no room, in 10 min, by metric.", "short", &[
                        ("sum by (metric) (increase(telemetry_label_overflow_total{$sel}[10m]))", "{{metric}}"),
                    ]).alert("LabelOverflow", 0.0),
                ],
            },
        ],
    }
}
