//! `/metrics` is read by a real Prometheus, by its checker, and by the reference OpenMetrics parser.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]

#[path = "support/program.rs"]
mod program;
#[path = "support/spans.rs"]
mod spans;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    num::NonZeroUsize,
    process::{Command, Output, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
};

use portcullis_telemetry::{
    Buckets, Environment, Guard, Logs, Ratio, Registry, Sampling, Tail, Telemetry, current_trace_id,
};
use tempfile::TempDir;
use tracing::{error, info_span};
use tracing_subscriber::layer::SubscriberExt;

use self::{
    program::{Program, free_port},
    spans::Spans,
};

const INSTALL_PROMETHEUS: &str = "Install it with `apt-get install prometheus`";
const INSTALL_PARSER: &str = "Install the parser with `pip install prometheus-client`";
const PROMETHEUS_ACCEPTS: &str = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";

/// One metric of each kind, with everything in it that has to be escaped.
fn registry() -> Registry {
    let registry = Registry::new();
    registry.register_process().unwrap();
    let nasty = "a \"quoted\"\nline \\ back";
    registry.counter("plain_total", nasty).unwrap().inc_by(3);
    registry
        .gauge("level", "Level of something")
        .unwrap()
        .set(-4);
    registry
        .histogram("took_seconds", "Time", Buckets::STAGE_SECONDS)
        .unwrap()
        .observe(0.004);
    registry.observed_gauge("depth", "Depth", || 1.5).unwrap();
    let cap = NonZeroUsize::new(2).unwrap();
    let labels = ["http_route", "status"];
    let family = registry
        .counter_family("requests", "Requests", labels, cap)
        .unwrap();
    for route in ["/v1/events", nasty, "beyond", "and beyond"] {
        family.with([route, "200"]).inc();
    }
    let buckets = Buckets::REQUEST_SECONDS;
    let family = registry.histogram_family("answer_seconds", "Time", ["kind"], buckets, cap);
    family.unwrap().with(["x"]).observe(0.110);
    registry
}

fn feed(command: &mut Command, input: &str, install: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}. {install}"));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn the_checker_of_prometheus_accepts_the_text_format() {
    let body = registry().render(None).unwrap().body;
    let mut command = Command::new("promtool");
    let output = feed(
        command.args(["check", "metrics"]),
        &body,
        INSTALL_PROMETHEUS,
    );
    assert!(output.status.success(), "{output:?} for {body}");
}

#[test]
fn the_reference_parsers_read_every_sample_back() {
    let program = "
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text
families = {'open': open_metrics, 'text': text}[sys.argv[1]](sys.stdin.read())
for family in families:
    print('HELP', family.name, repr(family.documentation))
    for sample in family.samples:
        print(family.type, sample.name, sorted(sample.labels.items()), float(sample.value))
";
    for (format, accept) in [("open", Some(PROMETHEUS_ACCEPTS)), ("text", None)] {
        let exposition = registry().render(accept).unwrap();
        let mut command = Command::new("python3");
        let output = feed(
            command.args(["-c", program, format]),
            &exposition.body,
            INSTALL_PARSER,
        );
        assert!(
            output.status.success(),
            "{INSTALL_PARSER} if it is missing: {output:?}"
        );
        let samples = String::from_utf8(output.stdout).unwrap();
        for expected in [
            "counter plain_total [] 3.0",
            r#"HELP plain 'a "quoted"\nline \\ back.'"#,
            "gauge level [] -4.0",
            "gauge depth [] 1.5",
            "histogram took_seconds_count [] 1.0",
            "histogram answer_seconds_bucket [('kind', 'x'), ('le', '0.12')] 1.0",
            "counter requests_total [('http_route', '/v1/events'), ('status', '200')] 1.0",
            "counter requests_total [('http_route', '__other__'), ('status', '__other__')] 2.0",
            r#"[('http_route', 'a "quoted"\nline \\ back'), ('status', '200')] 1.0"#,
            "counter telemetry_label_overflow_total [('metric', 'requests')] 2.0",
            "gauge process_resident_memory_bytes",
        ] {
            assert!(
                samples.contains(expected),
                "{format}: {expected} in {samples}"
            );
        }
    }
}

/// Answers scrapes of the registry, and passes on what they accept.
fn serve(registry: Registry) -> (SocketAddr, Receiver<String>) {
    let (asked, accepts) = mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    thread::spawn(move || {
        for connection in listener.incoming() {
            let _ = asked.send(answer(&connection.unwrap(), &registry));
        }
    });
    (target, accepts)
}

struct Prometheus {
    program: Program,
    address: String,
    _folder: TempDir,
}

impl Prometheus {
    /// One that scrapes the target each second.
    fn start(target: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("prometheus.yml");
        let job = format!("  - {{job_name: t, static_configs: [{{targets: ['{target}']}}]}}\n");
        let global = "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n";
        fs::write(&config, format!("{global}{job}")).unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let data = folder.path().join("data");
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--enable-feature=exemplar-storage");
        Self {
            program: Program::start(&mut command, INSTALL_PROMETHEUS),
            address,
            _folder: folder,
        }
    }

    /// The answer to a query once it says this.
    fn answer(&self, path: &str, part: &str) -> String {
        self.program.wait("scraped sample", |_| {
            let answer = get(&self.address, path)?;
            answer.contains(part).then_some(answer)
        })
    }
}

#[test]
fn a_real_prometheus_scrapes_it() {
    let (target, accepts) = serve(registry());
    let prometheus = Prometheus::start(target);
    let found = prometheus.answer("/api/v1/query?query=plain_total", "\"value\":[");
    assert!(found.contains(r#","3"]"#), "{found}");
    let up = get(&prometheus.address, "/api/v1/query?query=up").unwrap();
    assert!(up.contains(r#","1"]"#), "{up}");
    let accept = accepts.recv().unwrap();
    assert!(
        accept.contains("openmetrics"),
        "it was asked for the format it prefers: {accept}"
    );
}

/// Metrics with one exemplar, of a trace that the tail has kept, the id of that trace, and the exporter.
fn with_exemplar() -> (Guard, String, Spans) {
    let spans = Spans::default();
    let (layer, guard) = Telemetry::builder("svc")
        .environment(Environment::empty())
        .exporter(spans.clone())
        .sampling(Sampling::head(Ratio::NONE).with_tail(Tail::default()))
        .logs(Logs::Off)
        .layer()
        .unwrap();
    let cap = NonZeroUsize::new(2).unwrap();
    let buckets = Buckets::REQUEST_SECONDS;
    let registry = guard.registry();
    let seconds = registry.exemplar_histogram_family("named_seconds", "Time", ["v"], buckets, cap);
    let seconds = seconds.unwrap();
    let subscriber = tracing_subscriber::registry().with(layer);
    let id = tracing::subscriber::with_default(subscriber, || {
        info_span!("fine").in_scope(|| seconds.with(["a \"b\" # {c}"]).observe(0.02));
        info_span!("failed").in_scope(|| {
            seconds.with(["a \"b\" # {c}"]).observe(0.11);
            error!("failed");
            current_trace_id().unwrap().to_string()
        })
    });
    (guard, id, spans)
}

#[test]
fn the_reference_parser_reads_exemplars_and_finds_none_in_the_text_format() {
    let program = "
import sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics
from prometheus_client.parser import text_string_to_metric_families as text
families = {'open': open_metrics, 'text': text}[sys.argv[1]](sys.stdin.read())
for family in families:
    for sample in family.samples:
        if sample.exemplar:
            print(sample.name, sample.labels['le'], sample.exemplar.labels, sample.exemplar.value)
";
    let (guard, id, _spans) = with_exemplar();
    for (format, accept) in [("open", Some(PROMETHEUS_ACCEPTS)), ("text", None)] {
        let body = guard.registry().render(accept).unwrap().body;
        let mut command = Command::new("python3");
        let output = feed(command.args(["-c", program, format]), &body, INSTALL_PARSER);
        assert!(output.status.success(), "{output:?} for {body}");
        let found = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = found.lines().collect();
        let expected = format!("named_seconds_bucket 0.12 {{'trace_id': '{id}', 'span_id': '");
        match format {
            "open" => assert!(
                lines.len() == 1 && lines[0].starts_with(&expected) && lines[0].ends_with(" 0.11"),
                "{lines:?}"
            ),
            _ => assert_eq!(lines, Vec::<&str>::new()),
        }
    }
}

#[test]
fn a_real_prometheus_keeps_the_exemplar_of_a_kept_trace() {
    let (guard, id, spans) = with_exemplar();
    let (target, _accepts) = serve(guard.registry().clone());
    let prometheus = Prometheus::start(target);
    let query = "/api/v1/query_exemplars?query=named_seconds_bucket&start=0&end=9999999999";
    let found = prometheus.answer(query, "trace_id");
    assert!(found.contains(&format!("\"trace_id\":\"{id}\"")), "{found}");
    assert_eq!(found.matches("trace_id").count(), 1, "{found}");
    let _ = guard.shutdown(std::time::Duration::from_secs(5));
    let exported = spans.all()[0].span_context.trace_id().to_string();
    assert_eq!(exported, id, "what it leads to is there");
}

/// Answers one scrape, and returns the `Accept` header that it came with.
fn answer(mut connection: &TcpStream, registry: &Registry) -> String {
    let lines = BufReader::new(connection).lines().map_while(Result::ok);
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let accept = head
        .iter()
        .find_map(|line| line.strip_prefix("Accept: "))
        .unwrap_or_default();
    let exposition = registry.render(Some(accept)).unwrap();
    let (kind, body) = (exposition.content_type, exposition.body);
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n");
    connection
        .write_all(format!("{head}connection: close\r\n\r\n{body}").as_bytes())
        .unwrap();
    accept.to_owned()
}

fn get(address: &str, path: &str) -> Option<String> {
    let mut connection = TcpStream::connect(address).ok()?;
    write!(connection, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
    Some(
        BufReader::new(connection)
            .lines()
            .map_while(Result::ok)
            .collect(),
    )
}
