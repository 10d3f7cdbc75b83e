//! Alerts fire for their causes: the committed rules and routes, a real Prometheus, a real Alertmanager, and faults.
//!
//! Every change has one alert fire, with all intervals at a second. With `INGEST_TEST_ALERTS=committed` (scripts/nightly)
//! the intervals are the committed ones, and every alert that a test can cause within minutes has to arrive at its
//! receiver within 120 s of its cause, and to resolve when that is mended.

#[path = "server_alerts/receivers.rs"]
mod receivers;

use std::{
    collections::BTreeMap,
    env, fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use reqwest::{Client, StatusCode};
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use tempfile::TempDir;
use tokio::task::JoinHandle;

use self::receivers::{Receivers, Told};
use crate::{
    harness::{ADMIN_TOKEN, ALL_SCOPES, Key, Server, page_view, wait_for},
    programs::{Program, free_address},
};

/// From the cause of a page to its receiver.
const PAGE: Duration = Duration::from_secs(120);

/// A rate has to leave its window of 2 min, and a group is told of each minute.
const RESOLVED: Duration = Duration::from_secs(300);

fn monitoring() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/monitoring")
}

fn as_committed() -> bool {
    env::var_os("INGEST_TEST_ALERTS").is_some_and(|it| it == "committed")
}

/// A Prometheus with the committed rules, and an Alertmanager with the committed routes.
struct Watch {
    receivers: Receivers,
    _prometheus: Program,
    _alertmanager: Program,
}

impl Watch {
    async fn over(targets: &[&str]) -> Self {
        let receivers = Receivers::start();
        let manager = free_address();
        let alertmanager = Self::alertmanager(&manager, receivers.address());
        let folder = tempfile::tempdir().unwrap();
        let connects = async || TcpStream::connect(&manager).ok();
        wait_for("a listening Alertmanager", connects).await;
        let prometheus = Self::prometheus(folder, &manager, targets);
        Self {
            receivers,
            _prometheus: prometheus,
            _alertmanager: alertmanager,
        }
    }

    fn alertmanager(address: &str, receivers: &str) -> Program {
        let folder = tempfile::tempdir().unwrap();
        let committed = fs::read_to_string(monitoring().join("alertmanager.yml")).unwrap();
        let (routes, _) = committed.split_once("receivers:\n").unwrap();
        let mut config = routes.replace(
            "templates/",
            &format!("{}/templates/", monitoring().display()),
        );
        if !as_committed() {
            config = config.replace("group_wait: 10s", "group_wait: 1s");
        }
        config.push_str("receivers:\n");
        for name in ["pager", "tickets", "heartbeat"] {
            config += &format!(
                "- name: {name}\n  webhook_configs: [{{ url: 'http://{receivers}/{name}' }}]\n"
            );
        }
        let path = folder.path().join("alertmanager.yml");
        fs::write(&path, config).unwrap();
        let mut command = Command::new("prometheus-alertmanager");
        command
            .arg(format!("--config.file={}", path.display()))
            .arg(format!(
                "--storage.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=");
        Program::start(
            &mut command,
            folder,
            "apt-get install prometheus-alertmanager",
        )
    }

    fn prometheus(folder: TempDir, manager: &str, targets: &[&str]) -> Program {
        let token = folder.path().join("token");
        fs::write(&token, ADMIN_TOKEN).unwrap();
        let targets: String = targets
            .iter()
            .map(|target| format!("'{target}',"))
            .collect();
        let mut config = fs::read_to_string(monitoring().join("prometheus.yml")).unwrap();
        for (committed, here) in [
            ("rules/", &format!("{}/rules/", monitoring().display())),
            (
                "- targets:\n          - \"127.0.0.1:9090\"",
                &format!("- targets: [{targets}]"),
            ),
            ("127.0.0.1:9093", &manager.to_owned()),
            (
                "/etc/prometheus/secrets/portcullis-admin-token",
                &token.display().to_string(),
            ),
        ] {
            assert!(config.contains(committed), "{committed}: {config}");
            config = config.replace(committed, here);
        }
        if !as_committed() {
            config = config.replace("15s", "1s").replace("5s", "1s");
        }
        let path = folder.path().join("prometheus.yml");
        fs::write(&path, config).unwrap();
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", path.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address={}", free_address()));
        if !as_committed() {
            // It tells nobody before it has found whom to tell, and again a minute later by default.
            command.arg("--rules.alert.resend-delay=1s");
        }
        Program::start(&mut command, folder, "apt-get install prometheus")
    }

    /// When this alert of this process was told to its receiver with this status.
    async fn told(&self, alert: &str, instance: &str, status: &str, within: Duration) -> Told {
        let deadline = Instant::now() + within;
        loop {
            if let Some(told) = self.receivers.find(alert, instance, status) {
                return told;
            }
            assert!(
                Instant::now() < deadline,
                "{alert} was not {status}: {:#?}",
                self.receivers.all()
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

/// Somebody who sends, until it is dropped.
struct Sender(JoinHandle<()>);

impl Sender {
    /// So many events a second, with this text as the key.
    fn start(server: &Server, key: &str, a_second: u64) -> Self {
        let (url, key) = (server.public_url("/v1/events"), key.to_owned());
        let client = Client::builder()
            .timeout(Duration::from_secs(3))
            .build()
            .unwrap();
        Self(tokio::spawn(async move {
            for id in 0_u64.. {
                let request = client.post(&url).bearer_auth(&key);
                let request = request.json(&page_view(format!("{id}-of-the-sender")));
                tokio::spawn(request.send());
                tokio::time::sleep(Duration::from_millis(1_000 / a_second)).await;
            }
        }))
    }
}

impl Drop for Sender {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn pid(server: &Server) -> Pid {
    Pid::from_raw(server.pid().cast_signed()).unwrap()
}

/// Nothing can be written any more, or all of it again.
fn disk_is_full(server: &Server, full: bool) {
    let limit = Rlimit {
        current: full.then_some(0),
        maximum: None,
    };
    prlimit(Some(pid(server)), Resource::Fsize, limit).unwrap();
}

/// The page that a message leads to.
fn assert_has_runbook(told: &Told) {
    let (_, path) = told.runbook.split_once("/blob/main/").unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    assert!(path.exists(), "{}", path.display());
    assert!(
        !told.summary.is_empty() && !told.summary.contains("<no value>"),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_arrives_with_its_runbook_and_resolves() {
    let server = Server::start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    let instance = server.admin_address().to_owned();
    let watch = Watch::over(&[&instance]).await;
    // Two scrapes before the fault: of what was born at 1 nothing would be seen.
    let heartbeat = watch.told("PortcullisWatchdog", "", "firing", PAGE).await;
    assert_eq!(heartbeat.receiver, "heartbeat");
    let _sender = Sender::start(&server, &key.text, 5);
    tokio::time::sleep(Duration::from_secs(2)).await;
    disk_is_full(&server, true);
    let began = Instant::now();
    let told = watch
        .told("PortcullisCommitFailing", &instance, "firing", PAGE)
        .await;
    println!(
        "PortcullisCommitFailing: {:.1} s",
        (told.at - began).as_secs_f64()
    );
    assert_eq!(told.receiver, "pager");
    assert_has_runbook(&told);
    disk_is_full(&server, false);
    let event = server.post("/v1/events", &key, &page_view("after"));
    assert_eq!(event.send().await.unwrap().status(), StatusCode::ACCEPTED);
}

/// A process that stands still for most of the time.
struct Slowed {
    stop: Arc<AtomicBool>,
    pid: Pid,
}

impl Slowed {
    fn start(server: &Server) -> Self {
        let (stop, pid) = (Arc::new(AtomicBool::new(false)), pid(server));
        let stopped = Arc::clone(&stop);
        std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                let _ = kill_process(pid, Signal::STOP);
                std::thread::sleep(Duration::from_millis(300));
                let _ = kill_process(pid, Signal::CONT);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Self { stop, pid }
    }
}

impl Drop for Slowed {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = kill_process(self.pid, Signal::CONT);
    }
}

/// Takes minutes, and does nothing but in `scripts/nightly`.
#[tokio::test(flavor = "multi_thread")]
async fn each_alert_arrives_within_two_minutes_of_its_cause_and_resolves() {
    if !as_committed() {
        return;
    }
    let servers: [Server; 5] = std::array::from_fn(|_| Server::start());
    let mut keys: Vec<Key> = Vec::new();
    for server in &servers {
        keys.push(server.issue("acme", &ALL_SCOPES).await);
    }
    let instances: Vec<&str> = servers.iter().map(Server::admin_address).collect();
    let watch = Watch::over(&instances).await;
    let [full, stopped, tried, slow, busy] = &servers;
    let good: Vec<_> = [0, 3]
        .map(|at| Sender::start(&servers[at], &keys[at].text, 10))
        .into();
    // Two minutes of health, in which nothing fires but the heartbeat, and what the settings of a test are.
    tokio::time::sleep(Duration::from_secs(120)).await;
    let expected = ["PortcullisWatchdog", "PortcullisConfigSuspect"];
    let fired = watch.receivers.all();
    assert!(
        fired.iter().all(|it| expected.contains(&it.alert.as_str())),
        "{fired:#?}"
    );

    disk_is_full(full, true);
    kill_process(pid(stopped), Signal::STOP).unwrap();
    let slowed = Slowed::start(slow);
    let wrong = keys[0].text.clone();
    let trying = Sender::start(tried, &wrong, 20);
    let flooding = Sender::start(busy, &keys[4].text, 200);
    let began = Instant::now();
    let expected = [
        ("PortcullisCommitFailing", 0, "pager"),
        ("PortcullisServerErrors", 0, "pager"),
        ("PortcullisTargetDown", 1, "pager"),
        ("PortcullisAuthFailures", 2, "pager"),
        ("PortcullisLatencyHigh", 3, "pager"),
        ("PortcullisLimitHitsHigh", 4, "tickets"),
    ];
    let mut took = BTreeMap::new();
    for (alert, at, receiver) in expected {
        let left = PAGE.saturating_sub(began.elapsed());
        let told = watch.told(alert, instances[at], "firing", left).await;
        assert_eq!(told.receiver, receiver, "{alert}");
        assert_has_runbook(&told);
        took.insert(alert, told.at - began);
    }
    let burn = watch
        .told("PortcullisErrorBudgetBurn", "", "firing", PAGE)
        .await;
    took.insert("PortcullisErrorBudgetBurn", burn.at - began);

    disk_is_full(full, false);
    kill_process(pid(stopped), Signal::CONT).unwrap();
    drop((slowed, trying, flooding));
    let mended = Instant::now();
    println!("| alert | from cause to receiver | resolved |\n|---|---|---|");
    for (alert, at, _) in expected {
        let left = RESOLVED.saturating_sub(mended.elapsed());
        let told = watch.told(alert, instances[at], "resolved", left).await;
        let (fired, resolved) = (took[alert], told.at - mended);
        println!(
            "| {alert} | {:.1} s | {:.1} s |",
            fired.as_secs_f64(),
            resolved.as_secs_f64()
        );
    }
    println!(
        "| PortcullisErrorBudgetBurn | {:.1} s | |",
        took["PortcullisErrorBudgetBurn"].as_secs_f64()
    );
    drop(good);
}
