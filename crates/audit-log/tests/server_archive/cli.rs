//! `portcullis-audit` on archives in a bucket and in a folder.

use std::{process::Command, sync::Arc};

use portcullis_audit_log::archive::{
    Archive,
    object_store::{local::LocalFileSystem, path::Path},
};
use tempfile::TempDir;

use crate::{anchor, key, moto::Moto, policy, store, write};

fn audit(arguments: &[&str], url: &str, moto: &Moto) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_portcullis-audit"))
        .args([arguments[0], url])
        .args(&arguments[1..])
        .args(["--vkey", &key().verifying_key().to_string()])
        .envs(moto.environment())
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    (output.status.code(), said)
}

#[tokio::test]
async fn the_binary_verifies_archives_and_prints_proofs_from_them() {
    let (moto, dir, store) = (Moto::start(), TempDir::new().unwrap(), store());
    write(&store, &anchor(&moto), 600).await.unwrap();
    let files = Archive::new(
        Arc::new(LocalFileSystem::new()),
        Path::from_filesystem_path(dir.path()).unwrap().as_ref(),
    );
    for archive in [moto.archive("audit/server"), files.unwrap()] {
        archive.fill(&store, &policy()).await.unwrap();
    }
    let folder = format!("file://{}", dir.path().display());
    for url in ["s3://audit-archive/audit/server", &folder] {
        let (code, said) = audit(&["verify"], url, &moto);
        assert_eq!(code, Some(0), "{url}: {said}");
        assert!(said.contains("602"), "{said}");
        let (code, said) = audit(&["proof", "7"], url, &moto);
        assert!(
            code == Some(0) && said.contains("c2sp.org/tlog-proof@v1\nindex 7\n"),
            "{said}"
        );
    }
    as_the_page_says(dir.path());
    std::fs::remove_file(dir.path().join("tile/entries/001")).unwrap();
    let (code, said) = audit(&["verify", "--pruned-below", "0"], &folder, &moto);
    assert_eq!(code, Some(3), "{said}");
    let (code, said) = audit(&["verify"], "s3://audit-archive/nothing", &moto);
    assert_eq!(code, Some(2), "{said}");
}

/// What `docs/audit.md` says that an outsider runs who was given an archive and the key.
fn as_the_page_says(archive: &std::path::Path) {
    const PAGE: &str = include_str!("../../../../docs/audit.md");
    let (_, part) = PAGE.split_once("<!-- database outsider -->").unwrap();
    let command = part.split("```console\n").nth(2).unwrap();
    let command = command.split("```").next().unwrap();
    let given = "file:///srv/audit-archive/database";
    assert!(command.contains(given), "{command}");
    let command = command.replace(given, &format!("file://{}", archive.display()));
    let desk = TempDir::new().unwrap();
    let vkey = key().verifying_key().to_string();
    std::fs::write(desk.path().join("vkey"), vkey).unwrap();
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_portcullis-audit"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    // The second time, it is the same log.
    for _ in 0..2 {
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", &command]).current_dir(desk.path());
        let output = shell.env("PATH", &path).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(desk.path().join("kept").is_file());
    }
}
