//! A Prometheus with the committed rules, and an Alertmanager with the committed routes.

use std::{
    env, fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use super::receivers::{Receivers, Told};
use crate::{
    harness::wait_for,
    programs::{Program, free_address},
};

/// The job of the committed configuration.
pub(super) const JOB: &str = "portcullis";

/// The probe's.
pub(super) const PROBE_JOB: &str = "portcullis-probe";

/// Processes that are watched as another service is.
pub(super) const OTHER_JOB: &str = "portcullis-other";

/// A process that is watched.
#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) job: &'static str,
    pub(super) address: String,
}

fn monitoring() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/monitoring")
}

/// Whether the intervals are those of operators.
pub(super) fn as_committed() -> bool {
    env::var_os("INGEST_TEST_ALERTS").is_some_and(|it| it == "committed")
}

/// A Prometheus with the committed rules, and an Alertmanager with the committed routes.
pub(super) struct Watch {
    receivers: Receivers,
    _prometheus: Program,
    prometheus_url: String,
    _alertmanager: Program,
}

impl Watch {
    /// Over these processes, whose operators have this token; `history` is what was seen earlier, in OpenMetrics.
    pub(super) async fn over(targets: &[Target], token: &str, history: &str) -> Self {
        let receivers = Receivers::start();
        let manager = free_address();
        let alertmanager = Self::alertmanager(&manager, receivers.address());
        let connects = async || TcpStream::connect(&manager).ok();
        wait_for("a listening Alertmanager", connects).await;
        let address = free_address();
        let prometheus = Self::prometheus(&address, &manager, targets, token, history);
        Self {
            receivers,
            _prometheus: prometheus,
            prometheus_url: format!("http://{address}"),
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

    fn prometheus(
        address: &str,
        manager: &str,
        targets: &[Target],
        admin_token: &str,
        history: &str,
    ) -> Program {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("token");
        fs::write(&token, admin_token).unwrap();
        let of_job = |job| {
            let of_job = targets.iter().filter(|target| target.job == job);
            let addresses: Vec<_> = of_job
                .map(|target| format!("'{}'", target.address))
                .collect();
            addresses.join(",")
        };
        let mut config = fs::read_to_string(monitoring().join("prometheus.yml")).unwrap();
        // Before any path is in it.
        if !as_committed() {
            config = config.replace("15s", "1s").replace("5s", "1s");
        }
        let rules = folder.path().join("rules");
        copy_rules(&rules);
        for (committed, here) in [
            ("rules/", &format!("{}/", rules.display())),
            (
                "- targets:\n          - \"127.0.0.1:9090\"",
                &format!("- targets: [{}]", of_job(JOB)),
            ),
            (
                "- targets:\n          - \"127.0.0.1:9115\"",
                &format!("- targets: [{}]", of_job(PROBE_JOB)),
            ),
            ("127.0.0.1:9093", &manager.to_owned()),
            // It is watched too.
            ("127.0.0.1:9091", &address.to_owned()),
            (
                "/etc/prometheus/secrets/portcullis-admin-token",
                &token.display().to_string(),
            ),
        ] {
            assert!(config.contains(committed), "{committed}: {config}");
            config = config.replace(committed, here);
        }
        config += &format!(
            "  - job_name: {OTHER_JOB}\n    authorization: {{ credentials_file: '{}' }}\n    \
             static_configs: [{{ targets: [{}] }}]\n",
            token.display(),
            of_job(OTHER_JOB)
        );
        let path = folder.path().join("prometheus.yml");
        fs::write(&path, config).unwrap();
        let data = folder.path().join("data");
        if !history.is_empty() {
            write_blocks(folder.path(), &data, history);
        }
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", path.display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address={address}"));
        if !as_committed() {
            // It tells nobody before it has found whom to tell, and again a minute later by default.
            command.arg("--rules.alert.resend-delay=1s");
        }
        Program::start(&mut command, folder, "apt-get install prometheus")
    }

    /// When this alert of this process was told to its receiver with this status, if it was before the deadline.
    pub(super) async fn told_until(
        &self,
        alert: &str,
        instance: &str,
        status: &str,
        receiver: Option<&str>,
        deadline: Instant,
    ) -> Option<Told> {
        loop {
            let told = self.receivers.find(alert, instance, status, receiver);
            if told.is_some() || Instant::now() >= deadline {
                return told;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The same, and it has to be within this time.
    pub(super) async fn told(
        &self,
        alert: &str,
        instance: &str,
        status: &str,
        within: Duration,
    ) -> Told {
        let deadline = Instant::now() + within;
        let told = self
            .told_until(alert, instance, status, None, deadline)
            .await;
        told.unwrap_or_else(|| panic!("{alert} was not {status}: {:#?}", self.all()))
    }

    /// Where Prometheus is asked.
    pub(super) fn prometheus_url(&self) -> &str {
        &self.prometheus_url
    }

    /// Everything that anybody was told.
    pub(super) fn all(&self) -> Vec<Told> {
        self.receivers.all()
    }
}

/// The committed rules; budgets are recorded each second too, unless all is as committed.
fn copy_rules(to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(monitoring().join("rules")).unwrap() {
        let entry = entry.unwrap();
        let mut rules = fs::read_to_string(entry.path()).unwrap();
        if !as_committed() {
            rules = rules.replace("interval: 5m", "interval: 1s");
        }
        fs::write(to.join(entry.file_name()), rules).unwrap();
    }
}

/// Blocks of what Prometheus has seen earlier.
fn write_blocks(folder: &Path, data: &Path, history: &str) {
    let file = folder.join("history");
    fs::write(&file, history).unwrap();
    let mut command = Command::new("promtool");
    command.args(["tsdb", "create-blocks-from", "openmetrics"]);
    let written = command.arg(file).arg(data).output().unwrap();
    let told = String::from_utf8_lossy(&written.stderr);
    assert!(written.status.success(), "{told}");
}
