//! Prometheus and Alertmanager take what is committed, and each alert does what its cases say.

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
    env, fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use serde_json::{Value, json};

use self::programs::{free_address, wait_for};

fn monitoring() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/monitoring")
}

fn run(program: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(program);
    command.args(arguments).current_dir(monitoring());
    let output = command.output();
    output.unwrap_or_else(|error| panic!("{program}: {error}: run scripts/components install"))
}

fn succeeds(program: &str, arguments: &[&str]) -> String {
    let output = run(program, arguments);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {out}{err}"
    );
    out
}

fn files(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(monitoring().join(folder)).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.map(|name| format!("{folder}/{name}")).collect()
}

#[test]
fn prometheus_takes_the_rules_and_the_configuration() {
    let rules = files("rules");
    let rules: Vec<_> = rules.iter().map(String::as_str).collect();
    assert!(rules_in(&rules) > 60);
    // Its files of secrets are not here.
    succeeds(
        "promtool",
        &["check", "config", "--syntax-only", "prometheus.yml"],
    );
}

#[test]
fn each_alert_fires_below_at_above_and_without_data_as_its_cases_say() {
    let tests = files("tests");
    assert!(tests.len() > 20, "{tests:?}");
    let mut arguments = vec!["test", "rules"];
    arguments.extend(tests.iter().map(String::as_str));
    succeeds("promtool", &arguments);
}

/// How many rules `promtool` finds in these files.
fn rules_in(files: &[&str]) -> u32 {
    // Two rules that give the same series are refused too.
    let mut arguments = vec!["check", "rules", "--lint-fatal"];
    arguments.extend(files);
    let told = succeeds("promtool", &arguments);
    told.lines()
        .filter_map(|line| line.trim().strip_prefix("SUCCESS: "))
        .map(|rest| rest.split(' ').next().unwrap().parse::<u32>().unwrap())
        .sum()
}

/// With no difference between 1 and 1.0, of which jsonnet knows none.
fn as_floats(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(items) => items.iter().map(as_floats).collect(),
        Value::Object(members) => {
            let members = members.iter();
            members
                .map(|(name, value)| (name.clone(), as_floats(value)))
                .collect()
        }
        other => other.clone(),
    }
}

#[test]
fn the_mixin_has_the_same_rules_and_dashboards() {
    const EVALUATE: &str = "import _jsonnet; print(_jsonnet.evaluate_snippet('all', \"local mixin = import \
                            'mixin.libsonnet'; { dashboards: mixin.grafanaDashboards, \
                            groups: mixin.prometheusRules.groups + mixin.prometheusAlerts.groups }\"))";
    let evaluated = succeeds("python3", &["-c", EVALUATE]);
    let evaluated: Value = serde_json::from_str(&evaluated).unwrap();
    let dashboards = evaluated["dashboards"].as_object().unwrap();
    let committed = files("dashboards");
    assert_eq!(dashboards.len(), committed.len());
    for path in committed {
        let text = fs::read_to_string(monitoring().join(&path)).unwrap();
        let page: Value = serde_json::from_str(&text).unwrap();
        let (_, name) = path.split_once('/').unwrap();
        assert_eq!(as_floats(&dashboards[name]), as_floats(&page), "{name}");
    }
    let name = format!("portcullis-mixin-{}.yml", std::process::id());
    let path = env::temp_dir().join(name);
    fs::write(&path, json!({ "groups": evaluated["groups"] }).to_string()).unwrap();
    let of_mixin = rules_in(&[path.to_str().unwrap()]);
    fs::remove_file(&path).unwrap();
    let rules = files("rules");
    let rules: Vec<_> = rules.iter().map(String::as_str).collect();
    assert!(of_mixin > 60, "{of_mixin}");
    assert_eq!(of_mixin, rules_in(&rules));
}

#[test]
fn alertmanager_takes_the_configuration_and_each_alert_reaches_its_receiver() {
    succeeds("amtool", &["check-config", "alertmanager.yml"]);
    let cases = portcullis_ops::route_cases();
    assert!(cases.len() > 30, "{}", cases.len());
    for (labels, receiver) in cases {
        let mut arguments = vec!["config", "routes", "test", "--config.file=alertmanager.yml"];
        arguments.extend(labels.iter().map(String::as_str));
        assert_eq!(
            succeeds("amtool", &arguments).trim(),
            receiver,
            "{labels:?}"
        );
    }
}

/// An Alertmanager with the committed routes, that nobody is told by.
struct Alertmanager {
    child: Child,
    address: String,
}

impl Alertmanager {
    fn start() -> Self {
        let folder = env::temp_dir().join(format!("portcullis-ops-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let committed = fs::read_to_string(monitoring().join("alertmanager.yml")).unwrap();
        let (routes, _) = committed.split_once("receivers:\n").unwrap();
        let names = ["pager", "tickets", "heartbeat"].map(|name| format!("  - name: {name}\n"));
        let templates = "templates:\n  - \"templates/portcullis.tmpl\"\n";
        let config = format!(
            "{}receivers:\n{}",
            routes.replace(templates, ""),
            names.concat()
        );
        let path = folder.join("alertmanager.yml");
        fs::write(&path, config).unwrap();
        let address = free_address();
        let child = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", path.display()))
            .arg(format!("--storage.path={}", folder.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("prometheus-alertmanager: {error}: run scripts/components install")
            });
        let started = Self { child, address };
        wait_for("a listening Alertmanager", || {
            TcpStream::connect(&started.address).ok()
        });
        started
    }

    fn amtool(&self, arguments: &[&str]) -> String {
        let url = format!("--alertmanager.url=http://{}", self.address);
        let mut all = vec![url.as_str()];
        all.extend(arguments);
        succeeds("amtool", &all)
    }
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[test]
fn what_is_down_silences_its_other_alerts_and_a_faster_burn_a_slower() {
    let manager = Alertmanager::start();
    let alerts: [&[&str]; 8] = [
        &["alertname=PortcullisTargetDown", "instance=a"],
        &["alertname=PortcullisServerErrors", "instance=a"],
        &["alertname=PortcullisCommitFailing", "instance=b"],
        &["alertname=PortcullisKeyRowTampered", "instance=a"],
        &["alertname=PortcullisAuditUnsound", "instance=a"],
        &[
            "alertname=PortcullisErrorBudgetBurn",
            "slo=latency",
            "window=1h",
        ],
        &[
            "alertname=PortcullisErrorBudgetBurn",
            "slo=latency",
            "window=3d",
        ],
        &[
            "alertname=PortcullisErrorBudgetBurn",
            "slo=durable",
            "window=3d",
        ],
    ];
    for labels in alerts {
        let mut arguments = vec!["alert", "add"];
        arguments.extend(labels);
        manager.amtool(&arguments);
    }
    let query = |kind| {
        let shown = manager.amtool(&["alert", "query", kind, "-o", "extended"]);
        let lines = shown.lines().skip(1).map(|line| line.to_owned());
        lines.collect::<Vec<_>>()
    };
    let inhibited = wait_for("two that are silent", || {
        let found = query("--inhibited");
        (found.len() == 2).then_some(found)
    });
    let holds = |name: &str, more: &str| {
        inhibited
            .iter()
            .any(|line| line.contains(name) && line.contains(more))
    };
    assert!(
        holds("PortcullisServerErrors", "instance=\"a\""),
        "{inhibited:?}"
    );
    assert!(holds("window=\"3d\"", "slo=\"latency\""), "{inhibited:?}");
    assert_eq!(query("--active").len(), alerts.len() - 2);
}
