//! The files of the log at sizes 8 and 300.

use std::collections::BTreeMap;

use portcullis_audit_log::{
    tile::{EntryBundle, GrowingTiles, HashTile, TilePath, WIDTH, write_entry},
    tree::TreeHash,
};
use ring::digest::{SHA256, digest};

use super::leaf;

/// The files of the log by their paths.
fn files(size: u64) -> BTreeMap<String, Vec<u8>> {
    let (mut files, mut tiles, mut bundle) = (BTreeMap::new(), GrowingTiles::new(), Vec::new());
    for n in 0..size {
        let entry = leaf(n);
        write_entry(&entry, &mut bundle).unwrap();
        let keep = |path: TilePath, hashes: &[TreeHash]| {
            files.insert(
                path.to_string(),
                HashTile::new(path, hashes).unwrap().encode(),
            );
        };
        tiles.push(TreeHash::of_leaf(&entry), keep);
        if (n + 1) % u64::from(WIDTH) == 0 {
            let path = format!("tile/entries/{:03}", n / u64::from(WIDTH));
            files.insert(path, std::mem::take(&mut bundle));
        }
    }
    for (path, hashes) in tiles.partial() {
        files.insert(
            path.to_string(),
            HashTile::new(path, hashes).unwrap().encode(),
        );
    }
    if let Some(path) = TilePath::partial(size).next() {
        files.insert(path.to_string(), bundle);
    }
    files
}

fn sha256(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

#[test]
fn the_log_of_8_has_these_files() {
    let files = files(8);
    let names: Vec<_> = files.keys().collect();
    assert_eq!(names, ["tile/0/000.p/8", "tile/entries/000.p/8"]);
    assert_eq!(
        sha256(&files["tile/0/000.p/8"]),
        "ae3dc3f94934bb1e3cc3431dbf4d66aec24f782e7f6a0ca6178adb9f376fc4ef"
    );
    let bundle = &files["tile/entries/000.p/8"];
    assert_eq!(bundle.len(), 4_352);
    assert_eq!(
        sha256(bundle),
        "c429d9243e6a415f291b1bdffeab34df54b8a96d5687d46abd221998d2fd98d7"
    );
    let path = "tile/entries/000.p/8".parse().unwrap();
    let entries = EntryBundle::decode(path, bundle).unwrap().entries();
    assert!(entries.eq((0..8).map(leaf)));
}

#[test]
fn the_log_of_300_has_these_files() {
    let files = files(300);
    let names: Vec<_> = files.keys().collect();
    let expected = [
        "tile/0/000",
        "tile/0/001.p/44",
        "tile/1/000.p/1",
        "tile/entries/000",
        "tile/entries/001.p/44",
    ];
    assert_eq!(names, expected);
    for (path, hash) in [
        (
            "tile/0/000",
            "f4fc15c062dbce5cd1939434035b7697dcf3d6ae3f9dd83697c1eea406163280",
        ),
        (
            "tile/0/001.p/44",
            "779587fb0759ddc2a115f7c23d2a004b32e79b45a6e21e57e4421c24d1d4a21a",
        ),
        (
            "tile/entries/000",
            "7ade64cea4b6dafdabc238c8a5de342651cd0a6f39e2a6a54f095c6939dc3af3",
        ),
    ] {
        assert_eq!(sha256(&files[path]), hash, "{path}");
    }
    assert_eq!(files["tile/entries/000"].len(), 140_068);
    assert_eq!(
        hex::encode(&files["tile/1/000.p/1"]),
        "02a8cb992948f3936b59f6c692680714787f687066915890094135568397dcea"
    );
}
