//! Whatever a group fails of, the next one is not concerned.

use portcullis_keyring::TenantId;
use rusqlite::Connection;
use tempfile::TempDir;
use time::OffsetDateTime;

use super::SqliteSink;
use crate::store::{
    EventRow, Group, GroupSink as _, Receipt, StoreError, Write, sqlite::SqliteStore,
};

struct Fixture {
    folder: TempDir,
    _store: SqliteStore,
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
            _store: store,
            sink,
        }
    }

    fn other(&self) -> Connection {
        Connection::open(self.folder.path().join("a.db")).unwrap()
    }

    async fn write(&mut self, id: &str) -> Result<Vec<Receipt>, StoreError> {
        let group = Group {
            writes: vec![event("fine"), event(id)],
            ..Group::default()
        };
        Ok(self.sink.commit(&group).await?.receipts)
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
    }
}
