//! How long it takes, and what it waits for.

use super::{Dashboard, Panel, Row};

/// A quantile of a histogram of the chosen processes.
fn quantile(quantile: &str, buckets: &str, by: &str) -> String {
    format!(
        "histogram_quantile({quantile}, sum by ({by}) (rate({buckets}{{$sel}}[$__rate_interval])))"
    )
}

pub(super) fn dashboard() -> Dashboard {
    let requests = "http_server_request_duration_seconds_bucket";
    let by_route = quantile("0.95", requests, "le, http_route");
    let [half, most, nearly_all] = ["0.5", "0.95", "0.99"].map(|it| quantile(it, requests, "le"));
    let [commit, all_commits] =
        ["0.95", "0.99"].map(|it| quantile(it, "ingest_commit_seconds_bucket", "le"));
    let rows = quantile("0.5", "ingest_group_rows_bucket", "le");
    let stages = quantile("0.95", "ingest_stage_seconds_bucket", "le, stage");
    let statements = quantile(
        "0.95",
        "db_client_operation_duration_seconds_bucket",
        "le, db_operation_name",
    );
    Dashboard {
        name: "performance",
        title: "Performance",
        tenants: false,
        rows: vec![
            Row {
                title: "Requests",
                panels: vec![
                    Panel::new("Requests", "Answers a second, by route.", "reqps", &[
                        ("sum by (http_route) (rate(http_server_request_duration_seconds_count{$sel}[$__rate_interval]))",
                            "{{http_route}}"),
                    ]),
                    Panel::new("Time of answers", "Half, 95 and 99 of a hundred answers are faster.", "s", &[
                        (&half, "p50"), (&most, "p95"), (&nearly_all, "p99"),
                    ]).alert("LatencyHigh", 0.12),
                    Panel::new("By route", "95 of a hundred answers of a route are faster.", "s", &[
                        (&by_route, "{{http_route}}"),
                    ]).alert("LatencyHigh", 0.12),
                    Panel::new("Buckets", "Answers by their time; points are traces.", "s", &[
                        ("sum by (le) (increase(http_server_request_duration_seconds_bucket{$sel}[$__rate_interval]))",
                            "{{le}}"),
                    ]).heatmap(),
                ],
            },
            Row {
                title: "Writing",
                panels: vec![
                    Panel::new("Queue", "Share of the queue of the writer that is taken.", "percentunit", &[
                        ("ingest_write_queue_rows{$sel} / ingest_write_queue_capacity_rows{$sel}", "{{instance}}"),
                    ]).alert("QueueSaturated", 0.8),
                    Panel::new("Time of commits", "95 and 99 of a hundred commits are faster.", "s", &[
                        (&commit, "p95"), (&all_commits, "p99"),
                    ]),
                    Panel::new("Rows of a commit", "Half of the commits have fewer.", "short", &[(&rows, "p50")]),
                    Panel::new("Failed commits", "Groups that were not written, in 2 min.", "short", &[
                        ("increase(ingest_commit_failures_total{$sel}[2m])", "{{instance}}"),
                    ]).alert("CommitFailing", 0.0),
                ],
            },
            Row {
                title: "What a request waits for",
                panels: vec![
                    Panel::new("Stages", "95 of a hundred are faster, by stage.", "s", &[(&stages, "{{stage}}")]),
                    Panel::new("Statements", "95 of a hundred statements are faster, by what they do.", "s", &[
                        (&statements, "{{db_operation_name}}"),
                    ]),
                    Panel::new("API keys", "Checks a second, by what answered them.", "ops", &[
                        ("sum by (source) (rate(apikey_lookups_total{$sel}[$__rate_interval]))", "{{source}}"),
                    ]),
                    Panel::new("Requests at work", "Requests that are worked on now.", "short", &[
                        ("ingest_requests_in_flight{$sel}", "{{instance}}"),
                    ]),
                ],
            },
            Row {
                title: "The process",
                panels: vec![
                    Panel::new("Processor", "Cores that are busy.", "short", &[
                        ("rate(process_cpu_seconds_total{$sel}[$__rate_interval])", "{{instance}}"),
                    ]),
                    Panel::new("Memory", "Memory that is in RAM.", "bytes", &[
                        ("process_resident_memory_bytes{$sel}", "{{instance}}"),
                    ]),
                    Panel::new("Tasks", "Tasks that have not ended, by runtime.", "short", &[
                        ("tokio_alive_tasks{$sel}", "{{instance}} {{runtime}}"),
                    ]),
                ],
            },
        ],
    }
}
