//! The application that the table belongs to.

use std::{path::Path, sync::Arc, time::Duration};

use portcullis_keyring::{
    KeyId, Keyring, Purpose, TenantId,
    clock::FakeClock,
    kek::LocalKek,
    secrets::VersionedSecrets,
    store::{DekStore, SqliteDekStore},
};
use portcullis_pii_crypto::{
    Cipher, Email, IndexRoots, PersonName, Pii, PiiKinds, PiiType,
    reencrypt::{Reencryptor, Report, Scope, SealedRows, Verified},
};
use secrecy::SecretBox;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use tempfile::TempDir;

use super::customers::Customers;

/// One process of the application, and the file with its customers and keys.
#[derive(Debug, Clone)]
pub(crate) struct Shop {
    pub(crate) pool: SqlitePool,
    pub(crate) customers: Customers,
    pub(crate) keys: Arc<SqliteDekStore>,
    pub(crate) keyring: Keyring,
    pub(crate) clock: Arc<FakeClock>,
    pub(crate) tenant: TenantId,
}

/// Root versions that are live.
pub(crate) fn roots(bytes: u8) -> IndexRoots {
    let root = VersionedSecrets::single(SecretBox::new(Box::new([bytes; 32])));
    IndexRoots::new(root).expect("version 1 fits")
}

impl Shop {
    /// A new file, with the columns for sealed values.
    pub(crate) async fn new() -> (TempDir, Self) {
        let folder = tempfile::tempdir().expect("a folder");
        let shop = Self::open(&folder.path().join("shop.db")).await;
        sqlx::raw_sql(
            "CREATE TABLE customer
               (id TEXT PRIMARY KEY, tenant TEXT NOT NULL, email TEXT, name TEXT)",
        )
        .execute(&shop.pool)
        .await
        .expect("a table");
        shop.customers.add_columns().await.expect("columns");
        shop.keys.migrate().await.expect("a table of keys");
        (folder, shop)
    }

    /// A process on a file.
    pub(crate) async fn open(file: &Path) -> Self {
        let options = SqliteConnectOptions::new()
            .filename(file)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Processes are killed here, and machines are not.
            .synchronous(SqliteSynchronous::Off)
            .busy_timeout(Duration::from_secs(20));
        let pool = SqlitePoolOptions::new().max_connections(4);
        let pool = pool.connect_with(options).await.expect("a database");
        let clock = Arc::new(FakeClock::new());
        let kek = LocalKek::new(VersionedSecrets::single(SecretBox::new(Box::new([5; 32]))));
        let keys = Arc::new(SqliteDekStore::new(pool.clone()));
        Self {
            customers: Customers::new(pool.clone(), roots(7)),
            keyring: Keyring::builder(Arc::new(kek), keys.clone())
                .clock(clock.clone())
                .build(),
            keys,
            pool,
            clock,
            tenant: TenantId::new("tenant-7").expect("a name"),
        }
    }

    /// Opens every row, and counts those that need a key.
    pub(crate) async fn verify(&self, key: KeyId) -> Verified {
        let (reencryptor, keys) = (self.reencryptor(), [key].into());
        let mut nobody = |_: &_| {};
        let verified = reencryptor.verify(&self.customers, &keys, &mut nobody);
        verified.await.expect("it answers")
    }

    pub(crate) fn reencryptor(&self) -> Reencryptor {
        Reencryptor::new(self.keyring.clone(), PiiKinds::built_in()).timer(self.clock.clone())
    }

    pub(crate) async fn cipher(&self) -> Cipher {
        let purposes = [Email::purpose(), PersonName::purpose()];
        let keys = self.keyring.prepare(&self.tenant, &purposes).await;
        Cipher::new(keys.expect("keys"))
    }

    /// Stores a customer as the application does.
    pub(crate) async fn store(&self, id: &str, email: &str, name: &str) {
        let email = Pii::parse(email).expect("an address");
        let name = Pii::parse(name).expect("a name");
        let cipher = self.cipher().await;
        let stored = self
            .customers
            .store(&cipher, &self.tenant, id, &email, &name);
        assert!(stored.await.expect("it answers"), "it is another's address");
    }

    /// Stores a customer as the application did before it sealed.
    pub(crate) async fn store_plain(&self, id: &str, email: &str, name: &str) {
        sqlx::query(
            "INSERT INTO customer (id, tenant, email, name) VALUES (?, 'tenant-7', ?, ?)
             ON CONFLICT (id) DO UPDATE SET email = excluded.email, name = excluded.name",
        )
        .bind(id)
        .bind(email)
        .bind(name)
        .execute(&self.pool)
        .await
        .expect("it is stored");
    }

    /// The address of a customer, opened.
    pub(crate) async fn email(&self, id: &str) -> String {
        let email = self.customers.email(&self.keyring, &self.tenant, id).await;
        let email = email.expect("it opens").expect("there is one");
        // EXPOSE: compared with what the test stored.
        email.expose().as_str().to_owned()
    }

    /// Makes another key the primary; answers with the one that was it.
    pub(crate) async fn rotate(&self, purpose: &Purpose) -> KeyId {
        let primaries = self
            .keyring
            .prepare(&self.tenant, std::slice::from_ref(purpose));
        let primaries = primaries.await.expect("keys");
        let now = primaries.clock().monotonic();
        let old = primaries.primary(purpose.as_str(), now).expect("a primary");
        for _ in 0..2 {
            let rotated = self.keyring.rotate(&self.tenant, purpose).await;
            rotated.expect("it rotates");
            self.clock.advance(Duration::from_secs(15));
        }
        old.id()
    }

    pub(crate) async fn key(&self, id: KeyId) -> portcullis_keyring::store::StoredKey {
        let key = self.keys.load(id).await.expect("the store answers");
        key.expect("the key is there")
    }

    /// Runs a sweep of a scope to its end.
    pub(crate) async fn run(&self, rows: &dyn SealedRows, scope: &Scope) -> Report {
        run(&self.reencryptor(), rows, scope).await
    }

    /// Stores customers c0, c1, …
    pub(crate) async fn fill(&self, customers: u32) {
        for number in 0..customers {
            let address = format!("customer.{number}@example.com");
            self.store(&format!("c{number}"), &address, "Customer")
                .await;
        }
    }

    /// What is sealed in the place of an address.
    pub(crate) async fn sealed_email(&self, id: &str) -> Vec<u8> {
        let select = sqlx::query_scalar("SELECT email_sealed FROM customer WHERE id = ?").bind(id);
        select.fetch_one(&self.pool).await.expect("it is there")
    }

    pub(crate) async fn set_sealed_email(&self, id: &str, bytes: &[u8]) {
        sqlx::query("UPDATE customer SET email_sealed = ? WHERE id = ?")
            .bind(bytes)
            .bind(id)
            .execute(&self.pool)
            .await
            .expect("it is stored");
    }

    /// Notes a key that a row does not need.
    pub(crate) async fn note(&self, key: KeyId, id: &str) {
        sqlx::query("INSERT OR IGNORE INTO customer_key (key_id, customer) VALUES (?, ?)")
            .bind(key.value())
            .bind(id)
            .execute(&self.pool)
            .await
            .expect("it is stored");
    }
}

/// Runs a sweep of a scope to its end.
pub(crate) async fn run(reencryptor: &Reencryptor, rows: &dyn SealedRows, scope: &Scope) -> Report {
    let mut nobody = |_: &_| {};
    let report = reencryptor.run(rows, scope, "sweep", &mut nobody).await;
    report.expect("it comes to its end")
}
