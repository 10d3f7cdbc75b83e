//! What it takes to verify a published audit log, beside hashing the same entries and nothing more.

use std::{collections::HashMap, hint::black_box};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use portcullis_audit_log::{
    checkpoint::{Checkpoint, Policy},
    event::{
        Action, Activity, Actor, ActorType, Code, Delivery, EventBuilder, EventId, Field, Id,
        LeafNumbers, Personal, PersonalText, Reason, Resource, ResourceType, Salt, Screen, SpanId,
        Stamp, Timestamp, TraceId,
    },
    note::SigningKey,
    source::{CHECKPOINT_PATH, LogSource, SourceError},
    tile::{GrowingTiles, TilePath, WIDTH, write_entry},
    tree::{RightEdge, TreeHash},
    verify::{Outcome, Verification},
};
use portcullis_benches::processor_time::{self, ProcessorTime};
use ring::digest::{SHA256, digest};
use secrecy::SecretBox;

/// 100 bundles: about 14 MB, which are in no cache of the processor.
const ENTRIES: u64 = 25_600;

/// A log in memory: what a disk or a network takes is not ours.
#[derive(Debug, Default)]
struct Files(HashMap<String, Vec<u8>>);

impl LogSource for Files {
    fn read(&self, path: &str, _: usize) -> Result<Option<Vec<u8>>, SourceError> {
        Ok(self.0.get(path).cloned())
    }
}

#[derive(Debug)]
struct Passing;

impl Screen for Passing {
    fn is_personal(&self, _: &str) -> bool {
        false
    }
}

/// Reads of one lead each, by 20 tenants in turns, with all that a request brings: some 545 bytes.
fn entry(n: u64) -> Vec<u8> {
    let personal = Personal::new(Salt::from_bytes([7; 16]), &PersonalText::default());
    let personal = personal.expect("it is empty");
    let id = |text: &str| Id::parse(text, &Passing).expect("it has the form of an id");
    let tenant = id(&format!("tenant-{}", n % 20));
    let actor = Actor::new(ActorType::ApiKey, id("k7Qm2ZpX"));
    let lead = id(&format!("0198c0de-0000-7000-8000-{n:012x}"));
    let event = EventBuilder::new(tenant, Action::new("lead.read"), Activity::Read, actor)
        .resources([Resource::new(ResourceType::new("lead"), lead)])
        .fields([Field::new("lead.email"), Field::new("lead.phone")])
        .reason(Reason::new(Code::new("support"), Some(id("T-1042"))))
        .trace(TraceId::parse("4bf92f3577b34da6a3ce929d0e0e4736").expect("32 digits"))
        .span(SpanId::parse("00f067aa0ba902b7").expect("16 digits"))
        .personal(personal.commitment());
    let time = Timestamp::from_unix_micros(1_767_323_045_678_901 + n).expect("before 9999");
    let stamp = Stamp::new(
        EventId::new(time, [7; 10]),
        time,
        Delivery::Must,
        id("node-a"),
    );
    let numbers = LeafNumbers {
        in_tree: n,
        in_tenant: n / 20,
    };
    let mut leaf = Vec::new();
    let event = event.build(stamp).expect("it is short");
    event.write_leaf(numbers, &mut leaf);
    leaf
}

fn publish(entries: &[Vec<u8>], key: SigningKey) -> Files {
    let mut files = Files::default();
    let (mut tree, mut tiles) = (RightEdge::new(), GrowingTiles::new());
    let mut put = |path: TilePath, hashes: &[TreeHash]| {
        let bytes: Vec<_> = hashes.iter().map(|hash| *hash.as_bytes()).collect();
        files.0.insert(path.to_string(), bytes.concat());
    };
    for entry in entries {
        let leaf = TreeHash::of_leaf(entry);
        tree.push(leaf);
        tiles.push(leaf, &mut put);
    }
    tiles.partial().for_each(|(path, hashes)| put(path, hashes));
    for (index, entries) in (0_u64..).zip(entries.chunks(WIDTH.into())) {
        let mut bundle = Vec::new();
        for entry in entries {
            write_entry(entry, &mut bundle).expect("an entry has at most 16 KiB");
        }
        files.0.insert(format!("tile/entries/{index:03}"), bundle);
    }
    let origin = key.verifying_key().name().clone();
    let note = Checkpoint::new(origin, tree.size(), tree.root()).sign(&[key]);
    let note = note.expect("the key is the log's").to_string();
    files
        .0
        .insert(CHECKPOINT_PATH.to_owned(), note.into_bytes());
    files
}

fn verify(criterion: &mut Criterion<ProcessorTime>) {
    let seed = SecretBox::new(Box::new([7; 32]));
    let name = "log.example".parse().expect("it is a name");
    let key = SigningKey::from_seed(name, &seed).expect("any 32 bytes are a seed");
    let policy = Policy::new(vec![key.verifying_key().clone()]).expect("it is the log's");
    let entries: Vec<_> = (0..ENTRIES).map(entry).collect();
    let files = publish(&entries, key);

    let mut group = criterion.benchmark_group("verify");
    group.throughput(Throughput::Elements(ENTRIES));
    group.sample_size(20);
    group.bench_function("verification", |bencher| {
        bencher.iter(|| {
            let report = Verification::new(black_box(&files), &policy).run();
            assert_eq!(report.outcome(), Outcome::Sound);
            report.entries
        });
    });
    group.bench_function("hashing", |bencher| {
        bencher.iter(|| {
            for entry in &entries {
                black_box(digest(&SHA256, black_box(entry)));
            }
        });
    });
}

criterion_group! {
    name = benches;
    config = processor_time::criterion();
    targets = verify
}
criterion_main!(benches);
