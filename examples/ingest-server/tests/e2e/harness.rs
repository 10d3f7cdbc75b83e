//! Starts the binary on free ports with its own data, talks to it, and stops it.

use std::{
    collections::BTreeMap,
    fs::{self, File, Permissions},
    io::{BufRead as _, BufReader, Read, Write as _},
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::documented::assert_documented;

pub(crate) const ADMIN_TOKEN: &str = "test-admin-token-0123456789-abcdefghij";
pub(crate) const KEK: &str = "1:QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=";
pub(crate) const INDEX_ROOT: &str = "1:ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";
pub(crate) const PEPPER: &str = "1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
pub(crate) const AUDIT_KEY: &str = "1:YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn8=";
pub(crate) const OTHER_SECRET: &str = "1:8PHy8/T19vf4+fr7/P3+/+Dh4uPk5ebn6Onq6+zt7u8=";

pub(crate) const ALL_SCOPES: [&str; 4] = ["events:write", "leads:write", "leads:read", "pii:read"];

/// How long anything may take that is waited for.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A data folder that outlives the processes that use it.
#[derive(Debug, Clone)]
pub(crate) struct Data {
    folder: Arc<TempDir>,
    /// What production takes: random ones, as the fixed ones are not.
    secrets: Arc<[String; 5]>,
}

impl Data {
    pub(crate) fn new() -> Self {
        // With the feature `vault` no client can be made before; a second time changes nothing.
        drop(rustls::crypto::ring::default_provider().install_default());
        let folder = tempfile::Builder::new()
            .permissions(Permissions::from_mode(0o700))
            .tempdir()
            .unwrap();
        Self {
            folder: Arc::new(folder),
            secrets: Arc::new(std::array::from_fn(|_| random_secret())),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The secrets of [`production`](Self::production), by variable.
    pub(crate) fn random_secrets(&self) -> [(&'static str, String); 5] {
        let [token, kek, index_root, pepper, audit_key] = &*self.secrets;
        [
            ("INGEST_ADMIN_TOKEN", token.replace('/', "-")),
            ("PORTCULLIS_KEKS", format!("1:{kek}")),
            ("PORTCULLIS_INDEX_ROOTS", format!("1:{index_root}")),
            ("PORTCULLIS_KEY_PEPPERS", format!("1:{pepper}")),
            ("PORTCULLIS_AUDIT_KEYS", format!("1:{audit_key}")),
        ]
    }

    /// The binary as production starts it, with this data and random secrets.
    pub(crate) fn production(&self) -> Command {
        let mut command = self.command();
        command.env("INGEST_PROFILE", "production");
        command.envs(self.random_secrets());
        command
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path().join("ingest.db")
    }

    /// The binary with this data, fixed secrets, free ports and nothing else in its environment.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ingest-server"));
        command
            .env_clear()
            .env("INGEST_DATA_DIR", self.path())
            .env("INGEST_LISTEN", "127.0.0.1:0")
            .env("INGEST_ADMIN_LISTEN", "127.0.0.1:0")
            .env("INGEST_ADMIN_TOKEN", ADMIN_TOKEN)
            .env("PORTCULLIS_KEKS", KEK)
            .env("PORTCULLIS_INDEX_ROOTS", INDEX_ROOT)
            .env("PORTCULLIS_KEY_PEPPERS", PEPPER)
            .env("PORTCULLIS_AUDIT_KEYS", AUDIT_KEY);
        command
    }

    /// The same without any secret: what the dev profile makes secrets for.
    pub(crate) fn bare(&self) -> Command {
        let mut command = self.command();
        for variable in [
            "INGEST_ADMIN_TOKEN",
            "PORTCULLIS_KEKS",
            "PORTCULLIS_INDEX_ROOTS",
            "PORTCULLIS_KEY_PEPPERS",
            "PORTCULLIS_AUDIT_KEYS",
        ] {
            command.env_remove(variable);
        }
        command
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        run_to_end(self.command().args(arguments))
    }

    /// The logs of every server that ran here. No other file is read: closing it would end the locks that this
    /// process has on it.
    pub(crate) fn logs(&self) -> String {
        let is_log = |path: &PathBuf| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("logs-")
        };
        let logs = self.paths().filter(is_log);
        logs.map(|path| fs::read_to_string(path).unwrap()).collect()
    }

    /// Everything that lies in the folder, by file.
    pub(crate) fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        // The audit log replaces files while it is looked at.
        let read = |path: PathBuf| match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            bytes => {
                let mut bytes = bytes.unwrap();
                // What nothing was written to yet, of which its journal has much.
                let end = bytes.iter().rposition(|byte| *byte != 0);
                bytes.truncate(end.map_or(0, |last| last + 1));
                Some((path, bytes))
            }
        };
        self.paths().filter_map(read).collect()
    }

    /// Every file, also of folders in it; what goes meanwhile is left out.
    fn paths(&self) -> impl Iterator<Item = PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    files.push(path);
                }
            }
        }
        files.into_iter()
    }

    /// A connection to the database, beside the server's.
    pub(crate) async fn connect(&self) -> sqlx::SqliteConnection {
        use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};
        SqliteConnectOptions::new()
            .filename(self.database())
            .connect()
            .await
            .unwrap()
    }
}

/// The samples of a scrape by their names and labels.
pub(crate) type Samples = BTreeMap<String, f64>;

/// A running server.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    data: Data,
    logs: PathBuf,
    token: String,
    public: String,
    admin: String,
    http: reqwest::Client,
}

/// An issued API key.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub(crate) kid: String,
    pub(crate) text: String,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_on(&Data::new())
    }

    pub(crate) fn start_on(data: &Data) -> Self {
        Self::start_command(data, data.command())
    }

    /// Starts a command of [`Data::command`] and waits until it listens.
    pub(crate) fn start_command(data: &Data, command: Command) -> Self {
        let logs = tempfile::Builder::new()
            .prefix("logs-")
            .tempfile_in(data.path())
            .unwrap();
        let (file, logs) = logs.keep().unwrap();
        Self::start_in(data, command, file.into(), logs)
    }

    /// The same, with logs that go elsewhere.
    pub(crate) fn start_with_logs(data: &Data, command: Command, to: Stdio) -> Self {
        Self::start_in(data, command, to, PathBuf::new())
    }

    fn start_in(data: &Data, mut command: Command, to: Stdio, logs: PathBuf) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(to).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut addresses = lines.map_while(Result::ok).filter_map(|line| {
            let address = line.strip_prefix("listening on ")?.split(' ').next()?;
            Some(address.to_owned())
        });
        let (Some(public), Some(admin)) = (addresses.next(), addresses.next()) else {
            panic!(
                "the server did not start: {}",
                fs::read_to_string(&logs).unwrap_or_default()
            );
        };
        wait_until_warm(admin.strip_prefix("http://").unwrap());
        // One connection a request, as unrelated clients have.
        let http = reqwest::Client::builder()
            .pool_max_idle_per_host(0)
            .build()
            .unwrap();
        let token = command
            .get_envs()
            .find(|(name, _)| *name == "INGEST_ADMIN_TOKEN");
        let token = token.and_then(|(_, value)| value?.to_str().map(str::to_owned));
        Self {
            child,
            data: data.clone(),
            logs,
            token: token.unwrap_or_else(|| ADMIN_TOKEN.to_owned()),
            public,
            admin,
            http,
        }
    }

    pub(crate) fn data(&self) -> &Data {
        &self.data
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn public_address(&self) -> &str {
        self.public.strip_prefix("http://").unwrap()
    }

    pub(crate) fn admin_address(&self) -> &str {
        self.admin.strip_prefix("http://").unwrap()
    }

    pub(crate) fn public_url(&self, path: &str) -> String {
        format!("{}{path}", self.public)
    }

    /// Operators have another token from now on.
    pub(crate) fn use_token(&mut self, token: &str) {
        token.clone_into(&mut self.token);
    }

    /// Every sample of `/metrics` by its name and labels, each of which is in `docs/metrics.md`.
    pub(crate) async fn metrics(&self) -> Samples {
        let answer = self.admin(Method::GET, "/metrics").send().await.unwrap();
        let text = answer.text().await.unwrap();
        assert_documented(&text);
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples
            .map(|line| {
                let (name, value) = line.rsplit_once(' ').unwrap();
                (name.to_owned(), value.parse().unwrap())
            })
            .collect()
    }

    pub(crate) fn logs(&self) -> String {
        fs::read_to_string(&self.logs).unwrap()
    }

    pub(crate) fn request(&self, method: Method, path: &str, key: &Key) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.public))
            .bearer_auth(&key.text)
    }

    pub(crate) fn post(&self, path: &str, key: &Key, body: &Value) -> RequestBuilder {
        self.request(Method::POST, path, key).json(body)
    }

    pub(crate) fn admin(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.admin))
            .bearer_auth(&self.token)
    }

    /// A key of the enterprise tier, whose limits no test reaches by accident.
    pub(crate) async fn issue(&self, tenant: &str, scopes: &[&str]) -> Key {
        self.issue_tier(tenant, "enterprise", scopes).await
    }

    pub(crate) async fn issue_tier(&self, tenant: &str, tier: &str, scopes: &[&str]) -> Key {
        let body = json!({ "tenant": tenant, "tier": tier, "scopes": scopes });
        let answer = self
            .admin(Method::POST, "/admin/api-keys")
            .json(&body)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::CREATED);
        let answer: Value = answer.json().await.unwrap();
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        Key {
            kid: text("kid"),
            text: text("key"),
        }
    }

    /// Creates or updates a lead and gives its id.
    pub(crate) async fn lead(&self, key: &Key, body: &Value) -> String {
        let answer = self.post("/v1/leads", key, body).send().await.unwrap();
        assert!(
            answer.status().is_success(),
            "{}",
            answer.text().await.unwrap()
        );
        answer.json::<Value>().await.unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Reads a lead, giving a reason.
    pub(crate) async fn read_lead(&self, key: &Key, id: &str) -> Response {
        let request = self.request(Method::GET, &format!("/v1/leads/{id}"), key);
        request
            .header("x-access-reason", "test")
            .send()
            .await
            .unwrap()
    }

    /// SIGTERM, and what became of the process.
    pub(crate) fn terminate(mut self) -> ExitStatus {
        let status = Command::new("kill")
            .arg(self.pid().to_string())
            .status()
            .unwrap();
        assert!(status.success());
        let deadline = Instant::now() + TIMEOUT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "the server does not stop: {}",
                self.logs()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL: the process gets no say.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already, which is what is wanted.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A server listens a moment before it is ready: it still loads what was used last time.
fn wait_until_warm(admin: &str) {
    let ask = || {
        let mut stream = TcpStream::connect(admin)?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).map(|_| answer)
    };
    let deadline = Instant::now() + TIMEOUT;
    // What else is wrong with it is for the test to find.
    while ask().is_ok_and(|answer: String| answer.contains("\"state\":\"warming\"")) {
        assert!(Instant::now() < deadline, "the server does not get ready");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A stored page view.
pub(crate) fn page_view(id: impl ToString) -> Value {
    json!({
        "specversion": "1.0", "type": "page.viewed", "source": "test/web", "id": id.to_string(),
        "data": { "url": "https://shop.example/shoes" }
    })
}

/// Runs a process that is to end by itself; one that goes on serving instead fails the test.
pub(crate) fn run_to_end(command: &mut Command) -> Output {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A pipe that is full would keep it from its end.
    let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (stdout, stderr) = (read_aside(stdout), read_aside(stderr));
    let deadline = Instant::now() + TIMEOUT;
    let mut goes_on = false;
    while child.try_wait().unwrap().is_none() {
        goes_on = Instant::now() >= deadline;
        if goes_on {
            child.kill().unwrap();
            break;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = Output {
        status: child.wait().unwrap(),
        stdout: stdout.join().unwrap(),
        stderr: stderr.join().unwrap(),
    };
    assert!(!goes_on, "it goes on: {output:?}");
    output
}

/// What comes, to its end.
fn read_aside(mut from: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

/// 32 random bytes in base64.
pub(crate) fn random_secret() -> String {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")
        .unwrap()
        .read_exact(&mut bytes)
        .unwrap();
    STANDARD.encode(bytes)
}

/// Polls until `met` gives something.
pub(crate) async fn wait_for<T>(what: &str, mut met: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(result) = met().await {
            return result;
        }
        assert!(Instant::now() < deadline, "waited in vain for: {what}");
        // As often as an operator may ask for ever.
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// What is on record, the oldest first, as an operator sees it; the query begins with `&` or is empty.
pub(crate) async fn on_record(server: &Server, query: &str) -> Vec<Value> {
    let path = format!("/admin/audit/events?limit=500{query}");
    let answer = server.admin(Method::GET, &path).send().await.unwrap();
    let status = answer.status();
    let mut page: Value = answer.json().await.unwrap();
    assert_eq!(status, StatusCode::OK, "{page}");
    let mut events: Vec<Value> = serde_json::from_value(page["events"].take()).unwrap();
    events.reverse();
    events
}

/// What is on record as soon as it is at least so much: nobody waits for a note of what was refused or taken in, which may
/// come after the answer.
pub(crate) async fn noted(server: &Server, query: &str, at_least: usize) -> Vec<Value> {
    wait_for("what is noted", async || {
        let events = on_record(server, query).await;
        (events.len() >= at_least).then_some(events)
    })
    .await
}

/// An audit log that nothing can be put into, until it is shown again.
pub(crate) struct HiddenLog {
    place: PathBuf,
    hidden: PathBuf,
}

impl HiddenLog {
    /// Takes the log of a server away, as a disk that is gone does, and waits until the server has seen it.
    pub(crate) async fn of(server: &Server) -> Self {
        let folder = server.data().path().join("audit");
        let (place, hidden) = (folder.join("server"), folder.join("hidden"));
        fs::rename(&place, &hidden).unwrap();
        wait_for("the audit log to be missed", async || {
            let looked = server.admin(Method::GET, "/admin/limits").send().await;
            (looked.unwrap().status() == StatusCode::SERVICE_UNAVAILABLE).then_some(())
        })
        .await;
        Self { place, hidden }
    }

    pub(crate) fn show(self) {
        fs::rename(&self.hidden, &self.place).unwrap();
    }
}

/// How many rows of a table there are.
pub(crate) async fn count(data: &Data, table: &str) -> i64 {
    let statement = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar(sqlx::AssertSqlSafe(statement))
        .fetch_one(&mut data.connect().await)
        .await
        .unwrap()
}

/// What `/readyz` answers, and its components.
pub(crate) async fn readiness(server: &Server) -> (StatusCode, Value) {
    let answer = server.admin(Method::GET, "/readyz").send().await.unwrap();
    let status = answer.status();
    let mut ready: Value = answer.json().await.unwrap();
    (status, ready["components"].take())
}

/// A shell that runs the command in the end.
pub(crate) fn shell(script: &str, command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", script])
        .arg(command.get_program())
        .env_clear();
    for (name, value) in command.get_envs() {
        shell.env(name, value.unwrap_or_default());
    }
    shell
}

/// Makes a commit of the event `slow` take seconds, as a volume does that is hardly up to it.
pub(crate) async fn slow_down(data: &Data, seconds: u64) {
    let statements = format!(
        "CREATE VIEW numbers AS WITH RECURSIVE number (n) AS
           (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {}) SELECT n FROM number;
         CREATE TRIGGER slow AFTER INSERT ON event WHEN NEW.id = 'slow'
           BEGIN SELECT count(*) FROM numbers; END",
        seconds * 3_000_000
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements))
        .execute(&mut data.connect().await)
        .await
        .unwrap();
}

/// Rows that wait in the write queue.
pub(crate) async fn waiting_rows(server: &Server) -> u64 {
    let answer = server.admin(Method::GET, "/readyz").send().await.unwrap();
    let ready: Value = answer.json().await.unwrap();
    let queue = &ready["components"]["write_queue"];
    queue["rows"].as_u64().unwrap() - queue["free_rows"].as_u64().unwrap()
}
