//! Pages of a search, and the index.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::SystemTime,
};

use super::{index_row::IndexRow, *};
use crate::{
    clock::{FakeClock, SlowClock},
    event::Resource,
    search::{Filter, Page, PageSize, SearchCursor, TermKind},
};

fn leads(n: u64) -> Filter {
    let filter = Filter::new();
    filter
        .with(TermKind::Resource, &format!("lead-{n}"))
        .unwrap()
}

async fn page(store: &FileStore, filter: &Filter) -> Vec<u64> {
    let query = Query::new(filter.clone(), PageSize::default());
    let page = store.search(&query).await.unwrap();
    assert!(page.is_complete && page.next.is_none());
    page.events.iter().map(|event| event.n).collect()
}

#[tokio::test]
async fn rows_that_are_lost_or_damaged_are_made_again_and_nothing_is_missed_meanwhile() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    for _ in 0..3 {
        append(&store, 2_048).await.unwrap();
    }
    store.close().await.unwrap();
    let index = folder.path("index");
    let sound = fs::read(&index).unwrap();
    assert_eq!(sound.len(), 24 * IndexRow::BYTES);
    let mut flipped = sound.clone();
    flipped[5 * IndexRow::BYTES + 100] ^= 1;
    let short = sound[..7 * IndexRow::BYTES + 3].to_vec();
    let swapped = [&sound[IndexRow::BYTES..], &sound[..IndexRow::BYTES]].concat();
    for damaged in [
        None,
        Some(flipped),
        Some(short),
        Some(swapped),
        Some(Vec::new()),
    ] {
        match damaged {
            None => fs::remove_file(&index).unwrap(),
            Some(bytes) => fs::write(&index, bytes).unwrap(),
        }
        let store = folder.open_plainly().await;
        for n in [0, 300, 1_400, 2_000, 6_143] {
            assert_eq!(page(&store, &leads(n)).await, [n]);
        }
        eventually("rebuilt", || fs::read(&index).unwrap() == sound).await;
        folder.told.wait_for("IndexRebuilt").await;
        assert_eq!(page(&store, &leads(1_400)).await, [1_400]);
        assert_eq!(page(&store, &leads(9_999)).await, Vec::<u64>::new());
        store.close().await.unwrap();
    }
}

/// Stands still until it was asked so often, and goes on by a second each time then.
#[derive(Debug)]
struct Impatient {
    clock: FakeClock,
    asked: AtomicU32,
    on_time: u32,
}

impl Clock for Impatient {
    fn wall(&self) -> SystemTime {
        self.clock.wall()
    }

    fn monotonic(&self) -> Duration {
        if self.asked.fetch_add(1, Ordering::Relaxed) >= self.on_time {
            self.clock.advance(Duration::from_secs(1));
        }
        self.clock.monotonic()
    }
}

#[tokio::test]
async fn a_page_ends_in_time_and_the_search_goes_on_where_it_did() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    append(&store, 2_000).await.unwrap();
    store.close().await.unwrap();
    let clock = Impatient {
        clock: FakeClock::default(),
        asked: AtomicU32::new(0),
        on_time: 1,
    };
    let builder = FileStore::builder(folder.dir.path()).clock(Arc::new(clock));
    let store = builder.open().await.unwrap();
    let filter = Filter::new().with(TermKind::Tenant, "tenant-1").unwrap();
    let size = PageSize::new(500).unwrap();
    let (mut found, mut cursor, mut pages) = (Vec::new(), None::<SearchCursor>, 0);
    loop {
        let mut query = Query::new(filter.clone(), size);
        if let Some(cursor) = cursor {
            query = query.after(cursor);
        }
        let page = store.search(&query).await.unwrap();
        found.extend(page.events.iter().map(|event| event.n));
        pages += 1;
        assert!(pages < 100, "no page goes further");
        cursor = page.next;
        assert_eq!(page.is_complete, cursor.is_none());
        if cursor.is_none() {
            break;
        }
    }
    let expected: Vec<_> = (0..2_000).rev().filter(|n| n % 3 == 1).collect();
    assert_eq!(found, expected);
    assert!(pages >= 7, "{pages}");
}

impl Folder {
    async fn open_by(&self, clock: impl Clock + 'static) -> FileStore {
        let builder = FileStore::builder(self.dir.path()).clock(Arc::new(clock));
        builder.open().await.unwrap()
    }
}

/// A lead of each bundle and a tenant of each bundle that no event has together: a search looks at all of them.
fn of_no_event() -> Filter {
    let filter = Filter::new().with(TermKind::Tenant, "tenant-1").unwrap();
    filter.with(TermKind::Resource, "of-tenant-0").unwrap()
}

async fn append_for(store: &FileStore, more: impl Fn(u64) -> Vec<Resource>) {
    let taken = store
        .lock(&[tenant(0), tenant(1), tenant(2)])
        .await
        .unwrap();
    let state = taken.state();
    let first = state.edge().size();
    let mut group = Group::new(state);
    for n in first..first + 256 {
        let event = records::event_with(n, more(n));
        group.push(&event, None).unwrap();
    }
    taken.commit(&group).await.unwrap();
}

fn lead(n: u64) -> Resource {
    records::lead(&format!("of-tenant-{}", n % 3))
}

#[tokio::test]
async fn a_page_looks_at_bundles_for_250_ms_and_says_where_it_stopped() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    for _ in 0..6 {
        append_for(&store, |n| vec![lead(n)]).await;
    }
    store.close().await.unwrap();
    // It looks at the time when it begins, and before each bundle but the first.
    for (step, bundles) in [(250, 1), (249, 2), (125, 2), (124, 3), (60, 5)] {
        let step = Duration::from_millis(step);
        let store = folder.open_by(SlowClock::new(step)).await;
        let query = Query::new(of_no_event(), PageSize::default());
        let page = store.search(&query).await.unwrap();
        let next = page.next.map(|next| next.before());
        assert_eq!(next, Some((6 - bundles) * 256), "{step:?}");
        assert!(!page.is_complete && page.events.is_empty());
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_page_reads_64_mib_of_entries_at_most_and_says_where_it_stopped() {
    let folder = Folder::new();
    let store = folder.open_plainly().await;
    let long = "x".repeat(97);
    for _ in 0..17 {
        append_for(&store, |n| {
            let mut leads = vec![lead(n)];
            let id = records::lead(&long);
            leads.extend((1..128).map(|_| id.clone()));
            leads
        })
        .await;
    }
    store.close().await.unwrap();
    let newest_first = (0..17).rev();
    let sizes = newest_first.map(|bundle| {
        let file = folder.path(&format!("log/tile/entries/{bundle:03}"));
        fs::metadata(file).unwrap().len()
    });
    let sizes: Vec<_> = sizes.collect();
    // As many as there is room for, and one is too many.
    let most = Page::MAX_READ_BYTES as u64;
    assert_eq!(most, 64 * 1024 * 1024);
    let read: u64 = sizes[..16].iter().sum();
    assert!(read <= most && read + sizes[16] > most, "{read}");

    let store = folder.open_by(FakeClock::default()).await;
    let query = Query::new(of_no_event(), PageSize::default());
    let page = store.search(&query).await.unwrap();
    assert!(!page.is_complete && page.events.is_empty());
    let next = page.next.unwrap();
    assert_eq!(next.before(), 256);
    let page = store.search(&query.after(next)).await.unwrap();
    assert!(page.is_complete && page.next.is_none() && page.events.is_empty());
}
