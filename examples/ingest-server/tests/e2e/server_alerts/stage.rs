//! What all faults share: one Prometheus over all of their processes, two minutes of health, and what came of each.
#![expect(
    clippy::print_stdout,
    reason = "the table tells how near a promise was to be broken"
)]

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs,
    path::Path,
    process::Command,
    sync::{Mutex, OnceLock},
    time::{Duration, Instant},
};

use tokio::sync::Barrier;

use super::{
    receivers::Told,
    watch::{JOB, OTHER_JOB, Target, Watch},
};
use crate::harness::{Server, random_secret};

/// From the cause of an alert to its receiver.
pub(super) const PAGE: Duration = Duration::from_secs(120);

/// A rate has to leave its window of 2 min, and a group is told of each minute.
const RESOLVED: Duration = Duration::from_secs(300);

/// In which nothing fires but the heartbeat.
const HEALTH: Duration = Duration::from_secs(120);

/// What is recorded each five minutes is recorded within this.
const EVALUATED: Duration = Duration::from_secs(180);

/// Where all faults meet.
pub(super) struct Stage {
    targets: Mutex<Vec<Target>>,
    history: Mutex<String>,
    is_set: Barrier,
    is_healthy: Barrier,
    has_fired: Barrier,
    is_looked_at: Barrier,
    watch: OnceLock<Watch>,
    rows: Mutex<Vec<Row>>,
    wrong: Mutex<Vec<String>>,
}

/// What came of an alert.
struct Row {
    alert: &'static str,
    fired: Duration,
    resolved: Option<Duration>,
}

/// Something that went wrong, or was mended, then.
pub(super) struct Moment<'a> {
    stage: &'a Stage,
    at: Instant,
}

impl Stage {
    pub(super) fn new(faults: usize) -> Self {
        Self {
            targets: Mutex::default(),
            history: Mutex::default(),
            is_set: Barrier::new(faults + 1),
            is_healthy: Barrier::new(faults + 1),
            has_fired: Barrier::new(faults + 1),
            is_looked_at: Barrier::new(faults + 1),
            watch: OnceLock::new(),
            rows: Mutex::default(),
            wrong: Mutex::default(),
        }
    }

    /// Has a process watched, and gives how it is called there.
    pub(super) fn watch(&self, server: &Server) -> String {
        self.watch_address(JOB, server.admin_address())
    }

    /// The same, as another service is.
    pub(super) fn watch_as_other(&self, server: &Server) {
        self.watch_address(OTHER_JOB, server.admin_address());
    }

    pub(super) fn watch_address(&self, job: &'static str, address: &str) -> String {
        let address = address.to_owned();
        self.targets.lock().unwrap().push(Target {
            job,
            address: address.clone(),
        });
        address
    }

    /// Prometheus has seen this series each minute for an hour and more, until 25 minutes ago: it had `first`, and `each` more a minute.
    pub(super) fn has_seen(&self, series: &str, first: u64, each: u64) {
        let family = series.split_once('{').map_or(series, |(name, _)| name);
        let kind = if each > 0 { "counter" } else { "gauge" };
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let mut history = self.history.lock().unwrap();
        writeln!(
            history,
            "# TYPE {} {kind}",
            family.trim_end_matches("_total")
        )
        .unwrap();
        for minute in 0..70 {
            let (value, at) = (first + each * minute, now - 95 * 60 + minute * 60);
            writeln!(history, "{series} {value} {at}").unwrap();
        }
    }

    /// Returns when all is set and has been well for two minutes.
    pub(super) async fn healthy(&self) {
        self.is_set.wait().await;
        self.is_healthy.wait().await;
    }

    /// Returns when all alerts have fired that will, and what is to be seen of them was looked at.
    pub(super) async fn all_fired(&self) {
        self.has_fired.wait().await;
        self.is_looked_at.wait().await;
    }

    /// Watches, as soon as all is set.
    pub(super) async fn run(&self) {
        self.is_set.wait().await;
        let targets = self.targets.lock().unwrap().clone();
        let mut history = self.history.lock().unwrap().clone();
        if !history.is_empty() {
            history += "# EOF\n";
        }
        let watch = Watch::over(&targets, admin_token(), &history).await;
        tokio::time::sleep(HEALTH).await;
        let fired = watch.all().into_iter();
        let fired: Vec<_> = fired
            .filter(|told| told.alert != "PortcullisWatchdog")
            .collect();
        if !fired.is_empty() {
            let fired = format!("nothing is wrong yet: {fired:#?}");
            self.wrong.lock().unwrap().push(fired);
        }
        let prometheus = watch.prometheus_url().to_owned();
        drop(self.watch.set(watch));
        self.is_healthy.wait().await;
        self.has_fired.wait().await;
        if let Err(missing) = all_have_data(&prometheus).await {
            self.wrong.lock().unwrap().push(missing);
        }
        self.is_looked_at.wait().await;
    }

    /// Something went wrong, or was mended, now.
    pub(super) fn now(&self) -> Moment<'_> {
        Moment {
            stage: self,
            at: Instant::now(),
        }
    }

    /// Prints what came of each alert, and fails if one did not come, or had no cause here.
    pub(super) fn assert_all(&self) {
        let rows = self.rows.lock().unwrap();
        println!("| alert | from cause to receiver | resolved |\n|---|---|---|");
        for row in rows.iter() {
            let resolved = match row.resolved {
                Some(it) => format!("{:.1} s", it.as_secs_f64()),
                None => "looks back for longer".to_owned(),
            };
            println!(
                "| {} | {:.1} s | {resolved} |",
                row.alert,
                row.fired.as_secs_f64()
            );
        }
        let wrong = self.wrong.lock().unwrap();
        assert!(wrong.is_empty(), "{wrong:#?}");
        let fired: BTreeSet<_> = rows.iter().map(|row| row.alert.to_owned()).collect();
        let missing: Vec<_> = committed_alerts().difference(&fired).cloned().collect();
        assert!(missing.is_empty(), "without a cause here: {missing:?}");
    }
}

impl Moment<'_> {
    /// The alert has to come to this receiver; `instance` is empty where it is of all processes.
    pub(super) async fn fires(&self, alert: &'static str, instance: &str, receiver: &str) {
        let told = self.told(alert, instance, "firing", Some(receiver), PAGE);
        let Some(told) = told.await else { return };
        assert_leads_to_a_runbook(&told);
        self.stage.rows.lock().unwrap().push(Row {
            alert,
            fired: told.at - self.at,
            resolved: None,
        });
    }

    /// The alert has to be over after this.
    pub(super) async fn resolves(&self, alert: &'static str, instance: &str) {
        let told = self.told(alert, instance, "resolved", None, RESOLVED).await;
        let Some(told) = told else { return };
        let mut rows = self.stage.rows.lock().unwrap();
        let row = rows.iter_mut().rfind(|row| row.alert == alert);
        if let Some(row) = row {
            row.resolved = Some(told.at.saturating_duration_since(self.at));
        }
    }

    async fn told(
        &self,
        alert: &str,
        instance: &str,
        status: &str,
        receiver: Option<&str>,
        within: Duration,
    ) -> Option<Told> {
        let watch = self.stage.watch.get().unwrap();
        let alert = format!("Portcullis{alert}");
        let told = watch
            .told_until(&alert, instance, status, receiver, self.at + within)
            .await;
        if told.is_none() {
            self.is_wrong(format!("{alert} of {instance:?} was not {status} in time"));
        }
        told
    }

    fn is_wrong(&self, what: String) {
        println!("{what}");
        self.stage.wrong.lock().unwrap().push(what);
    }
}

/// Whether every panel and recording rule shows something, as an operator finds out.
async fn all_have_data(prometheus: &str) -> Result<(), String> {
    let deadline = Instant::now() + EVALUATED;
    loop {
        let mut query = Command::new(env!("CARGO"));
        query.args([
            "run",
            "--quiet",
            "--package",
            "portcullis-ops",
            "--locked",
            "--",
        ]);
        let asked = query.args(["query", "--prometheus", prometheus]).output();
        let asked = asked.unwrap();
        if asked.status.success() {
            return Ok(());
        }
        if Instant::now() > deadline {
            return Err(String::from_utf8_lossy(&asked.stderr).into_owned());
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
}

/// The token of operators, of every process here.
pub(super) fn admin_token() -> &'static str {
    static TOKEN: OnceLock<String> = OnceLock::new();
    TOKEN.get_or_init(|| random_secret().replace('/', "-"))
}

/// The page that a message leads to is there, and its text has all that it names.
pub(super) fn assert_leads_to_a_runbook(told: &Told) {
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

/// Every alert of the committed rules but the heartbeat.
fn committed_alerts() -> BTreeSet<String> {
    let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/monitoring/rules");
    let mut alerts = BTreeSet::new();
    for entry in fs::read_dir(rules).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        let names = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("- alert: \"Portcullis"));
        alerts.extend(names.map(|name| name.trim_end_matches('"').to_owned()));
    }
    alerts.remove("Watchdog");
    alerts
}
