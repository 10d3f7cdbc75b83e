//! What is wrong in a file of sinks is told by its line, and what is right is read.

use std::fs;

use tempfile::TempDir;

use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret"), format!("{SECRET}\n")).unwrap();
    fs::write(folder.path().join("none"), "whsec_short").unwrap();
    fs::write(folder.path().join("token"), "Bearer canary\n").unwrap();
    fs::write(folder.path().join("lines"), "Bearer\ncanary\n").unwrap();
    folder
}

fn read(folder: &TempDir, text: &str) -> Result<GivenSinks, String> {
    let path = folder.path().to_str().unwrap();
    GivenSinks::from_text(text.replace("DIR", path).as_bytes())
}

#[test]
fn every_kind_of_sink_is_read() {
    let folder = folder();
    let given = read(
        &folder,
        r#"
        [sink.siem]
        kind = "webhook"
        url = "https://siem.example/hook/path"
        secret_file = "DIR/secret"
        previous_secret_file = "DIR/secret"
        networks = ["10.20.0.0/16", "fd00:7::/48"]

        [sink.collector]
        kind = "otlp"
        url = "http://127.0.0.1:4318/v1/logs"
        cleartext = true
        authorization_file = "DIR/token"
        networks = ["127.0.0.1/32"]

        [sink.soc]
        kind = "syslog"
        address = "[::1]:6514"
        enterprise = 32473

        [sink.a-file]
        kind = "ocsf-file"
        path = "DIR/audit.jsonl"
        "#,
    );
    let given = given.unwrap();
    let names: Vec<_> = given.sinks.iter().map(|sink| &*sink.name).collect();
    assert_eq!(names, ["a-file", "collector", "siem", "soc"]);
    assert_eq!(given.secret_files.len(), 3);
    let Receiver::Syslog { host, port, .. } = &given.sinks[3].receiver else {
        panic!("{given:?}");
    };
    assert_eq!((&**host, *port), ("::1", 6514));
    let Receiver::Webhook { reach, .. } = &given.sinks[2].receiver else {
        panic!("{given:?}");
    };
    assert!(reach.addresses.allows("10.20.0.1".parse().unwrap()));
    assert!(!reach.addresses.allows("10.21.0.1".parse().unwrap()));
    let shown = format!("{given:?}");
    assert!(!shown.contains(&SECRET[6..]) && !shown.contains("canary"));
}

#[test]
fn what_is_wrong_is_told_by_its_line_and_nothing_of_it() {
    let folder = folder();
    for (text, said) in [
        (
            "[sink.a]\nkind = \"kafka\"",
            "line 2: `kind` must be `webhook`, `otlp`",
        ),
        (
            "[sink.a]\nurl = \"https://a.example\"",
            "line 1: `kind` is missing",
        ),
        ("[sink.A]\nkind = \"otlp\"", "line 1: the name of a sink"),
        (
            "[sinks.a]\nkind = \"otlp\"",
            "line 1: must be a table `[sink.NAME]`",
        ),
        ("[sink]\na = 1", "line 2: must be a table `[sink.NAME]`"),
        ("[sink.a]\nkind = 1", "line 2: `kind` must be a text"),
        ("[sink.a\nkind = 1", "line 1: is not TOML"),
        (
            "[sink.a]\nkind = \"otlp\"\nurl = \"http://canary.example/v1/logs\"",
            "line 3: `url` cannot be used: an endpoint must have the scheme https",
        ),
        (
            "[sink.a]\nkind = \"otlp\"\nurl = \"https://a.example\"\ncanary = 1",
            "line 4: is nothing that a sink of this kind has",
        ),
        (
            "[sink.a]\nkind = \"otlp\"\nurl = \"https://a.example\"\nnetworks = [\n\"canary\"]",
            "line 5: `networks` cannot be used: a network must be",
        ),
        (
            "[sink.a]\nkind = \"otlp\"\nurl = \"https://a.example\"\nca_file = \"DIR/secret\"",
            "line 4: `ca_file` names a file without certificates",
        ),
        (
            "[sink.a]\nkind = \"webhook\"\nurl = \"https://a.example\"\nsecret_file = \"DIR/none\"",
            "line 4: `secret_file` names a file that holds none: a webhook secret must be",
        ),
        (
            "[sink.a]\nkind = \"webhook\"\nurl = \"https://a.example\"\nsecret_file = \"canary\"",
            "line 4: `secret_file` must be an absolute path",
        ),
        (
            "[sink.a]\nkind = \"webhook\"\nurl = \"https://a.example\"\nsecret = \"canary\"",
            "line 1: `secret_file` is missing",
        ),
        (
            "[sink.a]\nkind = \"otlp\"\nurl = \"https://a.example\"\nauthorization_file = \"DIR/lines\"",
            "line 4: `authorization_file` names a file with more than one line",
        ),
        (
            "[sink.a]\nkind = \"syslog\"\naddress = \"canary.example\"",
            "line 3: `address` must be a host and a port",
        ),
        (
            "[sink.a]\nkind = \"otlp\"\nurl = \"https://canary.example:0/v1/logs\"",
            "line 3: `url` cannot be used: nobody listens on port 0",
        ),
        (
            "[sink.a]\nkind = \"syslog\"\naddress = \"canary.example:0\"",
            "line 3: `address` must be a host and a port",
        ),
        (
            "[sink.a]\nkind = \"syslog\"\naddress = \"a.example:6514\"\nenterprise = -1",
            "line 4: `enterprise` must be a number",
        ),
        (
            "[sink.a]\nkind = \"ocsf-file\"\npath = \"canary\"",
            "line 3: `path` must be an absolute path",
        ),
    ] {
        let error = read(&folder, text).unwrap_err();
        assert!(error.starts_with(said), "{text}: {error}");
        assert!(!error.contains("canary"), "{text}: {error}");
    }
}
