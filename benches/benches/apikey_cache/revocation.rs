//! What it takes to revoke a key, and what others notice of revocations.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, SystemTime},
};

use portcullis_apikey_cache::{
    ApiKey,
    feed::ChangeFeed,
    store::{KeyStore, MemoryKeyStore, SqliteKeyStore, UnixMillis},
};
use portcullis_benches::{
    figures::{Failure, Figures},
    histogram::Histogram,
};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};

use super::{
    bus::ChannelBus,
    flood::{Other, beside, now},
    ours::{Ours, block_on, builder, parsed},
};

/// Keys revoked on either side, so many in each turn.
const KEYS: usize = 2_000;
const IN_A_TURN: usize = 20;
/// From one revocation to the next: 100 a second.
const EVERY: Duration = Duration::from_millis(10);
/// Of a turn with revocations in this cache and one with as many in another.
const PAIRS: usize = 12;
const TURN: Duration = Duration::from_millis(500);

pub(crate) fn run(what: &str, is_quick: bool) -> Result<Figures, Failure> {
    let keys = if is_quick { 2 * IN_A_TURN } else { KEYS };
    let (store, against) = match what {
        "memory" => (Kept::InMemory, Against::Store),
        "bus" => (Kept::InMemory, Against::NoBus),
        "sqlite" => (Kept::OnDisk, Against::Store),
        "sqlite-bus" => (Kept::OnDisk, Against::NoBus),
        "others" => return Ok(others(is_quick)),
        _ => return Err("usage: figures revocation memory|bus|sqlite|sqlite-bus|others".into()),
    };
    match store {
        Kept::InMemory => Ok(block_on(compare(
            &Arc::new(MemoryKeyStore::new()),
            against,
            keys,
        ))),
        Kept::OnDisk => {
            // On the disk that holds what is built, and not in memory, which some machines have for /tmp.
            let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
            block_on(async {
                let store = Arc::new(open(&folder.path().join("keys.db")).await?);
                Ok(compare(&store, against, keys).await)
            })
        }
    }
}

enum Kept {
    InMemory,
    OnDisk,
}

/// What a revocation through a cache is compared with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Against {
    /// The store alone.
    Store,
    /// Ours has a bus, and this is the same without.
    NoBus,
}

async fn open(file: &Path) -> Result<SqliteKeyStore, Failure> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let store = SqliteKeyStore::new(SqlitePool::connect_with(options).await?);
    store.migrate().await?;
    Ok(store)
}

async fn compare<S>(store: &Arc<S>, against: Against, keys: usize) -> Figures
where
    S: KeyStore + ChangeFeed + 'static,
{
    let build = || builder(Arc::clone(store), 7);
    let bus = Arc::new(ChannelBus::new());
    let caches = match against {
        Against::Store => [build().build(), build().build()],
        Against::NoBus => [build().bus(bus.clone()).build(), build().build()],
    };
    let [ours, peer] = caches.map(|cache| Ours::over(cache, keys));
    let sides = [ours.await, peer.await];
    // As another cache would.
    let _listens = bus.listen_here();
    let mut latencies = [Histogram::new(), Histogram::new()];
    for side in &sides {
        side.fill().await;
    }
    let turns = sides.each_ref().map(|side| side.keys().chunks(IN_A_TURN));
    let [ours, peer] = turns;
    for (number, pair) in ours.zip(peer).enumerate() {
        let (pair, order) = ([pair.0, pair.1], [[0, 1], [1, 0]][number % 2]);
        for side in order {
            for key in pair[side] {
                let key = parsed(key);
                let before = now();
                if side == 1 && against == Against::Store {
                    let at = UnixMillis::saturating_from(SystemTime::UNIX_EPOCH);
                    let revoked = store.revoke(key.kid(), at).await;
                    revoked.expect("the store answers");
                } else {
                    let revoked = sides[side].cache().revoke(key.kid()).await;
                    let revoked = revoked.expect("the store answers");
                    let has_bus = side == 0 && against == Against::NoBus;
                    assert_eq!(revoked.is_published(), has_bus);
                }
                latencies[side].record(now() - before);
            }
        }
    }
    let mut figures = Figures::default();
    for percent in [50, 99] {
        let microseconds = |one: &Histogram| one.percentile(percent).as_secs_f64() * 1e6;
        let found = latencies.each_ref().map(microseconds);
        figures.add(&format!("p{percent}"), "µs", found);
    }
    figures
}

/// How a key fares while others of the same cache are revoked, beside as many revocations in another cache.
fn others(is_quick: bool) -> Figures {
    let (pairs, turn) = if is_quick { (1, EVERY) } else { (PAIRS, TURN) };
    let revocations =
        pairs * usize::try_from(turn.as_millis() / EVERY.as_millis() + 1).expect("few");
    let caches = [7, 8].map(|pepper| Ours::with_keys(1 + revocations, pepper));
    let done = [const { AtomicUsize::new(0) }; 2];
    let revoking = [0, 1].map(|side: usize| {
        let (caches, done) = (&caches, &done);
        move |stop: &AtomicBool| {
            while !stop.load(Ordering::Relaxed) {
                let next = 1 + done[side].fetch_add(1, Ordering::Relaxed);
                if let Some(key) = caches[side].keys().get(next) {
                    let key: ApiKey = parsed(key);
                    let revoked = block_on(caches[side].cache().revoke(key.kid()));
                    revoked.expect("the store is in memory");
                }
                thread::sleep(EVERY);
            }
        }
    });
    let others: [Other<'_>; 2] = [&revoking[0], &revoking[1]];
    beside(&caches[0], &caches[0].keys()[0], pairs, turn, others)
}
