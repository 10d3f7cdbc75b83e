//! A log in SQLite: groups beside a loop that inserts the same rows into the same tables, one by one.

use std::path::Path;

use portcullis_audit_log::{
    event::Leaf,
    store::{Group, LogState, SqliteStore},
};
use portcullis_benches::figures::{Failure, Figures};
use rusqlite::{Connection, params};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::{
    events::event,
    on_files::{TURNS, append, millis, now, queued},
};

pub(crate) async fn groups(is_quick: bool) -> Result<Figures, Failure> {
    let mut figures = Figures::default();
    for events in [1, 64, 2_048] {
        let folder = tempfile::tempdir()?;
        let store = open(&folder.path().join("ours.db")).await?;
        let path = folder.path().join("bare.db");
        drop(open(&path).await?);
        let mut bare = Connection::open(path)?;
        bare.execute_batch("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON")?;
        let mut turns = Vec::new();
        let mut next = 0;
        for _ in 0..if is_quick { 2 } else { TURNS } {
            let numbers = next..next + events;
            let leaves = leaves(numbers.clone())?;
            let queued = queued(numbers);
            let began = now();
            append(&store, &queued).await?;
            let ours = now() - began;
            let began = now();
            insert(&mut bare, next, &leaves)?;
            turns.push([millis(ours), millis(now() - began)]);
            next += events;
        }
        figures.add_turns(&format!("{events} events"), "ms", &turns);
    }
    Ok(figures)
}

async fn open(path: &Path) -> Result<SqliteStore, Failure> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .pragma("secure_delete", "ON");
    let store = SqliteStore::new(SqlitePoolOptions::new().connect_with(options).await?);
    store.migrate().await?;
    Ok(store)
}

fn leaves(numbers: std::ops::Range<u64>) -> Result<Vec<Vec<u8>>, Failure> {
    let mut group = Group::new(LogState::default());
    for number in numbers {
        group.push(&event(number), None)?;
    }
    Ok(group.entries().map(|entry| entry.leaf.to_vec()).collect())
}

/// The rows of leaves and terms, without a tree.
fn insert(bare: &mut Connection, first: u64, leaves: &[Vec<u8>]) -> Result<(), Failure> {
    let transaction = bare.transaction()?;
    {
        let mut event = transaction.prepare_cached(
            "INSERT INTO audit_event (n, time, tenant, actor, action, outcome, leaf)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?;
        let mut term = transaction
            .prepare_cached("INSERT INTO audit_term (n, kind, value) VALUES (?, ?, ?)")?;
        for (n, bytes) in (first.cast_signed()..).zip(leaves) {
            let leaf = Leaf::parse(bytes)?;
            event.execute(params![
                n,
                leaf.time().unix_micros().cast_signed(),
                leaf.tenant(),
                leaf.actor_id(),
                leaf.action(),
                leaf.outcome().as_str(),
                bytes
            ])?;
            for (_, id) in leaf.resources() {
                term.execute(params![n, "resource", id])?;
            }
            for field in leaf.fields() {
                term.execute(params![n, "field", field])?;
            }
        }
    }
    Ok(transaction.commit()?)
}
