//! Limits, and secrets that are tried.

use super::{Alert, Case, Quickness::Climbs, Rule};

const REFUSED: &str = "ratelimit_decisions_total{policy=\"free/write\",outcome=\"refused\"}";
const REFUSED_OF_A: &str =
    "ratelimit_decisions_total{instance=\"a\",policy=\"free/write\",outcome=\"refused\"}";
const REFUSED_OF_B: &str =
    "ratelimit_decisions_total{instance=\"b\",policy=\"free/write\",outcome=\"refused\"}";
const ADMITTED: &str = "ratelimit_decisions_total{policy=\"free/write\",outcome=\"admitted\"}";
const WRONG: &str = "apikey_auth_failures_total{reason=\"wrong\"}";
const ANSWERED: &str = "slo_requests_total{slo=\"availability\",verdict=\"good\"}";

pub(super) fn alerts() -> Vec<Alert> {
    vec![
        Alert {
            name: "LimitHitsHigh",
            component: "limits",
            summary: "{{ $labels.policy }} refuses more than a fifth of what is asked",
            description: "{{ $value | humanize }} requests a second are refused by {{ $labels.policy }}. Their \
                          senders wait and send again. First: /admin/limits, and the log names the tenants: raise \
                          their limit, talk to them, or leave it.",
            dashboard: "security",
            rules: vec![Rule::ticket(
                "(sum by (job, instance, policy) (rate(ratelimit_decisions_total{outcome=\"refused\"}[2m])) \
                 or vector(0)) > 5\nand\n\
                 (sum by (job, instance, policy) (rate(ratelimit_decisions_total{outcome=\"refused\"}[2m])) \
                 or vector(0))\n\
                 > 0.2 * (sum by (job, instance, policy) (rate(ratelimit_decisions_total[2m])) or vector(0))",
                30,
            )],
            cases: vec![
                Case::scraped(
                    "a fifth",
                    &[(REFUSED, "0+150x30"), (ADMITTED, "0+600x30")],
                    "5m",
                    0,
                ),
                Case::scraped(
                    "more than a fifth",
                    &[(REFUSED, "0+151x30"), (ADMITTED, "0+600x30")],
                    "5m",
                    1,
                ),
                Case::scraped(
                    "five a second",
                    &[(REFUSED, "0+75x30"), (ADMITTED, "0+1x30")],
                    "5m",
                    0,
                ),
                Case::scraped(
                    "more than five a second",
                    &[(REFUSED, "0+76x30"), (ADMITTED, "0+1x30")],
                    "5m",
                    1,
                ),
                Case::scraped(
                    "for half a minute",
                    &[(REFUSED, "0+2000x30"), (ADMITTED, "0+1x30")],
                    "1m",
                    1,
                ),
                Case::scraped(
                    "two processes, each with three a second",
                    &[
                        (REFUSED_OF_A, "0+45x30"),
                        (REFUSED_OF_B, "0+45x30"),
                        (ADMITTED, "0+1x30"),
                    ],
                    "5m",
                    0,
                ),
                Case::scraped("no data", &[], "5m", 0),
                Case::scraped(
                    "restart",
                    &[(REFUSED, "9000x10 0x30"), (ADMITTED, "0+600x40")],
                    "5m",
                    0,
                ),
            ],
        },
        Alert {
            name: "LimiterDegraded",
            component: "shared limits",
            summary: "{{ $labels.instance }} counts limits without Redis",
            description: "Redis has not been asked for a minute: each process counts for itself, with its part of \
                          each limit. Senders may be refused too early. First: Redis.",
            dashboard: "security",
            rules: vec![Rule::ticket(
                "ratelimit_breaker_state > 0 or ratelimit_heartbeats_missed > 1",
                60,
            )],
            cases: vec![
                Case::scraped(
                    "asked",
                    &[
                        ("ratelimit_breaker_state", "0x20"),
                        ("ratelimit_heartbeats_missed", "1x20"),
                    ],
                    "4m",
                    0,
                ),
                Case::scraped(
                    "not asked",
                    &[
                        ("ratelimit_breaker_state", "0x4 2x20"),
                        ("ratelimit_heartbeats_missed", "0x24"),
                    ],
                    "3m",
                    1,
                ),
                Case::scraped(
                    "no heartbeat",
                    &[
                        ("ratelimit_breaker_state", "0x20"),
                        ("ratelimit_heartbeats_missed", "2x20"),
                    ],
                    "4m",
                    1,
                ),
                Case::scraped(
                    "one request tries",
                    &[
                        ("ratelimit_breaker_state", "1x20"),
                        ("ratelimit_heartbeats_missed", "0x20"),
                    ],
                    "4m",
                    1,
                ),
                Case::scraped("no data", &[], "4m", 0),
            ],
        },
        Alert {
            name: "AuthFailures",
            component: "authentication",
            summary: "many requests to {{ $labels.instance }} have no valid API key",
            description: "{{ $value | humanize }} requests a second are refused for their key, more than 30 % of all. \
                          First: the addresses in the log: a client with an old key, or somebody who tries keys?",
            dashboard: "security",
            rules: vec![Rule::page(
                "sum by (job, instance) (rate(apikey_auth_failures_total[2m])) > 5\nand\n\
                 sum by (job, instance) (rate(apikey_auth_failures_total[2m]))\n\
                 > 0.3 * sum by (job, instance) (rate(slo_requests_total{slo=\"availability\"}[2m]))",
                30,
                Climbs(36.0),
            )],
            cases: vec![
                Case::scraped(
                    "five a second",
                    &[(WRONG, "0+75x30"), (ANSWERED, "0+75x30")],
                    "5m",
                    0,
                ),
                Case::scraped(
                    "more",
                    &[(WRONG, "0+76x30"), (ANSWERED, "0+76x30")],
                    "5m",
                    1,
                ),
                Case::scraped(
                    "30 % of all",
                    &[(WRONG, "0+300x30"), (ANSWERED, "0+1000x30")],
                    "5m",
                    0,
                ),
                Case::scraped(
                    "more than 30 %",
                    &[(WRONG, "0+301x30"), (ANSWERED, "0+1000x30")],
                    "5m",
                    1,
                ),
                Case::scraped("no data", &[], "5m", 0),
                Case::scraped(
                    "restart",
                    &[(WRONG, "9000x10 0x30"), (ANSWERED, "0+600x40")],
                    "5m",
                    0,
                ),
            ],
        },
    ]
}
