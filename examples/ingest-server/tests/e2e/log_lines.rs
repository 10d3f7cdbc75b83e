//! Lines of a real server's log are what their schema says, and what agents are configured for.

use std::{fs, path::Path, process::Command};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{ALL_SCOPES, Data, Server, page_view, run_to_end},
    probes::{Probe, ProbeKeys, STEPS},
};

fn repository(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(path);
    fs::read_to_string(path).unwrap()
}

/// The lines of a server in production that has been asked for much, and of a probe.
async fn lines() -> Vec<String> {
    let data = Data::new();
    let mut command = data.production();
    command.env("INGEST_LOG", "info,ingest_server=debug");
    let server = Server::start_command(&data, command);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let keys = ProbeKeys::issue(&server, "probe").await;
    let probe = Probe::often(&data, &keys, &server.public_url(""));
    probe.wait_until_succeed(&STEPS).await;
    for body in [
        page_view(1),
        page_view(1),
        json!([{ "type": "page.veiwed" }]),
        json!("no event"),
    ] {
        server.post("/v1/events", &key, &body).send().await.unwrap();
    }
    let id = server
        .lead(&key, &json!({ "email": "ada@lead.example", "name": "Ada" }))
        .await;
    assert!(server.read_lead(&key, &id).await.status().is_success());
    let erase = server.request(Method::DELETE, &format!("/v1/leads/{id}"), &key);
    assert_eq!(erase.send().await.unwrap().status(), StatusCode::NO_CONTENT);
    for path in ["/admin/limits", "/admin/quality", "/admin/keys", "/nowhere"] {
        server.admin(Method::GET, path).send().await.unwrap();
    }
    server
        .admin(Method::POST, "/admin/keys/rotate")
        .json(&json!({ "tenant": "acme" }))
        .send()
        .await
        .unwrap();
    let wrong = crate::harness::Key {
        kid: String::new(),
        text: "wrong".to_owned(),
    };
    server
        .post("/v1/events", &wrong, &page_view(2))
        .send()
        .await
        .unwrap();
    assert!(server.terminate().success());
    probe.wait_until_succeed(&[]).await;
    let logs = data.logs() + &probe.logs();
    logs.lines().map(str::to_owned).collect()
}

#[tokio::test]
async fn each_line_is_of_the_schema_and_has_no_member_that_is_not_in_it() {
    let schema: Value = serde_json::from_str(&repository("docs/log-line.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let lines = lines().await;
    assert!(lines.len() > 20, "{lines:#?}");
    for text in &lines {
        let line: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("{text}"));
        let errors: Vec<_> = validator
            .iter_errors(&line)
            .map(|it| it.to_string())
            .collect();
        assert!(errors.is_empty(), "{text}: {errors:#?}");
        for name in line.as_object().unwrap().keys() {
            assert!(schema["properties"][name].is_object(), "{name}: {text}");
        }
    }
    let with = |name: &str| {
        lines
            .iter()
            .filter(|line| line.contains(&format!("\"{name}\":")))
            .count()
    };
    for name in ["trace_id", "tenant", "reason", "journey", "step"] {
        assert!(with(name) > 0, "no line has {name}");
    }
    // What is no line is refused, so that the schema says something.
    for other in [
        json!({}),
        json!({ "ts": "now", "level": "INFO", "service": "ingest-server", "target": "a" }),
    ] {
        assert!(!validator.is_valid(&other), "{other}");
    }
    let mut unknown: Value = serde_json::from_str(&lines[0]).unwrap();
    unknown["email"] = json!("ada@lead.example");
    assert!(!validator.is_valid(&unknown));

    assert_eq!(renamed_by_alloy(&lines), renamed(&lines));
}

/// What each line is with its names as OpenTelemetry has them.
fn renamed(lines: &[String]) -> Vec<Value> {
    let names = [
        ("ts", "timestamp"),
        ("level", "severity"),
        ("message", "body"),
        ("error", "exception.message"),
    ];
    let rename = |text: &String| {
        let mut line: Value = serde_json::from_str(text).unwrap();
        let members = line.as_object_mut().unwrap();
        for (old, new) in names {
            if let Some(value) = members.remove(old) {
                members.insert(new.to_owned(), value);
            }
        }
        line
    };
    lines.iter().map(rename).collect()
}

/// The same by the expressions of the file, in their order: each replaces what its group stands for.
fn renamed_by_alloy(lines: &[String]) -> Vec<Value> {
    const REPLACE: &str = r#"
import json, re, sys
text = open(sys.argv[1]).read()
stages = re.findall(r'stage\.replace \{\s*expression = ("(?:[^"\\]|\\.)*")\s*replace\s*= ("[^"]*")', text)
assert len(stages) == 4, stages
stages = [(re.compile(json.loads(one)), json.loads(other)) for one, other in stages]
for line in open(sys.argv[2]):
    for expression, new in stages:
        line = expression.sub(lambda m: m[0][: m.start(1) - m.start()] + new + m[0][m.end(1) - m.start() :], line)
    print(line, end="")
"#;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lines");
    fs::write(&file, format!("{}\n", lines.join("\n"))).unwrap();
    let config = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../deploy/monitoring/logs/alloy/config.alloy");
    let mut python = Command::new("python3");
    let output = run_to_end(python.args(["-c", REPLACE]).arg(config).arg(file));
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn files_of_agents_are_of_their_form() {
    for path in [
        "logs/vector/vector.yaml",
        "logs/fluent-bit/fluent-bit.yaml",
        "blackbox.yml",
        "prometheus.yml",
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../deploy/monitoring")
            .join(path);
        let mut python = Command::new("python3");
        let read = "import sys, yaml; assert isinstance(yaml.safe_load(open(sys.argv[1])), dict)";
        let output = run_to_end(python.args(["-c", read]).arg(&path));
        assert!(output.status.success(), "{}: {output:?}", path.display());
    }
    for name in ["template", "policy"] {
        let text = repository(&format!("deploy/monitoring/logs/opensearch-{name}.json"));
        assert!(serde_json::from_str::<Value>(&text).unwrap().is_object());
    }
}
