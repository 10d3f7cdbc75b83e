//! `docs/metrics.md`: what the service registers when everything is configured.

mod moved;
mod subjects;
mod table;

use std::{collections::BTreeSet, env, fs, os::unix::fs::PermissionsExt as _, path::Path};

use portcullis_telemetry::{Environment, MetricDescription};

use self::table::Row;
use super::{App, telemetry};
use crate::{
    backend::SecretServices,
    config::{Config, Flags, Sources},
};

const HEAD: &str = "\
# Metrics

<!-- Made from what the service registers. Do not edit; run
     UPDATE_DOCS=1 cargo test -p ingest-server --lib metrics_page -->

What `GET /metrics` of the admin listener shows, by subject. **Unit** is what a value is measured in; without one it
is a number of things, a state or a score. Samples of a histogram add `_bucket` (with the label `le`), `_sum` and
`_count` to its name.

**Labels** are followed by their values where all of them are known; no label has a value that a sender can invent
without bound: beyond its bound, what is new shares one series, whose labels read `__other__`, and
`telemetry_label_overflow_total` counts it. What an alert waits for is there from the start at 0; other series come
when they are first counted. *With* says what has to be set for a metric to be there at all.
";

const REMAKE: &str = "make it again: UPDATE_DOCS=1 cargo test -p ingest-server --lib metrics_page";

/// Spans go to a collector. Nobody has to answer there.
const COLLECTOR: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");

/// Limits are counted on Redis. It is not asked before the service has started.
const REDIS: (&str, &str) = ("INGEST_REDIS_URL", "redis://127.0.0.1:9");

/// Tokens are taken from it ahead of time.
const LEASES: (&str, &str) = ("INGEST_LIMITS_COUNTING", "lease");

const ALL: &[(&str, &str)] = &[COLLECTOR, REDIS, LEASES];

/// What is not there without a setting, as the page says it; of two that are missing, the later.
const NEEDS: [(&str, &[(&str, &str)]); 3] = [
    ("*With* a collector.", &[REDIS, LEASES]),
    ("*With* `INGEST_REDIS_URL`.", &[COLLECTOR]),
    (
        "*With* `INGEST_REDIS_URL` and `INGEST_LIMITS_COUNTING=lease`.",
        &[COLLECTOR, REDIS],
    ),
];

/// What a service registers that is started with these settings, in a folder of its own.
async fn registered(settings: &[(&str, &str)]) -> Vec<MetricDescription> {
    let folder = tempfile::Builder::new()
        .permissions(fs::Permissions::from_mode(0o700))
        .tempdir()
        .unwrap();
    let folder = folder.path().to_str().unwrap();
    let of_service = settings
        .iter()
        .filter(|(name, _)| name.starts_with("INGEST_"));
    let mut variables = vec![
        ("INGEST_DATA_DIR", folder),
        ("INGEST_LISTEN", "127.0.0.1:0"),
        ("INGEST_ADMIN_LISTEN", "127.0.0.1:0"),
        ("INGEST_ADMIN_TOKEN", "wVbT3xkQ0dLz8RyMs5uHjP1cEfGaN7oi"),
        (
            "PORTCULLIS_KEKS",
            "1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=",
        ),
        (
            "PORTCULLIS_INDEX_ROOTS",
            "1:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=",
        ),
        (
            "PORTCULLIS_KEY_PEPPERS",
            "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        ),
        (
            "PORTCULLIS_AUDIT_KEYS",
            "1:YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn8=",
        ),
    ];
    variables.extend(of_service);
    let variables = variables
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::load(&Sources::new(Flags::new(), variables, None)).unwrap();
    let services = SecretServices::connect(None, None).await.unwrap();
    let of_telemetry = settings
        .iter()
        .filter(|(name, _)| name.starts_with("OTEL_"));
    let telemetry = telemetry::configured(&config, telemetry::Hidden::AsConfigured)
        .environment(Environment::from_pairs(of_telemetry.copied()));
    let (_layer, guard) = telemetry.layer::<tracing_subscriber::Registry>().unwrap();
    let app = App::start(&config, &services, &guard).await.unwrap();
    let descriptions = guard.registry().descriptions();
    drop(app);
    descriptions
}

/// Every metric there can be, with what it needs.
async fn rows() -> Vec<Row> {
    let mut needs = Vec::new();
    for (need, others) in NEEDS {
        let names = registered(others)
            .await
            .into_iter()
            .map(|metric| metric.name);
        needs.push((need, names.collect::<BTreeSet<_>>()));
    }
    let all = registered(ALL).await.into_iter();
    let rows = all.map(|metric| {
        let missing = needs
            .iter()
            .rfind(|(_, names)| !names.contains(&metric.name));
        Row {
            needs: missing.map(|(need, _)| *need),
            metric,
        }
    });
    rows.collect()
}

/// Fails when `docs/metrics.md` is not what the service registers; with `UPDATE_DOCS` set, writes the page.
#[tokio::test(flavor = "multi_thread")]
async fn the_page_in_the_repository_is_what_the_service_registers() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let made = format!("{HEAD}{}", table::by_subject(rows().await));
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let page = fs::read_to_string(path).unwrap();
    for (made, written) in made.lines().zip(page.lines()) {
        assert_eq!(made, written, "{REMAKE}");
    }
    assert_eq!(made, page, "{REMAKE}");
}
