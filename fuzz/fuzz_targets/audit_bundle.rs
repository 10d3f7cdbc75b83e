//! Paths, bundles, tiles and leaves of the audit log: one spelling each, and leaves that any reader of JSON reads alike.

#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use portcullis_audit_log::{
    event::Leaf,
    tile::{EntryBundle, HashTile, TileKind, TilePath, write_entry},
};
use serde_json::Value;

// An input is a path, a line end, and the file that stands there; or a leaf.
fuzz_target!(|input: &[u8]| -> Corpus {
    check_leaf(input);
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
        return Corpus::Keep;
    };
    let (text, file) = (str::from_utf8(&input[..end]), &input[end + 1..]);
    let Some((text, path)) = text
        .ok()
        .and_then(|text| Some((text, text.parse::<TilePath>().ok()?)))
    else {
        return Corpus::Keep;
    };
    assert_eq!(path.to_string(), text, "one spelling");
    if let Ok(bundle) = EntryBundle::decode(path, file) {
        assert_eq!(path.kind(), TileKind::Entries);
        let mut again = Vec::new();
        for entry in bundle.entries() {
            write_entry(entry, &mut again).expect("it was read from two bytes of length");
            check_leaf(entry);
        }
        assert_eq!(again, file, "one spelling");
        assert_eq!(bundle.entries().count(), usize::from(path.width()));
    }
    if let Ok(tile) = HashTile::decode(path, file) {
        assert_eq!(tile.encode(), file, "one spelling");
        assert_eq!(tile.hashes().len(), usize::from(path.width()));
    }
    Corpus::Keep
});

fn check_leaf(bytes: &[u8]) {
    let Ok(leaf) = Leaf::parse(bytes) else {
        return;
    };
    let json: Value = serde_json::from_slice(bytes).expect("a leaf is JSON");
    assert_eq!(serde_json::to_string(&json["v"]).as_deref().ok(), Some("1"));
    assert_eq!(json["n"], leaf.numbers().in_tree);
    assert_eq!(json["tn"], leaf.numbers().in_tenant);
    assert_eq!(json["id"], leaf.id().to_string());
    assert_eq!(json["time"], leaf.time().to_string());
    assert_eq!(json["actor"]["id"], leaf.actor_id());
    assert_eq!(json["outcome"], leaf.outcome().as_str());
    assert_eq!(json["detail"].as_str(), leaf.detail());
    assert_eq!(json["reason"]["ref"].as_str(), leaf.reason_reference());
    let personal = leaf.personal().map(|personal| personal.to_string());
    assert_eq!(json["personal"].as_str(), personal.as_deref());
    for (member, count) in [
        ("resources", leaf.resources().count()),
        ("fields", leaf.fields().count()),
        ("refs", leaf.refs().count()),
    ] {
        assert_eq!(
            json[member].as_array().map_or(0, Vec::len),
            count,
            "{member}"
        );
    }
    // Nothing in a leaf is ever escaped.
    assert!(bytes.is_ascii() && !bytes.contains(&b'\\'));
}
