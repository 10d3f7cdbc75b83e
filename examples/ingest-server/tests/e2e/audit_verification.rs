//! The service finds out whether its audit log is what it has signed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{Key, Server, on_record},
    movement::assert_moved,
};

const FAILURES: &str = "ingest_audit_verify_failures_total";
const LAST_SUCCESS: &str = "ingest_audit_verify_last_success_timestamp_seconds";

async fn verify(server: &Server, body: &Value) -> Value {
    let request = server.admin(Method::POST, "/admin/audit/verify");
    let answer = request.json(body).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let status: Value = answer.json().await.unwrap();
    assert_eq!(status["state"], "done", "{status}");
    status["report"].clone()
}

/// More than a bundle of entries: the file of a full one is written once, and read again when it is verified.
pub(crate) async fn fill(server: &Server, key: &Key) -> PathBuf {
    for _ in 0..26 {
        let requests =
            (0..10).map(|_| server.request(Method::GET, "/v1/audit?limit=1", key).send());
        for answer in join_all(requests).await {
            assert_eq!(answer.unwrap().status(), StatusCode::OK);
        }
    }
    server
        .data()
        .path()
        .join("audit/server/log/tile/entries/000")
}

/// A sealed part that somebody has changed, and whose checksum he has made again.
struct ChangedPart {
    n: u64,
    file: PathBuf,
    written: Vec<u8>,
}

fn changed_part(folder: &Path) -> ChangedPart {
    let file = folder.join(format!("{:016}.pap", 0));
    let written = fs::read(&file).unwrap();
    let mut changed = written.clone();
    // `n u64 ‖ length u16 ‖ CRC-32 of n, length and what follows ‖ sealed`
    let length: usize = u16::from_be_bytes([changed[8], changed[9]]).into();
    changed[14 + length / 2] ^= 1;
    let checked = [&changed[..10], &changed[14..14 + length]].concat();
    changed[10..14].copy_from_slice(&crc32(&checked).to_be_bytes());
    fs::write(&file, &changed).unwrap();
    ChangedPart {
        n: u64::from_be_bytes(written[..8].try_into().unwrap()),
        file,
        written,
    }
}

impl ChangedPart {
    fn put_back(self) {
        fs::write(self.file, self.written).unwrap();
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(crc & 1));
    let push = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), step);
    !bytes.iter().fold(u32::MAX, push)
}

#[tokio::test]
async fn a_byte_that_is_changed_behind_the_service_is_found() {
    let server = Server::start();
    let before = server.metrics().await;
    assert_eq!((before[FAILURES], before[LAST_SUCCESS]), (0.0, 0.0));
    let key = server.issue("acme", &["audit:read"]).await;
    let bundle = fill(&server, &key).await;

    let report = verify(&server, &json!({})).await;
    assert_eq!(report["outcome"], "sound", "{report}");
    assert!(report["entries"].as_u64().unwrap() > 256, "{report}");
    assert!(report["personal"].as_u64().unwrap() > 256, "{report}");
    let sound = server.metrics().await;
    assert_eq!(sound[FAILURES], 0.0);
    assert_moved(
        &before,
        &sound,
        ["ingest_audit_verify_last_success_timestamp_seconds"],
    );

    let written = fs::read(&bundle).unwrap();
    let mut changed = written.clone();
    let at = changed.len() / 2;
    changed[at] ^= 1;
    fs::write(&bundle, &changed).unwrap();
    let report = verify(&server, &json!({})).await;
    assert_eq!(report["outcome"], "tampered", "{report}");
    let finding = report["findings"][0].as_str().unwrap();
    assert!(finding.contains("tile/entries/000: entry 1"), "{finding}");
    // What is behind it is sound.
    let report = verify(&server, &json!({ "from": 256 })).await;
    assert_eq!(report["outcome"], "sound", "{report}");
    let found = server.metrics().await;
    assert_moved(&sound, &found, ["ingest_audit_verify_failures_total"]);
    assert_eq!(found[FAILURES], 1.0);
    assert_eq!(found[LAST_SUCCESS], sound[LAST_SUCCESS]);
    let status = server.admin(Method::GET, "/admin/audit/status");
    let status: Value = status.send().await.unwrap().json().await.unwrap();
    assert_eq!(status["verify_failures"], 1, "{status}");
    assert!(status["verified_at"].is_string(), "{status}");
    assert_eq!(status["verification"]["report"]["from"], 256, "{status}");
    assert!(server.logs().contains("not what it has signed"));

    fs::write(&bundle, &written).unwrap();
    // What lies beside an entry: absent, it was erased; changed, it was not.
    let part = changed_part(&server.data().path().join("audit/server/personal"));
    let report = verify(&server, &json!({ "to": 256 })).await;
    assert_eq!(report["outcome"], "tampered", "{report}");
    assert_eq!(report["findings"].as_array().unwrap().len(), 1, "{report}");
    let finding = report["findings"][0].as_str().unwrap();
    let named = format!("entry {} commits to another personal part", part.n);
    assert!(finding.contains(&named), "{finding}");
    part.put_back();
    // A row of the index, by which searches find entries.
    let index = server.data().path().join("audit/server/index");
    let rows = fs::read(&index).unwrap();
    let mut forged = rows.clone();
    forged[100] ^= 1;
    fs::write(&index, &forged).unwrap();
    let report = verify(&server, &json!({ "to": 256 })).await;
    assert_eq!(report["outcome"], "tampered", "{report}");
    let finding = report["findings"][0].as_str().unwrap();
    assert!(finding.contains("is not what the index says"), "{finding}");
    fs::write(&index, &rows).unwrap();
    let report = verify(&server, &json!({})).await;
    assert_eq!(report["outcome"], "sound", "{report}");
    // By which a report knows.
    let verified = on_record(&server, "&action=audit.verified").await;
    let told: Vec<_> = verified
        .iter()
        .map(|event| {
            let resource = &event["resources"][0]["id"];
            (resource.as_str().unwrap(), event["detail"].as_str())
        })
        .collect();
    assert_eq!(
        told,
        [
            ("whole", None),
            ("whole", Some("tampered")),
            ("range", None),
            ("range", Some("tampered")),
            ("range", Some("tampered")),
            ("whole", None)
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_verified_is_named() {
    let server = Server::start();
    for (query, body, part) in [
        ("", json!({ "from": 5, "to": 5 }), "entries 5 to 5"),
        ("", json!({ "from": "canary7Q" }), "from"),
        ("", json!({ "fro": 1 }), "from"),
        ("?shoe=1", json!({}), "`shoe`"),
    ] {
        let path = format!("/admin/audit/verify{query}");
        let answer = server.admin(Method::POST, &path).json(&body);
        let answer = answer.send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{body}");
        let problem: Value = answer.json().await.unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(part), "{detail}");
        assert!(!detail.contains("canary7Q"), "{detail}");
    }
}
