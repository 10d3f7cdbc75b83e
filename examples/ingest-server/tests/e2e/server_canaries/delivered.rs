//! What is delivered of the audit log: to a webhook, a collector, syslog and a file.

use std::fs;

use super::{canaries::Canaries, outputs::Output, tee::Tee};
use crate::{
    harness::{Server, wait_for},
    server_audit_sinks::receivers::{Hook, SECRET, Stage, Syslog},
};

/// Four receivers, and what each got.
pub(super) struct Delivered {
    stage: Stage,
    hooks: Tee,
    records: Tee,
    syslog: Syslog,
    _hook: Hook,
}

impl Delivered {
    /// Receivers that take everything; log records go on to a collector.
    pub(super) async fn start(canaries: &mut Canaries, collector: &str) -> Self {
        canaries.add(
            "the secret of webhooks",
            SECRET.trim_start_matches("whsec_"),
        );
        let stage = Stage::new();
        let hook = Hook::start(&stage, "").await;
        Self {
            hooks: Tee::before(&hook.address).await,
            records: Tee::before(collector).await,
            syslog: Syslog::start(&stage).await,
            _hook: hook,
            stage,
        }
    }

    /// The file that names them.
    pub(super) fn sinks(&self) -> String {
        let local = "networks = [\"127.0.0.0/8\"]";
        let text = format!(
            "[sink.hook]\nkind = \"webhook\"\nurl = \"http://{}/hook\"\ncleartext = true\n{local}\n\
             secret_file = \"DIR/secret\"\n\
             [sink.otel]\nkind = \"otlp\"\nurl = \"http://{}/v1/logs\"\ncleartext = true\n{local}\n\
             [sink.soc]\nkind = \"syslog\"\naddress = \"{}\"\nca_file = \"DIR/ca.pem\"\n{local}\n\
             [sink.file]\nkind = \"ocsf-file\"\npath = \"DIR/audit.jsonl\"\n",
            self.hooks.address(),
            self.records.address(),
            self.syslog.address,
        );
        let file = self.stage.write("sinks.toml", &text);
        file.to_str().unwrap().to_owned()
    }

    /// Waits until a server has delivered what it has recorded.
    pub(super) async fn all(server: &Server) {
        wait_for("all to be delivered", async || {
            let metrics = server.metrics().await;
            let lags = metrics
                .iter()
                .filter(|(name, _)| name.starts_with("ingest_audit_sink_lag"));
            let lags: Vec<_> = lags.map(|(_, lag)| *lag).collect();
            assert_eq!(lags.len(), 4, "{lags:?}");
            lags.iter().all(|lag| *lag == 0.0).then_some(())
        })
        .await;
    }

    /// What they got.
    pub(super) fn outputs(&self) -> Vec<Output> {
        let lines = fs::read(self.stage.path("audit.jsonl")).unwrap();
        [
            ("webhooks of the audit log", self.hooks.sent()),
            ("log records of the audit log", self.records.sent()),
            ("syslog of the audit log", self.syslog.taken()),
            ("lines of the audit log", lines),
        ]
        .map(|(place, bytes)| (place.to_owned(), bytes))
        .into()
    }
}
