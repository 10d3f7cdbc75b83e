//! Whatever a group fails of, the next one is not concerned.

use portcullis_keyring::{TenantId, store::SqliteDekStore};
use rusqlite::Connection;
use tempfile::TempDir;
use time::OffsetDateTime;

use super::SqliteSink;
use crate::{
    clock::{SystemClock, ToldClock},
    store::{
        Asked, DecidedAt, EventRow, Group, GroupSink as _, Receipt, StoreError, Write,
        sqlite::SqliteStore,
    },
};

struct Fixture {
    folder: TempDir,
    store: SqliteStore,
    sink: SqliteSink,
}

impl Fixture {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("a.db");
        let store = SqliteStore::open(&path).await.unwrap();
        let sink = SqliteSink::open(path, store.file.clone(), store.turns());
        Self {
            folder,
            store,
            sink,
        }
    }

    fn other(&self) -> Connection {
        Connection::open(self.folder.path().join("a.db")).unwrap()
    }

    /// The tables of data keys, as a service has them.
    async fn keys(&self) {
        let keys = SqliteDekStore::new(self.store.opening_pool());
        keys.migrate().await.unwrap();
    }

    fn events(&self) -> i64 {
        let count = "SELECT count(*) FROM event";
        let counted = self.other().query_row(count, [], |row| row.get(0));
        counted.unwrap()
    }

    async fn write(&mut self, id: &str) -> Result<Vec<Receipt>, StoreError> {
        let group = Group {
            writes: vec![event("fine"), event(id)],
        };
        Ok(self.sink.commit(&group, &SystemClock).await?.receipts)
    }
}

/// `RAISE (ROLLBACK)` ends the transaction behind the back of who began it, as a full disk does.
#[tokio::test]
async fn a_transaction_that_sqlite_ended_is_not_gone_on_with() {
    let mut fixture = Fixture::new().await;
    let trigger = "CREATE TRIGGER t BEFORE INSERT ON event WHEN NEW.id = 'bad'
        BEGIN SELECT RAISE (ROLLBACK, 'no'); END";
    fixture.other().execute_batch(trigger).unwrap();
    for _ in 0..3 {
        fixture.write("bad").await.unwrap_err();
    }
    let written = fixture.write("good").await.unwrap();
    assert_eq!(written, [Receipt::Stored, Receipt::Stored]);
}

#[tokio::test]
async fn a_statement_that_fails_half_way_leaves_nothing_of_its_group() {
    let mut fixture = Fixture::new().await;
    let trigger = "CREATE TRIGGER t BEFORE INSERT ON event WHEN NEW.id = 'bad'
        BEGIN SELECT RAISE (FAIL, 'no'); END";
    fixture.other().execute_batch(trigger).unwrap();
    fixture.write("bad").await.unwrap_err();
    let written = fixture.write("good").await.unwrap();
    assert_eq!(written, [Receipt::Stored, Receipt::Stored]);
}

#[tokio::test]
async fn a_lock_of_another_process_is_waited_for_and_then_told() {
    let mut fixture = Fixture::new().await;
    let other = fixture.other();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert!(matches!(fixture.write("a").await, Err(StoreError::Busy)));
    assert!(fixture.sink.writing.is_some(), "nothing failed on it");
    other.execute_batch("COMMIT").unwrap();
    fixture.write("a").await.unwrap();
}

/// Decided at this second.
fn decided(id: &str, second: u64) -> Write {
    let decided_at = DecidedAt::now(&ToldClock::new([second]));
    Write {
        decided_at: Some(decided_at),
        ..event(id)
    }
}

#[tokio::test]
async fn what_was_decided_too_long_ago_is_refused_alone() {
    let mut fixture = Fixture::new().await;
    fixture.keys().await;
    let group = |id: &str| Group {
        writes: vec![
            decided(&format!("{id}-early"), 9),
            decided(&format!("{id}-late"), 10),
            event(&format!("{id}-ever")),
        ],
    };
    let (stored, late) = (Receipt::Stored, Receipt::Late);
    for (now, receipts) in [(34, [stored; 3]), (35, [late, stored, stored])] {
        let clock = ToldClock::new([now]);
        let group = group(&now.to_string());
        let committed = fixture.sink.commit(&group, &clock).await.unwrap();
        assert_eq!(committed.receipts, receipts);
    }
    assert_eq!(fixture.events(), 5);
}

#[tokio::test]
async fn a_group_that_took_too_long_is_not_committed() {
    let mut fixture = Fixture::new().await;
    fixture.keys().await;
    let group = Group {
        writes: vec![decided("a", 10), event("b")],
    };
    let took_long = ToldClock::new([20, 36]);
    let refused = fixture.sink.commit(&group, &took_long).await;
    assert!(matches!(refused, Err(StoreError::Late)), "{refused:?}");
    assert_eq!(fixture.events(), 0);
    let committed = fixture.sink.commit(&group, &ToldClock::new([35])).await;
    assert_eq!(committed.unwrap().receipts, [Receipt::Stored; 2]);
    // What rests on no state takes what it takes.
    let group = Group {
        writes: vec![event("c")],
    };
    let committed = fixture.sink.commit(&group, &ToldClock::new([20, 99])).await;
    assert_eq!(committed.unwrap().receipts, [Receipt::Stored]);
}

#[tokio::test]
async fn nothing_is_written_of_a_tenant_from_when_it_is_noted_as_erased() {
    let mut fixture = Fixture::new().await;
    fixture.keys().await;
    let clock = ToldClock::new([0]);
    let group = |id: &str| Group {
        writes: vec![
            decided(&format!("{id}-1"), 0),
            Write {
                tenant: TenantId::new("other").unwrap(),
                ..decided(&format!("{id}-2"), 0)
            },
            decided(&format!("{id}-3"), 0),
        ],
    };
    let committed = fixture.sink.commit(&group("a"), &clock).await.unwrap();
    assert_eq!(committed.receipts, [Receipt::Stored; 3]);
    let erased = "INSERT INTO keyring_erased_tenant (tenant) VALUES ('acme')";
    fixture.other().execute_batch(erased).unwrap();
    let committed = fixture.sink.commit(&group("b"), &clock).await.unwrap();
    let erased = Receipt::TenantErased;
    assert_eq!(committed.receipts, [erased, Receipt::Stored, erased]);
    assert_eq!(fixture.events(), 4);
}

fn event(id: &str) -> Write {
    let row = EventRow {
        source: "test".to_owned(),
        id: id.to_owned(),
        content_fp: vec![1],
        other_fps: Vec::new(),
        lead: None,
        event_type: "page.viewed".to_owned(),
        schema_version: 1,
        time: OffsetDateTime::UNIX_EPOCH,
        received_at: OffsetDateTime::UNIX_EPOCH,
        payload: "{}".to_owned(),
        key_ids: Vec::new(),
    };
    Write {
        tenant: TenantId::new("acme").unwrap(),
        event: Some(row),
        lead: None,
        asked: Asked::Store,
        decided_at: None,
    }
}
