//! Leads and events against the contract of tables with sealed rows, and index values against theirs.

use std::{
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use portcullis_keyring::{
    TenantId,
    secrets::{SecretVersion, VersionedSecrets},
};
use portcullis_pii_crypto::{
    AnyPii, IndexRoots, IndexValue, IndexVersion, PiiKind, PiiKinds, Sealed,
    conformance::{self, IndexTables, TestTable},
    index_rotation::IndexStates,
    reencrypt::{IndexWrite, RowError, SealedRows},
};
use rusqlite::{Connection, OptionalExtension as _, params};
use secrecy::SecretBox;
use tempfile::TempDir;
use uuid::Uuid;

use crate::store::{Sweeping as _, sqlite::SqliteStore};

/// A database, with the hands of an application in it.
#[derive(Debug)]
struct Database {
    _folder: TempDir,
    path: PathBuf,
    rows: Arc<dyn SealedRows>,
    states: Arc<dyn IndexStates>,
    _store: SqliteStore,
}

impl Database {
    /// With the table of that name.
    async fn new(table: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.db");
        let store = SqliteStore::open(&path).await.unwrap();
        let mut rows = store.sealed_rows(&roots()).into_iter();
        Self {
            _folder: folder,
            rows: rows.find(|rows| rows.table() == table).unwrap(),
            states: store.index_states(),
            path,
            _store: store,
        }
    }

    fn open(&self) -> Connection {
        open(&self.path)
    }
}

fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    let wait = std::time::Duration::from_secs(5);
    connection.busy_timeout(wait).unwrap();
    connection
}

fn roots() -> IndexRoots {
    let one = SecretVersion::new(NonZeroU32::MIN);
    let root = SecretBox::new(Box::new([1; 32]));
    IndexRoots::new(VersionedSecrets::new(one, [(one, root)]).unwrap()).unwrap()
}

fn email() -> PiiKind {
    PiiKinds::built_in().find("email").unwrap()
}

/// Its numbers are not in the order of its ids.
fn lead_id(row: u32) -> String {
    Uuid::from_u128(u128::from(row.wrapping_mul(0x9e37_79b9)) << 64).to_string()
}

#[derive(Debug)]
struct Leads(Database);

#[async_trait]
impl TestTable for Leads {
    fn rows(&self) -> Arc<dyn SealedRows> {
        Arc::clone(&self.0.rows)
    }

    fn field(&self) -> (String, PiiKind) {
        ("lead.email".to_owned(), email())
    }

    fn record(&self, row: u32) -> String {
        lead_id(row)
    }

    async fn store(
        &self,
        tenant: &TenantId,
        row: u32,
        value: &Sealed<AnyPii>,
    ) -> Result<(), RowError> {
        let upsert =
            "INSERT INTO lead (id, tenant, email_enc, email_key_version, created_at, updated_at)
            VALUES (?, ?, ?, ?, '', '') ON CONFLICT (id) DO UPDATE SET
            email_enc = excluded.email_enc, email_key_version = excluded.email_key_version";
        let (sealed, key) = (value.as_bytes(), value.key_id().value());
        let row = params![lead_id(row), tenant.as_str(), sealed, key];
        self.0.open().execute(upsert, row).unwrap();
        Ok(())
    }

    async fn stored(
        &self,
        tenant: &TenantId,
        row: u32,
    ) -> Result<Option<Sealed<AnyPii>>, RowError> {
        let select = "SELECT email_enc FROM lead WHERE id = ? AND tenant = ?";
        let row = params![lead_id(row), tenant.as_str()];
        let stored = self.0.open().query_row(select, row, |row| row.get(0));
        let stored: Option<Vec<u8>> = stored.optional().unwrap();
        Ok(stored.map(|sealed| Sealed::from_bytes(sealed).unwrap()))
    }

    async fn remove(&self, _: &TenantId, row: u32) -> Result<(), RowError> {
        let delete = "DELETE FROM lead WHERE id = ?";
        self.0.open().execute(delete, [lead_id(row)]).unwrap();
        Ok(())
    }
}

#[derive(Debug)]
struct Events(Database);

#[async_trait]
impl TestTable for Events {
    fn rows(&self) -> Arc<dyn SealedRows> {
        Arc::clone(&self.0.rows)
    }

    fn field(&self) -> (String, PiiKind) {
        ("event.form.submitted/a~1b/0".to_owned(), email())
    }

    fn record(&self, row: u32) -> String {
        format!("test/web {row}")
    }

    async fn store(
        &self,
        tenant: &TenantId,
        row: u32,
        value: &Sealed<AnyPii>,
    ) -> Result<(), RowError> {
        let connection = self.0.open();
        let payload = serde_json::json!({ "a/b": [value.to_text()], "page": "pc1.x" });
        let find = "SELECT n FROM event WHERE tenant = ? AND id = ?";
        let known = params![tenant.as_str(), row.to_string()];
        let n = connection.query_row(find, known, |row| row.get(0));
        let n: i64 = match n.optional().unwrap() {
            Some(n) => {
                let update = "UPDATE event SET payload = ? WHERE n = ?";
                let row = params![payload.to_string(), n];
                connection.execute(update, row).unwrap();
                let delete = "DELETE FROM event_sealed_ref WHERE n = ?";
                connection.execute(delete, [n]).unwrap();
                n
            }
            None => {
                let insert = "INSERT INTO event (tenant, source, id, content_fp, type,
                    schema_version, time, received_at, payload, has_sealed)
                    VALUES (?, 'test/web', ?, x'', 'form.submitted', 1, '', '', ?, 1)";
                let row = params![tenant.as_str(), row.to_string(), payload.to_string()];
                connection.execute(insert, row).unwrap();
                connection.last_insert_rowid()
            }
        };
        let refer = "INSERT INTO event_sealed_ref (n, key_id) VALUES (?, ?)";
        let row = params![n, value.key_id().value()];
        connection.execute(refer, row).unwrap();
        Ok(())
    }

    async fn stored(
        &self,
        tenant: &TenantId,
        row: u32,
    ) -> Result<Option<Sealed<AnyPii>>, RowError> {
        let select = "SELECT payload FROM event WHERE tenant = ? AND id = ?";
        let row = params![tenant.as_str(), row.to_string()];
        let stored = self.0.open().query_row(select, row, |row| row.get(0));
        let stored: Option<String> = stored.optional().unwrap();
        Ok(stored.map(|payload| {
            let payload = crate::json::read(payload.as_bytes()).unwrap();
            payload["a/b"][0].as_str().unwrap().parse().unwrap()
        }))
    }

    async fn remove(&self, tenant: &TenantId, row: u32) -> Result<(), RowError> {
        let connection = self.0.open();
        for delete in [
            "DELETE FROM event_sealed_ref WHERE n IN
                (SELECT n FROM event WHERE tenant = ? AND id = ?)",
            "DELETE FROM event WHERE tenant = ? AND id = ?",
        ] {
            let row = params![tenant.as_str(), row.to_string()];
            connection.execute(delete, row).unwrap();
        }
        Ok(())
    }
}

#[tokio::test]
async fn leads_keep_the_contract_of_sealed_rows() {
    conformance::sealed_rows(async || Arc::new(Leads(Database::new("lead").await)) as _).await;
}

#[tokio::test]
async fn events_keep_the_contract_of_sealed_rows() {
    conformance::sealed_rows(async || Arc::new(Events(Database::new("event").await)) as _).await;
}

struct Indexes(Database);

#[async_trait]
impl IndexTables for Indexes {
    fn states(&self) -> &dyn IndexStates {
        &*self.0.states
    }

    async fn insert(&self, record: u32, values: &[IndexWrite]) {
        let connection = self.0.open();
        let enforced = values.first().map(|it| it.value.as_bytes());
        let insert = "INSERT INTO lead (id, tenant, email_enc, email_key_version, email_fp,
            created_at, updated_at) VALUES (?, 'conformance', x'01', 1, ?, '', '')";
        let row = params![lead_id(record), enforced];
        connection.execute(insert, row).unwrap();
        for IndexWrite { index, value, .. } in values {
            let insert = r#"INSERT INTO lead_index (tenant, field, "index", version, value, lead)
                VALUES ('conformance', 'lead.email', ?, ?, ?, ?)"#;
            let (version, value) = (value.version().value(), value.as_bytes());
            let row = params![index, version, value, lead_id(record)];
            connection.execute(insert, row).unwrap();
        }
    }

    async fn versions(&self, record: u32) -> Vec<IndexVersion> {
        let connection = self.0.open();
        let select = "SELECT version FROM lead_index WHERE lead = ? ORDER BY version";
        let mut select = connection.prepare(select).unwrap();
        let versions = select.query_map([lead_id(record)], |row| row.get(0));
        let versions = versions
            .unwrap()
            .map(|version: Result<u32, _>| version.unwrap());
        versions
            .map(|version| IndexVersion::try_from(version).unwrap())
            .collect()
    }

    async fn column(&self, _: u32) -> Option<IndexValue> {
        None
    }
}

#[tokio::test]
async fn index_values_keep_the_contract_of_a_rotation() {
    conformance::index_states(async || Arc::new(Indexes(Database::new("lead").await)) as _).await;
}

/// The suite cannot see the columns: a value has no way back from its bytes.
#[tokio::test]
async fn the_columns_beside_sealed_values_get_those_of_a_version() {
    let indexes = Indexes(Database::new("lead").await);
    let connection = indexes.0.open();
    for record in 0..5_u32 {
        let (id, first) = (lead_id(record), record.to_be_bytes());
        let lead = "INSERT INTO lead (id, tenant, email_enc, email_key_version, email_fp,
            created_at, updated_at) VALUES (?, 'acme', x'01', 1, ?, '', '')";
        connection.execute(lead, params![id, first]).unwrap();
        let index = r#"INSERT INTO lead_index (tenant, field, "index", version, value, lead)
            VALUES ('acme', 'lead.email', 'identity', ?, ?, ?)"#;
        connection.execute(index, params![1, first, id]).unwrap();
        // The last has none of the second version.
        if record < 4 {
            let second = [&first[..], b"2"].concat();
            connection.execute(index, params![2, second, id]).unwrap();
        }
    }
    let (version, two) = (2_u32.try_into().unwrap(), NonZeroU32::new(2).unwrap());
    let mut copied = 0;
    loop {
        let rows = indexes.0.states.copy_columns(version, two).await.unwrap();
        assert!(rows <= 2, "{rows}");
        if rows == 0 {
            break;
        }
        copied += rows;
    }
    assert_eq!(copied, 4);
    let of_second = "SELECT count(*) FROM lead WHERE length(email_fp) = 5";
    let of_second: i64 = connection
        .query_row(of_second, [], |row| row.get(0))
        .unwrap();
    assert_eq!(of_second, 4);
}
