//! The audit log.

use super::{Alert, Case, Quickness::AtOnce, Rule};

const UNRECORDED: &str = "ingest_audit_unrecorded_total";
const UNSOUND: &str = "ingest_audit_verify_failures_total";
const ANCHOR: &str = "ingest_audit_anchor_age_seconds{anchor=\"database\"}";
const SINK: &str = "ingest_audit_sink_lag_seconds{sink=\"siem\"}";
const DROPPED: &str = "ingest_audit_dropped_total{why=\"full\"}";

pub(super) fn alerts() -> Vec<Alert> {
    vec![
        Alert {
            name: "AuditRefusing",
            component: "audit log",
            summary: "{{ $labels.instance }} refuses what it cannot put on record",
            description: "{{ $value | humanize }} requests of the last 2 min were not done or shown since the audit \
                          log could not be written. First: room on its disk.",
            dashboard: "security",
            rules: vec![Rule::page(
                "increase(ingest_audit_unrecorded_total[2m]) > 0",
                0,
                AtOnce,
            )],
            cases: vec![
                Case::scraped("none", &[(UNRECORDED, "0x20")], "4m", 0),
                Case::scraped("the first", &[(UNRECORDED, "0x10 1x10")], "3m", 1),
                Case::scraped("no data", &[], "4m", 0),
                Case::scraped("restart", &[(UNRECORDED, "4x10 0x10")], "4m", 0),
            ],
        },
        Alert {
            name: "AuditUnsound",
            component: "audit log",
            summary: "the audit log of {{ $labels.instance }} is not as it was signed",
            description: "A verification did not find the audit log as it was signed, or did not end. What it tells \
                          cannot be relied on. First: keep the folder as it is, and ask for its status.",
            dashboard: "security",
            rules: vec![Rule::page(
                "increase(ingest_audit_verify_failures_total[2m]) > 0",
                0,
                AtOnce,
            )],
            cases: vec![
                Case::scraped("none", &[(UNSOUND, "0x20")], "4m", 0),
                Case::scraped("the first", &[(UNSOUND, "0x10 1x10")], "3m", 1),
                Case::scraped("no data", &[], "4m", 0),
                Case::scraped("restart", &[(UNSOUND, "4x10 0x10")], "4m", 0),
            ],
        },
        Alert {
            name: "AuditBehind",
            component: "audit log",
            summary: "the audit log of {{ $labels.instance }} is not where it has to be",
            description: "An anchor is older than 5 min, a sink behind by more than 10 min, or notes were dropped: \
                          an old copy might not be noticed, and others see late what happened. First: the anchor or \
                          the receiver that the labels name.",
            dashboard: "security",
            rules: vec![
                Rule::ticket("ingest_audit_anchor_age_seconds > 300", 0),
                Rule::ticket("ingest_audit_sink_lag_seconds > 600", 0),
                Rule::ticket("increase(ingest_audit_dropped_total[10m]) > 0", 0),
            ],
            cases: vec![
                Case::scraped(
                    "in time",
                    &[(ANCHOR, "300x20"), (SINK, "600x20"), (DROPPED, "0x20")],
                    "4m",
                    0,
                ),
                Case::scraped("an old anchor", &[(ANCHOR, "301x20")], "4m", 1),
                Case::scraped("a late sink", &[(SINK, "601x20")], "4m", 1),
                Case::scraped(
                    "the first that was dropped",
                    &[(DROPPED, "0x10 1x10")],
                    "3m",
                    1,
                ),
                Case::scraped("no data", &[], "4m", 0),
            ],
        },
    ]
}
