//! Secrets in files that a test replaces while servers read them.

use std::{fs, io::Write as _, os::unix::fs::OpenOptionsExt as _, path::PathBuf, process::Command};

use crate::harness::{Data, Server, wait_for};

/// What a server logs when it has taken over what changed, and when it has not.
pub(crate) const TAKEN: &str = "other secrets are in use from now on";
pub(crate) const REFUSED: &str = "the changed secrets are refused";

/// The secrets of a data folder in files beside it.
#[derive(Debug)]
pub(crate) struct Files {
    pub(crate) data: Data,
}

impl Files {
    /// With the first versions, which are primary.
    pub(crate) fn new() -> Self {
        let files = Self { data: Data::new() };
        fs::create_dir(files.data.path().join("secrets")).unwrap();
        for (variable, text) in files.data.random_secrets() {
            files.write(variable, &text);
            files.write(&format!("{variable}_PRIMARY"), "1");
        }
        files
    }

    /// What a file holds at first.
    pub(crate) fn first(&self, variable: &str) -> String {
        let secrets = self.data.random_secrets();
        let (_, text) = secrets
            .into_iter()
            .find(|(name, _)| *name == variable)
            .unwrap();
        text
    }

    /// Where one is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.data.path().join("secrets").join(name)
    }

    /// In one step, as every tool does that replaces a secret.
    pub(crate) fn write(&self, name: &str, text: &str) {
        let draft = self.path("draft");
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&draft).unwrap();
        writeln!(file, "{text}").unwrap();
        fs::rename(draft, self.path(name)).unwrap();
    }

    /// The binary as production starts it; it looks at the files every second.
    pub(crate) fn command(&self) -> Command {
        let mut command = self.data.production();
        for (variable, _) in self.data.random_secrets() {
            command.env_remove(variable);
            command.env(format!("{variable}_FILE"), self.path(variable));
            if variable != "INGEST_ADMIN_TOKEN" {
                let primary = format!("{variable}_PRIMARY");
                command.env(format!("{primary}_FILE"), self.path(&primary));
            }
        }
        command.env("PORTCULLIS_SECRETS_REFRESH", "1");
        command
    }

    /// A server of it.
    pub(crate) fn start(&self) -> Server {
        let mut server = Server::start_command(&self.data, self.command());
        server.use_token(&self.first("INGEST_ADMIN_TOKEN"));
        server
    }
}

/// Waits until a line was logged so often.
pub(crate) async fn logged(server: &Server, line: &str, times: usize) {
    wait_for(line, async || {
        (server.logs().matches(line).count() >= times).then_some(())
    })
    .await;
    assert_eq!(
        server.logs().matches(line).count(),
        times,
        "{}",
        server.logs()
    );
}
