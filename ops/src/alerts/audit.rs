//! The audit log.

use super::{Alert, Case, Quickness::AtOnce, Rule};

const UNRECORDED: &str = "ingest_audit_unrecorded_total";
const UNSOUND: &str = "ingest_audit_verify_failures_total";
const ANCHOR: &str = "ingest_audit_anchor_age_seconds{anchor=\"database\"}";
const SINK: &str = "ingest_audit_sink_lag_seconds{sink=\"siem\"}";
const FOLLOWS: &str = "ingest_audit_leader{job=\"portcullis\",instance=\"a\"}";
const STANDS_BY: &str = "ingest_audit_leader{job=\"portcullis\",instance=\"b\"}";
const ARCHIVE: &str = "ingest_audit_archive_lag_seconds";
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
                Rule::ticket("ingest_audit_anchor_age_seconds > 300", 0).named("anchor"),
                Rule::ticket("ingest_audit_sink_lag_seconds > 600", 0).named("sink"),
                Rule::ticket("increase(ingest_audit_dropped_total[10m]) > 0", 0).named("dropped"),
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
        Alert {
            name: "AuditNotFollowed",
            component: "what follows the audit log",
            summary: "no process of {{ $labels.job }} follows the audit log",
            description: "For a minute none of the processes has delivered the audit log, looked for suspicious \
                          access, verified it or filled its archive. It is written all the same. First: a process \
                          that is stopped and keeps the lock, or a file `leader` that cannot be opened.",
            dashboard: "health",
            rules: vec![Rule::ticket("max by (job) (ingest_audit_leader) == 0", 60)],
            cases: vec![
                Case::scraped(
                    "one of two follows",
                    &[(FOLLOWS, "1x20"), (STANDS_BY, "0x20")],
                    "4m",
                    0,
                ),
                Case::scraped(
                    "another goes on in time",
                    &[(FOLLOWS, "1x4 0x20"), (STANDS_BY, "0x7 1x20")],
                    "4m",
                    0,
                ),
                Case::scraped(
                    "none for less than a minute",
                    &[(FOLLOWS, "1x4 0x20"), (STANDS_BY, "0x20")],
                    "2m",
                    0,
                ),
                Case::scraped(
                    "none for a minute",
                    &[(FOLLOWS, "1x4 0x20"), (STANDS_BY, "0x20")],
                    "2m15s",
                    1,
                ),
                Case::scraped("no data", &[], "4m", 0),
            ],
        },
        Alert {
            name: "AuditNotArchived",
            component: "archive of the audit log",
            summary: "the archive of the audit log of {{ $labels.instance }} is behind",
            description: "The oldest entry that the archive does not have waits for {{ $value | humanizeDuration }}; \
                          the archive is filled each hour. What is lost with the disk before then is lost. First: \
                          whether the archive can be written.",
            dashboard: "health",
            rules: vec![Rule::ticket("ingest_audit_archive_lag_seconds > 7200", 0)],
            cases: vec![
                Case::scraped("below", &[(ARCHIVE, "3600x20")], "4m", 0),
                Case::scraped("at", &[(ARCHIVE, "7200x20")], "4m", 0),
                Case::scraped("above", &[(ARCHIVE, "7201x20")], "4m", 1),
                Case::scraped("filled again", &[(ARCHIVE, "9000x10 0x10")], "4m", 0),
                Case::scraped("no data", &[], "4m", 0),
            ],
        },
    ]
}
