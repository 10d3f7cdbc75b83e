//! The runbook "Rotate the pepper" of docs/production.md, from the first key to the last trace of the
//! old pepper.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    process::{Command, Output},
};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::harness::{
    ALL_SCOPES, Data, Key, Server, page_view, random_secret, run_to_end, shell, wait_for,
};

/// What an administrator has under `/etc/ingest-server`.
struct Host {
    data: Data,
}

impl Host {
    fn new(data: &Data) -> Self {
        let host = Self { data: data.clone() };
        fs::create_dir_all(host.etc().join("secrets")).unwrap();
        let [.., (_, first), _] = data.random_secrets();
        write(&host.etc().join("secrets/key-peppers"), &first);
        write(&host.etc().join("environment"), "");
        write(&host.etc().join("config.toml"), "");
        host
    }

    fn etc(&self) -> PathBuf {
        self.data.path().join("etc")
    }

    /// Does a step of the runbook. Servers are restarted by the test.
    fn follow(&self, step: usize) {
        let output = self.run_step(step);
        assert!(output.status.success(), "{step}: {output:?}");
    }

    /// Begins a step that fails, and gives what it said; nothing is restarted.
    fn fail(&self, step: usize) -> String {
        let output = self.run_step(step);
        assert!(!output.status.success(), "{step}: {output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(!said.contains("systemctl"), "{said}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Runs the commands of a step as they stand there.
    fn run_step(&self, step: usize) -> Output {
        let section = include_str!("../../../../docs/production.md");
        let (_, section) = section.split_once("\n## Rotate the pepper\n").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let blocks: Vec<_> = section.split("```sh\n").collect();
        let block = |n: usize| blocks[n].split_once("```").unwrap().0;
        // The block before the first step is for each shell.
        let commands = format!("{}\n{}", block(1), block(1 + step));
        let etc = self.etc().into_os_string().into_string().unwrap();
        let script = format!(
            "set -u; chown() {{ :; }}; systemctl() {{ echo \"systemctl $*\"; }}
             systemd() {{
                 while [ \"$1\" != /usr/local/bin/ingest-server ]; do shift; done; shift
                 (set -a; . {etc}/environment; \"$program\" \"$@\")
             }}
             program=$0
             {}",
            commands
                .replace("systemd-run", "systemd")
                .replace("/etc/ingest-server", &etc)
        );
        let mut command = self.data.production();
        command
            .env_remove("PORTCULLIS_KEY_PEPPERS")
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env(
                "PORTCULLIS_KEY_PEPPERS_FILE",
                self.etc().join("secrets/key-peppers"),
            );
        run_to_end(&mut shell(&script, &command))
    }

    /// What a service has that is started now.
    fn environment(&self) -> Environment {
        let read = |path: &Path| fs::read_to_string(path).ok();
        let lines = read(&self.etc().join("environment")).unwrap();
        let variable = |name: &str| {
            let mut values = lines.lines().filter_map(|line| line.strip_prefix(name));
            values.next_back().map(|value| value[1..].to_owned())
        };
        let tag_keys = variable("PORTCULLIS_KID_TAG_KEYS_FILE");
        Environment {
            data: self.data.clone(),
            peppers: read(&self.etc().join("secrets/key-peppers")).unwrap(),
            primary: variable("PORTCULLIS_KEY_PEPPERS_PRIMARY"),
            tag_keys: tag_keys.map(|path| read(Path::new(&path)).unwrap()),
        }
    }
}

fn write(path: &Path, text: &str) {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

/// What a process has of peppers.
#[derive(Clone)]
struct Environment {
    data: Data,
    peppers: String,
    primary: Option<String>,
    tag_keys: Option<String>,
}

impl Environment {
    /// The binary in production, with these secrets in files.
    fn command(&self) -> Command {
        let file = |name: &str, text: &str| {
            let path = self.data.path().join(name);
            write(&path, text);
            path
        };
        let mut command = self.data.production();
        command.env_remove("PORTCULLIS_KEY_PEPPERS").env(
            "PORTCULLIS_KEY_PEPPERS_FILE",
            file("key-peppers", &self.peppers),
        );
        if let Some(primary) = &self.primary {
            command.env("PORTCULLIS_KEY_PEPPERS_PRIMARY", primary);
        }
        if let Some(keys) = &self.tag_keys {
            let path = file("kid-tag-keys", keys);
            command.env("PORTCULLIS_KID_TAG_KEYS_FILE", path);
        }
        command
    }

    fn start(&self) -> Server {
        Server::start_command(&self.data, self.command())
    }

    /// What a command prints that succeeds.
    fn run(&self, arguments: &[&str]) -> String {
        let output = run_to_end(self.command().args(arguments));
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What is said by each command that must not begin.
    fn refused(&self) -> String {
        let mut said = Vec::new();
        let issue = ["api-key", "issue", "--tenant=acme", "--scopes=events:write"];
        for arguments in [&["serve"][..], &["check-config"], &issue] {
            let output = run_to_end(self.command().args(arguments));
            let message = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
            assert!(output.stdout.is_empty(), "{arguments:?} went on");
            said.push(message);
        }
        said.dedup();
        assert_eq!(said.len(), 1, "all say the same: {said:?}");
        said.remove(0)
    }

    /// Each version that `api-key peppers` shows: role, keys hashed, keys issued, what is next.
    fn peppers(&self, version: u16) -> (String, u64, u64, String) {
        let shown = self.run(&["api-key", "peppers", "--json"]);
        let mut lines = shown.lines().map(|line| -> Value { parse(line) });
        let line = lines.find(|line| line["version"] == version);
        let line = line.unwrap_or_else(|| panic!("{version} is not in {shown}"));
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        let number = |name: &str| line[name].as_u64().unwrap();
        (
            text("role"),
            number("hashed"),
            number("tagged"),
            text("next"),
        )
    }

    /// The kids that `api-key list --pepper 1` shows.
    fn still_under_the_first(&self) -> Vec<String> {
        let shown = self.run(&["api-key", "list", "--pepper", "1", "--json"]);
        let kids = shown.lines().map(|line| {
            let key: Value = parse(line);
            assert_eq!(key["pepper_version"], 1, "{key}");
            key["kid"].as_str().unwrap().to_owned()
        });
        kids.collect()
    }
}

fn parse(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

async fn status(server: &Server, key: &Key) -> StatusCode {
    let request = server.post("/v1/events", key, &page_view(1));
    request.send().await.unwrap().status()
}

fn sorted(kids: &[&Key]) -> Vec<String> {
    let mut kids: Vec<_> = kids.iter().map(|key| key.kid.clone()).collect();
    kids.sort();
    kids
}

#[tokio::test]
async fn the_pepper_is_rotated_to_the_end() {
    let data = Data::new();
    let host = Host::new(&data);
    let before = host.environment();
    let server = before.start();
    let used = server.issue("acme", &ALL_SCOPES).await;
    let seldom = server.issue("acme", &ALL_SCOPES).await;
    let forgotten = server.issue("globex", &ALL_SCOPES).await;
    let revoked = server.issue("globex", &ALL_SCOPES).await;
    let path = format!("/admin/api-keys/{}", revoked.kid);
    let answer = server.admin(Method::DELETE, &path).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert!(server.terminate().success());

    // 1. The second version is known to every process before any hashes under it.
    host.follow(1);
    let added = host.environment();
    assert_eq!(
        added.peppers(2).3,
        "no key needs it: make it the primary one, or drop it"
    );
    let old = added.start();

    // 2. It is made primary, process by process: meanwhile both hash, and all keys are good.
    host.follow(2);
    let rotated = host.environment();
    let new = rotated.start();
    for server in [&new, &old] {
        assert_eq!(status(server, &used).await, StatusCode::ACCEPTED);
    }
    let between = new.issue("acme", &ALL_SCOPES).await;
    for server in [&old, &new] {
        assert_eq!(status(server, &between).await, StatusCode::ACCEPTED);
    }
    assert!(old.terminate().success());
    assert!(new.terminate().success());
    let new = rotated.start();

    // 3. The rest is shown.
    host.follow(3);
    for key in [&used, &between] {
        assert_eq!(status(&new, key).await, StatusCode::ACCEPTED);
    }
    let waits = "use or revoke the keys of `api-key list --pepper 1`, or let them end";
    let expected = ("verifies".to_owned(), 2, 3, waits.to_owned());
    assert_eq!(rotated.peppers(1), expected);
    let (role, hashed, tagged, _) = rotated.peppers(2);
    assert_eq!((role.as_str(), hashed, tagged), ("primary", 2, 1));
    assert_eq!(
        rotated.still_under_the_first(),
        sorted(&[&seldom, &forgotten])
    );
    let table = rotated.run(&["api-key", "peppers"]);
    let lines: Vec<_> = table.lines().collect();
    assert!(lines[0].starts_with("VERSION  ROLE      HASHED  ISSUED  NEXT"));
    assert!(lines[1].starts_with("1        verifies  2       3       use or revoke"));

    // Too early, with and without the tag key: nothing starts that would refuse a key.
    let tag_key = rotated.run(&["api-key", "tag-key", "1"]);
    let (_, second) = rotated.peppers.trim().split_once(',').unwrap();
    let without = Environment {
        peppers: second.to_owned(),
        ..rotated.clone()
    };
    let early = Environment {
        tag_keys: Some(tag_key.clone()),
        ..without.clone()
    };
    let hashed = "PORTCULLIS_KEY_PEPPERS: version 1 is missing, and 2 keys are hashed under it";
    let issued = "PORTCULLIS_KID_TAG_KEYS: version 1 is missing, and 3 keys were issued under it";
    let message = early.refused();
    assert!(
        message.contains(hashed) && !message.contains(issued),
        "{message}"
    );
    let message = without.refused();
    assert!(
        message.contains(hashed) && message.contains(issued),
        "{message}"
    );
    // The runbook ends where a command fails, and nothing is lost.
    let secret = |name: &str| host.etc().join("secrets").join(name);
    let peppers = || fs::read_to_string(secret("key-peppers")).unwrap();
    write(&host.etc().join("config.toml"), "canary = 1");
    host.fail(4);
    assert_eq!(peppers(), rotated.peppers);
    assert!(!secret("kid-tag-keys").exists());
    write(&host.etc().join("config.toml"), "");
    let message = host.fail(4);
    assert!(message.contains(hashed), "{message}");
    fs::rename(secret("before"), secret("key-peppers")).unwrap();
    assert_eq!(peppers(), rotated.peppers);
    // What shows and revokes keys works also without the pepper that they need.
    assert_eq!(without.peppers(1).0, "missing");
    assert_eq!(
        without.still_under_the_first(),
        sorted(&[&seldom, &forgotten])
    );

    // 4. One is used, the other revoked.
    assert_eq!(status(&new, &seldom).await, StatusCode::ACCEPTED);
    without.run(&["api-key", "revoke", &forgotten.kid]);
    let drop_it = "can be dropped; keep its tag key: `api-key tag-key 1`";
    let expected = ("verifies".to_owned(), 0, 2, drop_it.to_owned());
    assert_eq!(rotated.peppers(1), expected);
    assert!(rotated.still_under_the_first().is_empty());
    assert!(new.terminate().success());

    // 5. The tag key is kept, and the pepper dropped; without the tag key nothing starts.
    let message = without.refused();
    let issued = "PORTCULLIS_KID_TAG_KEYS: version 1 is missing, and 2 keys were issued under it";
    assert!(
        message.contains(issued) && !message.contains("KEY_PEPPERS"),
        "{message}"
    );
    host.follow(4);
    let dropped = host.environment();
    for name in ["key-peppers", "kid-tag-keys"] {
        let mode = fs::metadata(secret(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    assert!(!secret("before").exists());
    assert!(!dropped.peppers.contains("1:") && dropped.tag_keys.as_ref() == Some(&tag_key));
    let checked = dropped.run(&["check-config"]);
    assert!(
        checked.contains("the secrets are those of the database"),
        "{checked}"
    );
    let server = dropped.start();
    for key in [&used, &between, &seldom] {
        assert_eq!(status(&server, key).await, StatusCode::ACCEPTED);
    }
    for key in [&revoked, &forgotten] {
        assert_eq!(status(&server, key).await, StatusCode::UNAUTHORIZED);
    }
    let later = server.issue("acme", &ALL_SCOPES).await;
    assert_eq!(status(&server, &later).await, StatusCode::ACCEPTED);
    let keeps = "keep the tag key";
    let expected = ("tags-only".to_owned(), 0, 2, keeps.to_owned());
    assert_eq!(dropped.peppers(1), expected);
    assert_eq!(dropped.run(&["api-key", "tag-key", "1"]), tag_key);

    // Showing it is on record, and it is in no log.
    let audit = wait_for("the record", async || {
        let path = "/admin/audit/events?log=command-line&action=pepper.tag_key";
        let answer = server.admin(Method::GET, path).send().await.unwrap();
        let events: Value = answer.json().await.unwrap();
        (!events["events"].as_array().unwrap().is_empty()).then_some(events)
    })
    .await;
    let event = &audit["events"][0];
    let pepper = json!([{ "type": "pepper", "id": "1" }]);
    assert_eq!(event["resources"], pepper, "{event}");
    assert_eq!(event["outcome"], "success", "{event}");
    let secret = tag_key.trim().split_once(':').unwrap().1;
    assert!(!audit.to_string().contains(secret) && !data.logs().contains(secret));
    assert!(server.terminate().success());

    // The last two keys that were issued under it are revoked: its tag key may go too.
    for key in [&used, &seldom] {
        dropped.run(&["api-key", "revoke", &key.kid]);
    }
    assert_eq!(dropped.peppers(1).3, "no key needs it: drop the tag key");
    let server = without.start();
    assert_eq!(status(&server, &between).await, StatusCode::ACCEPTED);
    assert_eq!(status(&server, &used).await, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn what_is_left_of_a_pepper_is_compared_like_the_pepper() {
    let data = Data::new();
    let [.., (_, first), _] = data.random_secrets();
    let second = format!("2:{}", random_secret());
    let both = Environment {
        data: data.clone(),
        peppers: format!("{first},{second}"),
        primary: Some("1".to_owned()),
        tag_keys: None,
    };
    let server = both.start();
    let key = server.issue("acme", &ALL_SCOPES).await;
    assert!(server.terminate().success());
    let rotated = Environment {
        primary: Some("2".to_owned()),
        ..both
    };
    let server = rotated.start();
    assert_eq!(status(&server, &key).await, StatusCode::ACCEPTED);
    assert!(server.terminate().success());
    let tag_key = rotated.run(&["api-key", "tag-key", "1"]);
    let of = |peppers: &str, tag_keys: &str| Environment {
        peppers: peppers.to_owned(),
        primary: None,
        tag_keys: Some(tag_keys.to_owned()),
        ..rotated.clone()
    };

    // Another's, the pepper itself, and that of another version.
    let wrong = "PORTCULLIS_KID_TAG_KEYS: version 1 is not the one the data was written with";
    let other = random_secret();
    for tag_keys in [format!("1:{other}"), first.clone()] {
        let message = of(&second, &tag_keys).refused();
        assert!(message.contains(wrong), "{message}");
        assert!(!message.contains(&tag_keys[2..]), "it is in {message}");
    }
    let another = rotated.run(&["api-key", "tag-key", "2"]);
    let message = of(&second, &another.replacen("2:", "1:", 1)).refused();
    let same = "_FILE: versions 2 and 1 have the same tag key";
    assert!(message.contains(same), "{message}");

    // The pepper that comes back is the one that was dropped; its tag key may stay beside it.
    let server = of(&second, &tag_key).start();
    assert_eq!(status(&server, &key).await, StatusCode::ACCEPTED);
    assert!(server.terminate().success());
    let back = |pepper: &str, tag_keys: Option<&str>| Environment {
        peppers: format!("{pepper},{second}"),
        tag_keys: tag_keys.map(str::to_owned),
        ..rotated.clone()
    };
    let server = back(&first, Some(&tag_key)).start();
    assert_eq!(status(&server, &key).await, StatusCode::ACCEPTED);
    assert!(server.terminate().success());
    let other = format!("1:{other}");
    let message = back(&other, None).refused();
    let wrong = "PORTCULLIS_KEY_PEPPERS: version 1 is not the one the data was written with";
    assert!(
        message.contains(wrong) && !message.contains("TAG_KEYS"),
        "{message}"
    );
    let message = back(&other, Some(&tag_key)).refused();
    let contradicts = "_FILE: the tag key of version 1 is not that of its pepper";
    assert!(message.contains(contradicts), "{message}");

    // A database of an earlier release knows peppers and no tag keys: it learns them from the pepper.
    let forget = "DELETE FROM secret_check WHERE secret = 'PORTCULLIS_KID_TAG_KEYS'";
    let mut connection = data.connect().await;
    let forgotten = sqlx::query(forget).execute(&mut connection).await.unwrap();
    assert_eq!(forgotten.rows_affected(), 2);
    drop(connection);
    let message = of(&second, &tag_key).refused();
    let later = "PORTCULLIS_KID_TAG_KEYS: version 1 cannot be compared yet";
    assert!(message.contains(later), "{message}");
    assert!(rotated.start().terminate().success());
    assert!(of(&second, &tag_key).start().terminate().success());
}

#[test]
fn a_tag_key_is_printed_where_somebody_sees_it() {
    let data = Data::new();
    assert!(Server::start_on(&data).terminate().success());
    for redirection in [">&-", ">/dev/null"] {
        let script = format!("\"$0\" api-key tag-key 1 {redirection}");
        let output = run_to_end(&mut shell(&script, &data.command()));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("it was not printed"), "{said}");
    }
    for (version, expected) in [
        ("2", "there is no pepper of version 2"),
        ("0", "a version is a number from 1 to 65535"),
        ("65536", "a version is a number from 1 to 65535"),
        ("canary", "a version is a number from 1 to 65535"),
    ] {
        let output = data.run(&["api-key", "tag-key", version]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
    }
    let output = data.run(&["api-key", "tag-key", "1"]);
    assert!(output.status.success());
    assert_eq!(output.stdout.len(), "1:".len() + 44 + "\n".len());
}
