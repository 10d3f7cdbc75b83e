//! What an audited act costs who acts and who writes, beside a log line of the same fields and the hashes that a tree
//! takes; and with `figures`, what a store on files takes, beside a loop that writes and syncs the same bytes.

#[path = "audit_log/events.rs"]
mod events;
#[path = "audit_log/memory.rs"]
mod memory;
#[path = "audit_log/nowhere.rs"]
mod nowhere;
#[path = "audit_log/on_files.rs"]
mod on_files;
#[path = "audit_log/on_sqlite.rs"]
mod on_sqlite;

use std::{env, hint::black_box, sync::Arc, time::Duration};

use criterion::{Criterion, criterion_group};
use portcullis_audit_log::{
    audit::Audit,
    event::Id,
    store::{Group, LogState, MAX_GROUP_EVENTS},
    tree::TreeHash,
};
use portcullis_benches::{
    figures::{Failure, Figures},
    processor_time::{self, ProcessorTime},
};
use tokio::runtime::Runtime;

use self::{
    events::{draft, event, event_of, json_line, key, origin, sealed, sealing, typed},
    nowhere::Nowhere,
};

/// As many as have room, so that none is dropped.
const NOTES: u64 = 8_000;

/// What it takes of the thread of who acts: to make the event and hand it over.
fn caller(criterion: &mut Criterion<ProcessorTime>) {
    let runtime = Runtime::new().expect("the system has threads");
    let store = Arc::new(Nowhere::default());
    let opened = runtime.block_on(
        Audit::builder(store, origin(), Id::constant("node-a"))
            .key(key())
            .open(),
    );
    let (audit, writing) = opened.expect("nothing is in the way");
    let writer = runtime.spawn(writing);
    let mut group = criterion.benchmark_group("audit_caller");
    group.throughput(criterion::Throughput::Elements(1));
    group.bench_function("note", |bencher| {
        bencher.iter_custom(|iterations| {
            in_batches(iterations, |batch| {
                let drafts: Vec<_> = (0..batch).map(draft).collect();
                while audit.status().notes_waiting != 0 {
                    std::thread::sleep(Duration::from_micros(100));
                }
                timed(|| drafts.into_iter().for_each(|draft| audit.note(draft, None)))
            })
        });
    });
    group.bench_function("json_line", |bencher| {
        let (lines, read) = std::sync::mpsc::channel::<Vec<u8>>();
        let reader = std::thread::spawn(move || read.into_iter().for_each(drop));
        bencher.iter_custom(|iterations| {
            in_batches(iterations, |batch| {
                timed(|| {
                    for number in 0..batch {
                        lines.send(json_line(number)).expect("it is read");
                    }
                })
            })
        });
        drop(lines);
        reader.join().expect("it does not panic");
    });
    group.finish();
    audit.close();
    runtime.block_on(writer).expect("it does not panic");
}

/// What it takes of the writer: number, leaf, hash and tree.
fn writer(criterion: &mut Criterion<ProcessorTime>) {
    let events: Vec<_> = (0..MAX_GROUP_EVENTS as u64).map(event).collect();
    let mut leaves = Vec::new();
    let mut group = criterion.benchmark_group("audit_writer");
    group.throughput(criterion::Throughput::Elements(MAX_GROUP_EVENTS as u64));
    group.bench_function("group", |bencher| {
        bencher.iter(|| {
            let mut group = Group::new(LogState::default());
            for event in &events {
                group.push(event, None).expect("there is room");
            }
            group
        });
    });
    // What people typed beside each: committed to, and sealed by AES-256-GCM of a key that is ready.
    let typed = typed();
    let sealing = sealing();
    let with_parts: Vec<_> = (0..MAX_GROUP_EVENTS as u64)
        .map(|number| event_of(number, draft(number).personal(typed.commitment())))
        .collect();
    group.bench_function("group_with_parts", |bencher| {
        bencher.iter(|| {
            let mut group = Group::new(LogState::default());
            for event in &with_parts {
                black_box(black_box(&typed).commitment());
                let part = sealed(&sealing, black_box(&typed));
                group.push(event, Some(part)).expect("there is room");
            }
            group
        });
    });
    let mut whole = Group::new(LogState::default());
    for event in &events {
        whole.push(event, None).expect("there is room");
    }
    leaves.extend(whole.entries().map(|entry| entry.leaf.to_vec()));
    group.bench_function("hashes", |bencher| {
        bencher.iter(|| {
            for leaf in &leaves {
                black_box(TreeHash::of_leaf(leaf));
            }
        });
    });
    group.finish();
}

fn in_batches(iterations: u64, mut batch: impl FnMut(u64) -> Duration) -> Duration {
    let (whole, rest) = (iterations / NOTES, iterations % NOTES);
    let whole: Duration = (0..whole).map(|_| batch(NOTES)).sum();
    whole + batch(rest)
}

fn timed(work: impl FnOnce()) -> Duration {
    use criterion::measurement::Measurement as _;

    let clock = ProcessorTime::default();
    let start = clock.start();
    work();
    clock.end(start)
}

criterion_group! {
    name = benches;
    config = processor_time::criterion();
    targets = caller, writer
}

/// Without `--bench` each is run once, which a few events are enough for.
fn is_measured() -> bool {
    env::args().any(|argument| argument == "--bench")
}

fn main() -> Result<(), Failure> {
    // Cargo's own arguments apart.
    let given: Vec<String> = env::args()
        .skip(1)
        .filter(|each| each != "--bench")
        .collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    if let ["figures", of] = given.as_slice() {
        return run(of, false)?.print();
    }
    benches();
    Criterion::default().configure_from_args().final_summary();
    if !is_measured() && given.is_empty() {
        for of in ["groups", "sqlite", "folder", "search", "memory"] {
            run(of, true)?;
        }
    }
    Ok(())
}

fn run(of: &str, is_quick: bool) -> Result<Figures, Failure> {
    let runtime = Runtime::new()?;
    runtime.block_on(async {
        match of {
            "groups" => on_files::groups(is_quick).await,
            "sqlite" => on_sqlite::groups(is_quick).await,
            "folder" => on_files::folder(is_quick).await,
            "search" => on_files::search(is_quick).await,
            "memory" => memory::memory(is_quick).await,
            _ => Err("usage: figures groups|sqlite|folder|search|memory".into()),
        }
    })
}
