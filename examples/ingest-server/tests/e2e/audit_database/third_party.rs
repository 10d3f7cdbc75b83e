//! Who verifies the log without the service: by its files over HTTP, and its key.

use std::fs;

use portcullis_audit_log::{
    checkpoint::Policy,
    source::FolderSource,
    tile::{TileKind, TilePath},
    verify::{Report, Verification},
};
use reqwest::{Method, StatusCode};

use super::answer;
use crate::harness::Server;

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
