//! The quality of what comes in, and that all of it is accounted for.

use super::{Alert, Case, Quickness::AtOnce, Rule};

const REJECTED: &str = "dq_outcomes_total{tenant=\"acme\",outcome=\"rejected\"}";
const RECEIVED: &str = "dq_received_total{tenant=\"acme\"}";
const LOST: &str = "dq_outcomes_total{instance=\"a\",tenant=\"acme\",outcome=\"lost\"}";

pub(super) fn alerts() -> Vec<Alert> {
    vec![
        Alert {
            name: "QualityDrop",
            component: "data quality",
            summary: "much of what {{ $labels.tenant }} sends is refused",
            description: "{{ $value | humanizePercentage }} of what {{ $labels.tenant }} sent in 10 min was refused, \
                          more than three times the share of the last day. First: /admin/quality: the reasons, the \
                          samples, the versions of schemas.",
            dashboard: "quality",
            rules: vec![Rule::ticket(
                "(sum by (tenant) (increase(dq_outcomes_total{outcome=\"rejected\"}[10m])) or vector(0))\n/\n\
                 (sum by (tenant) (increase(dq_received_total[10m])) or vector(0))\n> 0.05\nand\n\
                 (sum by (tenant) (increase(dq_received_total[10m])) or vector(0)) >= 100\nand\n\
                 (sum by (tenant) (increase(dq_outcomes_total{outcome=\"rejected\"}[10m])) or vector(0))\n/\n\
                 (sum by (tenant) (increase(dq_received_total[10m])) or vector(0))\n> 3 *\n\
                 (sum by (tenant) (increase(dq_outcomes_total{outcome=\"rejected\"}[1d])) or vector(0))\n/\n\
                 (sum by (tenant) (increase(dq_received_total[1d])) or vector(0))",
                0,
            )],
            cases: vec![
                Case::new(
                    "a drop of a little over a hundred events",
                    &[(REJECTED, "0x60 0+10x20"), (RECEIVED, "0+20x80")],
                    "75m",
                    1,
                ),
                Case::new(
                    "a drop",
                    &[(REJECTED, "0x60 0+10x20"), (RECEIVED, "0+100x80")],
                    "75m",
                    1,
                ),
                Case::new(
                    "always so",
                    &[(REJECTED, "0+10x80"), (RECEIVED, "0+100x80")],
                    "75m",
                    0,
                ),
                Case::new(
                    "a twentieth",
                    &[(REJECTED, "0x60 0+5x20"), (RECEIVED, "0+100x80")],
                    "75m",
                    0,
                ),
                Case::new(
                    "few events",
                    &[(REJECTED, "0x60 0+1x20"), (RECEIVED, "0+9x80")],
                    "75m",
                    0,
                ),
                Case::new("no data", &[], "1h", 0),
            ],
        },
        Alert {
            name: "EventsUnaccounted",
            component: "data quality",
            summary: "{{ $labels.instance }} does not know what became of events",
            description: "{{ $value }} events have no outcome and are not being worked on, or were lost. First: \
                          compare what the sender has sent with what is stored; it may send again.",
            dashboard: "quality",
            rules: vec![
                // A request brings a thousand events at most.
                Rule::page(
                    "dq_unaccounted > 1000 * ingest_requests_in_flight + ingest_write_queue_rows",
                    60,
                    AtOnce,
                )
                .named("open"),
                // Its series begins with the first that is lost, which `increase` would not see.
                Rule::page(
                    "sum by (job, instance) (dq_outcomes_total{outcome=\"lost\"})\n-\n\
                     (sum by (job, instance) (dq_outcomes_total{outcome=\"lost\"} offset 2m) or 0 * up)\n> 0",
                    0,
                    AtOnce,
                )
                .named("lost"),
            ],
            cases: vec![
                Case::scraped(
                    "more than are at work",
                    &[
                        ("dq_unaccounted", "1500x20"),
                        ("ingest_requests_in_flight", "1x20"),
                        ("ingest_write_queue_rows", "0x20"),
                    ],
                    "4m",
                    1,
                ),
                Case::scraped(
                    "at work",
                    &[
                        ("dq_unaccounted", "1000x20"),
                        ("ingest_requests_in_flight", "1x20"),
                        ("ingest_write_queue_rows", "0x20"),
                    ],
                    "4m",
                    0,
                ),
                Case::scraped(
                    "more than can be at work",
                    &[
                        ("dq_unaccounted", "50x20"),
                        ("ingest_requests_in_flight", "0x20"),
                        ("ingest_write_queue_rows", "0x20"),
                    ],
                    "4m",
                    1,
                ),
                Case::scraped(
                    "the first that is lost",
                    &[("up{instance=\"a\"}", "1x20"), (LOST, "_x10 1x10")],
                    "3m30s",
                    1,
                ),
                Case::scraped(
                    "lost long ago",
                    &[("up{instance=\"a\"}", "1x20"), (LOST, "1x20")],
                    "4m",
                    0,
                ),
                Case::scraped("no data", &[], "4m", 0),
            ],
        },
    ]
}
