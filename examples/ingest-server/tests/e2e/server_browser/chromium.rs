//! A headless Chromium that is talked to in the Chrome DevTools Protocol, through two pipes.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

const INSTALL: &str = "apt-get install chromium";

/// It reads commands from its descriptor 3 and writes answers and events to 4, each with a NUL at its end.
const SCRIPT: &str = r#"exec "$@" 3<"$0/commands" 4>"$0/answers""#;

/// A browser with one page, until it is dropped.
#[derive(Debug)]
pub(super) struct Chromium {
    child: Child,
    commands: File,
    answers: BufReader<File>,
    session: Option<String>,
    sent: u64,
    events: Vec<Value>,
    _folder: TempDir,
}

impl Chromium {
    pub(super) fn start() -> Self {
        let found = Command::new("chromium").arg("--version").output();
        assert!(found.is_ok(), "chromium is missing: {INSTALL}");
        let folder = tempfile::tempdir().unwrap();
        let pipes = ["commands", "answers"].map(|name| folder.path().join(name));
        let made = Command::new("mkfifo").args(&pipes).status().unwrap();
        assert!(made.success());
        let child = Command::new("sh")
            .args(["-c", SCRIPT])
            .arg(folder.path())
            .args([
                "chromium",
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
            ])
            .args([
                "--no-first-run",
                "--disable-background-networking",
                "--remote-debugging-pipe",
            ])
            .arg(format!(
                "--user-data-dir={}",
                folder.path().join("profile").display()
            ))
            .env("HOME", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // In the order in which the shell opens the other ends.
        let [commands, answers] = pipes;
        let commands = OpenOptions::new().write(true).open(commands).unwrap();
        let answers = BufReader::new(File::open(answers).unwrap());
        let mut browser = Self {
            child,
            commands,
            answers,
            session: None,
            sent: 0,
            events: Vec::new(),
            _folder: folder,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach);
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        for domain in ["Network", "Page", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Sends this token with each request.
    pub(super) fn authorise(&mut self, token: &str) {
        let headers = json!({ "Authorization": format!("Bearer {token}") });
        self.call("Network.setExtraHTTPHeaders", json!({ "headers": headers }));
    }

    /// Loads a page in a window of this width, and gives the value of an expression in it.
    pub(super) fn look(&mut self, url: &str, width: u32, expression: &str) -> Value {
        let window =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", window);
        let loads = self.count("Page.loadEventFired");
        let navigated = self.call("Page.navigate", json!({ "url": url }));
        assert_eq!(navigated["errorText"], Value::Null, "{url}");
        while self.count("Page.loadEventFired") == loads {
            let event = self.receive();
            self.events.push(event);
        }
        let evaluate = json!({ "expression": expression, "returnByValue": true });
        let evaluated = self.call("Runtime.evaluate", evaluate);
        assert_eq!(evaluated["exceptionDetails"], Value::Null);
        evaluated["result"]["value"].clone()
    }

    /// The URL of each request since the start, but for pages that were no request.
    pub(super) fn requests(&self) -> Vec<String> {
        let sent = self.events.iter();
        let sent = sent.filter(|event| event["method"] == "Network.requestWillBeSent");
        let urls = sent.filter_map(|event| event["params"]["request"]["url"].as_str());
        urls.filter(|url| !url.starts_with("data:"))
            .map(str::to_owned)
            .collect()
    }

    /// What the browser has found wrong with the pages: violations of their policy, errors.
    pub(super) fn complaints(&self) -> Vec<String> {
        let is_complaint = |event: &&Value| {
            let method = event["method"].as_str();
            matches!(method, Some("Log.entryAdded" | "Runtime.exceptionThrown"))
        };
        let complaints = self.events.iter().filter(is_complaint);
        // A browser asks for an icon by itself, and there is none.
        let complaints = complaints.filter(|event| {
            let url = event["params"]["entry"]["url"].as_str();
            !url.is_some_and(|url| url.ends_with("/favicon.ico"))
        });
        complaints.map(Value::to_string).collect()
    }

    fn count(&self, method: &str) -> usize {
        let events = self.events.iter();
        events.filter(|event| event["method"] == method).count()
    }

    /// Sends a command, and gives its result.
    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.sent += 1;
        let mut command = json!({ "id": self.sent, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            command["sessionId"] = session.as_str().into();
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        self.commands.write_all(&bytes).unwrap();
        loop {
            let message = self.receive();
            if message["id"] == self.sent {
                assert_eq!(message["error"], Value::Null, "{method}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    fn receive(&mut self) -> Value {
        let mut message = Vec::new();
        self.answers.read_until(0, &mut message).unwrap();
        assert_eq!(message.pop(), Some(0), "chromium ended");
        serde_json::from_slice(&message).unwrap()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // It may have ended already.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
