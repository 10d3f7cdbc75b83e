//! Personal data, keys, limits, and the audit log.

use super::{Dashboard, Panel, Row};

pub(super) fn dashboard() -> Dashboard {
    Dashboard {
        name: "security",
        title: "Security",
        tenants: false,
        rows: vec![
            Row {
                title: "Personal data",
                panels: vec![
                    Panel::new("Sealed and opened", "Values a second, by what their keys are for.", "ops", &[
                        ("sum by (operation, purpose) (rate(pii_operations_total{$sel}[$__rate_interval]))",
                            "{{operation}} {{purpose}}"),
                    ]),
                    Panel::new("Not sealed, not opened", "Values a second that could not be, by why.", "ops", &[
                        ("sum by (operation, outcome) \
                          (rate(pii_operations_total{outcome!=\"ok\",$sel}[$__rate_interval]))",
                            "{{operation}} {{outcome}}"),
                    ]).alert("SealFailing", 0.0),
                    Panel::new("Rejected opens", "Values that are not what was sealed, in an hour.", "short", &[
                        ("sum(increase(pii_operations_total{operation=\"open\",outcome=\"rejected\",$sel}[1h]))",
                            "rejected"),
                    ]).stat().alert("OpenRejected", 1.0),
                    Panel::new("Hidden", "Values hidden in logs and spans, a second, by kind.", "ops", &[
                        ("sum by (kind) (rate(telemetry_redactions_total{$sel}[$__rate_interval]))", "{{kind}}"),
                    ]),
                ],
            },
            Row {
                title: "Keys",
                panels: vec![
                    Panel::new("Data keys", "Data keys by their state.", "short", &[
                        ("max by (state) (keyring_keys{$sel})", "{{state}}"),
                    ]),
                    Panel::new("Oldest data key that seals", "By what it is for.", "s", &[
                        ("max by (purpose) (keyring_oldest_primary_seconds{$sel})", "{{purpose}}"),
                    ]).alert("KeyOverdue", 8_380_800.0),
                    Panel::new("Rows by their key", "Rows that need a data key, by the state of it.", "short", &[
                        ("max by (state) (keyring_rows{$sel})", "{{state}}"),
                    ]).alert("RotationStalled", 1.0),
                    Panel::new("Key-encryption key", "Calls a second, by how they ended.", "ops", &[
                        ("sum by (operation, outcome) (rate(kek_calls_total{$sel}[$__rate_interval]))",
                            "{{operation}} {{outcome}}"),
                    ]).alert("KeyUnavailable", 0.0),
                ],
            },
            Row {
                title: "Who may",
                panels: vec![
                    Panel::new("Refused keys", "Requests without a valid API key, a second, by why.", "ops", &[
                        ("sum by (reason) (rate(apikey_auth_failures_total{$sel}[$__rate_interval]))", "{{reason}}"),
                    ]).alert("AuthFailures", 5.0),
                    Panel::new("Revocations", "95th percentile of the time until a revocation is in effect everywhere.", "s", &[
                        ("histogram_quantile(0.95, sum by (le, by) \
                          (rate(apikey_revocation_effective_seconds_bucket{$sel}[1h])))", "{{by}}"),
                    ]).alert("RevocationLate", 1.0),
                    Panel::new("Memory of keys", "For how long it may be used from now on; at 0 the database is asked.", "s", &[
                        ("apikey_cache_confirmed_seconds{$sel}", "{{instance}}"),
                    ]).alert("RevocationLate", 0.0),
                    Panel::new("Limits", "Refused by a limit, a second, by policy.", "ops", &[
                        ("sum by (policy) (rate(ratelimit_decisions_total{outcome=\"refused\",$sel}[$__rate_interval]))",
                            "{{policy}}"),
                    ]).alert("LimitHitsHigh", 5.0),
                ],
            },
            Row {
                title: "Audit log",
                panels: vec![
                    Panel::new("Entries", "Entries a second, by what came of what they tell.", "ops", &[
                        ("sum by (outcome) (rate(ingest_audit_events_total{$sel}[$__rate_interval]))", "{{outcome}}"),
                    ]),
                    Panel::new("Not on record", "What was not done or shown, and notes that were dropped, in an hour.", "short", &[
                        ("sum(increase(ingest_audit_unrecorded_total{$sel}[1h]))", "not done"),
                        ("sum(increase(ingest_audit_dropped_total{$sel}[1h]))", "dropped"),
                    ]).alert("AuditRefusing", 1.0),
                    Panel::new("Last found sound", "Since the whole log was last found as it was signed.", "s", &[
                        ("time() - ingest_audit_verify_last_success_timestamp_seconds{$sel}", "{{instance}}"),
                    ]).alert("AuditNotVerified", 93_600.0),
                    Panel::new("Erased and still there", "For how long something that was erased may be on the disk.", "s", &[
                        ("ingest_shredding_owed_seconds{$sel}", "{{instance}}"),
                    ]).alert("ErasureLate", 86_400.0),
                ],
            },
        ],
    }
}
