//! One command on a fresh machine.

use std::{
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::harness::Data;

/// What a process prints, up to and with `end`.
fn read_until(child: &mut Child, end: &str) -> String {
    let stdout = child.stdout.as_mut().unwrap();
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        let mut byte = [0];
        let read = stdout.read(&mut byte).unwrap();
        assert_eq!(
            read,
            1,
            "it ended early: {}",
            String::from_utf8_lossy(&text)
        );
        text.push(byte[0]);
    }
    String::from_utf8(text).unwrap()
}

/// Starts it, takes the banner, runs the lines of the banner that begin with `curl`, and stops it.
fn start_and_try(data: &Data) -> (String, Vec<String>) {
    let mut child = data
        .bare()
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let banner = read_until(&mut child, "Stop with Ctrl-C.\n\n");
    let joined = banner.replace("\\\n", " ");
    let lines = joined
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("curl "));
    let answers = lines
        .map(|line| {
            let output = Command::new("sh").args(["-c", line]).output().unwrap();
            assert!(output.status.success(), "{line}");
            String::from_utf8(output.stdout).unwrap()
        })
        .collect();
    Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(child.wait().unwrap().success());
    (banner, answers)
}

#[test]
fn the_lines_of_the_banner_work_as_they_stand_and_again_after_a_restart() {
    let data = Data::new();
    let (first, answers) = start_and_try(&data);
    assert!(answers[0].contains("201 Created"), "{answers:?}");
    assert!(
        answers[1].contains("\"email\":\"ada@example.com\""),
        "{answers:?}"
    );
    let (second, answers) = start_and_try(&data);
    assert!(answers[0].contains("200 OK"), "{answers:?}");
    let line = |banner: &str, name: &str| {
        banner
            .lines()
            .find(|line| line.contains(name))
            .unwrap()
            .to_owned()
    };
    for name in ["admin token", "demo key"] {
        assert_eq!(line(&first, name), line(&second, name), "{name} changed");
    }
    for file in ["dev-secrets.env", "dev-demo-key", "ingest.db"] {
        let mode = std::fs::metadata(data.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o077, 0, "{file} can be read by others");
    }
}

#[test]
fn data_without_its_secrets_is_not_hidden_by_new_ones() {
    let data = Data::new();
    start_and_try(&data);
    std::fs::remove_file(data.path().join("dev-secrets.env")).unwrap();
    let output = data.bare().output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("its secrets are gone"), "{message}");
    assert!(!data.path().join("dev-secrets.env").exists());

    let checked = data.bare().arg("check-config").output().unwrap();
    assert_eq!(checked.status.code(), Some(2), "{checked:?}");
    assert_eq!(String::from_utf8(checked.stderr).unwrap(), message);
}

#[test]
fn a_configuration_is_checked_before_its_secrets_are_made_and_makes_none() {
    let data = Data::new();
    let file = data.path().join("ingest.toml");
    std::fs::write(&file, "log = 1").unwrap();
    let mut check = data.bare();
    check
        .env("INGEST_LISTEN", "nowhere")
        .env("INGEST_SCHEMA_DIR", data.path())
        .env("OTEL_PROPAGATORS", "b3")
        .arg("check-config")
        .arg("--config")
        .arg(&file);
    let output = check.output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    let key = format!("log in {}, line 1", file.display());
    for name in [
        "INGEST_LISTEN",
        key.as_str(),
        "INGEST_SCHEMA_DIR",
        "OTEL_PROPAGATORS",
    ] {
        assert!(message.contains(&format!("\n  {name}: ")), "{message}");
    }

    let output = data.bare().arg("check-config").output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("is valid") && said.contains("will generate"));
    assert_eq!(data.files().len(), 1, "only the file written above");
}

#[test]
fn production_generates_nothing() {
    let data = Data::new();
    let output = data
        .bare()
        .env("INGEST_PROFILE", "production")
        .output()
        .unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    for variable in [
        "INGEST_ADMIN_TOKEN",
        "PORTCULLIS_KEKS",
        "PORTCULLIS_KEY_PEPPERS",
    ] {
        assert!(
            message.contains(&format!("{variable}: is missing")),
            "{message}"
        );
    }
    assert!(data.files().is_empty());
}

#[test]
fn the_demo_ends_its_first_minute_with_a_summary_that_has_everything_in_it() {
    let data = Data::new();
    let mut command = data.bare();
    let demo = command
        .args(["demo", "--seconds", "12"])
        .stdout(Stdio::piped());
    let mut child = demo.stderr(Stdio::null()).spawn().unwrap();
    let text = read_until(&mut child, "Stop it with Ctrl-C.\n\n");
    for part in [
        "accepted",
        "duplicates",
        "rejected",
        "schema.required_missing",
        "semantic.time_future",
        "tailspin sends more than its tier allows: 429",
        "revoked key      202, then 401",
        "sqlite3 ",
        "/admin/quality?tenant=fabrikam",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let count = |name: &str| {
        let line = text
            .lines()
            .find(|line| line.trim_start().starts_with(name))
            .unwrap();
        line.split_whitespace()
            .find_map(|word| word.parse::<u64>().ok())
            .unwrap()
    };
    let (sent, accepted) = (count("events sent"), count("accepted"));
    let (duplicates, rejected) = (count("duplicates"), count("rejected"));
    assert_eq!(
        sent,
        accepted + duplicates + rejected + count("limited"),
        "{text}"
    );
    assert!(accepted > 500 && duplicates > 0 && rejected > 0, "{text}");
    // It goes on serving, and the lines it showed work.
    for line in text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("curl "))
    {
        let output = Command::new("sh")
            .args(["-c", &format!("{line} --fail")])
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
    }
    Command::new("kill")
        .arg(child.id().to_string())
        .status()
        .unwrap();
    assert!(child.wait().unwrap().success());
    // An orderly end leaves one file.
    assert!(data.database().exists() && !data.path().join("ingest.db-wal").exists());
}

/// A demo that would go on for an hour, once it sends.
fn long_demo(data: &Data) -> Child {
    let mut command = data.bare();
    command.args(["demo", "--seconds", "3600", "--log", "info"]);
    let demo = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = demo.spawn().unwrap();
    read_until(&mut child, "sending for 0 of 3600 s …\n");
    child
}

/// Waits for its end, and gives its exit code and its log.
fn end(mut child: Child) -> (Option<i32>, String) {
    let deadline = Instant::now() + Duration::from_secs(15);
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("the demo does not end");
        }
        std::thread::sleep(Duration::from_millis(10));
    };
    let mut log = String::new();
    let mut stderr = child.stderr.take().unwrap();
    stderr.read_to_string(&mut log).unwrap();
    (status.code(), log)
}

#[test]
fn the_demo_ends_at_the_signal_while_it_sends() {
    let data = Data::new();
    let child = long_demo(&data);
    let pid = child.id().to_string();
    let status = Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(status.success());
    let (code, log) = end(child);
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("\"stopped\""), "{log}");
}

#[test]
fn a_demo_that_cannot_go_on_takes_the_service_down_in_order() {
    let data = Data::new();
    let mut child = long_demo(&data);
    // Nobody reads on: the next line cannot be written.
    drop(child.stdout.take());
    let (code, log) = end(child);
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("\"stopped\""), "{log}");
    assert!(
        log.contains("error: the summary cannot be written"),
        "{log}"
    );
}

#[test]
fn a_configuration_that_cannot_be_used_makes_no_secrets() {
    let data = Data::new();
    let output = data
        .bare()
        .env("INGEST_LISTEN", "nowhere")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(data.files().is_empty());
}
