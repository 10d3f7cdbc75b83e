//! An operator's own schemas: taken as JSON Schema means them, or refused before anything is served.

use std::{fs, path::Path};

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    forms,
    harness::{ALL_SCOPES, Data, Server, run_to_end},
};

fn write(folder: &Path, schema: &str) {
    let folder = folder.join("x");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("1.json"), schema).unwrap();
}

#[test]
fn a_schema_is_usable_or_the_place_of_the_fault_is_told() {
    let email = json!({ "type": "string", "x-pii": "email" });
    let draft = |name: &str| json!({ "$schema": format!("http://json-schema.org/{name}/schema#"), "type": "object" });
    let cases = [
        (
            json!({ "$defs": { "a": { "$anchor": "foo", "type": "string" } },
            "properties": { "x": { "$ref": "#foo" } } }),
            None,
        ),
        (
            json!({ "$id": "https://a.example/x", "$defs": { "a": { "$id": "b", "type": "string" } },
            "properties": { "x": { "$ref": "b" } } }),
            None,
        ),
        (
            json!({ "$dynamicAnchor": "n", "properties": { "x": { "$dynamicRef": "#n" } } }),
            None,
        ),
        (
            json!({ "$defs": { "a": { "$anchor": "foo", "type": "string", "x-pii": "email" } },
            "properties": { "x": { "$ref": "#foo" } } }),
            None,
        ),
        (draft("draft-04"), None),
        (draft("draft-06"), None),
        (draft("draft-07"), None),
        (
            json!({ "$schema": "https://json-schema.org/draft/2019-09/schema", "type": "object" }),
            None,
        ),
        (draft("draft-03"), Some("no published JSON Schema")),
        (
            json!({ "$schema": "https://a.example/mine" }),
            Some("no published JSON Schema"),
        ),
        (
            json!({ "$schema": "http://json-schema.org/draft-07/schema#", "properties": { "x": email } }),
            Some("#/$schema"),
        ),
        (
            json!({ "$ref": "https://a.example/other" }),
            Some("`https://a.example/other` is another document"),
        ),
        (
            json!({ "$defs": { "a": { "$id": "https://a.example/x" }, "b": { "$id": "https://a.example/x" } } }),
            Some("two schemas have the `$id`"),
        ),
        (
            json!({ "properties": { "x": { "$dynamicRef": "#n" } }, "$defs": { "n": {
            "$dynamicAnchor": "n", "properties": { "mail": email } } } }),
            Some("#/properties/x/$dynamicRef"),
        ),
        (
            json!({ "properties": { "x": { "$ref": "#" }, "mail": email } }),
            Some("#/properties/x/$ref"),
        ),
        (
            json!({ "patternProperties": { ".": email } }),
            Some("#/patternProperties"),
        ),
        (
            json!({ "properties": { "x": { "type": "string", "x-PII": "email" } } }),
            Some("#/properties/x/x-PII"),
        ),
        (
            json!({ "propertis": { "x": email } }),
            Some("#/propertis/x/x-pii"),
        ),
    ];
    for (schema, refusal) in cases {
        let data = Data::new();
        write(&data.path().join("schemas"), &schema.to_string());
        let mut command = data.command();
        command
            .env("INGEST_SCHEMA_DIR", data.path().join("schemas"))
            .arg("check-config");
        let output = run_to_end(&mut command);
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8(told).unwrap();
        match refusal {
            None => assert_eq!(output.status.code(), Some(0), "{schema}: {told}"),
            Some(refusal) => {
                assert_eq!(output.status.code(), Some(2), "{schema}: {told}");
                assert!(
                    told.contains(refusal) && told.contains("x/1.json"),
                    "{refusal} in: {told}"
                );
            }
        }
    }
}

#[tokio::test]
async fn what_a_reference_declares_is_sealed() {
    const CANARY: &str = "canary.q7x@person.example";
    let schema = json!({
        "$id": "https://a.example/x",
        "properties": { "mail": { "$ref": "#mail" }, "others": { "items": { "$ref": "list#/$defs/one" } } },
        "$defs": {
            "mail": { "$anchor": "mail", "type": "string", "x-pii": "email" },
            "list": { "$id": "list", "$defs": { "one": { "type": "string", "x-pii": "text" } } }
        }
    });
    let data = Data::new();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &schema.to_string());
    let mut command = data.command();
    command.env("INGEST_SCHEMA_DIR", folder.path());
    let server = Server::start_command(&data, command);
    let key = server.issue("acme", &ALL_SCOPES).await;
    let event = json!({
        "type": "x", "source": "s", "id": "1",
        "data": { "mail": CANARY, "others": ["a", format!("write to {CANARY}")] }
    });
    let answer = server
        .post("/v1/events", &key, &event)
        .send()
        .await
        .unwrap();
    assert_eq!(
        answer.status(),
        StatusCode::ACCEPTED,
        "{:?}",
        answer.json::<Value>().await
    );
    let payload: String = sqlx::query_scalar("SELECT payload FROM event")
        .fetch_one(&mut data.connect().await)
        .await
        .unwrap();
    assert_eq!(payload.matches("pc1.").count(), 3, "{payload}");
    for (path, bytes) in data.files() {
        assert_eq!(forms::find(&bytes, CANARY), None, "{}", path.display());
    }
}
