//! A log of two tenants as files, and what a reader finds in such files.

use std::{collections::BTreeMap, sync::LazyLock};

use secrecy::SecretBox;

use crate::{
    checkpoint::{Checkpoint, Policy},
    event::{
        Action, Activity, Actor, ActorType, Delivery, EventBuilder, EventId, Id, LeafNumbers,
        Personal, PersonalText, Salt, Stamp, Timestamp,
    },
    note::SigningKey,
    source::{LogSource, SourceError},
    tile::{GrowingTiles, HashTile, TilePath, WIDTH, write_entry},
    tree::{RightEdge, TreeHash},
    verify::{Report, Verification},
};

/// A log in memory. The file `unreadable` cannot be read.
#[derive(Debug, Clone, Default)]
pub(in crate::verify) struct Files(pub(super) BTreeMap<String, Vec<u8>>);

pub(super) const SIZE: u64 = 5;

static KEY: LazyLock<[SigningKey; 1]> = LazyLock::new(|| {
    let seed = SecretBox::new(Box::new([1; 32]));
    [SigningKey::from_seed("log.example".parse().unwrap(), &seed).unwrap()]
});

impl LogSource for Files {
    fn read(&self, path: &str, at_most: usize) -> Result<Option<Vec<u8>>, SourceError> {
        let Some(bytes) = self.0.get(path) else {
            return Ok(None);
        };
        if bytes.starts_with(b"unreadable") {
            return Err(SourceError::unreadable(path)("the disk is on fire"));
        }
        if bytes.len() > at_most {
            let path = path.into();
            return Err(SourceError::TooLong { path, at_most });
        }
        Ok(Some(bytes.clone()))
    }
}

/// Entries of two tenants in turns, every third with a personal part.
pub(super) fn entry(n: u64) -> Vec<u8> {
    let tenant = Id::constant(if n.is_multiple_of(2) {
        "tenant-a"
    } else {
        "tenant-b"
    });
    let actor = Actor::new(ActorType::ApiKey, Id::constant("k"));
    let mut event = EventBuilder::new(tenant, Action::new("lead.read"), Activity::Read, actor);
    if n.is_multiple_of(3) {
        event = event.personal(personal(n).commitment());
    }
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

pub(super) fn personal(n: u64) -> Personal {
    let text = format!("reason {n}");
    let text = PersonalText {
        text: Some(&text),
        ..PersonalText::default()
    };
    Personal::new(Salt::from_bytes([7; 16]), &text).unwrap()
}

pub(super) fn entries(size: u64) -> Vec<Vec<u8>> {
    (0..size).map(entry).collect()
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
    signed(&entries(SIZE))
}

/// A log of any entries, by who has the key.
pub(super) fn signed(entries: &[Vec<u8>]) -> Files {
    let (mut files, mut tree, mut tiles) = (BTreeMap::new(), RightEdge::new(), GrowingTiles::new());
    let tile = |files: &mut BTreeMap<_, _>, path: TilePath, hashes: &[TreeHash]| {
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
    let note = checkpoint(entries).sign(&*KEY).unwrap();
    files.insert("checkpoint".to_owned(), note.to_string().into_bytes());
    Files(files)
}

/// What the log says of these entries.
pub(super) fn checkpoint(entries: &[Vec<u8>]) -> Checkpoint {
    let mut tree = RightEdge::new();
    entries
        .iter()
        .for_each(|entry| tree.push(TreeHash::of_leaf(entry)));
    let origin = KEY[0].verifying_key().name().clone();
    Checkpoint::new(origin, tree.size(), tree.root())
}

pub(super) fn policy() -> Policy {
    Policy::new(vec![KEY[0].verifying_key().clone()]).unwrap()
}

pub(super) fn verify(files: &Files) -> Report {
    Verification::new(files, &policy()).run()
}

/// What is found, as it is told.
pub(super) fn told(report: &Report) -> Vec<String> {
    report.findings.iter().map(ToString::to_string).collect()
}

impl Files {
    pub(super) fn with(&self, path: &str, bytes: Vec<u8>) -> Self {
        let mut changed = self.clone();
        changed.0.insert(path.to_owned(), bytes);
        changed
    }

    pub(super) fn without(&self, path: &str) -> Self {
        let mut changed = self.clone();
        assert!(changed.0.remove(path).is_some(), "there is no {path}");
        changed
    }

    /// With bit 0 of a byte changed.
    pub(super) fn flipped(&self, path: &str, at: usize) -> Self {
        let mut bytes = self.0[path].clone();
        bytes[at] ^= 1;
        self.with(path, bytes)
    }
}
