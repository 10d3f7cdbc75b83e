//! One command on a fresh machine.

use std::{
    io::Read as _,
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use crate::harness::Data;

/// The binary without any secret.
fn bare(data: &Data) -> Command {
    let mut command = data.command();
    for variable in [
        "INGEST_ADMIN_TOKEN",
        "PORTCULLIS_KEKS",
        "PORTCULLIS_INDEX_ROOTS",
        "PORTCULLIS_KEY_PEPPERS",
    ] {
        command.env_remove(variable);
    }
    command
}

/// Starts it, takes the banner, runs the lines of the banner that begin with `curl`, and stops it.
fn start_and_try(data: &Data) -> (String, Vec<String>) {
    let mut child = bare(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut banner = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(30);
    while !banner.ends_with(b"Stop with Ctrl-C.\n\n") {
        assert!(
            Instant::now() < deadline,
            "{}",
            String::from_utf8_lossy(&banner)
        );
        let mut byte = [0];
        assert_eq!(stdout.read(&mut byte).unwrap(), 1, "it ended early");
        banner.push(byte[0]);
    }
    let banner = String::from_utf8(banner).unwrap();
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
    let output = bare(&data).output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{message}");
    assert!(message.contains("its secrets are gone"), "{message}");
    assert!(!data.path().join("dev-secrets.env").exists());
}

#[test]
fn production_generates_nothing() {
    let data = Data::new();
    let output = bare(&data)
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
