//! Which component has which alerts, and which components are not built yet.

use std::collections::BTreeSet;

use super::Alert;
use crate::catalogue::Catalogue;

/// A component that is built, the alerts that it has to have, and a metric that shows that it is there.
const COMPONENTS: &[(&str, &str, &[&str])] = &[
    ("process", "process_start_time_seconds", &["TargetDown"]),
    (
        "objectives",
        "slo_requests_total",
        &[
            "ErrorBudgetBurn",
            "FailingAtLowTraffic",
            "LatencyHigh",
            "ServerErrors",
            "SliAbsent",
        ],
    ),
    (
        "writer",
        "ingest_commit_failures_total",
        &["CommitFailing", "QueueSaturated"],
    ),
    (
        "database",
        "database_corruption_total",
        &["DatabaseCorrupt"],
    ),
    ("disk", "disk_free_bytes", &["DiskFilling"]),
    ("limits", "ratelimit_decisions_total", &["LimitHitsHigh"]),
    (
        "shared limits",
        "ratelimit_breaker_state",
        &["LimiterDegraded"],
    ),
    (
        "authentication",
        "apikey_auth_failures_total",
        &["AuthFailures"],
    ),
    (
        "API keys",
        "apikey_faults_total",
        &["KeyRowTampered", "RevocationLate"],
    ),
    (
        "data keys",
        "keyring_rows",
        &["KeyOverdue", "KeyUnavailable", "RotationStalled"],
    ),
    (
        "personal data",
        "pii_operations_total",
        &["OpenRejected", "SealFailing"],
    ),
    ("erasure", "ingest_shredding_owed_seconds", &["ErasureLate"]),
    (
        "data quality",
        "dq_outcomes_total",
        &["EventsUnaccounted", "QualityDrop"],
    ),
    (
        "audit log",
        "ingest_audit_entries",
        &[
            "AuditBehind",
            "AuditFinding",
            "AuditNotVerified",
            "AuditRefusing",
            "AuditSilent",
            "AuditUnsound",
        ],
    ),
    (
        "what follows the audit log",
        "ingest_audit_leader",
        &["AuditNotFollowed", "AuditUndelivered"],
    ),
    (
        "archive of the audit log",
        "ingest_audit_archive_lag_seconds",
        &["AuditNotArchived"],
    ),
    (
        "telemetry",
        "telemetry_label_overflow_total",
        &["LabelOverflow", "TelemetryLosing"],
    ),
    ("configuration", "config_problems", &["ConfigSuspect"]),
    ("probes", "probe_success", &["ProbeFailing"]),
    ("alerting", "up", &["Watchdog"]),
];

/// An alert that comes with its component, and a metric that would be there if the component were.
const NOT_BUILT: &[(&str, &str)] = &[
    ("BackupStale", "backup_last_verified_timestamp_seconds"),
    (
        "DrillOverdue",
        "restore_drill_last_passed_timestamp_seconds",
    ),
    (
        "ArchiveLagging",
        "backup_newest_recoverable_timestamp_seconds",
    ),
];

/// Alerts without a component that is built, and components that are built without their alerts.
pub(crate) fn unmatched(alerts: &[Alert], catalogue: &Catalogue) -> Vec<String> {
    let mut unmatched = Vec::new();
    let mut expected = BTreeSet::new();
    for (component, metric, names) in COMPONENTS {
        if !catalogue.has(metric) {
            unmatched.push(format!("{component} is not built: there is no {metric}"));
        }
        expected.extend(names.iter().map(|name| (*name, *component)));
    }
    for (alert, metric) in NOT_BUILT {
        if catalogue.has(metric) {
            unmatched.push(format!("there is {metric}, and so {alert} has to be"));
        }
    }
    let found: BTreeSet<_> = alerts.iter().map(|it| (it.name, it.component)).collect();
    let differing = found.symmetric_difference(&expected);
    unmatched.extend(differing.map(|(alert, component)| {
        format!("{alert} is an alert of {component}, or is to be, and not both")
    }));
    if found.len() < alerts.len() {
        unmatched.push("an alert is there twice".to_owned());
    }
    unmatched
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{alerts, files};

    fn with(metric: &str) -> Catalogue {
        let catalogue = files::read("docs/metrics.json").unwrap();
        let planted = format!(
            "[{{\"name\":\"{metric}\",\"type\":\"gauge\",\"labels\":[],\"buckets\":[],\"at_start\":\"all\"}},"
        );
        Catalogue::read(&catalogue.replacen('[', &planted, 1)).unwrap()
    }

    #[test]
    fn each_component_that_is_built_has_its_alerts_and_no_other_alert_is_there() {
        let catalogue = files::catalogue().unwrap();
        let mut alerts = alerts::all();
        assert_eq!(unmatched(&alerts, &catalogue), [] as [String; 0]);
        let last = alerts.pop().unwrap();
        assert_eq!(unmatched(&alerts, &catalogue).len(), 1, "one is missing");
        alerts.extend([last.clone(), last]);
        assert_eq!(
            unmatched(&alerts, &catalogue).len(),
            1,
            "one is there twice"
        );
        let other = Alert {
            name: "BackupStale",
            component: "backups",
            ..alerts.pop().unwrap()
        };
        alerts.push(other);
        assert_eq!(unmatched(&alerts, &catalogue).len(), 1, "one is of nothing");
    }

    #[test]
    fn a_component_that_is_built_has_to_get_its_alert() {
        for (_, metric) in NOT_BUILT {
            assert_eq!(
                unmatched(&alerts::all(), &with(metric)).len(),
                1,
                "{metric}"
            );
        }
        let nothing = Catalogue::read("[]").unwrap();
        // All but the one that Prometheus itself brings.
        assert_eq!(
            unmatched(&alerts::all(), &nothing).len(),
            COMPONENTS.len() - 1
        );
    }
}
