//! Whether the service answers, in time and without failing, and what it writes to.

use super::{
    Alert, Case,
    Quickness::{AtOnce, Climbs},
    Rule,
};

const BAD: &str = "slo_requests_total{slo=\"availability\",verdict=\"bad\"}";
const GOOD: &str = "slo_requests_total{slo=\"availability\",verdict=\"good\"}";
const LATE: &str = "slo_requests_total{slo=\"latency\",verdict=\"bad\"}";
const IN_TIME: &str = "slo_requests_total{slo=\"latency\",verdict=\"good\"}";
const UP: &str = "up{job=\"portcullis\",instance=\"a\"}";

pub(super) fn alerts() -> Vec<Alert> {
    let mut alerts = answers();
    alerts.extend(storage());
    alerts
}

fn answers() -> Vec<Alert> {
    vec![
        Alert {
            name: "TargetDown",
            component: "process",
            summary: "{{ $labels.instance }} does not answer",
            description: "Prometheus has had no answer of {{ $labels.instance }} for a minute: its senders have none \
                          either. First: start it, and read the last minute of its log.",
            dashboard: "overview",
            rules: vec![Rule::page("up{job=\"portcullis\"} == 0", 60, Climbs(5.0))],
            cases: vec![
                Case::scraped("answers", &[(UP, "1x20")], "5m", 0),
                Case::scraped("one missed scrape", &[(UP, "1 1 0 1x20")], "2m", 0),
                Case::scraped("down for a minute", &[(UP, "1 1 0x20")], "1m45s", 1),
                Case::scraped("back", &[(UP, "0x10 1x10")], "4m", 0),
                Case::scraped("no data", &[], "2m", 0),
            ],
        },
        Alert {
            name: "LatencyHigh",
            component: "objectives",
            summary: "more than 5 % of answers of {{ $labels.instance }} are later than 120 ms",
            description: "{{ $value | humanizePercentage }} of the answers 2xx of the last 2 min took longer than \
                          120 ms, so that the 95th percentile is above it. Senders wait. First: the queue, the time \
                          of commits, the database, the processor, in this order.",
            dashboard: "performance",
            rules: vec![Rule::page(
                "sum by (job, instance) (rate(slo_requests_total{slo=\"latency\",verdict=\"bad\"}[2m]))\n/\n\
                 sum by (job, instance) (rate(slo_requests_total{slo=\"latency\"}[2m]))\n> 0.05\nand\n\
                 sum by (job, instance) (increase(slo_requests_total{slo=\"latency\"}[2m])) >= 50",
                30,
                Climbs(6.0),
            )],
            cases: vec![
                Case::scraped("below", &[(LATE, "0+4x30"), (IN_TIME, "0+96x30")], "5m", 0),
                Case::scraped("at", &[(LATE, "0+5x30"), (IN_TIME, "0+95x30")], "5m", 0),
                Case::scraped("above", &[(LATE, "0+6x30"), (IN_TIME, "0+94x30")], "5m", 1),
                Case::scraped(
                    "few answers",
                    &[(LATE, "0+1x30"), (IN_TIME, "0+4x30")],
                    "5m",
                    0,
                ),
                Case::scraped(
                    "a little over fifty answers",
                    &[(LATE, "0+1x30"), (IN_TIME, "0+9x30")],
                    "5m",
                    1,
                ),
                Case::scraped("no data", &[], "5m", 0),
                Case::scraped(
                    "restart",
                    &[(LATE, "900x10 0x30"), (IN_TIME, "900x10 0+90x30")],
                    "5m",
                    0,
                ),
            ],
        },
        Alert {
            name: "ServerErrors",
            component: "objectives",
            summary: "{{ $labels.instance }} answers more than 1 % of requests with 5xx",
            description: "{{ $value | humanizePercentage }} of the answers of the last 2 min say that the service \
                          failed. Senders have to send again. First: /readyz names the component and what to do.",
            dashboard: "overview",
            rules: vec![Rule::page(
                "sum by (job, instance) (rate(slo_requests_total{slo=\"availability\",verdict=\"bad\"}[2m]))\n/\n\
                 sum by (job, instance) (rate(slo_requests_total{slo=\"availability\"}[2m]))\n> 0.01\nand\n\
                 sum by (job, instance) \
                 (increase(slo_requests_total{slo=\"availability\",verdict=\"bad\"}[2m])) >= 10",
                30,
                Climbs(1.2),
            )],
            cases: vec![
                Case::scraped("below", &[(BAD, "0+9x30"), (GOOD, "0+991x30")], "5m", 0),
                Case::scraped("at", &[(BAD, "0+10x30"), (GOOD, "0+990x30")], "5m", 0),
                Case::scraped("above", &[(BAD, "0+11x30"), (GOOD, "0+989x30")], "5m", 1),
                Case::scraped(
                    "nine in all",
                    &[(BAD, "0x10 8x30"), (GOOD, "0+1x40")],
                    "4m",
                    0,
                ),
                Case::scraped(
                    "the first ten ever",
                    &[(BAD, "0x10 12x30"), (GOOD, "0+1x40")],
                    "3m30s",
                    1,
                ),
                Case::scraped("no data", &[], "5m", 0),
                Case::scraped(
                    "restart",
                    &[(BAD, "500x10 0x30"), (GOOD, "900x10 0+90x30")],
                    "5m",
                    0,
                ),
            ],
        },
        Alert {
            name: "SliAbsent",
            component: "objectives",
            summary: "{{ $labels.instance }} does not tell whether it keeps its objectives",
            description: "{{ $labels.instance }} is scraped and has {{ $value }} of the 8 series of \
                          slo_requests_total: no objective and none of the alerts on them can be judged. First: the \
                          scrape, and the version that runs.",
            dashboard: "health",
            rules: vec![Rule::page(
                "(count by (job, instance) (slo_requests_total) or 0 * up{job=\"portcullis\"}) < 8\nand\n\
                 up{job=\"portcullis\"} == 1",
                60,
                AtOnce,
            )],
            cases: vec![
                Case::scraped("none of them", &[(UP, "1x20")], "2m", 1),
                Case::scraped(
                    "two of them",
                    &[
                        (UP, "1x20"),
                        (
                            "slo_requests_total{job=\"portcullis\",instance=\"a\",slo=\"latency\",verdict=\"bad\"}",
                            "0x20",
                        ),
                        (
                            "slo_requests_total{job=\"portcullis\",instance=\"a\",slo=\"latency\",verdict=\"good\"}",
                            "0x20",
                        ),
                    ],
                    "2m",
                    1,
                ),
                Case::scraped("down, which is another alert", &[(UP, "0x20")], "2m", 0),
                Case::scraped("no data", &[], "2m", 0),
            ],
        },
        Alert {
            name: "Watchdog",
            component: "alerting",
            summary: "always fires: what misses it outside raises the alarm",
            description: "Nothing is wrong. It shows that Prometheus evaluates rules and Alertmanager delivers. A \
                          dead man's switch outside has to miss it when it stops.",
            dashboard: "health",
            rules: vec![Rule {
                severity: super::Severity::Heartbeat,
                ..Rule::page("vector(1)", 0, AtOnce)
            }],
            cases: vec![Case::scraped("always", &[], "1m", 1)],
        },
    ]
}

fn storage() -> Vec<Alert> {
    vec![
        Alert {
            name: "CommitFailing",
            component: "writer",
            summary: "{{ $labels.instance }} cannot write",
            description: "{{ $value | humanize }} groups of the last 2 min were not written: their senders were \
                          answered 503. First: free room on the disk, end what locks the file.",
            dashboard: "performance",
            rules: vec![Rule::page(
                "increase(ingest_commit_failures_total[2m]) > 0",
                0,
                AtOnce,
            )],
            cases: vec![
                Case::scraped("none", &[("ingest_commit_failures_total", "0x20")], "4m", 0),
                Case::scraped(
                    "the first",
                    &[("ingest_commit_failures_total", "0x10 1x10")],
                    "3m",
                    1,
                ),
                Case::scraped(
                    "over",
                    &[("ingest_commit_failures_total", "0x10 1x20")],
                    "6m",
                    0,
                ),
                Case::scraped("no data", &[], "4m", 0),
                Case::scraped(
                    "restart",
                    &[("ingest_commit_failures_total", "7x10 0x10")],
                    "4m",
                    0,
                ),
            ],
        },
        Alert {
            name: "DatabaseCorrupt",
            component: "database",
            summary: "the database of {{ $labels.instance }} has a damaged page",
            description: "{{ $value }} statements met a damaged page; nothing is written any more. First: stop the \
                          service, keep the file as it is, restore a backup.",
            dashboard: "health",
            rules: vec![Rule::page("database_corruption_total > 0", 0, AtOnce)],
            cases: vec![
                Case::scraped("none", &[("database_corruption_total", "0x20")], "4m", 0),
                Case::scraped(
                    "one",
                    &[("database_corruption_total", "0x10 1x10")],
                    "3m",
                    1,
                ),
                Case::scraped("no data", &[], "4m", 0),
                Case::scraped(
                    "restart",
                    &[("database_corruption_total", "3x10 0x10")],
                    "4m",
                    0,
                ),
            ],
        },
        Alert {
            name: "QueueSaturated",
            component: "writer",
            summary: "what waits to be written by {{ $labels.instance }} has nearly no room",
            description: "The queue is over 80 % full, or events were refused for want of room in it. Senders are \
                          answered 503. First: the time of commits; then more processes.",
            dashboard: "performance",
            rules: vec![
                Rule::page(
                    "ingest_write_queue_rows / ingest_write_queue_capacity_rows > 0.8",
                    60,
                    AtOnce,
                )
                .named("full"),
                Rule::page(
                    "increase(dq_rejected_total{reason=\"capacity.queue_full\"}[2m]) > 0",
                    0,
                    AtOnce,
                )
                .named("refused"),
            ],
            cases: vec![
                Case::scraped(
                    "below",
                    &[
                        ("ingest_write_queue_rows", "79x20"),
                        ("ingest_write_queue_capacity_rows", "100x20"),
                    ],
                    "4m",
                    0,
                ),
                Case::scraped(
                    "at",
                    &[
                        ("ingest_write_queue_rows", "80x20"),
                        ("ingest_write_queue_capacity_rows", "100x20"),
                    ],
                    "4m",
                    0,
                ),
                Case::scraped(
                    "above",
                    &[
                        ("ingest_write_queue_rows", "81x20"),
                        ("ingest_write_queue_capacity_rows", "100x20"),
                    ],
                    "4m",
                    1,
                ),
                Case::scraped(
                    "the first refusal",
                    &[(
                        "dq_rejected_total{reason=\"capacity.queue_full\"}",
                        "0x10 1x10",
                    )],
                    "3m",
                    1,
                ),
                Case::scraped("no data", &[], "4m", 0),
            ],
        },
        Alert {
            name: "DiskFilling",
            component: "disk",
            summary: "the disk of {{ $labels.instance }} is nearly full",
            description: "Less than 10 % is free, or nothing will be in 4 h at the rate of the last one; when it is \
                          full nothing can be written. First: prune what may go, or grow the disk.",
            dashboard: "health",
            rules: vec![
                Rule::page("disk_free_bytes / disk_size_bytes < 0.1", 60, AtOnce).named("room"),
                // What fills a disk takes its time: the rule above holds when it is quick.
                Rule {
                    quickness: super::Quickness::After("DiskFilling"),
                    ..Rule::page(
                        "predict_linear(disk_free_bytes[1h], 4 * 3600) < 0",
                        300,
                        AtOnce,
                    )
                    .named("trend")
                },
            ],
            cases: vec![
                Case::scraped(
                    "a tenth is free",
                    &[
                        ("disk_free_bytes{volume=\"data\"}", "10x20"),
                        ("disk_size_bytes{volume=\"data\"}", "100x20"),
                    ],
                    "4m",
                    0,
                ),
                Case::scraped(
                    "less than a tenth",
                    &[
                        ("disk_free_bytes{volume=\"data\"}", "9x20"),
                        ("disk_size_bytes{volume=\"data\"}", "100x20"),
                    ],
                    "4m",
                    1,
                ),
                Case::new(
                    "full in three hours",
                    &[
                        ("disk_free_bytes{volume=\"data\"}", "900-4x90"),
                        ("disk_size_bytes{volume=\"data\"}", "1000x90"),
                    ],
                    "80m",
                    1,
                ),
                Case::new(
                    "full in a day",
                    &[
                        ("disk_free_bytes{volume=\"data\"}", "9000-4x90"),
                        ("disk_size_bytes{volume=\"data\"}", "10000x90"),
                    ],
                    "80m",
                    0,
                ),
                Case::new(
                    "since less than five minutes",
                    &[
                        ("disk_free_bytes{volume=\"data\"}", "900-4x90"),
                        ("disk_size_bytes{volume=\"data\"}", "1000x90"),
                    ],
                    "5m",
                    0,
                ),
                Case::new(
                    "since five minutes",
                    &[
                        ("disk_free_bytes{volume=\"data\"}", "900-4x90"),
                        ("disk_size_bytes{volume=\"data\"}", "1000x90"),
                    ],
                    "7m",
                    1,
                ),
                Case::new(
                    "full in a moment more than four hours",
                    &[
                        ("disk_free_bytes{volume=\"data\"}", "3.7-0.01x90"),
                        ("disk_size_bytes{volume=\"data\"}", "20x90"),
                    ],
                    "80m",
                    0,
                ),
                Case::scraped("no data", &[], "4m", 0),
            ],
        },
    ]
}
