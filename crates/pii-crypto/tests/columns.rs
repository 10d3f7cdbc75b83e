//! Sealed values and fingerprints as columns of SQLite.

use std::sync::Arc;

use portcullis_keyring::{Keyring, TenantId, kek::MemoryKek, store::MemoryDekStore};
use portcullis_pii_crypto::{
    AnyPii, Cipher, Email, IndexRoots, IndexValue, Pii, PiiType, Sealed, secrets::VersionedSecrets,
};
use secrecy::SecretBox;
use sqlx::{Row as _, SqlitePool, sqlite::SqlitePoolOptions};

async fn table(of: &'static str) -> SqlitePool {
    let pool = SqlitePoolOptions::new().max_connections(1);
    let pool = pool.connect("sqlite::memory:").await.expect("it works");
    sqlx::raw_sql(of).execute(&pool).await.expect("it works");
    pool
}

async fn cipher() -> (TenantId, Cipher) {
    let kek = Arc::new(MemoryKek::new().expect("it works"));
    let keyring = Keyring::builder(kek, Arc::new(MemoryDekStore::new())).build();
    let tenant = TenantId::new("tenant-7").expect("it works");
    let keys = keyring
        .prepare(&tenant, &[Email::purpose()])
        .await
        .expect("it works");
    (tenant, Cipher::new(keys))
}

#[tokio::test]
async fn what_is_sealed_is_stored_and_opened() {
    let pool = table("CREATE TABLE lead (email BLOB, fingerprint BLOB)").await;
    let (tenant, cipher) = cipher().await;
    let email = Pii::<Email>::parse("john.smith@example.com").unwrap();
    let sealed = cipher.seal("lead.email", "lead-1", &email).unwrap();
    let root = VersionedSecrets::single(SecretBox::new(Box::new([7; 32])));
    let fingerprint = IndexRoots::new(root).unwrap();
    let fingerprint = fingerprint.unique(&tenant, "lead.email", &email);

    let insert = sqlx::query("INSERT INTO lead VALUES (?, ?), (NULL, NULL)")
        .bind(&sealed)
        .bind(fingerprint[0].clone());
    insert.execute(&pool).await.unwrap();
    let select = sqlx::query("SELECT typeof(email), * FROM lead ORDER BY email DESC");
    let rows = select.fetch_all(&pool).await.unwrap();
    assert_eq!(rows[0].get::<&str, _>(0), "blob");
    let stored: Option<Sealed<Email>> = rows[0].get("email");
    assert_eq!(stored.as_ref(), Some(&sealed));
    let opened = cipher.open("lead.email", "lead-1", &stored.unwrap());
    // EXPOSE: compared with what was sealed.
    assert_eq!(opened.unwrap().expose().as_str(), "john.smith@example.com");
    assert_eq!(rows[0].get::<IndexValue, _>("fingerprint"), fingerprint[0]);
    assert_eq!(rows[1].get::<Option<Sealed<AnyPii>>, _>("email"), None);

    let found = sqlx::query("SELECT 1 FROM lead WHERE fingerprint = ? AND email = ?")
        .bind(&fingerprint[0])
        .bind(sealed);
    assert!(found.fetch_optional(&pool).await.unwrap().is_some());
}

#[tokio::test]
async fn plaintext_is_no_column_of_a_sealed_type() {
    let pool = table(
        "CREATE TABLE lead (email, fingerprint);
         INSERT INTO lead VALUES ('john.smith@example.com', 'john'), (x'6A6F', x'0000FF'), (7, x'0001')",
    )
    .await;
    let rows = sqlx::query("SELECT * FROM lead")
        .fetch_all(&pool)
        .await
        .unwrap();
    for row in &rows {
        let read = row.try_get::<Sealed<Email>, _>("email");
        let error = read.err().map(|error| error.to_string()).unwrap();
        assert!(!error.contains("john"), "{error}");
    }
    let error = rows[0].try_get::<Sealed<Email>, _>("email").unwrap_err();
    assert!(error.to_string().contains("not a sealed value"), "{error}");
    for row in &rows[1..] {
        let error = row.try_get::<IndexValue, _>("fingerprint").unwrap_err();
        let error = error.to_string();
        assert!(error.contains("not the value of a blind index"), "{error}");
    }
}
