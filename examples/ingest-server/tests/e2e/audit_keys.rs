//! The key of the audit log is replaced by another: both sign while both are there, and who has either verifies.

use std::{fs, path::PathBuf, process::Command};

use portcullis_audit_log::{
    checkpoint::Policy,
    note::{SignedNote, VerifyingKey},
    proof::TlogProof,
    source::FolderSource,
    verify::{Outcome, Verification},
};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::{
    audit_anchors::refusal,
    harness::{AUDIT_KEY, Data, OTHER_SECRET, Server, run_to_end},
};

/// The binary with the old key, the new one, or both and the one that is the primary.
fn command(data: &Data, versions: &[u32], primary: Option<u32>) -> Command {
    let new = OTHER_SECRET.replacen("1:", "2:", 1);
    let keys = versions.iter().map(|version| match version {
        1 => AUDIT_KEY,
        _ => new.as_str(),
    });
    let keys: Vec<_> = keys.collect();
    let mut command = data.command();
    command.env("PORTCULLIS_AUDIT_KEYS", keys.join(","));
    if let Some(primary) = primary {
        command.env("PORTCULLIS_AUDIT_KEYS_PRIMARY", primary.to_string());
    }
    command
}

fn said(mut command: Command, arguments: &[&str]) -> String {
    let output = run_to_end(command.args(arguments));
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {told}");
    String::from_utf8(output.stdout).unwrap()
}

fn vkeys(command: Command) -> Vec<String> {
    let said = said(command, &["audit", "vkey"]);
    said.lines().map(str::to_owned).collect()
}

/// The checkpoint of all that there is.
async fn checkpoint(server: &Server) -> SignedNote {
    let file = server.admin(Method::GET, "/audit/log/checkpoint");
    let file = file.send().await.unwrap();
    assert_eq!(file.status(), StatusCode::OK);
    SignedNote::parse(&file.bytes().await.unwrap()).unwrap()
}

/// Which of its keys have signed a checkpoint, in the order of the lines.
fn signed_by(note: &SignedNote) -> Vec<String> {
    let ids = note.signatures().iter();
    ids.map(|signature| signature.id().to_string()).collect()
}

fn ids(keys: &[&str]) -> Vec<String> {
    let keys = keys.iter();
    keys.map(|key| key.parse::<VerifyingKey>().unwrap().id().to_string())
        .collect()
}

/// What somebody finds who has the folder and these keys, and may have kept a checkpoint.
fn found_by(data: &Data, keys: &[&str], kept: Option<&SignedNote>) -> Outcome {
    let keys = keys.iter().map(|key| key.parse().unwrap());
    let policy = Policy::new(keys.collect()).unwrap();
    let source = FolderSource::new(log(data).as_path());
    let verification = Verification::new(&source, &policy);
    let Some(kept) = kept else {
        return verification.run().outcome();
    };
    let kept = policy.open(kept.to_string().as_bytes()).unwrap();
    verification.since(kept.checkpoint()).run().outcome()
}

fn log(data: &Data) -> PathBuf {
    data.path().join("audit/server/log")
}

async fn keys_in_status(server: &Server) -> Vec<String> {
    let status = server.admin(Method::GET, "/admin/audit/status");
    let status: Value = status.send().await.unwrap().json().await.unwrap();
    serde_json::from_value(status["keys"].clone()).unwrap()
}

#[tokio::test]
async fn both_keys_sign_during_a_rotation_and_the_log_goes_on_when_the_old_one_is_dropped() {
    let data = Data::new();
    let before = command(&data, &[1], None);
    let old = vkeys(command(&data, &[1], None)).remove(0);
    let server = Server::start_command(&data, before);
    let kept = checkpoint(&server).await;
    assert_eq!(signed_by(&kept), ids(&[&old]));
    assert!(server.terminate().success());

    let both = || command(&data, &[1, 2], Some(2));
    let listed = vkeys(both());
    let new = listed[0].clone();
    assert_eq!(listed, [new.clone(), old.clone()]);
    // The primary is first, whichever it is.
    let turned = vkeys(command(&data, &[1, 2], Some(1)));
    assert_eq!(turned, [old.clone(), new.clone()]);
    let server = Server::start_command(&data, both());
    assert_eq!(keys_in_status(&server).await, listed);
    server.issue("acme", &["events:write"]).await;
    let during = checkpoint(&server).await;
    assert_eq!(signed_by(&during), ids(&[&new, &old]));
    let proof = server.admin(Method::GET, "/admin/audit/events/1/proof");
    let proof = proof.send().await.unwrap().bytes().await.unwrap();
    let proof = TlogProof::parse(&proof).unwrap();
    for key in [&old, &new] {
        let key: VerifyingKey = key.parse().unwrap();
        let origin = key.name().clone();
        proof.verify(proof.extra(), &origin, &[key]).unwrap();
    }
    assert!(server.terminate().success());
    for key in [&old, &new] {
        assert_eq!(found_by(&data, &[key], None), Outcome::Sound, "{key}");
    }
    assert_eq!(found_by(&data, &[&old], Some(&kept)), Outcome::Sound);
    // The log of the command line is signed by both as well, now.
    said(both(), &["audit", "verify"]);

    let after = || command(&data, &[2], None);
    assert_eq!(vkeys(after()), std::slice::from_ref(&new));
    let server = Server::start_command(&data, after());
    server.issue("other", &["events:write"]).await;
    assert_eq!(signed_by(&checkpoint(&server).await), ids(&[&new]));
    let verified = server.admin(Method::POST, "/admin/audit/verify");
    let verified: Value = verified.send().await.unwrap().json().await.unwrap();
    assert_eq!(verified["report"]["outcome"], "sound", "{verified}");
    said(after(), &["audit", "verify"]);
    said(after(), &["audit", "verify", "--node", "command-line"]);
    assert!(server.terminate().success());
    assert_eq!(found_by(&data, &[&new], None), Outcome::Sound);
    assert_eq!(found_by(&data, &[&old], None), Outcome::Unusable);
    // Who kept a checkpoint from before gives both keys, or the one of the time in which both signed.
    assert_eq!(found_by(&data, &[&old, &new], Some(&kept)), Outcome::Sound);
    assert_eq!(found_by(&data, &[&new], Some(&during)), Outcome::Sound);
}

#[tokio::test]
async fn a_key_that_is_dropped_before_the_new_one_has_signed_is_named_and_goes_on_when_it_is_back()
{
    let data = Data::new();
    let server = Server::start_on(&data);
    assert!(server.terminate().success());
    let said = refusal(&mut command(&data, &[2], None));
    let old = ids(&[&vkeys(data.command())[0]]);
    let named = format!("+{}, which is no version of PORTCULLIS_AUDIT_KEYS", old[0]);
    assert!(said.contains(&named), "{said}");
    let server = Server::start_command(&data, command(&data, &[1, 2], Some(2)));
    assert!(server.terminate().success());
    let server = Server::start_command(&data, command(&data, &[2], None));
    assert!(server.terminate().success());
}

#[tokio::test]
async fn a_log_that_is_taken_away_does_not_begin_again_under_another_key_unless_that_is_accepted() {
    let data = Data::new();
    let server = Server::start_on(&data);
    assert!(server.terminate().success());
    let folder = data.path().join("audit");
    fs::rename(&folder, data.path().join("away")).unwrap();
    let other = || command(&data, &[2], None);
    let refused = refusal(&mut other());
    let old = ids(&[&vkeys(data.command())[0]]);
    for word in [
        "has 0 entries, and its anchor `database` keeps",
        &format!("+{}, which is no version of PORTCULLIS_AUDIT_KEYS", old[0]),
        "accept-rollback --node server",
    ] {
        assert!(refused.contains(word), "{word}: {refused}");
    }
    let shown = said(other(), &["audit", "accept-rollback"]);
    assert!(
        shown.contains("nothing of it that a key which is configured has signed"),
        "{shown}"
    );
    said(other(), &["audit", "accept-rollback", "--confirm"]);
    let server = Server::start_command(&data, other());
    let started = checkpoint(&server).await.to_string();
    assert!(started.starts_with("ingest-server/audit/2\n"), "{started}");
    assert!(server.terminate().success());
    // Its anchor has what it signs.
    let server = Server::start_command(&data, other());
    assert!(server.terminate().success());
}

#[tokio::test]
async fn a_log_whose_key_is_lost_is_followed_by_another_when_that_is_accepted() {
    let data = Data::new();
    let server = Server::start_on(&data);
    assert!(server.terminate().success());
    said(data.command(), &["api-key", "list"]);
    let other = || command(&data, &[2], None);
    let old = ids(&[&vkeys(data.command())[0]]);
    let missing = format!("+{}, which is no version of PORTCULLIS_AUDIT_KEYS", old[0]);
    let refused = refusal(&mut other());
    for word in [&missing, "accept-rollback --node server"] {
        assert!(refused.contains(word), "{word}: {refused}");
    }
    let mut alone = other();
    alone.env("INGEST_AUDIT_ANCHORS", "none");
    let accept = ["audit", "accept-rollback"];
    for shown in [said(alone, &accept), said(other(), &accept)] {
        for word in [&missing, "nothing is changed"] {
            assert!(shown.contains(word), "{word}: {shown}");
        }
    }
    let begun = said(other(), &["audit", "accept-rollback", "--confirm"]);
    assert!(
        begun.contains("the public key of the one that is missing"),
        "{begun}"
    );
    let server = Server::start_command(&data, other());
    let first = server.admin(Method::GET, "/admin/audit/events/0");
    let first: Value = first.send().await.unwrap().json().await.unwrap();
    let action = &first["event"]["action"];
    assert_eq!(action, "audit.rollback_accepted", "{first}");
    assert!(server.terminate().success());
    // So is that of commands, which the old key has signed too.
    refusal(other().args(["api-key", "list"]));
    let node = ["--node", "command-line", "--confirm"];
    said(other(), &[&accept[..], &node].concat());
    said(other(), &["api-key", "list"]);
}

#[test]
fn of_two_keys_one_is_said_to_be_the_primary() {
    let data = Data::new();
    let said = refusal(&mut command(&data, &[1, 2], None));
    assert!(said.contains("PORTCULLIS_AUDIT_KEYS_PRIMARY"), "{said}");
    let said = refusal(&mut command(&data, &[1, 2], Some(3)));
    assert!(said.contains("PORTCULLIS_AUDIT_KEYS_PRIMARY"), "{said}");
    assert!(!log(&data).exists());
}

#[test]
fn check_config_tells_which_logs_no_key_has_signed_and_which_have_another_name() {
    let data = Data::new();
    let checked = |mut command: Command| {
        let output = run_to_end(command.arg("check-config"));
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{told}");
        told
    };
    let server = Server::start_command(&data, command(&data, &[1], None));
    assert!(server.terminate().success());
    said(command(&data, &[1], None), &["api-key", "list"]);
    let server = Server::start_command(&data, command(&data, &[1, 2], Some(2)));
    assert!(server.terminate().success());
    let new = || command(&data, &[2], None);
    let refused = refusal(new().args(["api-key", "list"]));
    let told = checked(new());
    let warnings: Vec<_> = told.lines().filter(|line| line.contains("audit")).collect();
    let [warning] = warnings[..] else {
        panic!("{told}");
    };
    for said in [&*refused, warning] {
        for part in [
            "audit/command-line",
            "no version of PORTCULLIS_AUDIT_KEYS",
            "Put that version back",
        ] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
    said(command(&data, &[1, 2], Some(2)), &["api-key", "list"]);
    assert!(!checked(new()).contains("no version of PORTCULLIS_AUDIT_KEYS"));
    said(new(), &["api-key", "list"]);

    let other = || {
        let mut command = new();
        command.env("INGEST_AUDIT_ORIGIN", "other.example/audit");
        command
    };
    for told in [
        refusal(&mut other()),
        refusal(other().args(["api-key", "list"])),
        checked(other()),
    ] {
        for part in [
            "INGEST_AUDIT_ORIGIN",
            "ingest-server/audit",
            "other.example/audit",
        ] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}
