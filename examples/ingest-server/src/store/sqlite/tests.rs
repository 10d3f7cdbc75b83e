//! SQLite against the contract of stores.

use crate::store::{conformance, sqlite::SqliteStore};

#[tokio::test]
async fn sqlite_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let number = std::cell::Cell::new(0);
    conformance::check(async || {
        number.set(number.get() + 1);
        let file = folder.path().join(format!("{}.db", number.get()));
        SqliteStore::open(&file).await.unwrap()
    })
    .await;
}
