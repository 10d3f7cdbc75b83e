//! A log as the files that its writer publishes, with proofs beside it.

use std::{fs, path::Path};

use portcullis_audit_log::{
    checkpoint::Checkpoint,
    event::{
        Action, Activity, Actor, ActorType, Code, Delivery, EventBuilder, EventId, Field, Id,
        LeafNumbers, Resource, ResourceType, Screen, Stamp, Timestamp,
    },
    note::SigningKey,
    proof::TlogProof,
    tile::{GrowingTiles, HashTile, TileKind, TilePath, WIDTH, write_entry},
    tree::{ConsistencyProof, InclusionProof, ProofError, RightEdge, Subtree, TreeHash},
};
use secrecy::SecretBox;
use tempfile::TempDir;

const TENANTS: [&str; 3] = ["tenant-a", "tenant-b", "tenant-c"];

#[derive(Debug)]
struct Nothing;

impl Screen for Nothing {
    fn is_personal(&self, _: &str) -> bool {
        false
    }
}

/// `log/`, `vkey`, `proofs/<index>.tlog-proof`, and `consistency/<earlier size>`: the earlier root and the proof, a hash
/// in each line.
pub(crate) fn write(size: u64, proved: &[u64], earlier: &[u64]) -> TempDir {
    write_of(leaf, size, proved, earlier)
}

/// The same with other leaves.
pub(crate) fn write_of(
    leaf: impl Fn(u64) -> Vec<u8>,
    size: u64,
    proved: &[u64],
    earlier: &[u64],
) -> TempDir {
    let dir = TempDir::new().unwrap();
    let file = |path: String, content: &[u8]| {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    };
    let tile = |path: TilePath, hashes: &[TreeHash]| {
        let bytes = HashTile::new(path, hashes).unwrap().encode();
        file(format!("log/{path}"), &bytes);
    };
    let (mut edge, mut tiles, mut bundle) = (RightEdge::new(), GrowingTiles::new(), Vec::new());
    let mut earlier_roots = Vec::new();
    for n in 0..size {
        let entry = leaf(n);
        write_entry(&entry, &mut bundle).unwrap();
        edge.push(TreeHash::of_leaf(&entry));
        tiles.push(TreeHash::of_leaf(&entry), tile);
        if edge.size().is_multiple_of(WIDTH.into()) {
            let path = TilePath::new(TileKind::Entries, n / u64::from(WIDTH), WIDTH).unwrap();
            file(format!("log/{path}"), &bundle);
            bundle.clear();
        }
        if earlier.contains(&edge.size()) {
            earlier_roots.push((edge.size(), edge.root()));
        }
    }
    tiles
        .partial()
        .for_each(|(path, hashes)| tile(path, hashes));
    if !bundle.is_empty() {
        let path = TilePath::partial(size).next().unwrap();
        file(format!("log/{path}"), &bundle);
    }
    let key = key();
    file(
        "vkey".to_owned(),
        key.verifying_key().to_string().as_bytes(),
    );
    let origin = key.verifying_key().name().clone();
    let note = Checkpoint::new(origin, size, edge.root())
        .sign(&[key])
        .unwrap();
    file("log/checkpoint".to_owned(), note.to_string().as_bytes());

    let hash_of = |subtree: Subtree| subtree_hash(dir.path(), size, subtree);
    for index in proved {
        let proof = InclusionProof::build(*index, size, hash_of).unwrap();
        let proof = TlogProof::new(&proof, note.clone()).to_string();
        file(format!("proofs/{index}.tlog-proof"), proof.as_bytes());
    }
    for (old, root) in earlier_roots {
        let proof = ConsistencyProof::build(old, size, hash_of).unwrap();
        let hashes = [root].into_iter().chain(proof.hashes().iter().copied());
        let lines: String = hashes.map(|hash| format!("{hash}\n")).collect();
        file(format!("consistency/{old}"), lines.as_bytes());
    }
    dir
}

fn key() -> SigningKey {
    let seed = SecretBox::new(Box::new([0x60; 32]));
    SigningKey::from_seed("portcullis.example/audit".parse().unwrap(), &seed).unwrap()
}

/// From the tiles in the folder, as who proves something has them.
fn subtree_hash(dir: &Path, size: u64, subtree: Subtree) -> Result<TreeHash, ProofError> {
    let level = subtree.level() / 8;
    let count = size >> (8 * level);
    let index = (subtree.index() << (subtree.level() % 8)) / u64::from(WIDTH);
    let width = (count - index * u64::from(WIDTH)).min(WIDTH.into());
    let kind = TileKind::Hashes {
        level: level.try_into().unwrap(),
    };
    let path = TilePath::new(kind, index, width.try_into().unwrap()).unwrap();
    let bytes = fs::read(dir.join(format!("log/{path}"))).unwrap();
    Ok(HashTile::decode(path, &bytes)
        .unwrap()
        .subtree(subtree)
        .unwrap())
}

/// Of three tenants, and with every optional member in some.
pub(crate) fn leaf(n: u64) -> Vec<u8> {
    let id = |text: &str| Id::parse(text, &Nothing).unwrap();
    let in_tenant = n / TENANTS.len() as u64;
    let tenant = TENANTS[usize::try_from(n).unwrap() % TENANTS.len()];
    let actor = Actor::new(ActorType::Person, id("k7Qm2ZpX"));
    let lead = |m| Resource::new(ResourceType::new("lead"), id(&format!("lead-{m}")));
    let mut event = EventBuilder::new(id(tenant), Action::new("lead.read"), Activity::Read, actor)
        .resources((0..n % 4).map(lead))
        .fields((0..n % 2).map(|_| Field::new("lead.email")));
    if n.is_multiple_of(5) {
        event = event.denied(Code::new("missing_scope"));
    }
    let time = Timestamp::from_unix_micros(1_767_323_045_678_901 + n).unwrap();
    let event_id = |n: u64| EventId::parse(&format!("0198c0de-0000-7000-8000-{n:012x}")).unwrap();
    if n.is_multiple_of(7) {
        event = event.refs([event_id(n / 2)]);
    }
    let stamp = Stamp::new(event_id(n), time, Delivery::Must, id("a"));
    let mut bytes = Vec::new();
    let numbers = LeafNumbers {
        in_tree: n,
        in_tenant,
    };
    event.build(stamp).unwrap().write_leaf(numbers, &mut bytes);
    bytes
}
