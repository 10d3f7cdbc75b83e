//! A private server on a free port, with its data in a temporary folder, stopped when it is dropped.

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tempfile::TempDir;

const INSTALL: &str = "apt-get install postgresql-15";

/// Where Debian has what it keeps out of the way.
const DEBIAN: &str = "/usr/lib/postgresql/15/bin";

/// A server until it is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    port: u16,
    folder: TempDir,
}

impl Server {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(folder.path()));
        }
        let port = free_port();
        let server = Self { port, folder };
        let mut make = program("initdb");
        make.args(["--auth=trust", "--username=postgres", "--no-sync"]);
        run(make.arg("-D").arg(server.data()));
        server.resume();
        server
    }

    /// Connections that find their tables in a schema of that name, which is made if it is not there.
    pub(crate) async fn schema(&self, name: &str) -> PgPool {
        self.schema_with(name, &[]).await
    }

    /// The same, with these settings of the server for each connection.
    pub(crate) async fn schema_with(&self, name: &str, settings: &[(&str, &str)]) -> PgPool {
        let setup = PgPoolOptions::new().connect_with(self.options("postgres"));
        let mut setup = setup.await.unwrap().begin().await.unwrap();
        for statement in [
            "SELECT pg_advisory_xact_lock(1)".to_owned(),
            format!("CREATE SCHEMA IF NOT EXISTS {name}"),
        ] {
            let statement = sqlx::raw_sql(AssertSqlSafe(statement));
            statement.execute(&mut *setup).await.unwrap();
        }
        setup.commit().await.unwrap();
        self.pool("postgres", name, settings)
    }

    /// Connections of a role that find their tables in a schema.
    pub(crate) fn pool(&self, role: &str, schema: &str, settings: &[(&str, &str)]) -> PgPool {
        let options = self.options(role).options([("search_path", schema)]);
        PgPoolOptions::new()
            .acquire_timeout(Duration::from_secs(20))
            .max_connections(8)
            .connect_lazy_with(options.options(settings.iter().copied()))
    }

    fn options(&self, role: &str) -> PgConnectOptions {
        PgConnectOptions::new()
            .host("127.0.0.1")
            .port(self.port)
            .username(role)
            .database("postgres")
    }

    /// A file of its data, by the name that the server has for it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.data().join(name)
    }

    /// How many circles of those who wait for each other it has broken.
    pub(crate) fn deadlocks(&self) -> usize {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
        log.matches("deadlock detected").count()
    }

    /// As a crash: nobody is told anything.
    pub(crate) fn crash(&self) {
        self.control(&["-m", "immediate", "stop"]);
    }

    /// What is not on disk when a commit is answered is not for ten seconds.
    pub(crate) fn resume(&self) {
        let folder = self.folder.path().display();
        let options = format!(
            "-p {} -k {folder} -c fsync=off -c wal_writer_delay=10s",
            self.port
        );
        self.control(&["-o", &options, "start"]);
    }

    fn control(&self, arguments: &[&str]) {
        let mut control = program("pg_ctl");
        control.args(["-w", "-t", "60", "-l"]);
        control.arg(self.folder.path().join("log"));
        run(control.arg("-D").arg(self.data()).args(arguments));
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut control = program("pg_ctl");
        control
            .args(["-m", "immediate", "stop", "-D"])
            .arg(self.data());
        // It may have ended already.
        drop(control.stdout(Stdio::null()).stderr(Stdio::null()).status());
    }
}

/// A program of the server, which refuses to run as root.
fn program(name: &str) -> Command {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([Path::new(DEBIAN).to_owned()]);
    let mut found = folders.map(|folder| folder.join(name));
    let found = found.find(|program| program.is_file());
    let found = found.unwrap_or_else(|| panic!("{name} is missing: {INSTALL}"));
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(found);
        command
    } else {
        Command::new(found)
    };
    command.current_dir("/").stdin(Stdio::null());
    command
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout == b"0\n"
}

fn run(command: &mut Command) {
    // Not through a pipe, which the server would keep open.
    let status = command.stdout(Stdio::null()).status();
    let status = status.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

/// A port that nobody has. The system does not give it to a connection, for which it has those from 32,768 on, and
/// other processes that look for one begin elsewhere.
fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let next = std::process::id() * 8 + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = 10_000 + u16::try_from(next % 10_000).unwrap();
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}
