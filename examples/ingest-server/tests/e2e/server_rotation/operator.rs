//! What an operator does on the command line, beside servers that go on.

use std::{
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use sqlx::SqliteConnection;
use tokio::task::spawn_blocking;

use crate::{
    files_of_secrets::{Files, TAKEN},
    harness::{Server, wait_for},
};

/// How long work over all rows may take.
const TIMEOUT: Duration = Duration::from_secs(3_600);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The command line of a host.
#[derive(Debug)]
pub(super) struct Operator {
    pub(super) files: Files,
}

/// A process that is killed when the test fails.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Operator {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.files.command();
        command.args(arguments);
        command
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        spawn_blocking(move || command.output().unwrap())
            .await
            .unwrap()
    }

    /// What a command prints that was asked for JSON, one value a line.
    pub(super) async fn done(&self, arguments: &[&str]) -> Vec<Value> {
        let output = self.run(arguments).await;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// What a command prints.
    pub(super) async fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What a command says that is refused.
    pub(super) async fn refused(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments).await;
        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Kills a command (SIGKILL) as soon as it has come so far.
    pub(super) async fn killed(&self, arguments: &[&str], mut is_far: impl AsyncFnMut() -> bool) {
        let mut command = self.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut running = Killed(command.spawn().unwrap());
        let deadline = Instant::now() + TIMEOUT;
        while !is_far().await {
            let ended = running.0.try_wait().unwrap();
            assert!(
                ended.is_none(),
                "{arguments:?} ended before it was killed: {ended:?}"
            );
            assert!(
                Instant::now() < deadline,
                "{arguments:?} does not come so far"
            );
            tokio::time::sleep(LOOK_EVERY).await;
        }
        running.0.kill().unwrap();
        let status = running.0.wait().unwrap();
        assert_eq!(status.code(), None, "{arguments:?} had ended");
    }

    /// Replaces a secret in its file, and waits until both servers have it.
    pub(super) async fn replace(&self, servers: &[Server; 2], name: &str, text: &str) {
        let taken = |server: &Server| server.logs().matches(TAKEN).count();
        let before = servers.each_ref().map(taken);
        self.files.write(name, text);
        for (server, before) in servers.iter().zip(before) {
            wait_for("the secrets", async || {
                (taken(server) > before).then_some(())
            })
            .await;
        }
    }

    /// Gives a secret a second version beside the first, everywhere, and makes it the primary one after that.
    /// Gives the second.
    pub(super) async fn add_second(&self, servers: &[Server; 2], name: &str) -> String {
        let first = self.files.first(name);
        let second = format!("2:{}", crate::harness::random_secret());
        self.replace(servers, name, &format!("{first},{second}"))
            .await;
        self.replace(servers, &format!("{name}_PRIMARY"), "2").await;
        second
    }

    /// A number that the database says. The connection is the caller's, as the end of one would take the locks
    /// of others away.
    pub(super) async fn number(&self, database: &mut SqliteConnection, statement: &str) -> i64 {
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        sqlx::query_scalar(statement)
            .fetch_one(database)
            .await
            .unwrap()
    }
}

/// Polls for something that the service has minutes for.
pub(super) async fn until<T>(what: &str, mut met: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + TIMEOUT;
    loop {
        if let Some(result) = met().await {
            return result;
        }
        assert!(Instant::now() < deadline, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
