//! Who verifies the log without the service: by its files over HTTP, and its key.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use portcullis_audit_log::{
    archive::{Archive, ArchiveSource, object_store::local::LocalFileSystem},
    checkpoint::Policy,
    source::FolderSource,
    tile::{TileKind, TilePath},
    verify::{Outcome, Report, Verification},
};
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tokio::{runtime::Handle, task::spawn_blocking};

use super::{answer, command, start};
use crate::harness::{Data, Server, run_to_end};

const PAGE: &str = include_str!("../../../../../docs/audit.md");

/// What the page says that an operator runs for an outsider: commands, and one among words.
fn of_operator() -> (String, String) {
    let (_, part) = PAGE.split_once("<!-- database outsider -->").unwrap();
    let (part, _) = part.split_once("<!-- database outsider end -->").unwrap();
    let commands = part.split("```console\n").nth(1).unwrap();
    let commands = commands.split("```").next().unwrap();
    let among_words = part
        .split('`')
        .find(|it| it.starts_with("ingest-server audit export"));
    (commands.to_owned(), among_words.unwrap().replace('\n', " "))
}

/// Runs commands of the page in a folder, the archive in it too.
fn typed(data: &Data, folder: &Path, script: &str) -> Output {
    let given = command(data);
    let program = Path::new(given.get_program());
    let script = script.replace("/srv", folder.to_str().unwrap());
    let mut shell = Command::new("/bin/sh");
    shell.args(["-e", "-c", &script]).current_dir(folder);
    shell.env_clear().env("PATH", program.parent().unwrap());
    for (name, value) in given
        .get_envs()
        .filter(|(name, _)| *name != "INGEST_AUDIT_STORE")
    {
        shell.env(name, value.unwrap());
    }
    run_to_end(&mut shell)
}

#[tokio::test]
async fn an_outsider_is_given_an_archive_by_the_commands_of_the_page() {
    let (data, folder) = (Data::new(), tempfile::tempdir().unwrap());
    fs::create_dir(folder.path().join("audit-archive")).unwrap();
    let server = start(&data);
    let asked = reqwest::get(format!(
        "http://{}/audit/log/checkpoint",
        server.admin_address()
    ));
    assert_eq!(asked.await.unwrap().status(), StatusCode::UNAUTHORIZED);
    // The service runs meanwhile.
    let (commands, export) = of_operator();
    let output = typed(&data, folder.path(), &commands);
    assert!(output.status.success(), "{output:?}");
    let key = fs::read_to_string(folder.path().join("vkey")).unwrap();

    let archive = LocalFileSystem::new_with_prefix(folder.path().join("audit-archive")).unwrap();
    let archive = Archive::new(Arc::new(archive), "database").unwrap();
    let source = ArchiveSource::new(archive, Handle::current());
    let policy = Policy::new(vec![key.trim().parse().unwrap()]).unwrap();
    let report = spawn_blocking(move || Verification::new(&source, &policy).run());
    let report = report.await.unwrap();
    assert_eq!(report.outcome(), Outcome::Sound, "{report:?}");
    assert!(report.entries > 1, "{report:?}");

    let export = format!("export INGEST_AUDIT_STORE=database\n{export}");
    let output = typed(&data, folder.path(), &export);
    assert!(output.status.success(), "{output:?}");
    let lines = fs::read_to_string(folder.path().join("audit.jsonl")).unwrap();
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["metadata"]["version"], "1.8.0");
    assert!(server.terminate().success());
}

async fn fetch(server: &Server, path: &str) -> Vec<u8> {
    let file = server.admin(Method::GET, &format!("/audit/log/{path}"));
    let file = file.send().await.unwrap();
    assert_eq!(file.status(), StatusCode::OK, "{path}");
    file.bytes().await.unwrap().to_vec()
}

/// Fetches all of a small log, and holds it against its checkpoint.
pub(super) async fn verify(server: &Server) -> Report {
    let mirror = tempfile::tempdir().unwrap();
    let checkpoint = fetch(server, "checkpoint").await;
    let text = String::from_utf8(checkpoint.clone()).unwrap();
    let size: u64 = text.lines().nth(1).unwrap().parse().unwrap();
    fs::write(mirror.path().join("checkpoint"), checkpoint).unwrap();
    let mut tiles = Vec::new();
    for index in 0..size.div_ceil(256) {
        let width = u16::try_from((size - index * 256).min(256)).unwrap();
        tiles.push((TileKind::Hashes { level: 0 }, index, width));
        tiles.push((TileKind::Entries, index, width));
    }
    let full = u16::try_from(size / 256).unwrap();
    assert!(full < 256);
    if full > 0 {
        tiles.push((TileKind::Hashes { level: 1 }, 0, full));
    }
    for (kind, index, width) in tiles {
        let path = TilePath::new(kind, index, width).unwrap().to_string();
        let file = mirror.path().join(&path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, fetch(server, &path).await).unwrap();
    }
    let status = answer(server, Method::GET, "/admin/audit/status").await;
    let keys = status["keys"].as_array().unwrap().iter();
    let keys = keys.map(|key| key.as_str().unwrap().parse().unwrap());
    let policy = Policy::new(keys.collect()).unwrap();
    Verification::new(&FolderSource::new(mirror.path()), &policy).run()
}
