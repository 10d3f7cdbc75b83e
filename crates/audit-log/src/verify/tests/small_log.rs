//! A log of five entries of two tenants as files, and a reader of such files.

use std::{collections::BTreeMap, sync::LazyLock};

use secrecy::SecretBox;

use crate::{
    checkpoint::Checkpoint,
    event::{
        Action, Activity, Actor, ActorType, Delivery, EventBuilder, EventId, Id, LeafNumbers,
        Stamp, Timestamp,
    },
    note::{SignedNote, SigningKey},
    tile::{GrowingTiles, HashTile, TilePath, WIDTH, write_entry},
    tree::{RightEdge, TreeHash},
    verify::{LogError, LogVerifier},
};

pub(super) type Files = BTreeMap<String, Vec<u8>>;

pub(super) const SIZE: u64 = 5;

/// How a reader found that something is wrong.
#[derive(Debug, PartialEq)]
pub(super) enum Found {
    Checkpoint,
    Missing,
    Log(LogError),
    Tile,
}

static KEY: LazyLock<[SigningKey; 1]> = LazyLock::new(|| {
    let seed = SecretBox::new(Box::new([1; 32]));
    [SigningKey::from_seed("log.example".parse().unwrap(), &seed).unwrap()]
});

/// Entries of two tenants in turns.
pub(super) fn entry(n: u64) -> Vec<u8> {
    let tenant = Id::constant(if n.is_multiple_of(2) {
        "tenant-a"
    } else {
        "tenant-b"
    });
    let actor = Actor::new(ActorType::ApiKey, Id::constant("k"));
    let event = EventBuilder::new(tenant, Action::new("lead.read"), Activity::Read, actor);
    let time = Timestamp::from_unix_micros(1_700_000_000_000_000 + n).unwrap();
    let stamp = Stamp::new(
        EventId::new(time, [3; 10]),
        time,
        Delivery::Must,
        Id::constant("a"),
    );
    let numbers = LeafNumbers {
        in_tree: n,
        in_tenant: n / 2,
    };
    let mut leaf = Vec::new();
    event.build(stamp).unwrap().write_leaf(numbers, &mut leaf);
    leaf
}

pub(super) fn bundle_of(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bundle = Vec::new();
    entries
        .iter()
        .for_each(|entry| write_entry(entry, &mut bundle).unwrap());
    bundle
}

/// The log as it was.
pub(super) fn files() -> Files {
    signed(&(0..SIZE).map(entry).collect::<Vec<_>>())
}

/// A log of any entries, by who has the key.
pub(super) fn signed(entries: &[Vec<u8>]) -> Files {
    let (mut files, mut tree, mut tiles) = (Files::new(), RightEdge::new(), GrowingTiles::new());
    let tile = |files: &mut Files, path: TilePath, hashes: &[TreeHash]| {
        let bytes = HashTile::new(path, hashes).unwrap().encode();
        files.insert(path.to_string(), bytes);
    };
    for entry in entries {
        let leaf = TreeHash::of_leaf(entry);
        tree.push(leaf);
        tiles.push(leaf, |path, hashes| tile(&mut files, path, hashes));
    }
    tiles
        .partial()
        .for_each(|(path, hashes)| tile(&mut files, path, hashes));
    for (index, entries) in entries.chunks(WIDTH.into()).enumerate() {
        let width = if entries.len() == 256 {
            String::new()
        } else {
            format!(".p/{}", entries.len())
        };
        files.insert(
            format!("tile/entries/{index:03}{width}"),
            bundle_of(entries),
        );
    }
    let origin = KEY[0].verifying_key().name().clone();
    let checkpoint = Checkpoint::new(origin, tree.size(), tree.root());
    let note = checkpoint.sign(&*KEY).unwrap();
    files.insert("checkpoint".to_owned(), note.to_string().into_bytes());
    files
}

/// Reads a log as a third party does, who has the files and the key.
pub(super) fn checked(files: &Files) -> Result<(), Found> {
    let read = |path: &str| files.get(path).ok_or(Found::Missing);
    let equal = |tiles: Vec<HashTile>| {
        tiles.iter().try_for_each(|tile| {
            let found = HashTile::decode(tile.path(), read(&tile.path().to_string())?);
            if found.as_ref() == Ok(tile) {
                Ok(())
            } else {
                Err(Found::Tile)
            }
        })
    };
    let keys = [KEY[0].verifying_key().clone()];
    let note = SignedNote::parse(read("checkpoint")?).map_err(|_| Found::Checkpoint)?;
    let verified = Checkpoint::verify(&note, keys[0].name(), &keys);
    let mut log = LogVerifier::new(verified.map_err(|_| Found::Checkpoint)?.0);
    while let Some(path) = log.next_bundle() {
        let bundle = read(&path.to_string())?;
        equal(log.check_bundle(bundle).map_err(Found::Log)?)?;
    }
    equal(log.finish().map_err(Found::Log)?)
}
