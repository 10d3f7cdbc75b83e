//! A log of eight events: written, published as files, and one of its events proved to somebody who has only the
//! proof and the log's public key.
//!
//! `cargo run -p portcullis-audit-log --example prove_an_event`

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;

use portcullis_audit_log::{
    checkpoint::Checkpoint,
    event::{
        Action, Activity, Actor, ActorType, Delivery, EventBuilder, EventId, Field, Id,
        LeafNumbers, Resource, ResourceType, Screen, Stamp, Timestamp,
    },
    note::{KeyName, SigningKey},
    proof::TlogProof,
    tile::{GrowingTiles, HashTile, TileError},
    tree::{ConsistencyProof, InclusionProof, RightEdge, TreeHash},
};
use secrecy::SecretBox;

/// A service takes a detector of personal data for it.
#[derive(Debug)]
struct NoAddresses;

impl Screen for NoAddresses {
    fn is_personal(&self, text: &str) -> bool {
        text.contains("..")
    }
}

const READ: Action = Action::new("lead.read");
const EMAIL: Field = Field::new("lead.email");
const LEAD: ResourceType = ResourceType::new("lead");

fn leaf(n: u64) -> Result<Vec<u8>, Box<dyn Error>> {
    let id = |text: &str| Id::parse(text, &NoAddresses);
    let actor = Actor::new(ActorType::ApiKey, id("k7Qm2ZpX")?);
    let event = EventBuilder::new(id("tenant-7")?, READ, Activity::Read, actor)
        .resources([Resource::new(LEAD, id(&format!("lead-{n}"))?)])
        .fields([EMAIL]);
    let time = Timestamp::from_unix_micros(1_767_323_045_678_901 + n).ok_or("after 9999")?;
    // The ten bytes are random, in a service.
    let stamp = Stamp::new(
        EventId::new(time, [7; 10]),
        time,
        Delivery::Must,
        id("node-a")?,
    );
    let numbers = LeafNumbers {
        in_tree: n,
        in_tenant: n,
    };
    let mut bytes = Vec::new();
    event.build(stamp)?.write_leaf(numbers, &mut bytes);
    Ok(bytes)
}

fn main() -> Result<(), Box<dyn Error>> {
    let origin: KeyName = "portcullis.example/audit".parse()?;
    let seed = SecretBox::new(Box::new([0x60; 32])); // random, in a service
    let key = [SigningKey::from_seed(origin.clone(), &seed)?];
    let known = [key[0].verifying_key().clone()];

    // The writer: entries, tree, tiles, and a checkpoint after three entries and after eight.
    let (mut tree, mut tiles, mut entries) = (RightEdge::new(), GrowingTiles::new(), Vec::new());
    let mut earlier = None;
    for n in 0..8 {
        let entry = leaf(n)?;
        tree.push(TreeHash::of_leaf(&entry));
        tiles.push(TreeHash::of_leaf(&entry), |path, _| {
            println!("{path} is full")
        });
        entries.push(entry);
        if n == 2 {
            earlier = Some(Checkpoint::new(origin.clone(), tree.size(), tree.root()));
        }
    }
    let checkpoint = Checkpoint::new(origin.clone(), tree.size(), tree.root());
    let signed = checkpoint.sign(&key)?;
    let (path, hashes) = tiles.partial().next().ok_or("there are eight")?;
    let tile = HashTile::new(path, hashes)?;
    println!("{path} has {} bytes", tile.encode().len());

    // The proof of entry 5, from the tile alone.
    let proof = InclusionProof::build::<TileError>(5, 8, |subtree| tile.subtree(subtree))?;
    let file = TlogProof::new(&proof, signed).to_string();
    println!("{file}");

    // Somebody else.
    let proof = TlogProof::parse(file.as_bytes())?;
    let (shown, by) = proof.verify(&entries[5], &origin, &known)?;
    assert_eq!((shown.size(), by.len()), (8, 1));
    assert!(proof.verify(&entries[4], &origin, &known).is_err());

    // And who kept the earlier checkpoint sees that the log has only grown since.
    let earlier = earlier.ok_or("it was kept")?;
    let grown = ConsistencyProof::build::<TileError>(3, 8, |subtree| tile.subtree(subtree))?;
    grown.verify(&earlier.root(), &shown.root())?;
    Ok(())
}
