//! What a store in files takes on this machine: `cargo run --release --example file_store_figures [EVENTS]`.
//!
//! Groups beside a bare loop that writes and syncs the same bytes, in turns; a rare resource among many events; opening
//! again; bytes an event.

#![expect(
    clippy::print_stdout,
    reason = "figures are for somebody who reads them"
)]

#[cfg(unix)]
mod measured {
    use std::{
        error::Error,
        fs::{self, File},
        os::unix::fs::{FileExt as _, MetadataExt as _},
        path::Path,
        time::{Duration, Instant},
    };

    use portcullis_audit_log::{
        event::{
            Action, Activity, Actor, ActorType, Delivery, Event, EventBuilder, EventId, Field, Id,
            Resource, ResourceType, Screen, Stamp, Timestamp, TraceId,
        },
        search::{Filter, PageSize, Query, TermKind},
        store::{FileStore, Group, Store as _},
    };
    use tempfile::TempDir;

    type Failure = Box<dyn Error + Send + Sync>;

    const ROUNDS: usize = 300;
    const SEGMENT_BYTES: usize = 16 * 1024 * 1024;
    const TENANT: Id = Id::constant("tenant-7");

    #[derive(Debug)]
    struct Passing;

    impl Screen for Passing {
        fn is_personal(&self, _: &str) -> bool {
            false
        }
    }

    fn id(text: &str) -> Result<Id, Failure> {
        Ok(Id::parse(text, &Passing)?)
    }

    /// As the service writes one for a lead that was read, about a lead of its own.
    fn event(n: u64) -> Result<Event, Failure> {
        let time = Timestamp::from_unix_micros(1_767_323_045_000_000 + n * 1_000)
            .ok_or("after the year 9999")?;
        let mut random = [0; 10];
        random[2..].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        let lead = id(&format!("0198c0de-0000-7000-8000-{n:012x}"))?;
        let trace = TraceId::parse(&format!("4bf92f3577b34da6{n:016x}")).ok_or("no trace")?;
        let actor = Actor::new(ActorType::ApiKey, id("k7Qm2ZpX")?);
        let draft = EventBuilder::new(TENANT, Action::new("lead.read"), Activity::Read, actor)
            .resources([Resource::new(ResourceType::new("lead"), lead)])
            .fields([Field::new("lead.email"), Field::new("lead.phone")])
            .trace(trace);
        let stamp = Stamp::new(
            EventId::new(time, random),
            time,
            Delivery::Must,
            Id::constant("a"),
        );
        Ok(draft.build(stamp)?)
    }

    async fn append(store: &FileStore, count: u64) -> Result<usize, Failure> {
        let taken = store.lock(&[TENANT]).await?;
        let mut group = Group::new(taken.state());
        let first = group.first();
        for n in first..first + count {
            group.push(&event(n)?, None)?;
        }
        let bytes = group.entries().map(|entry| 2 + entry.leaf.len()).sum();
        taken.commit(&group).await?;
        Ok(bytes)
    }

    #[expect(clippy::disallowed_methods, reason = "it measures time")]
    fn now() -> Instant {
        Instant::now()
    }

    fn median(mut times: Vec<Duration>) -> Duration {
        times.sort_unstable();
        times[times.len() / 2]
    }

    /// Groups of this many events, each beside a write and a sync of as many bytes to a file of the same length.
    async fn groups(count: u64) -> Result<(), Failure> {
        let dir = TempDir::new_in(".")?;
        let store = FileStore::builder(dir.path()).open().await?;
        let bare = File::create(dir.path().join("bare"))?;
        bare.write_all_at(&vec![0; SEGMENT_BYTES], 0)?;
        bare.sync_all()?;
        let (mut ours, mut theirs, mut at) = (Vec::new(), Vec::new(), 0);
        for _ in 0..ROUNDS {
            // Built beforehand: a group waits for the sync of the one before while it is put together.
            let taken = store.lock(&[TENANT]).await?;
            let mut group = Group::new(taken.state());
            let first = group.first();
            for n in first..first + count {
                group.push(&event(n)?, None)?;
            }
            let begun = now();
            taken.commit(&group).await?;
            ours.push(begun.elapsed());
            let bytes = group.entries().map(|entry| 2 + entry.leaf.len()).sum();
            let bytes = vec![7; bytes];
            if at + bytes.len() > SEGMENT_BYTES {
                at = 0;
            }
            let begun = now();
            bare.write_all_at(&bytes, at as u64)?;
            bare.sync_data()?;
            theirs.push(begun.elapsed());
            at += bytes.len();
        }
        store.close().await?;
        let (ours, theirs) = (median(ours), median(theirs));
        let share = theirs.as_secs_f64() / ours.as_secs_f64();
        println!("group of {count}: {ours:?}, bare {theirs:?}, {share:.2} of its rate");
        Ok(())
    }

    fn bytes_below(path: &Path) -> Result<u64, Failure> {
        let mut bytes = 0;
        for found in fs::read_dir(path)? {
            let path = found?.path();
            bytes += if path.is_dir() {
                bytes_below(&path)?
            } else {
                path.metadata()?.blocks() * 512
            };
        }
        Ok(bytes)
    }

    /// Finds a rare resource among so many events, and tells how many bytes each takes.
    async fn many(events: u64) -> Result<(), Failure> {
        let dir = TempDir::new_in(".")?;
        let store = FileStore::builder(dir.path()).open().await?;
        let (begun, mut leaves) = (now(), 0);
        while store.size().await? < events {
            leaves += append(&store, 2_048).await?;
        }
        let took = begun.elapsed().as_secs_f64();
        let size = store.size().await?;
        println!("{size} events appended, {:.0} a second", size as f64 / took);
        store.close().await?;
        let journal = bytes_below(&dir.path().join("journal"))?;
        let all = bytes_below(dir.path())?;
        println!(
            "{:.1} bytes an event on disk, of leaves {:.1}; and {journal} of the journal",
            (all - journal) as f64 / size as f64,
            leaves as f64 / size as f64,
        );
        let begun = now();
        let store = FileStore::builder(dir.path()).open().await?;
        println!("opened again in {:?}", begun.elapsed());
        let mut times = Vec::new();
        for number in 0..50 {
            let n = (number * 7_919_777) % size;
            let lead = format!("0198c0de-0000-7000-8000-{n:012x}");
            let filter = Filter::new().with(TermKind::Resource, &lead)?;
            let query = Query::new(filter, PageSize::default());
            let begun = now();
            let page = store.search(&query).await?;
            times.push(begun.elapsed());
            if page.events.len() != 1 || page.next.is_some() {
                return Err("the page is another".into());
            }
        }
        let slowest = times.iter().max().copied().unwrap_or_default();
        println!("a rare resource: {:?}, at most {slowest:?}", median(times));
        Ok(())
    }

    /// Opens a folder again in whose journal there are 16 MiB.
    async fn reopen() -> Result<(), Failure> {
        let dir = TempDir::new_in(".")?;
        let store = FileStore::builder(dir.path()).open().await?;
        let mut bytes = 0;
        while bytes < SEGMENT_BYTES - 2 * 1024 * 1024 {
            bytes += append(&store, 2_048).await?;
        }
        store.close().await?;
        let begun = now();
        let store = FileStore::builder(dir.path()).open().await?;
        println!("{bytes} bytes of journal opened in {:?}", begun.elapsed());
        Ok(store.close().await?)
    }

    pub(super) async fn all(events: u64) -> Result<(), Failure> {
        for count in [1, 64, 512] {
            groups(count).await?;
        }
        reopen().await?;
        many(events).await
    }
}

#[cfg(unix)]
#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let events = std::env::args().nth(1).map(|events| events.parse());
    measured::all(events.transpose()?.unwrap_or(1_000_000)).await
}

#[cfg(not(unix))]
fn main() {
    println!("a store in files needs Unix");
}
