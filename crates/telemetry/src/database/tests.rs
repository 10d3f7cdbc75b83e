//! Spans and durations of statements, as exporters and scrapers see them.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, SystemTime},
};

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_sdk::trace::SpanData;
use tracing::subscriber::with_default;
use tracing_subscriber::layer::SubscriberExt as _;

use super::*;
use crate::{Environment, Guard, Logs, Ratio, Sampling, Telemetry, clock::FakeClock, spans::Spans};

struct Stage {
    spans: Spans,
    guard: Guard,
    clock: Arc<FakeClock>,
    database: Database,
}

/// What `act` does with a database that takes 3 ms a statement.
fn run(system: &'static str, namespace: &str, act: impl FnOnce(&Stage)) -> (Vec<SpanData>, String) {
    let spans = Spans::default();
    let (layer, guard) = Telemetry::builder("svc")
        .environment(Environment::empty())
        .exporter(spans.clone())
        .logs(Logs::Off)
        .sampling(Sampling::head(Ratio::ALL))
        .layer()
        .unwrap();
    let clock = Arc::new(FakeClock::new(SystemTime::UNIX_EPOCH));
    let durations = DatabaseDurations::register(guard.registry()).unwrap();
    let database = Database::new(system, namespace)
        .with_server("db.internal", 5432)
        .with_durations(&durations)
        .with_clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let stage = Stage {
        spans,
        guard,
        clock,
        database,
    };
    with_default(tracing_subscriber::registry().with(layer), || act(&stage));
    let metrics = stage.guard.registry().render(None).unwrap().body;
    let _ = stage.guard.shutdown(Duration::from_secs(5));
    (stage.spans.all(), metrics)
}

impl Stage {
    fn statement(&self) -> Result<u8, String> {
        self.clock.advance(Duration::from_millis(3));
        Ok(1)
    }
}

fn text(span: &SpanData, key: &str) -> Option<String> {
    let mut attributes = span.attributes.iter();
    let found = attributes.find(|attribute| attribute.key.as_str() == key);
    found.map(|attribute| attribute.value.to_string())
}

#[test]
fn every_class_of_statement_has_a_span_of_the_conventions() {
    let classes = [
        (Statement::Select, Some("SELECT"), "SELECT lead"),
        (Statement::Insert, Some("INSERT"), "INSERT lead"),
        (Statement::Update, Some("UPDATE"), "UPDATE lead"),
        (Statement::Delete, Some("DELETE"), "DELETE lead"),
        (Statement::Begin, Some("BEGIN"), "BEGIN lead"),
        (Statement::Commit, Some("COMMIT"), "COMMIT lead"),
        (Statement::Rollback, Some("ROLLBACK"), "ROLLBACK lead"),
        (Statement::Migrate, Some("MIGRATE"), "MIGRATE lead"),
        (Statement::Other, None, "lead"),
    ];
    let (spans, metrics) = run("postgresql", "leads", |stage| {
        for (class, ..) in classes {
            let span = stage.database.span(class, Some("lead"));
            span.returned_rows(7);
            assert_eq!(span.run(|| stage.statement(), |_| "never"), Ok(1));
        }
    });
    assert_eq!(spans.len(), classes.len());
    for ((_, operation, name), span) in classes.into_iter().zip(&spans) {
        assert_eq!(span.name, name);
        assert_eq!(
            (&span.span_kind, &span.status),
            (&SpanKind::Client, &Status::Unset)
        );
        for (key, value) in [
            ("db.system.name", Some("postgresql")),
            ("db.namespace", Some("leads")),
            ("db.operation.name", operation),
            ("db.collection.name", Some("lead")),
            ("db.response.returned_rows", Some("7")),
            ("server.address", Some("db.internal")),
            ("server.port", Some("5432")),
            ("error.type", None),
            ("db.query.text", None),
        ] {
            assert_eq!(text(span, key).as_deref(), value, "{key} of {name}");
        }
        let operation = operation.unwrap_or_default();
        let series = format!(
            "{{le=\"0.005\",db_system_name=\"postgresql\",db_namespace=\"leads\",\
             db_operation_name=\"{operation}\",db_collection_name=\"lead\",error_type=\"\"}} 1\n"
        );
        let sample = format!("db_client_operation_duration_seconds_bucket{series}");
        assert!(metrics.contains(&sample), "{sample} in {metrics}");
    }
}

#[test]
fn a_command_of_redis_is_its_name_alone() {
    let (spans, metrics) = run("redis", "", |stage| {
        let span = stage.database.span(Statement::Command("EVALSHA"), None);
        let asked = std::future::ready(stage.statement());
        let answer = span.run_async(asked, |_| "never");
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let answer = std::pin::pin!(answer).poll(&mut context);
        assert_eq!(answer, std::task::Poll::Ready(Ok(1)));
    });
    let span = &spans[0];
    assert_eq!(span.name, "EVALSHA");
    assert_eq!(text(span, "db.operation.name").as_deref(), Some("EVALSHA"));
    assert_eq!(
        (text(span, "db.namespace"), text(span, "db.collection.name")),
        (None, None)
    );
    assert!(
        metrics.contains("db_operation_name=\"EVALSHA\""),
        "{metrics}"
    );
}

#[test]
fn a_failure_is_its_kind_and_its_code() {
    let (spans, metrics) = run("sqlite", "leads", |stage| {
        let span = stage.database.span(Statement::Insert, Some("lead"));
        let failed = span.run(
            || Err::<(), _>("UNIQUE constraint failed: bob@example.com"),
            |_| DatabaseFailure::new("unique_violation").with_status_code("2067"),
        );
        assert!(failed.is_err());
        let span = stage.database.span(Statement::Select, None);
        span.end(Some("busy"));
    });
    assert!(matches!(spans[0].status, Status::Error { .. }));
    assert_eq!(
        text(&spans[0], "error.type").as_deref(),
        Some("unique_violation")
    );
    assert_eq!(
        text(&spans[0], "db.response.status_code").as_deref(),
        Some("2067")
    );
    assert_eq!(text(&spans[1], "error.type").as_deref(), Some("busy"));
    let everything = format!("{spans:?}{metrics}");
    assert!(!everything.contains("bob@example.com"));
    assert!(
        metrics.contains("error_type=\"unique_violation\"}"),
        "{metrics}"
    );
}

#[test]
fn what_is_no_code_is_left_out() {
    for text in [
        "",
        "Key (email)=(bob@example.com) exists",
        "x".repeat(17).as_str(),
        "a b",
    ] {
        let failure = DatabaseFailure::new("failed").with_status_code(text);
        assert_eq!(failure.status_code, None, "{text}");
    }
    let failure = DatabaseFailure::new("failed").with_status_code("23505");
    assert_eq!(failure.status_code.as_deref(), Some("23505"));
}

#[test]
fn a_statement_that_nobody_waits_for_or_that_panics_has_an_outcome() {
    let (spans, metrics) = run("sqlite", "leads", |stage| {
        drop(stage.database.span(Statement::Select, None));
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let span = stage.database.span(Statement::Update, None);
            span.run(|| -> Result<(), ()> { panic!("a bug") }, |()| "never")
        }));
        assert!(panicked.is_err());
    });
    assert_eq!(text(&spans[0], "error.type").as_deref(), Some("cancelled"));
    assert_eq!(text(&spans[1], "error.type").as_deref(), Some("panic"));
    for kind in ["cancelled", "panic"] {
        assert!(
            metrics.contains(&format!("error_type=\"{kind}\"}} 1\n")),
            "{metrics}"
        );
    }
}

#[test]
fn work_inside_a_statement_is_in_its_span() {
    let (spans, _) = run("sqlite", "leads", |stage| {
        let span = stage.database.span(Statement::Commit, None);
        let synced = span.run(
            || {
                drop(info_span!("fsync").entered());
                Ok::<_, ()>(())
            },
            |()| "never",
        );
        assert_eq!(synced, Ok(()));
    });
    let parent = spans
        .iter()
        .find(|span| span.name == "COMMIT leads")
        .unwrap();
    let child = spans.iter().find(|span| span.name == "fsync").unwrap();
    assert_eq!(child.parent_span_id, parent.span_context.span_id());
}
