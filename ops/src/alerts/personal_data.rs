//! Sealing and opening.

use super::{Alert, Case, Quickness::AtOnce, Rule};

const SEAL: &str = "pii_operations_total{operation=\"seal\",purpose=\"email\",outcome=\"failed\"}";
const OPEN: &str =
    "pii_operations_total{operation=\"open\",purpose=\"email\",outcome=\"rejected\"}";

pub(super) fn alerts() -> Vec<Alert> {
    vec![
        Alert {
            name: "SealFailing",
            component: "personal data",
            summary: "{{ $labels.instance }} could not seal {{ $labels.purpose }} ({{ $labels.outcome }})",
            description: "{{ $value | humanize }} values of the last 2 min could not be sealed, and what they stood in \
                          was refused. First: the state of the data keys, and the provider of keys.",
            dashboard: "security",
            rules: vec![Rule::page(
                "increase(pii_operations_total{operation=\"seal\",outcome!=\"ok\"}[2m]) > 0",
                0,
                AtOnce,
            )],
            cases: vec![
                Case::scraped("none", &[(SEAL, "0x20")], "4m", 0),
                Case::scraped("the first", &[(SEAL, "0x10 1x10")], "3m", 1),
                Case::scraped("no data", &[], "4m", 0),
                Case::scraped("restart", &[(SEAL, "4x10 0x10")], "4m", 0),
            ],
        },
        Alert {
            name: "OpenRejected",
            component: "personal data",
            summary: "sealed {{ $labels.purpose }} is not what {{ $labels.instance }} sealed",
            description: "{{ $value | humanize }} values of the last 2 min did not open under their key: they were \
                          changed or moved, or the key is another one. First: overwrite nothing; the runbook.",
            dashboard: "security",
            rules: vec![Rule::page(
                "increase(pii_operations_total{operation=\"open\",outcome=\"rejected\"}[2m]) > 0",
                0,
                AtOnce,
            )],
            cases: vec![
                Case::scraped("none", &[(OPEN, "0x20")], "4m", 0),
                Case::scraped("the first", &[(OPEN, "0x10 1x10")], "3m", 1),
                Case::scraped("no data", &[], "4m", 0),
                Case::scraped("restart", &[(OPEN, "4x10 0x10")], "4m", 0),
            ],
        },
        Alert {
            name: "ErasureLate",
            component: "erasure",
            summary: "what was erased is not gone from the disk of {{ $labels.instance }}",
            description: "Something that was erased may still stand in the files of the database after a day, or an \
                          erasure could not be noted and did not happen. First: the log and /readyz say why.",
            dashboard: "security",
            rules: vec![
                Rule::ticket("ingest_shredding_owed_seconds > 86400", 0).named("on the disk"),
                Rule::ticket("delta(ingest_erasures_unnoted[2m]) > 0", 0).named("unnoted"),
            ],
            cases: vec![
                Case::scraped(
                    "a day",
                    &[("ingest_shredding_owed_seconds", "86400x9")],
                    "1m",
                    0,
                ),
                Case::scraped(
                    "longer",
                    &[("ingest_shredding_owed_seconds", "86401x9")],
                    "1m",
                    1,
                ),
                Case::scraped(
                    "not noted",
                    &[("ingest_erasures_unnoted", "0x4 1x9")],
                    "2m",
                    1,
                ),
                Case::scraped(
                    "not noted long ago",
                    &[("ingest_erasures_unnoted", "0x4 1x20")],
                    "5m",
                    0,
                ),
                Case::scraped(
                    "restart",
                    &[("ingest_erasures_unnoted", "3x4 0x9")],
                    "2m",
                    0,
                ),
                Case::scraped("no data", &[], "1m", 0),
            ],
        },
    ]
}
