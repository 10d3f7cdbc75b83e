//! The hashes of events between memory and the table.

use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::store::sqlite::{SqliteStore, connection};

/// Bounds that a few hundred events reach.
fn small() -> SeenEvents {
    SeenEvents {
        most_waiting: 100,
        most_read: 400,
        ..SeenEvents::default()
    }
}

async fn database() -> (TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.db");
    SqliteStore::open(&file).await.unwrap().close().await;
    let connection = open(&file);
    (folder, connection)
}

fn open(file: &Path) -> Connection {
    connection::open_writing(file).unwrap()
}

fn hash(id: i64) -> EventHash {
    EventHash::of([b"acme", b"shop/web", id.to_string().as_bytes()])
}

fn insert(connection: &Connection, id: i64) -> i64 {
    let insert = "INSERT INTO event (tenant, source, id, content_fp, type, schema_version, time,
            received_at, payload, has_sealed)
        VALUES ('acme', 'shop/web', ?, x'', '', 1, '', '', '', 0)";
    let mut insert = connection.prepare_cached(insert).unwrap();
    insert.execute([id.to_string()]).unwrap();
    connection.last_insert_rowid()
}

/// One group of a process.
fn write(connection: &Connection, seen: &mut SeenEvents, ids: impl Iterator<Item = i64>) {
    run(connection, "BEGIN IMMEDIATE").unwrap();
    seen.catch_up(connection).unwrap();
    for id in ids {
        let hash = hash(id);
        assert_eq!(seen.find(connection, hash).unwrap(), None, "{id}");
        seen.add(hash, insert(connection, id));
    }
    seen.settle(connection).unwrap();
    run(connection, "COMMIT").unwrap();
}

fn assert_all_found(connection: &Connection, seen: &mut SeenEvents, events: i64) {
    seen.catch_up(connection).unwrap();
    let all = "SELECT n, id FROM event";
    let mut all = connection.prepare(all).unwrap();
    let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let rows: Vec<(i64, String)> = rows.unwrap().map(Result::unwrap).collect();
    assert_eq!(rows.len(), usize::try_from(events).unwrap());
    for (n, id) in rows {
        let found = seen.find(connection, hash(id.parse().unwrap())).unwrap();
        assert_eq!(found, Some(n), "{id}");
    }
}

fn in_table(connection: &Connection) -> i64 {
    let count = "SELECT count(*) FROM event_hash";
    connection.query_row(count, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn every_event_is_found_while_it_waits_and_later_and_after_a_start() {
    let (_folder, connection) = database().await;
    let mut seen = small();
    for group in 0..60 {
        write(&connection, &mut seen, group * 20..group * 20 + 20);
        assert!(seen.waiting.len() <= 100);
    }
    assert!(in_table(&connection) >= 1_100);
    assert_all_found(&connection, &mut seen, 1_200);
    let mut again = small();
    assert_all_found(&connection, &mut again, 1_200);
    assert!(again.waiting.len() <= 100, "read what was in the table");
}

#[tokio::test]
async fn processes_that_take_turns_see_the_events_of_each_other() {
    let (folder, one) = database().await;
    let other = open(&folder.path().join("a.db"));
    let (mut seen_by_one, mut seen_by_other) = (small(), small());
    for group in 0..60 {
        let ids = group * 20..group * 20 + 20;
        if group % 3 == 0 {
            write(&other, &mut seen_by_other, ids);
        } else {
            write(&one, &mut seen_by_one, ids);
        }
    }
    assert_all_found(&one, &mut seen_by_one, 1_200);
    assert_all_found(&other, &mut seen_by_other, 1_200);
}

/// Numbers are not given out twice, or a later event would be looked for where it is not.
#[tokio::test]
async fn an_event_that_somebody_deleted_hides_no_later_one() {
    let (folder, one) = database().await;
    let mut seen = small();
    write(&one, &mut seen, 0..20);
    one.execute("DELETE FROM event WHERE n > 15", []).unwrap();
    let mut later = small();
    later.catch_up(&one).unwrap();
    assert_eq!(later.last, 20, "it is not read again with each group");
    let other = open(&folder.path().join("a.db"));
    write(&other, &mut small(), 100..103);
    seen.catch_up(&one).unwrap();
    for id in 100..103 {
        assert!(seen.find(&one, hash(id)).unwrap().is_some(), "{id}");
    }
}

#[tokio::test]
async fn an_event_that_came_again_after_it_was_deleted_is_found_where_it_is() {
    let (folder, one) = database().await;
    let mut seen = small();
    write(&one, &mut seen, 0..20);
    one.execute("DELETE FROM event WHERE id = '4'", []).unwrap();
    let other = open(&folder.path().join("a.db"));
    write(&other, &mut small(), 4..5);
    assert_all_found(&one, &mut seen, 20);
    seen.put_all(&one).unwrap();
    assert_all_found(&one, &mut seen, 20);
}

/// Whatever a process believes that has not looked for a while.
#[tokio::test]
async fn a_hash_in_the_table_never_goes_back_to_an_earlier_event() {
    let (_folder, connection) = database().await;
    let mut seen = small();
    write(&connection, &mut seen, 0..20);
    let later = "INSERT INTO event_hash (hash, n) VALUES (?, 99)";
    connection.execute(later, [hash(4)]).unwrap();
    seen.put_all(&connection).unwrap();
    assert_eq!(seen.find(&connection, hash(4)).unwrap(), Some(99));
}

#[tokio::test]
async fn what_an_earlier_version_wrote_is_read_within_bounds() {
    let (_folder, connection) = database().await;
    run(&connection, "BEGIN IMMEDIATE").unwrap();
    for id in 0..2_000 {
        insert(&connection, id);
    }
    let mut seen = small();
    seen.catch_up(&connection).unwrap();
    assert!(seen.waiting.len() <= 401);
    seen.settle(&connection).unwrap();
    run(&connection, "COMMIT").unwrap();
    assert!(in_table(&connection) >= 1_900);
    assert_all_found(&connection, &mut seen, 2_000);
    assert_all_found(&connection, &mut small(), 2_000);
}

#[tokio::test]
async fn a_start_leaves_the_first_group_no_more_to_read_than_waits_while_it_runs() {
    let (_folder, connection) = database().await;
    for (inserted, hashed) in [(0..200, 0), (200..201, 201), (201..401, 201)] {
        for id in inserted {
            insert(&connection, id);
        }
        small().put_earlier(&connection).unwrap();
        assert_eq!(in_table(&connection), hashed);
    }
    assert_all_found(&connection, &mut small(), 401);
}

#[tokio::test]
async fn the_table_is_not_asked_for_what_the_filter_knows_nothing_of() {
    let (_folder, connection) = database().await;
    let mut seen = small();
    write(&connection, &mut seen, 0..600);
    let unknown = "INSERT INTO event_hash (hash, n) VALUES (?, 7)";
    connection.execute(unknown, [hash(1_000)]).unwrap();
    assert_eq!(seen.find(&connection, hash(1_000)).unwrap(), None);
    // After a start, the table is asked until it was read.
    let mut later = small();
    later.catch_up(&connection).unwrap();
    assert_eq!(later.find(&connection, hash(1_000)).unwrap(), Some(7));
    later.put_all(&connection).unwrap();
    assert!(later.filtered.iter().all(|filtered| *filtered));
    assert_eq!(later.find(&connection, hash(1_000)).unwrap(), Some(7));
    let unknown = "INSERT INTO event_hash (hash, n) VALUES (?, 8)";
    connection.execute(unknown, [hash(1_001)]).unwrap();
    assert_eq!(later.find(&connection, hash(1_001)).unwrap(), None);
}
