//! API keys, data keys and key-encryption keys.

use super::{
    Alert, Case,
    Quickness::{AtOnce, Climbs},
    Rule,
};

const TAMPERED: &str = "apikey_faults_total{kind=\"row_rejected\"}";
const LATE: &str = "slo_requests_total{slo=\"revocation\",verdict=\"bad\"}";
const FAILED: &str =
    "kek_calls_total{provider=\"local\",operation=\"unwrap_key\",outcome=\"unavailable\"}";
const WRAPPED: &str = "kek_calls_total{provider=\"local\",operation=\"unwrap_key\",outcome=\"ok\"}";
const FAILED_OF_A: &str = "kek_calls_total{instance=\"a\",provider=\"aws\",operation=\"unwrap_key\",outcome=\"unavailable\"}";
const WRAPPED_BY_B: &str =
    "kek_calls_total{instance=\"b\",provider=\"aws\",operation=\"unwrap_key\",outcome=\"ok\"}";
const DISABLED: &str = "keyring_faults_total{kind=\"refused_key\"}";
const RETIRED: &str = "keyring_rows{state=\"decrypt-only\"}";

pub(super) fn alerts() -> Vec<Alert> {
    let mut alerts = api_keys();
    alerts.extend(data_keys());
    alerts
}

fn api_keys() -> Vec<Alert> {
    vec![
        Alert {
            name: "KeyRowTampered",
            component: "API keys",
            summary: "a row of the API keys was changed by something else than the service",
            description: "{{ $value | humanize }} rows were not served in the last 2 min since their code of \
                          authenticity is wrong. Their owners are refused. First: who wrote to the table? \
                          Read the audit log.",
            dashboard: "security",
            rules: vec![Rule::page(
                "increase(apikey_faults_total{kind=\"row_rejected\"}[2m]) > 0",
                0,
                AtOnce,
            )],
            cases: vec![
                Case::scraped("none", &[(TAMPERED, "0x20")], "4m", 0),
                Case::scraped("the first", &[(TAMPERED, "0x10 1x10")], "3m", 1),
                Case::scraped("no data", &[], "4m", 0),
                Case::scraped("restart", &[(TAMPERED, "4x10 0x10")], "4m", 0),
            ],
        },
        Alert {
            name: "RevocationLate",
            component: "API keys",
            summary: "revoked keys may be accepted for longer than is promised",
            description: "A revocation took longer than the bound that applied, or {{ $labels.instance }} has not \
                          confirmed its memory of keys for 30 s and asks the database for each request. First: the \
                          bus, the outbox, and the database of that process.",
            dashboard: "security",
            rules: vec![
                Rule::page("apikey_cache_confirmed_seconds == 0", 30, AtOnce).named("unconfirmed"),
                Rule::page(
                    "increase(slo_requests_total{slo=\"revocation\",verdict=\"bad\"}[2m]) > 0",
                    0,
                    AtOnce,
                )
                .named("late"),
            ],
            cases: vec![
                Case::scraped(
                    "confirmed",
                    &[("apikey_cache_confirmed_seconds", "2.5x20"), (LATE, "0x20")],
                    "4m",
                    0,
                ),
                Case::scraped(
                    "one scrape",
                    &[("apikey_cache_confirmed_seconds", "2 0 2x20")],
                    "1m",
                    0,
                ),
                Case::scraped(
                    "unconfirmed",
                    &[("apikey_cache_confirmed_seconds", "2 0x20")],
                    "2m",
                    1,
                ),
                Case::scraped("one late", &[(LATE, "0x10 1x10")], "3m", 1),
                Case::scraped(
                    "unconfirmed for half a minute",
                    &[("apikey_cache_confirmed_seconds", "0x20"), (LATE, "0x20")],
                    "45s",
                    1,
                ),
                Case::scraped("no data", &[], "4m", 0),
            ],
        },
    ]
}

fn data_keys() -> Vec<Alert> {
    vec![
        Alert {
            name: "KeyUnavailable",
            component: "data keys",
            summary: "{{ $labels.instance }} cannot use a key that it needs",
            description: "More than half of the calls of the key-encryption key fail, or a data key was asked for \
                          that is disabled or destroyed. What needs it can be neither sealed nor opened. First: the \
                          provider of keys; a key that was disabled too early can be restored.",
            dashboard: "security",
            rules: vec![
                Rule::page(
                    "(sum by (job, instance) (rate(kek_calls_total{outcome!=\"ok\"}[1m])) or vector(0))\n\
                     > 0.5 * (sum by (job, instance) (rate(kek_calls_total[1m])) or vector(0))",
                    30,
                    Climbs(30.0),
                )
                .named("provider"),
                Rule::page(
                    "increase(keyring_faults_total{kind=\"refused_key\"}[2m]) > 0",
                    0,
                    AtOnce,
                )
                .named("refused key"),
            ],
            cases: vec![
                Case::scraped(
                    "half",
                    &[(FAILED, "0+10x20"), (WRAPPED, "0+10x20")],
                    "4m",
                    0,
                ),
                Case::scraped(
                    "more than half",
                    &[(FAILED, "0+11x20"), (WRAPPED, "0+10x20")],
                    "4m",
                    1,
                ),
                Case::scraped("the first", &[(DISABLED, "0x10 1x10")], "3m", 1),
                Case::scraped(
                    "nothing asked",
                    &[(FAILED, "0x20"), (WRAPPED, "0x20")],
                    "4m",
                    0,
                ),
                Case::scraped(
                    "one of two processes",
                    &[(FAILED_OF_A, "0+10x20"), (WRAPPED_BY_B, "0+30x20")],
                    "4m",
                    1,
                ),
                Case::scraped("no data", &[], "4m", 0),
            ],
        },
        Alert {
            name: "KeyOverdue",
            component: "data keys",
            summary: "a key has been in use for too long",
            description: "The oldest data key that seals is older than 97 days, or the key-encryption key older than \
                          372: {{ $value | humanizeDuration }}. The longer one is used the more it opens. First: \
                          `keys rotate`, or a new version of the key-encryption key.",
            dashboard: "security",
            rules: vec![
                Rule::ticket("keyring_oldest_primary_seconds > 97 * 86400", 0).named("data key"),
                Rule::ticket("keyring_kek_age_seconds > 372 * 86400", 0).named("key-encryption key"),
            ],
            cases: vec![
                Case::scraped(
                    "97 days",
                    &[(
                        "keyring_oldest_primary_seconds{purpose=\"email\"}",
                        "8380800x9",
                    )],
                    "1m",
                    0,
                ),
                Case::scraped(
                    "98 days",
                    &[(
                        "keyring_oldest_primary_seconds{purpose=\"email\"}",
                        "8467200x9",
                    )],
                    "1m",
                    1,
                ),
                Case::scraped(
                    "372 days",
                    &[("keyring_kek_age_seconds{provider=\"local\"}", "32140800x9")],
                    "1m",
                    0,
                ),
                Case::scraped(
                    "373 days",
                    &[("keyring_kek_age_seconds{provider=\"local\"}", "32227200x9")],
                    "1m",
                    1,
                ),
                Case::scraped("no data", &[], "1m", 0),
            ],
        },
        Alert {
            name: "RotationStalled",
            component: "data keys",
            summary: "rows wait to be sealed again, and none was for an hour",
            description: "{{ $value }} rows are sealed under keys that are retired, as many as an hour ago. Those \
                          keys cannot be destroyed. First: `keys reencrypt`, which goes on where it stopped.",
            dashboard: "security",
            rules: vec![Rule::ticket(
                "keyring_rows{state=\"decrypt-only\"} > 0\nand\n\
                 delta(keyring_rows{state=\"decrypt-only\"}[1h]) >= 0\nand\n\
                 keyring_rows{state=\"decrypt-only\"} offset 1h > 0",
                0,
            )],
            cases: vec![
                Case::new("none", &[(RETIRED, "0x90")], "80m", 0),
                Case::new("getting fewer", &[(RETIRED, "900-5x90")], "80m", 0),
                Case::new("one row", &[(RETIRED, "1x90")], "80m", 1),
                Case::new("as many as before", &[(RETIRED, "900x90")], "80m", 1),
                Case::new(
                    "since less than an hour",
                    &[(RETIRED, "0x60 900x30")],
                    "80m",
                    0,
                ),
                Case::new("no data", &[], "80m", 0),
            ],
        },
    ]
}
