//! The service under load: started in a folder of its own, and told what it must know.

use std::{
    fs::{self, DirBuilder},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use serde_json::{Map, Value, json};
use tempfile::TempDir;

use crate::{
    Failure,
    client::{Answer, Connection, Request},
    listening::Listening,
    process::Process,
};

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
const SCOPES: &[&str] = &["events:write", "leads:write", "leads:read", "pii:read"];
/// Keys are made over so many connections: a few, since each waits for the disk with what is made before it.
const ADMIN_CONNECTIONS: usize = 4;
/// How often something is asked for again that a slow disk kept from being done.
const ATTEMPTS: usize = 10;

/// A running service in the dev profile, which made its own secrets.
#[derive(Debug)]
pub(crate) struct Server {
    running: Listening,
    token: String,
    folder: TempDir,
    data: PathBuf,
}

impl Server {
    /// With rates that no machine reaches. It takes this machine for a proxy, so that clients behind it
    /// have their own shares where it says so.
    pub(crate) fn start(program: &Path, folder: &Path) -> Result<Self, Failure> {
        Self::start_with(program, folder, &[])
    }

    /// The same with other settings, by their flags.
    pub(crate) fn start_with(
        program: &Path,
        folder: &Path,
        flags: &[(&str, &str)],
    ) -> Result<Self, Failure> {
        Self::start_in(program, tempfile::tempdir_in(folder)?, flags)
    }

    /// The same service with all that it has stored, on the disk of `folder`. Thousands of keys are made
    /// in memory first, where a commit waits for nothing.
    pub(crate) fn move_to(self, program: &Path, folder: &Path) -> Result<Self, Failure> {
        let Self {
            running,
            folder: from,
            ..
        } = self;
        // Ended as by a failure of power: what was acknowledged is in its files.
        drop(running);
        let to = tempfile::tempdir_in(folder)?;
        // The service warns of one that others can read.
        DirBuilder::new().mode(0o700).create(data_of(&to))?;
        for file in fs::read_dir(data_of(&from))? {
            let file = file?;
            // The audit log is a folder, and of the process that wrote it: another begins its own.
            if file.file_type()?.is_file() {
                fs::copy(file.path(), data_of(&to).join(file.file_name()))?;
            }
        }
        Self::start_in(program, to, &[])
    }

    fn start_in(program: &Path, folder: TempDir, flags: &[(&str, &str)]) -> Result<Self, Failure> {
        let data = data_of(&folder);
        let mut command = Command::new(program);
        command.arg("--data-dir").arg(&data);
        let always = [
            ("--listen", "127.0.0.1:0"),
            ("--admin-listen", "127.0.0.1:0"),
            ("--trusted-proxies", "127.0.0.1/32"),
            ("--log", "error"),
            // A database that was moved knows a log that stayed behind.
            ("--audit-anchors", "none"),
        ];
        for (flag, value) in always.iter().chain(flags) {
            command.args([flag, value]);
        }
        let running = Listening::start(&mut command, &["public", "admin"])?;
        let secrets = fs::read_to_string(data.join("dev-secrets.env"))?;
        let mut lines = secrets.lines();
        let token = lines.find_map(|line| line.strip_prefix("INGEST_ADMIN_TOKEN="));
        let token = token
            .ok_or("the dev profile made no admin token")?
            .to_owned();
        let server = Self {
            running,
            token,
            folder,
            data,
        };
        server.lift_limits()?;
        Ok(server)
    }

    pub(crate) fn public(&self) -> &str {
        &self.running.addresses[0]
    }

    /// Where it keeps its database.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    pub(crate) fn process(&self) -> &Process {
        &self.running.process
    }

    fn lift_limits(&self) -> Result<(), Failure> {
        let lifted = json!({ "per-second": 1_000_000, "burst": 1_000_000 });
        let categories = json!({
            "ingest": { "tenant": lifted },
            "read": { "tenant": lifted },
            "search": { "key": lifted },
        });
        let mut limits = json!({
            "client-address": lifted,
            "tier": { "enterprise": { "category": categories } },
        });
        let without = limits.clone();
        limits["tier"]["operator"] = json!({ "category": { "admin": { "address": lifted } } });
        let lifted = self.admin()?.ask("PUT /admin/limits", &limits);
        // An earlier version has no limits of operators.
        let lifted = lifted.or_else(|_| self.admin()?.ask("PUT /admin/limits", &without));
        lifted.map(drop)
    }

    /// The policy by which nothing is looked for in what this tenant sends.
    pub(crate) fn turn_detection_off(&self, tenant: &str) -> Result<(), Failure> {
        let off: Map<String, Value> = KINDS
            .iter()
            .map(|kind| ((*kind).to_owned(), json!("off")))
            .collect();
        let policy = json!({ "tenant": { tenant: off } });
        self.admin()?.ask("PUT /admin/detection", &policy).map(drop)
    }

    /// A new API key for each of so many new tenants.
    pub(crate) fn issue_keys(&self, tenants: &str, count: usize) -> Result<Vec<String>, Failure> {
        let numbers: Vec<usize> = (0..count).collect();
        let share = count.div_ceil(ADMIN_CONNECTIONS).max(1);
        thread::scope(|scope| {
            let issuing: Vec<_> = numbers
                .chunks(share)
                .map(|numbers| scope.spawn(move || self.issue(tenants, numbers)))
                .collect();
            let issued = issuing.into_iter().map(|issuing| {
                issuing
                    .join()
                    .map_err(|_| "a thread that issued keys panicked")?
            });
            let issued: Vec<_> = issued.collect::<Result<_, Failure>>()?;
            Ok(issued.concat())
        })
    }

    fn issue(&self, tenants: &str, numbers: &[usize]) -> Result<Vec<String>, Failure> {
        let mut admin = self.admin()?;
        let one = |number| {
            let tenant = format!("{tenants}-{number}");
            let key = json!({ "tenant": tenant, "tier": "enterprise", "scopes": SCOPES });
            let answer = admin.ask("POST /admin/api-keys", &key)?;
            let key = answer["key"].as_str().ok_or("the answer has no key")?;
            Ok(key.to_owned())
        };
        numbers.iter().map(one).collect()
    }

    fn admin(&self) -> Result<Admin<'_>, Failure> {
        Ok(Admin {
            connection: Connection::open(&self.running.addresses[1])?,
            token: &self.token,
        })
    }
}

fn data_of(folder: &TempDir) -> PathBuf {
    folder.path().join("data")
}

/// A connection to the admin listener.
struct Admin<'a> {
    connection: Connection,
    token: &'a str,
}

impl Admin<'_> {
    fn ask(&mut self, line: &str, body: &Value) -> Result<Value, Failure> {
        let body = serde_json::to_vec(body)?;
        let request = Request {
            line,
            credential: self.token,
            fields: "",
            body: &body,
        };
        let mut attempts = 1;
        loop {
            let Answer { status, body } = self.connection.exchange(request)?;
            match status {
                200..300 => return Ok(serde_json::from_slice(body).unwrap_or_default()),
                503 if attempts < ATTEMPTS => attempts += 1,
                _ => {
                    let body = String::from_utf8_lossy(body);
                    return Err(format!("{line} was answered with {status}: {body}").into());
                }
            }
        }
    }
}
