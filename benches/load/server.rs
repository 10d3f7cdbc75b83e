//! The service under load: started in a folder of its own, told what it must know, and stopped.

use std::{
    fs,
    io::{BufRead as _, BufReader, Lines},
    path::Path,
    process::{Child, ChildStdout, Command, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Failure, client::Connection};

/// Every kind of `portcullis-pii-detect`; the service refuses a name that it does not know.
const KINDS: &[&str] = &[
    "email",
    "phone",
    "payment_card",
    "national_id",
    "bank_account",
    "api_key",
    "ip_address",
];

/// A running service in the dev profile, which made its own secrets.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    public: String,
    admin: String,
    token: String,
    /// Without a reader, the service could not end its banner, and would end itself.
    _output: Lines<BufReader<ChildStdout>>,
    _folder: TempDir,
}

impl Server {
    pub(crate) fn start(program: &Path) -> Result<Self, Failure> {
        let folder = tempfile::tempdir()?;
        let data = folder.path().join("data");
        let mut process = Command::new(program)
            .env_clear()
            .env("INGEST_DATA_DIR", &data)
            .env("INGEST_LISTEN", "127.0.0.1:0")
            .env("INGEST_ADMIN_LISTEN", "127.0.0.1:0")
            .env("INGEST_LOG", "warn")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = process.stdout.take().ok_or("the service has no output")?;
        let mut lines = BufReader::new(output).lines();
        let mut addresses = lines.by_ref().map_while(Result::ok).filter_map(|line| {
            let (label, address) = line.split_once("http://")?;
            matches!(label.trim(), "public" | "admin").then(|| address.trim().to_owned())
        });
        let (Some(public), Some(admin)) = (addresses.next(), addresses.next()) else {
            process.kill()?;
            return Err("the service did not start: it says why above".into());
        };
        let secrets = fs::read_to_string(data.join("dev-secrets.env"))?;
        let token = secrets
            .lines()
            .find_map(|line| line.strip_prefix("INGEST_ADMIN_TOKEN="));
        let token = token
            .ok_or("the dev profile made no admin token")?
            .to_owned();
        Ok(Self {
            process,
            public,
            admin,
            token,
            _output: lines,
            _folder: folder,
        })
    }

    pub(crate) fn public(&self) -> &str {
        &self.public
    }

    /// A rate that no machine reaches, for a tenant and for the address that all requests come from.
    pub(crate) fn lift_limits(&self) -> Result<(), Failure> {
        let lifted = json!({ "per-second": 1_000_000, "burst": 1_000_000 });
        let limits = json!({
            "client-address": lifted,
            "tier": { "enterprise": { "category": { "ingest": { "tenant": lifted } } } },
        });
        self.ask("PUT /admin/limits", &limits).map(drop)
    }

    /// The policy by which nothing is looked for in what this tenant sends.
    pub(crate) fn turn_detection_off(&self, tenant: &str) -> Result<(), Failure> {
        let off: serde_json::Map<String, Value> = KINDS
            .iter()
            .map(|kind| ((*kind).to_owned(), json!("off")))
            .collect();
        let policy = json!({ "tenant": { tenant: off } });
        self.ask("PUT /admin/detection", &policy).map(drop)
    }

    /// A new API key of the tenant.
    pub(crate) fn issue_key(&self, tenant: &str) -> Result<String, Failure> {
        let key = json!({ "tenant": tenant, "tier": "enterprise", "scopes": ["events:write"] });
        let answer = self.ask("POST /admin/api-keys", &key)?;
        let key = answer["key"].as_str().ok_or("the answer has no key")?;
        Ok(key.to_owned())
    }

    fn ask(&self, line: &str, body: &Value) -> Result<Value, Failure> {
        let mut connection = Connection::open(&self.admin)?;
        let (status, answer) = connection.send(line, &self.token, &serde_json::to_vec(body)?)?;
        if !(200..300).contains(&status) {
            let answer = String::from_utf8_lossy(answer);
            return Err(format!("{line} was answered with {status}: {answer}").into());
        }
        Ok(serde_json::from_slice(answer).unwrap_or_default())
    }

    /// What its threads have run for since the start: unlike throughput, hardly a matter of what else
    /// the machine does.
    pub(crate) fn processor_time(&self) -> Result<Duration, Failure> {
        let mut nanoseconds = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.process.id()))? {
            // One that has ended since it was listed has none.
            let Ok(times) = fs::read_to_string(thread?.path().join("schedstat")) else {
                continue;
            };
            let running = times.split(' ').next().unwrap_or_default();
            nanoseconds += running.parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanoseconds))
    }

    pub(crate) fn stop(mut self) -> Result<(), Failure> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already where all went well.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
