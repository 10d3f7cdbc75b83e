//! The audit log.

use super::{Alert, Case, Quickness::AtOnce, Rule};

const UNRECORDED: &str = "ingest_audit_unrecorded_total";
const UNSOUND: &str = "ingest_audit_verify_failures_total";
const OTHERS: &str = "ingest_audit_ended_verify_failures_total";
const ANCHOR: &str = "ingest_audit_anchor_age_seconds{anchor=\"database\"}";
const SINK: &str = "ingest_audit_sink_lag_seconds{sink=\"siem\"}";
const FOLLOWS: &str = "ingest_audit_leader{job=\"portcullis\",instance=\"a\"}";
const STANDS_BY: &str = "ingest_audit_leader{job=\"portcullis\",instance=\"b\"}";
const ARCHIVE: &str = "ingest_audit_archive_lag_seconds";
const VERIFIED: &str = "ingest_audit_verify_last_success_timestamp_seconds";
const LEADS: &str = "ingest_audit_leader";
const STARTED: &str = "process_start_time_seconds";
const WRITTEN: &str = "ingest_audit_written_timestamp_seconds";
const EMERGENCY: &str = "ingest_audit_suspicious_total{rule=\"break_glass\"}";
const HOUR: &str = "ingest_audit_suspicious_total{rule=\"hour\"}";
const ENDED: &str = "ingest_audit_sink_ended{sink=\"siem\"}";
const MISSED: &str = "ingest_audit_sink_missed_total{sink=\"siem\"}";
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
            summary: "an audit log of {{ $labels.instance }} is not as it was signed",
            description: "A verification did not find the audit log as it was signed, or that of a process which has \
                          ended, or did not end. What it tells cannot be relied on. First: keep the folder as it is, \
                          and ask for its status.",
            dashboard: "security",
            rules: vec![
                Rule::page("increase(ingest_audit_verify_failures_total[2m]) > 0", 0, AtOnce)
                    .named("own"),
                Rule::page(
                    "increase(ingest_audit_ended_verify_failures_total[2m]) > 0",
                    0,
                    AtOnce,
                )
                .named("of a process that has ended"),
            ],
            cases: vec![
                Case::scraped("of another process", &[(OTHERS, "0x10 1x10")], "3m", 1),
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
            name: "AuditFinding",
            component: "audit log",
            summary: "suspicious access: {{ $labels.rule }}",
            description: "A rule of high severity has found {{ $value | humanize }} in the last 2 min: somebody read in \
                          bulk, or for an emergency. First: the finding in the audit log, and whose \
                          access it was.",
            dashboard: "security",
            rules: vec![Rule::page(
                "sum by (job, instance, rule)\n\
                 (increase(ingest_audit_suspicious_total{rule=~\"bulk|break_glass\"}[2m])) > 0",
                0,
                AtOnce,
            )],
            cases: vec![
                Case::scraped("none", &[(EMERGENCY, "0x20")], "4m", 0),
                Case::scraped("the first", &[(EMERGENCY, "0x10 1x10")], "3m", 1),
                Case::scraped("of less severity", &[(HOUR, "0x10 1x10")], "3m", 0),
                Case::scraped("longer ago", &[(EMERGENCY, "0x4 1x20")], "4m", 0),
                Case::scraped("no data", &[], "4m", 0),
                Case::scraped("restart", &[(EMERGENCY, "4x10 0x10")], "4m", 0),
            ],
        },
        Alert {
            name: "AuditNotVerified",
            component: "audit log",
            summary: "the audit log of {{ $labels.instance }} was not found sound for a day",
            description: "All of the log was last held against what it has signed {{ $value | humanizeDuration }} ago; \
                          it is to be each day. What was changed since would not be noticed. First: what came of the \
                          last verification, in its status.",
            dashboard: "security",
            rules: vec![Rule::ticket(
                "time() - (ingest_audit_verify_last_success_timestamp_seconds > 0\n\
                 or on (job, instance) process_start_time_seconds) > 93600\nand on (job, instance)\n\
                 min_over_time(ingest_audit_leader[2h]) == 1",
                0,
            )],
            cases: vec![
                Case::new(
                    "in time",
                    &[(VERIFIED, "3600x1700"), (LEADS, "1x1700"), (STARTED, "0x1700")],
                    "27h",
                    0,
                ),
                Case::new(
                    "late",
                    &[(VERIFIED, "3600x1700"), (LEADS, "1x1700"), (STARTED, "0x1700")],
                    "27h1m",
                    1,
                ),
                Case::new(
                    "never, and not for long",
                    &[(VERIFIED, "0x1700"), (LEADS, "1x1700"), (STARTED, "3600x1700")],
                    "27h",
                    0,
                ),
                Case::new(
                    "never since a day",
                    &[(VERIFIED, "0x1700"), (LEADS, "1x1700"), (STARTED, "3600x1700")],
                    "27h1m",
                    1,
                ),
                Case::new(
                    "another process verifies",
                    &[(VERIFIED, "0x1800"), (LEADS, "0x1800"), (STARTED, "0x1800")],
                    "28h",
                    0,
                ),
                Case::new(
                    "it goes on for another since less than two hours",
                    &[(VERIFIED, "0x2000"), (LEADS, "0x1620 1x200"), (STARTED, "0x2000")],
                    "28h59m",
                    0,
                ),
                Case::new(
                    "it goes on for another since two hours",
                    &[(VERIFIED, "0x2000"), (LEADS, "0x1620 1x200"), (STARTED, "0x2000")],
                    "29h3m",
                    1,
                ),
                Case::new("no data", &[], "28h", 0),
            ],
        },
        Alert {
            name: "AuditSilent",
            component: "audit log",
            summary: "{{ $labels.instance }} records nothing",
            description: "The last entry of this process is {{ $value | humanizeDuration }} old, and one an hour says \
                          at the least that it is alive. First: whether it answers, and its clock.",
            dashboard: "security",
            rules: vec![Rule::ticket(
                "time() - ingest_audit_written_timestamp_seconds > 3900",
                0,
            )],
            cases: vec![
                Case::new("in time", &[(WRITTEN, "0x70")], "65m", 0),
                Case::new("silent", &[(WRITTEN, "0x70")], "66m", 1),
                Case::new("again", &[(WRITTEN, "0x65 3960x20")], "70m", 0),
                Case::new("no data", &[], "2h", 0),
            ],
        },
        Alert {
            name: "AuditUndelivered",
            component: "what follows the audit log",
            summary: "the sink {{ $labels.sink }} does not get all of the audit log",
            description: "A sink has ended, since its receiver wants no more or took nothing in all attempts, or \
                          entries went by their age before it had them. Others do not see what happened. First: the \
                          receiver that the label names.",
            dashboard: "health",
            rules: vec![
                Rule::ticket("ingest_audit_sink_ended > 0", 0).named("ended"),
                Rule::ticket(
                    "(sum by (job, instance, sink) (increase(ingest_audit_sink_missed_total[10m])) or vector(0)) > 0",
                    0,
                )
                .named("missed"),
            ],
            cases: vec![
                Case::scraped("all of it", &[(ENDED, "0x20"), (MISSED, "0x20")], "4m", 0),
                Case::scraped("ended", &[(ENDED, "0x10 1x10")], "4m", 1),
                Case::scraped("missed", &[(MISSED, "0x10 256x10")], "3m", 1),
                Case::scraped("missed longer ago", &[(MISSED, "0x4 256x60")], "13m", 0),
                Case::scraped("no data", &[], "4m", 0),
                Case::scraped("restart", &[(MISSED, "4x10 0x10")], "4m", 0),
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
