//! What metrics are about, by how their names begin.

/// The headings of the page in its order, and the names below each.
pub(super) const SUBJECTS: [(&str, &[&str]); 12] = [
    ("Objectives", &["slo_"]),
    ("What the probe finds", &["probe_"]),
    (
        "Requests",
        &[
            "http_",
            "ingest_stage_",
            "ingest_requests_",
            "ingest_body_",
            "ingest_connections_",
        ],
    ),
    ("Data quality", &["dq_"]),
    ("API keys and tokens", &["apikey_", "admin_auth_", "auth_"]),
    ("Limits", &["ratelimit_"]),
    ("Personal data", &["pii_"]),
    (
        "Data keys and key-encryption keys",
        &["keyring_", "kek_", "reencryption_"],
    ),
    (
        "Writing and the database",
        &[
            "ingest_write_",
            "ingest_group_",
            "ingest_commit_",
            "ingest_late_",
            "database_",
            "db_",
        ],
    ),
    (
        "Erasure, audit and operators",
        &[
            "ingest_erasures_",
            "ingest_shredding_",
            "ingest_audit_",
            "ingest_admin_",
            "ingest_policy_",
            "ingest_secret",
        ],
    ),
    (
        "The process",
        &[
            "process_", "tokio_", "build_", "config_", "disk_", "degraded",
        ],
    ),
    ("Telemetry itself", &["telemetry_"]),
];

/// The position of a metric's subject in [`SUBJECTS`].
pub(super) fn of(name: &str) -> usize {
    let is_below = |(_, prefixes): &(&str, &[&str])| {
        let mut prefixes = prefixes.iter();
        prefixes.any(|prefix| name.starts_with(prefix))
    };
    let found = SUBJECTS.iter().position(is_below);
    found.unwrap_or_else(|| panic!("{name} needs a subject in app/metrics_page/subjects.rs"))
}
