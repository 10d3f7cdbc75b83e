//! A host as docs/production.md sets it up: secrets in files, an environment for the service, and a wall clock that
//! the test sets.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write as _},
    os::unix::{
        fs::{OpenOptionsExt as _, PermissionsExt as _},
        process::CommandExt as _,
    },
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

use super::steps;
use crate::{
    harness::{Data, Server, run_to_end, shell},
    programs::libfaketime,
};

/// Secrets and the files that hold them.
const SECRETS: [(&str, &str); 5] = [
    ("INGEST_ADMIN_TOKEN", "admin-token"),
    ("PORTCULLIS_KEKS", "keks"),
    ("PORTCULLIS_INDEX_ROOTS", "index-roots"),
    ("PORTCULLIS_KEY_PEPPERS", "key-peppers"),
    ("PORTCULLIS_AUDIT_KEYS", "audit-keys"),
];

#[derive(Debug)]
pub(super) struct Host {
    pub(super) data: Data,
    /// Functions of a shell in the place of programs that an operator has.
    pub(super) tools: String,
}

/// A step that goes on; killed when it is dropped, with all that it started.
#[derive(Debug)]
pub(super) struct Step(Child);

impl Host {
    pub(super) fn new() -> Self {
        let host = Self {
            data: Data::new(),
            tools: String::new(),
        };
        fs::create_dir_all(host.etc().join("secrets")).unwrap();
        let mut environment = String::new();
        let secrets = host.data.random_secrets();
        for ((variable, file), (_, value)) in SECRETS.iter().zip(secrets) {
            write(&host.secret(file), &value);
            let path = host.secret(file).into_os_string().into_string().unwrap();
            environment.push_str(&format!("{variable}_FILE={path}\n"));
        }
        write(&host.etc().join("environment"), &environment);
        host.configure("");
        host.set_ahead(Duration::ZERO);
        host
    }

    pub(super) fn etc(&self) -> PathBuf {
        self.data.path().join("etc")
    }

    pub(super) fn secret(&self, file: &str) -> PathBuf {
        self.etc().join("secrets").join(file)
    }

    pub(super) fn read(&self, file: &str) -> String {
        let path = self.secret(file);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
        fs::read_to_string(path).unwrap()
    }

    /// The file of settings; one that is refused makes a step stop half way.
    pub(super) fn configure(&self, text: &str) {
        write(&self.etc().join("config.toml"), text);
    }

    /// The settings of the environment of the service, by name.
    pub(super) fn settings(&self) -> BTreeMap<String, String> {
        let text = fs::read_to_string(self.etc().join("environment")).unwrap();
        let pairs = text.lines().map(|line| line.split_once('=').unwrap());
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// What the operator does whose step was refused after it had put `new` in the place of the file.
    pub(super) fn put_back(&self, file: &str) {
        fs::rename(self.secret("before"), self.secret(file)).unwrap();
    }

    /// Sets the wall clock of every process ahead, of those that run too.
    pub(super) fn set_ahead(&self, by: Duration) {
        // In one step, since processes read it all the time.
        let next = self.etc().join("faketime.next");
        write(&next, &format!("+{}", by.as_secs()));
        fs::rename(next, self.etc().join("faketime")).unwrap();
    }

    /// The binary in production, with what the environment of the service says now.
    pub(super) fn command(&self) -> Command {
        let mut command = self.bare();
        command.envs(self.settings());
        command
    }

    /// The binary without the environment of the service, which a step reads when it starts it.
    fn bare(&self) -> Command {
        let mut command = self.data.production();
        for (variable, _) in SECRETS {
            command.env_remove(variable);
        }
        command
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("PORTCULLIS_SECRETS_REFRESH", "1")
            .env("TZ", "UTC")
            .env("LD_PRELOAD", libfaketime())
            .env("FAKETIME_TIMESTAMP_FILE", self.etc().join("faketime"))
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        command
    }

    pub(super) fn start(&self) -> Server {
        let mut server = Server::start_command(&self.data, self.command());
        server.use_token(self.read("admin-token").trim());
        server
    }

    /// Does a step, which succeeds, and gives what it printed.
    pub(super) fn follow(&self, section: &str, step: usize) -> String {
        self.follow_with("", section, step)
    }

    /// As above, with what the operator writes down before it, such as names.
    pub(super) fn follow_with(&self, names: &str, section: &str, step: usize) -> String {
        let output = self.run(&format!("{names}\n{}", steps::commands(section, step)));
        assert!(output.status.success(), "{section} {step}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Begins a step that stops half way, and gives what it said; nothing is restarted.
    pub(super) fn fail(&self, section: &str, step: usize) -> String {
        self.fail_with("", section, step)
    }

    /// As above, with what the operator writes down before it.
    pub(super) fn fail_with(&self, names: &str, section: &str, step: usize) -> String {
        let output = self.run(&format!("{names}\n{}", steps::commands(section, step)));
        assert!(!output.status.success(), "{section} {step}: {output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(!said.contains("systemctl"), "{said}");
        said + &String::from_utf8(output.stderr).unwrap()
    }

    /// Begins a step that takes a while.
    pub(super) fn begin(&self, section: &str, step: usize) -> Step {
        let mut command = self.shell(&steps::commands(section, step));
        command.process_group(0);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Step(command.spawn().unwrap())
    }

    /// A command within the text of the page, with values for what stands for them there.
    pub(super) fn ingest(&self, command: &str, values: &[(&str, &str)]) -> String {
        let page = steps::PAGE.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(page.contains(&format!("`ingest {command}`")), "{command}");
        let mut command = format!(" {command} ");
        for (name, value) in values {
            command = command.replace(&format!(" {name} "), &format!(" {value} "));
        }
        self.output(&command)
    }

    /// The lines that a command prints as JSON.
    pub(super) fn json(&self, command: &str) -> Vec<Value> {
        let printed = self.output(&format!("{command} --json"));
        let lines = printed
            .lines()
            .map(|line| serde_json::from_str(line).unwrap());
        lines.collect()
    }

    /// What is said by a start that is refused.
    pub(super) fn refused(&self) -> String {
        let output = run_to_end(&mut self.command());
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Puts a file of secrets in the place of another, in one step.
    pub(super) fn write(&self, file: &str, text: &str) {
        write(&self.secret("draft"), text);
        fs::rename(self.secret("draft"), self.secret(file)).unwrap();
    }

    fn output(&self, command: &str) -> String {
        let output = self.run(&steps::with_preamble(&format!("ingest {command}")));
        assert!(output.status.success(), "{command}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn run(&self, commands: &str) -> Output {
        run_to_end(&mut self.shell(commands))
    }

    /// Runs commands with what a test has in the place of systemd and of root.
    fn shell(&self, commands: &str) -> Command {
        let etc = self.etc().into_os_string().into_string().unwrap();
        let script = format!(
            "set -u; chown() {{ :; }}; systemctl() {{ echo \"systemctl $*\"; }}
             systemd() {{
                 while [ \"$1\" != /usr/local/bin/ingest-server ]; do shift; done; shift
                 (set -a; . {etc}/environment; exec \"$program\" \"$@\")
             }}
             program=$0
             {}{}",
            self.tools,
            commands
                .replace("systemd-run", "systemd")
                .replace("/etc/ingest-server", &etc)
        );
        shell(&script, &self.bare())
    }
}

impl Step {
    pub(super) fn is_over(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    /// Waits for its end, which is a good one.
    pub(super) fn end(mut self) -> String {
        let status = self.0.wait().unwrap();
        let said = self.said();
        assert!(status.success(), "{said}");
        said
    }

    /// SIGKILL, at whatever it is doing.
    pub(super) fn kill(mut self) {
        self.stop();
    }

    /// Everything that it printed, when it has ended.
    pub(super) fn said(&mut self) -> String {
        let mut said = String::new();
        for stream in [
            self.0.stdout.take().map(|it| Box::new(it) as Box<dyn Read>),
            self.0.stderr.take().map(|it| Box::new(it) as Box<dyn Read>),
        ] {
            stream.unwrap().read_to_string(&mut said).unwrap();
        }
        said
    }

    fn stop(&mut self) {
        let group = Pid::from_child(&self.0);
        let _ = kill_process_group(group, Signal::KILL);
        drop(self.0.wait());
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(super) fn write(path: &Path, text: &str) {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}
