//! Many events in few statements, and what became of each.

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use sqlx::{Row as _, SqliteConnection};

use super::failure::Failure;
use crate::{
    store::{EventRow, Receipt, StoredContent, Write},
    timestamp,
};

/// What identifies an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key<'a> {
    tenant: &'a str,
    source: &'a str,
    id: &'a str,
}

impl<'a> Key<'a> {
    fn of(write: &'a Write, event: &'a EventRow) -> Self {
        Self {
            tenant: write.tenant.as_str(),
            source: &event.source,
            id: &event.id,
        }
    }
}

/// Inserts the group's events. One that stands earlier in the same group has no receipt yet: it is
/// [`settle_repeats`]' to give, because whether the earlier one stays is not known before its lead
/// is written.
pub(super) async fn insert<'a>(
    tx: &mut SqliteConnection,
    group: &'a [Write],
) -> Result<(Vec<Option<Receipt>>, Earlier<'a>), Failure> {
    let mut receipts = vec![Some(Receipt::Stored); group.len()];
    let mut seen = HashSet::with_capacity(group.len());
    for (index, key, _) in entries(group) {
        if !seen.insert(key) {
            receipts[index] = None;
        }
    }
    let firsts: Vec<Entry<'_>> = entries(group)
        .filter(|(index, _, _)| receipts[*index].is_some())
        .collect();
    let mut earlier = Earlier::default();
    let mut rest = firsts.as_slice();
    for (rows, statement) in INSERTS.iter() {
        while let Some((chunk, after)) = rest.split_at_checked(*rows) {
            insert_chunk(tx, chunk, statement, &mut receipts, &mut earlier).await?;
            rest = after;
        }
    }
    Ok((receipts, earlier))
}

/// Takes back an event that this group inserted and whose lead could not be written.
pub(super) async fn withdraw(tx: &mut SqliteConnection, write: &Write) -> Result<(), Failure> {
    let Some(event) = &write.event else {
        return Ok(());
    };
    sqlx::query("DELETE FROM event WHERE tenant = ? AND source = ? AND id = ?")
        .bind(write.tenant.as_str())
        .bind(&event.source)
        .bind(&event.id)
        .execute(&mut *tx)
        .await?;
    Ok(())
}

/// Decides events that stand more than once in the group, by what became of the first: they repeat it,
/// or what was there before it.
pub(super) fn settle_repeats<'a>(
    group: &'a [Write],
    receipts: Vec<Option<Receipt>>,
    mut earlier: Earlier<'a>,
) -> Vec<Receipt> {
    let mut firsts = HashMap::with_capacity(group.len());
    let mut settled: Vec<Receipt> = receipts
        .into_iter()
        .map(|receipt| receipt.unwrap_or(Receipt::LostRace))
        .collect();
    for (index, key, event) in entries(group) {
        let (first, inserted) = *firsts.entry(key).or_insert((index, event));
        if first != index && settled[first] != Receipt::LostRace {
            let content = earlier
                .0
                .entry(key)
                .or_insert_with(|| Content::of(inserted));
            settled[index] = content.duplicate(event);
        }
    }
    settled
}

type Entry<'a> = (usize, Key<'a>, &'a EventRow);

fn entries(group: &[Write]) -> impl Iterator<Item = Entry<'_>> {
    group.iter().enumerate().filter_map(|(index, write)| {
        let event = write.event.as_ref()?;
        Some((index, Key::of(write, event), event))
    })
}

const COLUMNS: usize = 10;
/// The most rows one statement inserts: far below SQLite's bound on parameters, and a chunk
/// size per power of two keeps the set of prepared statements small.
const MAX_CHUNK: usize = 256;

static INSERTS: LazyLock<Vec<(usize, String)>> = LazyLock::new(|| {
    let sizes = std::iter::successors(Some(MAX_CHUNK), |rows| (*rows > 1).then_some(rows / 2));
    sizes.map(|rows| (rows, insert_statement(rows))).collect()
});

fn insert_statement(rows: usize) -> String {
    let row = format!("({})", ["?"; COLUMNS].join(","));
    format!(
        "INSERT INTO event (tenant, source, id, content_fp, lead, type, schema_version, time, \
         received_at, payload) VALUES {} ON CONFLICT DO NOTHING RETURNING tenant, source, id",
        vec![row; rows].join(",")
    )
}

async fn insert_chunk<'a>(
    tx: &mut SqliteConnection,
    chunk: &[Entry<'a>],
    statement: &'static str,
    receipts: &mut [Option<Receipt>],
    earlier: &mut Earlier<'a>,
) -> Result<(), Failure> {
    let mut query = sqlx::query(statement);
    for (_, key, event) in chunk {
        query = query
            .bind(key.tenant)
            .bind(key.source)
            .bind(key.id)
            .bind(event.content_fp.as_slice())
            .bind(event.lead.map(|lead| lead.to_string()))
            .bind(&event.event_type)
            .bind(event.schema_version)
            .bind(timestamp::format(event.time))
            .bind(timestamp::format(event.received_at))
            .bind(&event.payload);
    }
    let rows = query.fetch_all(&mut *tx).await?;
    if rows.len() == chunk.len() {
        return Ok(());
    }
    let mut inserted = HashSet::with_capacity(rows.len());
    for row in &rows {
        inserted.insert(Key {
            tenant: row.try_get(0)?,
            source: row.try_get(1)?,
            id: row.try_get(2)?,
        });
    }
    for (index, key, event) in chunk {
        if !inserted.contains(key) {
            let stored = stored(tx, *key).await?;
            receipts[*index] = Some(stored.duplicate(event));
            earlier.0.insert(*key, stored);
        }
    }
    Ok(())
}

async fn stored(tx: &mut SqliteConnection, key: Key<'_>) -> Result<Content, Failure> {
    let row = sqlx::query(
        "SELECT content_fp, instr(payload, ?) > 0 FROM event WHERE tenant = ? AND source = ? AND id = ?",
    )
    .bind(SEALED_TEXT)
    .bind(key.tenant)
    .bind(key.source)
    .bind(key.id)
    .fetch_one(&mut *tx)
    .await?;
    Ok(Content {
        content_fp: row.try_get(0)?,
        has_sealed: row.try_get(1)?,
    })
}

/// How a sealed value begins within a payload. A text that only begins so is taken for one, at the
/// cost of its sender.
const SEALED_TEXT: &str = "\"pc1.";

/// Of events that were there before the group, what they hold.
#[derive(Default)]
pub(super) struct Earlier<'a>(HashMap<Key<'a>, Content>);

/// What an event holds that came before another of its source and id.
struct Content {
    content_fp: Vec<u8>,
    has_sealed: bool,
}

impl Content {
    fn of(event: &EventRow) -> Self {
        Self {
            content_fp: event.content_fp.clone(),
            has_sealed: event.payload.contains(SEALED_TEXT),
        }
    }

    fn duplicate(&self, offered: &EventRow) -> Receipt {
        if self.content_fp == offered.content_fp {
            return Receipt::DuplicateNatural;
        }
        Receipt::DuplicateConflicting(if self.has_sealed {
            StoredContent::Sealed
        } else {
            StoredContent::Plain
        })
    }
}
