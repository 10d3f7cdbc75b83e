//! A log in a folder: groups beside a loop that writes and syncs the same bytes, what it has on the disk, how long it
//! takes to open and to find something.

use std::{
    fs::{self, File},
    io::Write as _,
    path::Path,
    time::Duration,
};

use portcullis_audit_log::{
    clock::{Clock as _, SystemClock},
    event::{Event, Id},
    search::{Filter, PageSize, Query, TermKind},
    store::{FileStore, Group, Store},
};
use portcullis_benches::figures::{Failure, Figures};

use super::events::{event, id, lead, signed};

/// Turns of ours and of the bare loop follow each other, so that both have the same disk.
pub(crate) const TURNS: usize = 30;

pub(crate) async fn groups(is_quick: bool) -> Result<Figures, Failure> {
    let mut figures = Figures::default();
    for events in [1, 64, 512] {
        let folder = tempfile::tempdir()?;
        let store = FileStore::builder(&folder.path().join("log"))
            .open()
            .await?;
        let mut bare = File::options()
            .create_new(true)
            .write(true)
            .open(folder.path().join("bare"))?;
        preallocate(&mut bare)?;
        let mut turns = Vec::new();
        let mut next = 0;
        for _ in 0..if is_quick { 2 } else { TURNS } {
            let queued = queued(next..next + events);
            let began = now();
            let group = append(&store, &queued).await?;
            let ours = now() - began;
            next += events;
            let leaves: Vec<_> = group.entries().map(|entry| entry.leaf).collect();
            let bytes = leaves.concat();
            let began = now();
            bare.write_all(&bytes)?;
            bare.sync_data()?;
            turns.push([millis(ours), millis(now() - began)]);
        }
        figures.add_turns(&format!("{events} events"), "ms", &turns);
        store.close().await?;
    }
    Ok(figures)
}

/// 64 MiB of zeros, as a segment is made: what is written then changes no metadata.
fn preallocate(file: &mut File) -> Result<(), Failure> {
    use std::io::{Seek as _, SeekFrom};

    let zeros = vec![0; 1 << 20];
    for _ in 0..64 {
        file.write_all(&zeros)?;
    }
    file.sync_all()?;
    file.seek(SeekFrom::Start(0))?;
    Ok(())
}

/// The events of these numbers, and their tenants, as the writer of a log has them.
pub(crate) fn queued(numbers: std::ops::Range<u64>) -> (Vec<Id>, Vec<Event>) {
    let tenants = numbers.clone().take(100);
    let tenants = tenants.map(|number| id(&format!("tenant-{}", number % 100)));
    (tenants.collect(), numbers.map(event).collect())
}

/// Appends events as a group.
pub(crate) async fn append(
    store: &dyn Store,
    (tenants, events): &(Vec<Id>, Vec<Event>),
) -> Result<Group, Failure> {
    let taken = store.lock(tenants).await?;
    let mut group = Group::new(taken.state());
    for event in events {
        group.push(event, None)?;
    }
    taken.commit(&group).await?;
    Ok(group)
}

/// Fills a log with groups of 2,048, and publishes it.
async fn fill(store: &FileStore, events: u64) -> Result<(), Failure> {
    let mut next = 0;
    while next < events {
        let end = events.min(next + 2_048);
        append(store, &queued(next..end)).await?;
        next = end;
    }
    let edge = store.lock(&[]).await?.state().edge().clone();
    store.publish(&signed(&edge)).await?;
    Ok(())
}

/// What an event has on the disk beside its own bytes, and how long a full journal takes to open.
pub(crate) async fn folder(is_quick: bool) -> Result<Figures, Failure> {
    let mut figures = Figures::default();
    let folder = tempfile::tempdir()?;
    let events = if is_quick { 1_000 } else { 200_000 };
    let store = FileStore::builder(folder.path()).open().await?;
    fill(&store, events).await?;
    store.close().await?;
    drop(store);
    let leaf = mean_leaf();
    let kept = bytes_in(folder.path())? - bytes_in(&folder.path().join("journal"))?;
    figures.add("bytes an event", "B", [kept as f64 / events as f64, leaf]);

    // 16 MiB that are in no bundle would be what a crash leaves: a copy of the journal before it is written out.
    let crashed = tempfile::tempdir()?;
    let events = if is_quick { 1_000 } else { 30_000 };
    let store = FileStore::builder(crashed.path()).open().await?;
    let mut next = 0;
    while next < events {
        append(&store, &queued(next..events.min(next + 2_048))).await?;
        next += 2_048;
    }
    store.close().await?;
    drop(store);
    let journal = crashed.path().join("journal");
    let began = now();
    let mut read = 0;
    for file in fs::read_dir(&journal)? {
        read += fs::read(file?.path())?.len();
    }
    let reading = now() - began;
    let began = now();
    let store = FileStore::builder(crashed.path()).open().await?;
    figures.add("opened", "ms", [millis(now() - began), millis(reading)]);
    store.close().await?;
    assert!(read > 0, "a journal is there");
    Ok(figures)
}

fn mean_leaf() -> f64 {
    let mut group = Group::new(Default::default());
    for number in 0..1_000 {
        group.push(&event(number), None).expect("there is room");
    }
    let bytes: usize = group.entries().map(|entry| entry.leaf.len()).sum();
    bytes as f64 / 1_000.0
}

fn bytes_in(path: &Path) -> Result<u64, Failure> {
    let mut bytes = 0;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() {
            bytes_in(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
    }
    Ok(bytes)
}

/// A lead that one event of a million is about, beside reading every bundle.
pub(crate) async fn search(is_quick: bool) -> Result<Figures, Failure> {
    let mut figures = Figures::default();
    let folder = tempfile::tempdir()?;
    let events = if is_quick { 2_000 } else { 1_000_000 };
    let store = FileStore::builder(folder.path()).open().await?;
    fill(&store, events).await?;
    let mut turns = Vec::new();
    for turn in 1..=if is_quick { 2 } else { 10 } {
        let filter = Filter::new().with(TermKind::Resource, &lead(events / 12 * turn))?;
        let query = Query::new(filter, PageSize::default());
        let began = now();
        let page = store.search(&query).await?;
        let ours = now() - began;
        assert!(
            page.events.len() == 1 && page.next.is_none(),
            "one event is found"
        );
        let began = now();
        bytes_of_all(&folder.path().join("log"))?;
        turns.push([millis(ours), millis(now() - began)]);
    }
    figures.add_turns("a rare resource", "ms", &turns);
    store.close().await?;
    Ok(figures)
}

fn bytes_of_all(path: &Path) -> Result<usize, Failure> {
    let mut bytes = 0;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() {
            bytes_of_all(&entry.path())?
        } else {
            fs::read(entry.path())?.len()
        };
    }
    Ok(bytes)
}

pub(crate) fn now() -> Duration {
    SystemClock::new().monotonic()
}

pub(crate) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
