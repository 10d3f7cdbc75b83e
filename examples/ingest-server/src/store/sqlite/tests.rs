//! SQLite against the contract of stores.

use super::lead_sql;
use crate::{
    lead::COLUMNS,
    store::{conformance, sqlite::SqliteStore},
};

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

/// A row of the table of columns without its migration would fail the first write of a lead.
#[tokio::test]
async fn each_column_of_a_lead_has_its_sql_columns() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("lead.db"))
        .await
        .unwrap();
    let present: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info('lead')")
        .fetch_all(&store.readers)
        .await
        .unwrap();
    for column in COLUMNS {
        for name in lead_sql::columns(column) {
            assert!(
                present.contains(&name),
                "write a migration that adds `{name}`"
            );
        }
    }
}
