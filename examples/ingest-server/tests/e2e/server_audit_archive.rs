//! All of the audit log is kept in an archive for ever, in a bucket that may be away for a while.

use std::{path::Path, process::Command, sync::Arc};

use portcullis_audit_log::{
    archive::{
        Archive, ArchiveSource,
        object_store::{ObjectStore, local::LocalFileSystem},
    },
    checkpoint::Policy,
    note::VerifyingKey,
    verify::{Outcome, Verification},
};
use reqwest::Method;
use serde_json::Value;
use tokio::{runtime::Handle, task::spawn_blocking};

use crate::{
    audit_anchors::refusal,
    harness::{Data, Server},
};

/// How many entries an archive has, all of them sound: as a third party finds out, who has the key.
async fn verified(store: Arc<dyn ObjectStore>, prefix: &str, key: &str) -> u64 {
    let archive = Archive::new(store, prefix).unwrap();
    let source = ArchiveSource::new(archive, Handle::current());
    let policy = Policy::new(vec![key.parse::<VerifyingKey>().unwrap()]).unwrap();
    let report = spawn_blocking(move || Verification::new(&source, &policy).pruned_below(0).run());
    let report = report.await.unwrap();
    assert_eq!(report.outcome(), Outcome::Sound, "{report:?}");
    report.entries
}

fn vkey(data: &Data) -> String {
    let output = data.run(&["audit", "vkey"]);
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn archived(data: &Data, folder: &Path, arguments: &[&str]) -> Command {
    let mut command = data.command();
    command
        .env(
            "INGEST_AUDIT_ARCHIVE",
            format!("file://{}", folder.display()),
        )
        .env("INGEST_AUDIT_ANCHORS", "archive")
        .args(arguments);
    command
}

#[tokio::test]
async fn a_folder_has_the_logs_and_checkpoints_and_is_verified_by_who_has_the_key() {
    let (data, folder) = (Data::new(), tempfile::tempdir().unwrap());
    let server = Server::start_command(&data, archived(&data, folder.path(), &[]));
    let busy = refusal(&mut archived(&data, folder.path(), &["audit", "archive"]));
    assert!(busy.contains("runs"), "{busy}");
    let status = server.admin(Method::GET, "/admin/audit/status");
    let status: Value = status.send().await.unwrap().json().await.unwrap();
    let place = status["archive"]["place"].as_str().unwrap().to_owned();
    assert_eq!(place, format!("file://{}/server", folder.path().display()));
    assert!(server.terminate().success());

    let mut command = archived(&data, folder.path(), &["audit", "archive", "--json"]);
    let told: Value = serde_json::from_slice(&command.output().unwrap().stdout).unwrap();
    assert_eq!(told["archive"], place.as_str());
    let store: Arc<dyn ObjectStore> =
        Arc::new(LocalFileSystem::new_with_prefix(folder.path()).unwrap());
    let entries = verified(store, "server", &vkey(&data)).await;
    assert_eq!(told["entries"], entries);
    // As an anchor, it knows a log that is gone.
    std::fs::remove_dir_all(data.path().join("audit/server")).unwrap();
    let said = refusal(&mut archived(&data, folder.path(), &["serve"]));
    assert!(said.contains("`archive`"), "{said}");
}

#[cfg(all(feature = "audit-archive", feature = "aws-kms"))]
mod bucket {
    use portcullis_audit_log::archive::object_store::{ClientOptions, aws::AmazonS3Builder};

    use super::*;
    use crate::{
        audit_verification::fill,
        harness::wait_for,
        programs::{free_address, libfaketime},
        server_aws::Moto,
    };

    const BUCKET: &str = "audit-archive";

    fn command(data: &Data, moto: &str, time: &str) -> Command {
        let mut command = data.command();
        command.envs([
            ("INGEST_AUDIT_ARCHIVE", "s3://audit-archive/ingest"),
            ("INGEST_AUDIT_ANCHORS", "database,archive"),
            ("INGEST_AUDIT_RETENTION", "1"),
            ("INGEST_AUDIT_PERSONAL_RETENTION", "1"),
            ("AWS_ENDPOINT", &format!("http://{moto}")),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("FAKETIME", time),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ]);
        command.env("LD_PRELOAD", libfaketime());
        command
    }

    #[tokio::test]
    async fn a_bucket_that_was_away_gets_all_and_nothing_goes_before() {
        let (data, address) = (Data::new(), free_address());
        let start = |time| Server::start_command(&data, command(&data, &address, time));
        let server = start("@2026-05-01 12:00:00");
        let key = server.issue("acme", &["audit:read"]).await;
        let bundle = fill(&server, &key).await;
        assert!(server.terminate().success());
        assert!(bundle.exists());

        let server = start("@2026-05-04 12:00:00");
        let behind = "ingest_audit_archive_lag_seconds";
        wait_for("a lag", async || {
            let metrics = server.metrics().await;
            let has_failed = metrics["ingest_audit_archive_failures_total"] > 0.0;
            (has_failed && metrics[behind] > 86_400.0).then_some(())
        })
        .await;
        // Too old, and not archived.
        assert!(bundle.exists());
        let moto = Moto::start_at(address.clone()).await;
        let made = reqwest::Client::new().put(format!("http://{address}/{BUCKET}"));
        assert!(made.send().await.unwrap().status().is_success());
        wait_for("all to be archived", async || {
            let metrics = server.metrics().await;
            (metrics[behind] == 0.0 && metrics["ingest_audit_archived_entries"] > 256.0)
                .then_some(())
        })
        .await;
        assert!(server.terminate().success());

        let server = start("@2026-05-04 12:10:00");
        wait_for("what is too old to go", async || {
            (!bundle.exists()).then_some(())
        })
        .await;
        assert!(server.terminate().success());
        let bucket = AmazonS3Builder::new()
            .with_bucket_name(BUCKET)
            .with_region("us-east-1")
            .with_endpoint(format!("http://{}", moto.address))
            .with_access_key_id("test")
            .with_secret_access_key("test")
            .with_client_options(ClientOptions::new().with_allow_http(true));
        let (bucket, key) = (Arc::new(bucket.build().unwrap()), vkey(&data));
        assert!(verified(bucket, "ingest/server", &key).await > 256);
    }
}
