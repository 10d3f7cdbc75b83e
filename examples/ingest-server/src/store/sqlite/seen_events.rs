//! Which events there are, so that none is stored twice.
//!
//! Hashes come at random places of any index, and a page is written for each place. So those of the
//! latest events wait here, in memory, and are put into the table `event_hash` many at a time that stand
//! beside each other: all that begin with one byte, then with the next. What waits needs no place on the
//! disk: it is that of the last rows of `event`.
//!
//! Most events are new, and the table is not asked for those that a [filter](filter) knows nothing of. It
//! learns the hashes of one first byte when some are put beside them for the first time, so that a start
//! reads none.

mod filter;

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use self::filter::Filter;
use super::{connection::run, event_hash::EventHash, failure::Failure, old_rows};

/// What waits, on average 128 for each first byte: 2 to 3 MB.
const MOST_WAITING: usize = 32_768;

/// Of events that nobody has looked at yet, what is read before it is put into the table.
const MOST_READ: usize = 8 * MOST_WAITING;

const FIRST_BYTES: usize = 256;

/// Of a database with more events, a filter of that size would tell little, and reading a 256th of the table
/// would hold up a group: 16,000 rows are a few milliseconds.
const MOST_FILTERED: i64 = 4 << 20;

/// What one connection knows of the events, within transactions that hold the write lock. It begins with
/// nothing, and after a transaction that failed it has to begin again.
#[derive(Debug)]
pub(super) struct SeenEvents {
    most_waiting: usize,
    most_read: usize,
    waiting: BTreeMap<EventHash, i64>,
    /// By first byte: up to which event the table has them all.
    hashed: Vec<i64>,
    /// Up to which event the table or `waiting` has them all.
    last: i64,
    /// The first byte that is put into the table next.
    next: u8,
    filter: Filter,
    /// By first byte: whether the filter has all that the table has.
    filtered: Vec<bool>,
}

impl Default for SeenEvents {
    fn default() -> Self {
        Self {
            most_waiting: MOST_WAITING,
            most_read: MOST_READ,
            waiting: BTreeMap::new(),
            hashed: Vec::new(),
            last: 0,
            next: 0,
            filter: Filter::new(),
            filtered: Vec::new(),
        }
    }
}

impl SeenEvents {
    /// Puts the hashes of events that an earlier version wrote into the table, so that the first group
    /// need not wait for it.
    pub(super) fn hash_earlier(connection: &Connection) -> Result<(), Failure> {
        Self::default().put_earlier(connection)
    }

    /// Whether there are more events without a hash in the table than a service that runs leaves: the hash that
    /// waits longest is that of some `2 * most_waiting` events ago.
    pub(super) fn is_behind(connection: &Connection) -> Result<bool, Failure> {
        Self::default().has_more_to_put(connection)
    }

    fn put_earlier(mut self, connection: &Connection) -> Result<(), Failure> {
        run(connection, "BEGIN IMMEDIATE")?;
        if self.has_more_to_put(connection)? {
            self.catch_up(connection)?;
            self.put_all(connection)?;
        }
        run(connection, "COMMIT")
    }

    fn has_more_to_put(&self, connection: &Connection) -> Result<bool, Failure> {
        let behind = "SELECT max(seq) - (SELECT min(n) FROM event_hashed) FROM sqlite_sequence
            WHERE name = 'event'";
        let behind: Option<i64> = connection.query_row(behind, [], |row| row.get(0))?;
        let behind = behind.and_then(|events| usize::try_from(events).ok());
        Ok(behind.is_some_and(|events| events > 2 * self.most_waiting))
    }

    /// Learns of events that came otherwise: before the start, or from other processes. To be called at
    /// the beginning of each transaction.
    pub(super) fn catch_up(&mut self, connection: &Connection) -> Result<(), Failure> {
        if self.hashed.is_empty() {
            self.hashed = vec![0; FIRST_BYTES];
            self.learn_hashed(connection)?;
            // Of those up to none the table has none.
            self.filtered = self.hashed.iter().map(|n| *n == 0).collect();
            let behind = (0..=u8::MAX).min_by_key(|byte| self.hashed[usize::from(*byte)]);
            self.next = behind.unwrap_or_default();
            self.last = self.hashed[usize::from(self.next)];
        }
        let newest = "SELECT seq FROM sqlite_sequence WHERE name = 'event'";
        let mut newest = connection.prepare_cached(newest)?;
        let newest: Option<i64> = newest.query_row([], |row| row.get(0)).optional()?;
        let Some(newest) = newest.filter(|newest| *newest > self.last) else {
            return Ok(());
        };
        self.learn_hashed(connection)?;
        self.read_events(connection)?;
        // The newest may be deleted, and is not to be looked for again with each group.
        self.last = newest;
        Ok(())
    }

    /// The event that has this hash. It may be gone, or its row be another's by now, if somebody wrote
    /// past this service.
    pub(super) fn find(
        &self,
        connection: &Connection,
        hash: EventHash,
    ) -> Result<Option<i64>, Failure> {
        if let Some(n) = self.waiting.get(&hash) {
            return Ok(Some(*n));
        }
        if self.filtered[usize::from(hash.first_byte())] && !self.filter.may_have(hash) {
            return Ok(None);
        }
        let mut find = connection.prepare_cached("SELECT n FROM event_hash WHERE hash = ?")?;
        Ok(find.query_row([hash], |row| row.get(0)).optional()?)
    }

    /// Remembers an event that was inserted.
    pub(super) fn add(&mut self, hash: EventHash, n: i64) {
        self.waiting.insert(hash, n);
        self.last = self.last.max(n);
    }

    /// Forgets one that was added in the same transaction.
    pub(super) fn remove(&mut self, hash: EventHash) -> Option<i64> {
        self.waiting.remove(&hash)
    }

    /// Puts what waits for too long into the table. To be called at the end of each transaction; if that
    /// does not end well, what this knows is no longer true.
    pub(super) fn settle(&mut self, connection: &Connection) -> Result<(), Failure> {
        while self.waiting.len() > self.most_waiting {
            self.put_next(connection)?;
        }
        Ok(())
    }

    fn put_all(&mut self, connection: &Connection) -> Result<(), Failure> {
        for _ in 0..FIRST_BYTES {
            self.put_next(connection)?;
        }
        Ok(())
    }

    fn put_next(&mut self, connection: &Connection) -> Result<(), Failure> {
        let (least, greatest) = EventHash::bounds(self.next);
        self.filter_table(connection)?;
        let put = if old_rows::may_be_gone(connection)? {
            "INSERT INTO event_hash (hash, n) SELECT ?1, ?2 WHERE EXISTS (SELECT 1 FROM event WHERE n = ?2)
                ON CONFLICT DO UPDATE SET n = max(n, excluded.n)"
        } else {
            "INSERT INTO event_hash (hash, n) VALUES (?, ?)
                ON CONFLICT DO UPDATE SET n = max(n, excluded.n)"
        };
        let mut put = connection.prepare_cached(put)?;
        let entries: Vec<(EventHash, i64)> = self
            .waiting
            .range(least..=greatest)
            .map(|(hash, n)| (*hash, *n))
            .collect();
        for (hash, n) in entries {
            put.execute(params![hash, n])?;
            self.waiting.remove(&hash);
            self.filter.add(hash);
        }
        let note = "UPDATE event_hashed SET n = ? WHERE first_byte = ?";
        let mut note = connection.prepare_cached(note)?;
        note.execute(params![self.last, self.next])?;
        self.hashed[usize::from(self.next)] = self.last;
        self.next = self.next.wrapping_add(1);
        Ok(())
    }

    /// Has the filter know what the table has of the next first byte.
    fn filter_table(&mut self, connection: &Connection) -> Result<(), Failure> {
        if self.filtered[usize::from(self.next)] || self.last > MOST_FILTERED {
            return Ok(());
        }
        let (least, greatest) = EventHash::bounds(self.next);
        let read = "SELECT hash FROM event_hash WHERE hash BETWEEN ? AND ?";
        let mut read = connection.prepare_cached(read)?;
        let mut rows = read.query([least, greatest])?;
        while let Some(row) = rows.next()? {
            self.filter.add(row.get(0)?);
        }
        self.filtered[usize::from(self.next)] = true;
        Ok(())
    }

    /// Forgets what another process has put into the table.
    fn learn_hashed(&mut self, connection: &Connection) -> Result<(), Failure> {
        let mut read = connection.prepare_cached("SELECT first_byte, n FROM event_hashed")?;
        let mut rows = read.query([])?;
        while let Some(row) = rows.next()? {
            let (first_byte, n): (u8, i64) = (row.get(0)?, row.get(1)?);
            if self.hashed[usize::from(first_byte)] == n {
                continue;
            }
            self.hashed[usize::from(first_byte)] = n;
            let (least, greatest) = EventHash::bounds(first_byte);
            let beginning = self.waiting.range(least..=greatest);
            let known = beginning.filter(|(_, waiting)| **waiting <= n);
            let known: Vec<EventHash> = known.map(|(hash, _)| *hash).collect();
            for hash in known {
                self.waiting.remove(&hash);
                self.filter.add(hash);
            }
        }
        Ok(())
    }

    fn read_events(&mut self, connection: &Connection) -> Result<(), Failure> {
        let read = "SELECT n, tenant, source, id FROM event WHERE n > ? ORDER BY n";
        let mut read = connection.prepare_cached(read)?;
        let mut rows = read.query([self.last])?;
        while let Some(row) = rows.next()? {
            let n: i64 = row.get(0)?;
            self.last = n;
            let hash = hash(row)?;
            if n > self.hashed[usize::from(hash.first_byte())] {
                // Of two rows the later one is there: it came because the other had been deleted.
                self.waiting.insert(hash, n);
            } else {
                self.filter.add(hash);
            }
            if self.waiting.len() > self.most_read {
                self.put_all(connection)?;
            }
        }
        Ok(())
    }
}

/// The hash of the event whose tenant, source and id stand behind its number; bytes that are no text are
/// somebody else's, and hold up nobody.
fn hash(row: &Row<'_>) -> rusqlite::Result<EventHash> {
    let (tenant, source, id) = (row.get_ref(1)?, row.get_ref(2)?, row.get_ref(3)?);
    let texts = [tenant.as_bytes()?, source.as_bytes()?, id.as_bytes()?];
    Ok(EventHash::of(texts))
}

#[cfg(test)]
mod tests;
