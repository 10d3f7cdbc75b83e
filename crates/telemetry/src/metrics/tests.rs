//! Names, bounds and escaping of metrics, as a scraper sees them.

use prometheus_client::metrics::info::Info;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::*;
use crate::movement::assert_moved;

const CAP: NonZeroUsize = NonZeroUsize::new(100).unwrap();

fn text(registry: &Registry) -> String {
    registry.render(None).unwrap().body
}

fn series(registry: &Registry, name: &str) -> usize {
    text(registry)
        .lines()
        .filter(|line| line.starts_with(name))
        .count()
}

#[test]
fn a_counter_carries_its_suffix_once() {
    let registry = Registry::new();
    registry.counter("with_total", "a").unwrap().inc();
    registry.counter("without", "b").unwrap().inc_by(2);
    let open = registry
        .render(Some("application/openmetrics-text"))
        .unwrap()
        .body;
    assert!(
        open.contains("# TYPE with counter\nwith_total 1\n"),
        "{open}"
    );
    assert!(
        open.contains("without_total 2\n") && !open.contains("_total_total"),
        "{open}"
    );
}

#[test]
fn names_that_scrapers_reject_are_refused() {
    let registry = Registry::new();
    for name in [
        "",
        "1st",
        "a-b",
        "a b",
        "ä",
        "__reserved",
        "a:b",
        "a\nb 1",
        "_total",
    ] {
        let refused = registry.counter(name, "help");
        assert!(matches!(refused, Err(MetricError::Name { .. })), "{name:?}");
    }
    assert!(matches!(
        registry.gauge("jobs_total", ""),
        Err(MetricError::Name { .. })
    ));
}

#[test]
fn two_metrics_never_write_the_same_sample() {
    let registry = Registry::new();
    registry
        .histogram("took_seconds", "", Buckets::REQUEST_SECONDS)
        .unwrap();
    registry.counter("hits", "").unwrap();
    for taken in [
        "took_seconds",
        "took_seconds_count",
        "took_seconds_bucket",
        "hits",
    ] {
        let refused = registry.gauge(taken, "");
        assert!(matches!(refused, Err(MetricError::Duplicate(_))), "{taken}");
    }
    assert!(matches!(
        registry.counter("hits_total", ""),
        Err(MetricError::Duplicate(_))
    ));
    registry.gauge("took", "").unwrap();
}

#[test]
fn label_names_are_checked() {
    let registry = Registry::new();
    for labels in [["a", "a"], ["a", "__b"], ["a", "b c"], ["", "b"]] {
        let refused = registry.counter_family("f", "", labels, CAP);
        assert!(matches!(refused, Err(MetricError::Label(_))), "{labels:?}");
    }
    let refused = registry.histogram_family("f", "", ["le"], Buckets::BYTES, CAP);
    assert!(matches!(refused, Err(MetricError::Label(_))));
}

#[test]
fn ten_thousand_invented_values_leave_the_series_flat() {
    let registry = Registry::new();
    let family = registry
        .counter_family("hits", "h", ["route"], CAP)
        .unwrap();
    let before = text(&registry);
    for value in 0..10_000 {
        family.with([&format!("/invented/{value}")]).inc();
    }
    assert_eq!(series(&registry, "hits_total"), CAP.get() + 1);
    let body = text(&registry);
    assert!(
        body.contains("hits_total{route=\"__other__\"} 9900\n"),
        "{body}"
    );
    assert!(
        body.contains("telemetry_label_overflow_total{metric=\"hits\"} 9900\n"),
        "{body}"
    );
    assert_moved(&before, &body, ["telemetry_label_overflow_total"]);
    family.with(["/invented/7"]).inc();
    assert!(text(&registry).contains("hits_total{route=\"/invented/7\"} 2\n"));
}

#[test]
fn histograms_of_a_full_family_are_bounded_too() {
    let registry = Registry::new();
    let cap = NonZeroUsize::new(3).unwrap();
    let family = registry
        .histogram_family("s", "", ["a", "b"], Buckets::BYTES, cap)
        .unwrap();
    for value in 0..100 {
        family.with([&value.to_string(), "x"]).observe(1.0);
    }
    assert_eq!(series(&registry, "s_count"), 4);
}

#[test]
fn a_handle_and_a_look_up_are_the_same_metric() {
    let registry = Registry::new();
    let family = registry.gauge_family("level", "", ["a", "b"], CAP).unwrap();
    let handle = family.with(["1", "2"]);
    handle.set(5);
    family.with(["1", "2"]).inc();
    assert_eq!((handle.get(), family.with(["2", "1"]).get()), (6, 0));
}

#[test]
fn label_values_cannot_break_the_format() {
    let registry = Registry::new();
    let family = registry.counter_family("f", "", ["v"], CAP).unwrap();
    family.with(["\"} 9\nforged 1\n\\"]).inc();
    let body = text(&registry);
    assert!(
        body.contains(r#"f_total{v="\"} 9\nforged 1\n\\"} 1"#),
        "{body}"
    );
    assert!(
        !body.lines().any(|line| line.starts_with("forged")),
        "{body}"
    );
}

#[test]
fn help_is_escaped_for_the_format_it_is_in() {
    let registry = Registry::new();
    registry
        .gauge("g", "a \"quoted\" back\\slash\nforged 1.")
        .unwrap();
    let open = registry
        .render(Some("application/openmetrics-text"))
        .unwrap()
        .body;
    assert!(
        open.contains(r#"# HELP g a \"quoted\" back\\slash\nforged 1."#),
        "{open}"
    );
    assert!(text(&registry).contains(r#"# HELP g a "quoted" back\\slash\nforged 1."#));
}

#[test]
fn a_boundary_stands_at_120_ms() {
    let registry = Registry::new();
    let histogram = registry
        .histogram("h_seconds", "", Buckets::REQUEST_SECONDS)
        .unwrap();
    histogram.observe(0.110);
    let body = text(&registry);
    assert!(body.contains("h_seconds_bucket{le=\"0.1\"} 0\n"), "{body}");
    assert!(body.contains("h_seconds_bucket{le=\"0.12\"} 1\n"), "{body}");
}

#[test]
fn own_buckets_are_put_in_order() {
    let histogram = Buckets::new([2.0, 1.0, f64::NAN, 2.0, f64::INFINITY]);
    let registry = Registry::new();
    registry.histogram("h", "", histogram).unwrap();
    assert_eq!(series(&registry, "h_bucket"), 3);
}

#[test]
fn observed_values_are_read_on_each_scrape() {
    let registry = Registry::new();
    let source = Counter::<u64>::default();
    let read = source.clone();
    registry
        .observed_gauge("depth", "", move || read.get() as f64)
        .unwrap();
    let read = source.clone();
    registry
        .observed_counter("seen_total", "", move || read.get() as f64)
        .unwrap();
    source.inc_by(3);
    let body = text(&registry);
    assert!(
        body.contains("\ndepth 3.0\n") && body.contains("\nseen_total 3.0\n"),
        "{body}"
    );
}

#[test]
fn the_process_is_measured() {
    let registry = Registry::new();
    registry.register_process().unwrap();
    let body = text(&registry);
    let value = |name: &str| -> f64 {
        let line = body
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")))
            .unwrap();
        line.rsplit_once(' ').unwrap().1.parse().unwrap()
    };
    assert!(value("process_resident_memory_bytes") > 1_000_000.0);
    assert!(value("process_cpu_seconds_total") > 0.0);
    assert!(value("process_open_fds") >= 3.0);
    assert!(value("process_max_fds") > value("process_open_fds"));
    assert!(value("process_threads") >= 1.0);
    let since_1970 = std::fs::metadata("/proc/self").unwrap().modified().unwrap();
    let since_1970 = since_1970.duration_since(std::time::UNIX_EPOCH).unwrap();
    let ago = since_1970.as_secs_f64() - value("process_start_time_seconds");
    assert!((-2.0..60.0).contains(&ago), "{ago}");
}

#[test]
fn what_a_process_takes_is_shown_while_it_has_it() {
    let registry = Registry::new();
    registry.register_process().unwrap();
    let before = text(&registry);
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || ended.recv());
    let file = std::fs::File::open("/proc/self/stat").unwrap();
    let limit = getrlimit(Resource::Nofile);
    let lowered = Rlimit {
        current: limit.current.map(|files| files - 1),
        ..limit
    };
    setrlimit(Resource::Nofile, lowered).unwrap();
    let during = text(&registry);
    setrlimit(Resource::Nofile, limit).unwrap();
    assert_moved(
        &before,
        &during,
        ["process_threads", "process_open_fds", "process_max_fds"],
    );
    drop((end, file));
    thread.join().unwrap().unwrap_err();
}

#[test]
fn other_metrics_of_the_client_pass_the_same_checks() {
    let registry = Registry::new();
    registry
        .register_labelled("build", "b", ["version"], Info::new([("version", "1")]))
        .unwrap();
    assert!(text(&registry).contains("# TYPE build_info gauge\nbuild_info{version=\"1\"} 1\n"));
    assert!(registry.gauge("build_info", "").is_err());
}
