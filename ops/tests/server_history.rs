//! Budgets, burn and alerts of the committed rules, of a history of 30 days in a real Prometheus, are what the history
//! says when it is added up by itself.

#![expect(
    clippy::unwrap_used,
    reason = "what a test does not expect is to fail it"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "deadlines on real processes are real time"
)]

#[path = "support/programs.rs"]
mod programs;

use std::{
    collections::BTreeSet,
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::Value;

use self::programs::{free_address, wait_for};

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// What a window has at its edges more or less than its samples, which Prometheus estimates.
const NEAR: f64 = 0.02;

const WINDOWS: [(&str, i64); 7] = [
    ("5m", 5 * MINUTE),
    ("30m", 30 * MINUTE),
    ("1h", HOUR),
    ("2h", 2 * HOUR),
    ("6h", 6 * HOUR),
    ("1d", DAY),
    ("3d", 3 * DAY),
];

/// What there was of an objective: how much a second, and which share of it was bad so many seconds ago.
struct Traffic {
    slo: &'static str,
    objective: f64,
    rate: f64,
    bad: fn(i64) -> f64,
}

const TRAFFIC: [Traffic; 4] = [
    // One in five thousand, half an hour of outage twelve days ago, and one that began twenty minutes ago.
    Traffic {
        slo: "availability",
        objective: 0.999,
        rate: 10.0,
        bad: |ago| match ago {
            ..=1_200 => 0.3,
            1_036_800..1_038_600 => 0.5,
            _ => 0.000_2,
        },
    },
    // Within its budget all the time.
    Traffic {
        slo: "latency",
        objective: 0.95,
        rate: 8.0,
        bad: |_| 0.02,
    },
    // Nothing comes.
    Traffic {
        slo: "durable",
        objective: 0.99,
        rate: 0.0,
        bad: |_| 0.0,
    },
    // So little that nobody is told, and more bad of it than may be.
    Traffic {
        slo: "revocation",
        objective: 0.999,
        rate: 0.000_1,
        bad: |_| 0.01,
    },
];

/// Two processes, the second with half of what the first has.
const PROCESSES: [(&str, f64); 2] = [("a", 1.0), ("b", 0.5)];

impl Traffic {
    /// How much came of a verdict from one moment to the next.
    fn increase(&self, verdict: &str, share: f64, ago: i64, seconds: i64) -> f64 {
        let bad = (self.bad)(ago);
        let of_verdict = if verdict == "bad" { bad } else { 1.0 - bad };
        self.rate * share * of_verdict * seconds as f64
    }

    /// What was bad, and what there was, in the last seconds.
    fn counted(&self, steps: &[(i64, i64)], window: i64) -> (f64, f64) {
        let within = steps.iter().filter(|(ago, _)| *ago <= window);
        let all: f64 = PROCESSES.iter().map(|(_, share)| share).sum();
        within.fold((0.0, 0.0), |(bad, valid), (ago, seconds)| {
            let of = |verdict| self.increase(verdict, all, *ago, *seconds);
            (bad + of("bad"), valid + of("bad") + of("good"))
        })
    }
}

/// How long ago each sample was, and how long it is until the next: the closer the later.
fn steps() -> Vec<(i64, i64)> {
    let mut ago = 30 * DAY + 10 * MINUTE;
    let mut steps = Vec::new();
    while ago > 0 {
        let step = match ago {
            ago if ago > 2 * DAY => 5 * MINUTE,
            ago if ago > HOUR => MINUTE,
            _ => 15,
        };
        steps.push((ago, step));
        ago -= step;
    }
    steps
}

/// The counters as they were, which began again a week ago, as `promtool` takes them.
fn history(steps: &[(i64, i64)], now: i64) -> String {
    let mut text = "# TYPE slo_requests counter\n".to_owned();
    for traffic in &TRAFFIC {
        for verdict in ["good", "bad"] {
            for (process, share) in PROCESSES {
                let slo = traffic.slo;
                let series = format!(
                    "slo_requests_total{{slo=\"{slo}\",verdict=\"{verdict}\",instance=\"{process}\"}}"
                );
                let mut count = 0.0;
                for (ago, seconds) in steps {
                    if (7 * DAY..7 * DAY + seconds).contains(ago) {
                        count = 0.0;
                    }
                    writeln!(text, "{series} {count} {}", now - ago).unwrap();
                    count += traffic.increase(verdict, share, *ago, *seconds);
                }
                writeln!(text, "{series} {count} {now}").unwrap();
            }
        }
    }
    text.push_str("# EOF\n");
    text
}

/// A Prometheus with the committed rules over that history.
struct Prometheus {
    child: Child,
    url: String,
    folder: PathBuf,
}

impl Prometheus {
    fn start(history: &str) -> Self {
        let folder = env::temp_dir().join(format!("portcullis-history-{}", std::process::id()));
        fs::create_dir_all(folder.join("rules")).unwrap();
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        fs::write(path("history"), history).unwrap();
        let blocks = [
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            "--max-block-duration=768h",
            "--quiet",
            &path("history"),
            &path("data"),
        ];
        succeeds("promtool", &blocks);
        // Budgets are looked at each five minutes, which nobody waits for here. Nothing else is another.
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/monitoring/rules");
        for name in ["recording.yml", "slo.yml"] {
            let rules = fs::read_to_string(committed.join(name)).unwrap();
            let rules = rules.replace("interval: 5m\n", "interval: 1s\n");
            fs::write(folder.join("rules").join(name), rules).unwrap();
        }
        let config = "global:\n  evaluation_interval: 1s\nrule_files:\n  - rules/*.yml\n";
        fs::write(path("prometheus.yml"), config).unwrap();
        let address = free_address();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", path("prometheus.yml")))
            .arg(format!("--storage.tsdb.path={}", path("data")))
            .arg("--storage.tsdb.retention.time=35d")
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("prometheus: {error}: run scripts/components install"));
        Self {
            child,
            url: format!("http://{address}"),
            folder,
        }
    }

    /// What a query gives, by its labels.
    fn query(&self, query: &str) -> Option<Vec<Value>> {
        let output = run(
            "promtool",
            &["query", "instant", "-o", "json", &self.url, query],
        );
        let found: Vec<Value> = serde_json::from_slice(&output.stdout).ok()?;
        (!found.is_empty()).then_some(found)
    }

    /// What a rule has recorded of an objective.
    fn recorded(&self, name: &str, slo: &str) -> f64 {
        let found = wait_for(name, || self.query(&format!("{name}{{slo=\"{slo}\"}}")));
        assert_eq!(found.len(), 1, "{found:?}");
        found[0]["value"][1].as_str().unwrap().parse().unwrap()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        drop(fs::remove_dir_all(&self.folder));
    }
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let output = Command::new(program).args(arguments).output();
    output.unwrap_or_else(|error| panic!("{program}: {error}: run scripts/components install"))
}

fn succeeds(program: &str, arguments: &[&str]) {
    let output = run(program, arguments);
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {told}");
}

fn is_near(told: f64, expected: f64) -> bool {
    (told - expected).abs() <= NEAR * expected.abs()
}

#[test]
fn budget_burn_and_alerts_of_30_days_are_what_the_history_adds_up_to() {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let now = i64::try_from(since.as_secs()).unwrap();
    let steps = steps();
    let prometheus = Prometheus::start(&history(&steps, now));
    for traffic in &TRAFFIC {
        let Traffic { slo, objective, .. } = traffic;
        for (name, window) in WINDOWS {
            let told = prometheus.recorded(&format!("slo:bad:ratio_increase{name}"), slo);
            let (bad, valid) = traffic.counted(&steps, window);
            let is_right = if valid > 0.0 {
                is_near(told, bad / valid)
            } else {
                told.is_nan()
            };
            assert!(is_right, "{slo} {name}: {told}, and not {bad} of {valid}");
        }
        let told = prometheus.recorded("slo:budget_remaining:ratio", slo);
        let (bad, valid) = traffic.counted(&steps, 30 * DAY);
        let expected = 1.0 - bad / (valid * (1.0 - objective));
        let is_right = if valid > 0.0 {
            is_near(told, expected)
        } else {
            told.is_nan()
        };
        assert!(is_right, "{slo}: {told}, and not {expected}");
    }
    // It is known how much of it is known: here the figures of the test are right, and not those of nothing.
    let budget = |slo| prometheus.recorded("slo:budget_remaining:ratio", slo);
    assert!((0.2..0.4).contains(&budget("availability")));
    assert!((0.59..0.61).contains(&budget("latency")));
    assert!((-9.2..-8.8).contains(&budget("revocation")));

    // Of the little that was revoked, and was bad, nobody is told, and of the other only where all windows say so.
    let expected: BTreeSet<_> = [
        ("1h", "page"),
        ("6h", "page"),
        ("1d", "ticket"),
        ("3d", "ticket"),
    ]
    .map(|(window, severity)| ["availability", window, severity].map(str::to_owned))
    .into();
    let firing = "ALERTS{alertstate=\"firing\"}";
    wait_for("the alerts of the outage and no other", || {
        let alerts = prometheus.query(firing)?;
        let label = |alert: &Value, name| alert["metric"][name].as_str().unwrap_or("").to_owned();
        let told = alerts
            .iter()
            .map(|alert| ["slo", "window", "severity"].map(|name| label(alert, name)));
        (told.collect::<BTreeSet<_>>() == expected).then_some(())
    });
}
