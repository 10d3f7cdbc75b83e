//! What a log line holds, hides and costs at most.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use tracing::{error, info, info_span, subscriber::with_default, warn};
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::{
    Builder, Environment, Guard, Otlp, Redaction, Telemetry, clock::FakeClock, current_trace_id,
    lines::Lines, movement::assert_moved,
};

struct Stage {
    lines: Lines,
    guard: Guard,
    clock: Arc<FakeClock>,
}

/// Runs `body` under telemetry that `change` has adapted, and returns what it wrote.
fn run(change: impl FnOnce(Builder) -> Builder, body: impl FnOnce(&Stage)) -> Stage {
    // 2024-05-01T12:34:56.000789Z
    let start = SystemTime::UNIX_EPOCH + Duration::from_micros(1_714_566_896_000_789);
    let (lines, clock) = (Lines::default(), Arc::new(FakeClock::new(start)));
    let builder = Telemetry::builder("svc")
        .environment(Environment::empty())
        .otlp(Otlp::Off)
        .writer(lines.clone())
        .clock(Arc::clone(&clock) as Arc<dyn Clock>);
    let (layer, guard) = change(builder).layer().unwrap();
    let stage = Stage {
        lines,
        guard,
        clock,
    };
    with_default(tracing_subscriber::registry().with(layer), || body(&stage));
    stage
}

impl Stage {
    fn json(&self) -> Vec<Value> {
        let text = self.lines.text();
        text.lines()
            .map(|line| serde_json::from_str(line).expect(line))
            .collect()
    }

    fn metrics(&self) -> String {
        self.guard.registry().render(None).unwrap().body
    }

    fn metric(&self, sample: &str) -> String {
        let body = self.metrics();
        let line = body
            .lines()
            .find_map(|line| line.strip_prefix(sample))
            .expect(sample);
        line.trim().to_owned()
    }
}

#[test]
fn a_line_is_one_flat_object_in_a_fixed_order() {
    let stage = run(
        |b| b,
        |_| info!(target: "place", count = 3, ratio = 0.5, ok = true, who = ?"x", "done {}", 1),
    );
    assert_eq!(
        stage.lines.text(),
        concat!(
            r#"{"ts":"2024-05-01T12:34:56.000789Z","level":"INFO","service":"svc","#,
            r#""target":"place","message":"done 1","count":3,"ratio":0.5,"ok":true,"#,
            "\"who\":\"\\\"x\\\"\"}\n",
        )
    );
}

#[test]
fn every_line_inside_a_request_carries_its_ids() {
    let mut id = String::new();
    let stage = run(
        |b| b,
        |_| {
            info!("before");
            let request = info_span!("request");
            request.in_scope(|| {
                id = current_trace_id().unwrap().to_string();
                info!("in the request");
                info_span!("stage").in_scope(|| warn!("in a stage"));
            });
            info!(parent: &request, "by name");
            request.in_scope(|| info!(parent: None, "on its own"));
        },
    );
    let lines = stage.json();
    let ids: Vec<_> = lines.iter().map(|line| line["trace_id"].as_str()).collect();
    let inside = Some(id.as_str());
    assert_eq!(ids, [None, inside, inside, inside, None]);
    let span = |index: usize| lines[index]["span_id"].as_str().unwrap();
    assert_eq!((span(1).len(), span(3)), (16, span(1)));
    assert_ne!(span(1), span(2));
}

#[test]
fn ids_are_there_when_the_filter_lets_only_errors_through() {
    let stage = run(
        |b| b.filter("error"),
        |_| {
            info_span!("request").in_scope(|| {
                info!("no");
                error!("yes");
            });
        },
    );
    let lines = stage.json();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["trace_id"].as_str().unwrap().len(), 32);
}

#[test]
fn the_filter_goes_by_target_and_a_wrong_one_is_refused() {
    let stage = run(
        |b| b.filter("warn,chatty=off,mine=debug"),
        |_| {
            info!("no");
            warn!(target: "chatty", "no");
            tracing::debug!(target: "mine::inner", "yes");
        },
    );
    assert_eq!(stage.json().len(), 1);
    let builder = Telemetry::builder("svc")
        .environment(Environment::empty())
        .filter("a=loud");
    let refused = builder.layer::<tracing_subscriber::Registry>();
    assert!(matches!(refused.map(|_| ()), Err(crate::InitError::Filter)));
}

#[test]
fn a_field_cannot_speak_for_the_line() {
    let stage = run(
        |b| b,
        |_| {
            info_span!("request").in_scope(|| {
                info!(
                    trace_id = "forged",
                    level = "FATAL",
                    text = "a\"}\n{\"b\":1",
                    "x\r\ny"
                );
            });
        },
    );
    let line = &stage.json()[0];
    assert_eq!(
        (&line["field.trace_id"], &line["level"]),
        (&"forged".into(), &"INFO".into())
    );
    assert_eq!(
        (&line["text"], &line["message"]),
        (&"a\"}\n{\"b\":1".into(), &"x\r\ny".into())
    );
    assert_eq!(stage.lines.text().lines().count(), 1);
}

#[derive(Debug, thiserror::Error)]
#[error("not sent")]
struct Outer(#[source] std::io::Error);

#[test]
fn an_error_is_written_with_its_causes() {
    let stage = run(
        |b| b,
        |_| {
            let outer = Outer(std::io::Error::other("to bob@example.com"));
            error!(
                error = &outer as &(dyn std::error::Error + 'static),
                "failed"
            );
        },
    );
    assert_eq!(stage.json()[0]["error"], "not sent: to [email]");
}

#[test]
fn lines_are_redacted_by_name_and_by_value() {
    let stage = run(
        |b| b,
        |_| {
            info!(
                password = "hunter2",
                phone = 4_917_012_345_678_u64,
                "mail bob@example.com"
            );
            info!(card = true, number = 4_111_111_111_111_111_u64, port = 8080, text = %"+4917012345678");
            info!(id = ?("550e8400-e29b-41d4-a716-446655440000", 12.5));
        },
    );
    let lines = stage.json();
    assert_eq!(lines[0]["password"], "[redacted]");
    assert_eq!(lines[0]["phone"], "[redacted]");
    assert_eq!(lines[0]["message"], "mail [email]");
    assert_eq!(lines[1]["card"], "[redacted]");
    assert_eq!(lines[1]["number"], "[payment_card]");
    assert_eq!(lines[1]["port"], 8080);
    assert_eq!(lines[1]["text"], "[phone]");
    assert_eq!(
        lines[2]["id"],
        "(\"550e8400-e29b-41d4-a716-446655440000\", 12.5)"
    );
}

#[test]
fn an_allow_list_shows_only_what_it_names() {
    let stage = run(
        |b| b.redaction(Redaction::allow_list(["tenant"])),
        |_| info!(tenant = "acme", color = "red", count = 3, "message"),
    );
    let line = &stage.json()[0];
    assert_eq!(
        (&line["tenant"], &line["message"]),
        (&"acme".into(), &"message".into())
    );
    assert_eq!(
        (&line["color"], &line["count"]),
        (&"[redacted]".into(), &"[redacted]".into())
    );
}

#[test]
fn the_default_limits_are_those_of_the_documentation() {
    let limits = LogLimits::default();
    let numbers = (limits.line_bytes.get(), limits.lines_per_second.get());
    assert_eq!(numbers, (16_384, 200), "16 KiB, 200 lines");
}

fn max_bytes(bytes: usize) -> LogLimits {
    LogLimits {
        line_bytes: NonZeroUsize::new(bytes).unwrap(),
        ..LogLimits::default()
    }
}

#[test]
fn no_line_is_longer_than_the_limit_and_each_is_whole() {
    let long = "x".repeat(100_000);
    let nasty = "\u{1}\"\\é\n".repeat(20_000);
    for bytes in [1, 1024, 1500, 16 * 1024] {
        for logs in [Logs::Json, Logs::Pretty] {
            let stage = run(
                |b| b.log_limits(max_bytes(bytes)).logs(logs),
                |_| {
                    info!(a = long, "{nasty}");
                    info!(a = nasty, b = %long, c = 1, "short");
                    info!(a = ?vec![&long; 1_000], "short");
                },
            );
            for line in stage.lines.text().split_inclusive('\n') {
                assert!(line.len() <= bytes.max(1024), "{} of {bytes}", line.len());
            }
            assert_eq!(stage.lines.text().lines().count(), 3);
            if logs == Logs::Json {
                assert!(stage.json().iter().all(|line| line["truncated"] == true));
            }
        }
    }
}

#[test]
fn a_line_that_is_cut_is_counted_and_a_whole_one_is_not() {
    let (long, most) = ("x".repeat(2_000), max_bytes(1024));
    for logs in [Logs::Json, Logs::Pretty] {
        let stage = run(
            |b| b.log_limits(most).logs(logs),
            |stage| {
                info!(a = &long[..500], "whole");
                let before = stage.metrics();
                assert_eq!(stage.metric(TRUNCATED), "0");
                info!(a = long, "cut");
                info!("{long}");
                assert_moved(
                    &before,
                    &stage.metrics(),
                    ["telemetry_log_lines_truncated_total"],
                );
            },
        );
        assert_eq!(stage.metric(TRUNCATED), "2");
    }
    // What is not written at all is dropped, and counted as that alone.
    let lost = run(
        |b| b.log_limits(most).writer(|| Broken),
        |_| info!(a = long),
    );
    assert_eq!(lost.metric(TRUNCATED), "0");
    assert_eq!(
        lost.metric("telemetry_log_lines_dropped_total{reason=\"write\"}"),
        "1"
    );
}

const TRUNCATED: &str = "telemetry_log_lines_truncated_total ";

#[test]
fn a_secret_at_the_cut_does_not_show_its_first_half() {
    for padding in 700..1_100 {
        let prose = format!("{} 4111111111111111 tail", "x".repeat(padding));
        let stage = run(|b| b.log_limits(max_bytes(1024)), |_| info!(a = prose));
        assert!(!stage.lines.text().contains("4111"), "{padding}");
        let stage = run(|b| b.log_limits(max_bytes(1024)), |_| info!(a = ?[&prose]));
        assert!(!stage.lines.text().contains("4111"), "{padding}");
    }
}

#[test]
fn a_call_site_that_floods_is_throttled_and_counted() {
    let limits = LogLimits {
        lines_per_second: NonZeroU32::new(10).unwrap(),
        ..LogLimits::default()
    };
    let stage = run(
        |b| b.log_limits(limits),
        |stage| {
            let flood = || info!("flood");
            let before = stage.metrics();
            (0..100).for_each(|_| flood());
            assert_moved(
                &before,
                &stage.metrics(),
                ["telemetry_log_lines_dropped_total"],
            );
            info!("another call site");
            stage.clock.advance(Duration::from_secs(1));
            flood();
            flood();
        },
    );
    let lines = stage.json();
    let floods: Vec<_> = lines
        .iter()
        .filter(|line| line["message"] == "flood")
        .collect();
    assert_eq!((floods.len(), lines.len()), (12, 13));
    assert_eq!(
        (&floods[10]["suppressed"], &floods[11]["suppressed"]),
        (&90.into(), &Value::Null)
    );
    assert_eq!(
        stage.metric("telemetry_log_lines_dropped_total{reason=\"rate\"}"),
        "90"
    );
    assert_eq!(stage.guard.losses().total(), 90);
}

struct Broken;

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("full"))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_writer_that_fails_is_counted_and_fails_nothing_else() {
    let stage = run(|b| b.writer(|| Broken), |_| info!("lost"));
    assert_eq!(
        stage.metric("telemetry_log_lines_dropped_total{reason=\"write\"}"),
        "1"
    );
}

#[test]
fn pretty_lines_are_for_people_and_carry_ids_too() {
    let stage = run(
        |b| b.logs(Logs::Pretty),
        |_| {
            info_span!("request").in_scope(|| {
                warn!(target: "place", count = 3, text = "two words", email = "a@b.io", "hello\nworld");
            });
        },
    );
    let text = stage.lines.text();
    let (line, ids) = text.split_once(" trace_id=").unwrap();
    assert_eq!(
        line,
        "2024-05-01T12:34:56.000789Z  WARN place: hello\\nworld count=3 text=\"two words\" \
         email=[redacted]"
    );
    assert!(ids.contains(" span_id=") && ids.ends_with('\n'), "{ids}");
}

#[test]
fn off_writes_nothing() {
    assert_eq!(
        run(|b| b.logs(Logs::Off), |_| error!("nothing"))
            .lines
            .text(),
        ""
    );
}
