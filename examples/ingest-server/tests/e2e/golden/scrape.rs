//! What `/metrics` counts of the requests.

use std::fmt::Write as _;

use crate::harness::Server;

/// What tells of time, of the machine, of background work or of how requests met it, rather than of the requests: the
/// start of a name with its labels.
const OF_THE_RUN: [&str; 21] = [
    "apikey_cache_confirmed_seconds",
    "apikey_confirmed_margin_seconds",
    "apikey_load_seconds",
    "build_info",
    "db_client_operation_duration_seconds",
    "disk_",
    "dq_history_",
    "dq_schema_version_last_seen_timestamp_seconds",
    "http_server_active_requests",
    "http_server_request_duration_seconds_count{http_request_method=\"GET\",http_route=\"/readyz\"",
    "ingest_audit_",
    "ingest_commit_seconds",
    "ingest_group_rows",
    "ingest_shred",
    // A key that was made is unwrapped once more where two tasks ask for it at one time.
    "kek_call",
    "keyring_kek_age_seconds",
    // Of requests of the same moment, and of the census.
    "keyring_lookups_total",
    "process_",
    "slo_requests_total{slo=\"durable\"",
    "slo_requests_total{slo=\"latency\"",
    "tokio_",
];

/// Every counter and gauge that is not 0, and how often each histogram was observed.
pub(super) async fn counted(server: &Server) -> String {
    let mut text = String::new();
    for (name, value) in server.metrics().await {
        let family = name.split('{').next().unwrap_or_default();
        let is_time = family.ends_with("_bucket") || family.ends_with("_sum");
        let of_the_run = OF_THE_RUN.iter().any(|start| name.starts_with(start));
        if value != 0.0 && !is_time && !of_the_run {
            writeln!(text, "{name} {value}").unwrap();
        }
    }
    text
}
