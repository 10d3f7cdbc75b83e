//! `docs/metrics.md` and `docs/metrics.json`: what the service registers when everything is configured.

mod catalogue;
mod moved;
mod subjects;
mod table;

use std::{env, fs, os::unix::fs::PermissionsExt as _, path::Path};

use portcullis_telemetry::{Environment, MetricDescription, Registry};

use self::catalogue::Start;
use super::{App, telemetry};
use crate::{
    backend::SecretServices,
    config::{Config, Flags, Sources},
    observe::ProbeMetrics,
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
when they are first counted. *With* says what has to be set for a metric to be there at all. The same for programs,
with the bounds of buckets and which series are there from the start, is [metrics.json](metrics.json), which
`ingest-server metrics --json` prints.

What `ingest-server probe` shows instead, in a process of its own, says so: in `metrics.json` its `process` is `probe`,
and that of all others `server`.
";

const REMAKE: &str = "make it again: UPDATE_DOCS=1 cargo test -p ingest-server --lib metrics_page";

/// Spans go to a collector. Nobody has to answer there.
const COLLECTOR: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");

/// Limits are counted on Redis. It is not asked before the service has started.
const REDIS: (&str, &str) = ("INGEST_REDIS_URL", "redis://127.0.0.1:9");

/// Tokens are taken from it ahead of time.
const LEASES: (&str, &str) = ("INGEST_LIMITS_COUNTING", "lease");

const ALL: &[(&str, &str)] = &[COLLECTOR, REDIS, LEASES];

/// What is missing without some of the settings.
#[derive(Debug, Clone, Copy)]
struct Need {
    /// As the page says it.
    text: &'static str,
    settings: &'static [&'static str],
    others: &'static [(&'static str, &'static str)],
}

/// Of two that are missing, the later holds.
const NEEDS: [Need; 3] = [
    Need {
        text: "*With* a collector.",
        settings: &["OTEL_EXPORTER_OTLP_ENDPOINT"],
        others: &[REDIS, LEASES],
    },
    Need {
        text: "*With* `INGEST_REDIS_URL`.",
        settings: &["INGEST_REDIS_URL"],
        others: &[COLLECTOR],
    },
    Need {
        text: "*With* `INGEST_REDIS_URL` and `INGEST_LIMITS_COUNTING=lease`.",
        settings: &["INGEST_REDIS_URL", "INGEST_LIMITS_COUNTING=lease"],
        others: &[COLLECTOR, REDIS],
    },
];

/// One metric, what has to be set for it to be there, and which series it then has from the start.
#[derive(Debug)]
struct Row {
    metric: MetricDescription,
    need: Option<Need>,
    start: Start,
    process: Process,
}

/// Who has a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Process {
    Server,
    Probe,
}

impl Process {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Probe => "probe",
        }
    }
}

/// What a service registered, and the samples that it showed at once.
struct Registered {
    descriptions: Vec<MetricDescription>,
    samples: Vec<String>,
}

/// What a service registers that is started with these settings, in a folder of its own.
async fn registered(settings: &[(&str, &str)]) -> Registered {
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
    let registered = shown(guard.registry());
    drop(app);
    registered
}

fn shown(registry: &Registry) -> Registered {
    let text = registry.render(None).unwrap().body;
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    Registered {
        descriptions: registry.descriptions(),
        samples: samples.map(str::to_owned).collect(),
    }
}

/// What the probe has beside what telemetry tells of itself in any process.
fn rows_of_probe() -> Vec<Row> {
    let registry = Registry::new();
    let before = shown(&registry).descriptions;
    let _metrics = ProbeMetrics::register(&registry).unwrap();
    let Registered {
        descriptions,
        samples,
    } = shown(&registry);
    let is_own = |metric: &&MetricDescription| before.iter().all(|it| it.name != metric.name);
    let own = descriptions.iter().filter(is_own);
    own.map(|metric| Row {
        need: None,
        start: Start::of_series(metric, [&samples[..]].into_iter()),
        metric: metric.clone(),
        process: Process::Probe,
    })
    .collect()
}

/// Every metric there can be, with what it needs.
async fn rows() -> Vec<Row> {
    let mut without = Vec::new();
    for need in NEEDS {
        without.push((need, registered(need.others).await));
    }
    let all = registered(ALL).await;
    // What has happened in one start and not in another is not there from the start.
    let starts: Vec<_> = without.iter().map(|(_, it)| it).chain([&all]).collect();
    let rows = all.descriptions.iter().map(|metric| {
        let has = |it: &Registered| it.descriptions.iter().any(|one| one.name == metric.name);
        let missing = without.iter().rfind(|(_, registered)| !has(registered));
        let starts = starts.iter().filter(|start| has(start));
        Row {
            need: missing.map(|(need, _)| *need),
            start: Start::of(metric, starts.map(|start| &start.samples[..])),
            metric: metric.clone(),
            process: Process::Server,
        }
    });
    rows.chain(rows_of_probe()).collect()
}

/// Fails when the file is not what was made; with `UPDATE_DOCS` set, writes it.
fn hold(name: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name);
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, made).unwrap();
    }
    let written = fs::read_to_string(path).unwrap();
    for (made, written) in made.lines().zip(written.lines()) {
        assert_eq!(made, written, "{name}: {REMAKE}");
    }
    assert_eq!(made, written, "{name}: {REMAKE}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pages_in_the_repository_are_what_the_service_registers() {
    let mut rows = rows().await;
    rows.sort_by(|one, other| one.metric.name.cmp(&other.metric.name));
    hold("metrics.md", &format!("{HEAD}{}", table::by_subject(&rows)));
    hold("metrics.json", &catalogue::as_json(&rows));
}
