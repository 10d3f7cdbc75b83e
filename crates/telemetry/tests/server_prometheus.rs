//! `/metrics` is read by a real Prometheus, by its checker, and by the reference OpenMetrics parser.
#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]

#[path = "support/program.rs"]
mod program;

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    num::NonZeroUsize,
    process::{Command, Output, Stdio},
    sync::mpsc,
    thread,
};

use portcullis_telemetry::{Buckets, Registry};

use self::program::{Program, free_port};

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

#[test]
fn a_real_prometheus_scrapes_it() {
    let (asked, accepts) = mpsc::channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    thread::spawn(move || {
        let registry = registry();
        for connection in listener.incoming() {
            let _ = asked.send(answer(&connection.unwrap(), &registry));
        }
    });

    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("prometheus.yml");
    let job = format!("  - {{job_name: t, static_configs: [{{targets: ['{target}']}}]}}\n");
    let global = "global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n";
    fs::write(&config, format!("{global}{job}")).unwrap();
    let address = format!("127.0.0.1:{}", free_port());
    let mut command = Command::new("prometheus");
    command
        .arg(format!("--config.file={}", config.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.path().join("data").display()
        ))
        .arg(format!("--web.listen-address={address}"));
    let prometheus = Program::start(&mut command, INSTALL_PROMETHEUS);

    let found = prometheus.wait("scraped sample", |_| {
        let answer = get(&address, "/api/v1/query?query=plain_total")?;
        answer.contains("\"value\":[").then_some(answer)
    });
    assert!(found.contains(r#","3"]"#), "{found}");
    let up = get(&address, "/api/v1/query?query=up").unwrap();
    assert!(up.contains(r#","1"]"#), "{up}");
    let accept = accepts.recv().unwrap();
    assert!(
        accept.contains("openmetrics"),
        "it was asked for the format it prefers: {accept}"
    );
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
