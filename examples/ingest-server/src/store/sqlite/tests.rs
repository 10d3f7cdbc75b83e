//! SQLite against the contract of stores.

mod erasure;
mod erasures_file;
mod index_roots;
mod sealed_rows;
mod shredder;

use portcullis_keyring::TenantId;
use rusqlite::StatementStatus;

use super::{connection, lead_reads, lead_sql};
use crate::{
    lead::{COLUMNS, LeadColumn},
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

#[tokio::test]
async fn sqlite_keeps_the_contract_of_the_history_of_objectives() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("slo.db");
    let one = SqliteStore::open(&file).await.unwrap();
    let other = SqliteStore::open(&file).await.unwrap();
    conformance::slo_history::check(&one.slo_history(), &other.slo_history()).await;
}

/// A row of the table of columns without its migration would fail the first write of a lead.
#[tokio::test]
async fn each_column_of_a_lead_has_its_sql_columns() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("lead.db"))
        .await
        .unwrap();
    let present: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info('lead')")
        .fetch_all(&store.opening)
        .await
        .unwrap();
    let references = "SELECT sql FROM sqlite_schema WHERE name = 'sealed_ref'";
    let references: String = sqlx::query_scalar(references)
        .fetch_one(&store.opening)
        .await
        .unwrap();
    for column in COLUMNS {
        for name in lead_sql::columns(column) {
            assert!(
                present.contains(&name),
                "write a migration that adds `{name}`"
            );
        }
        let key = format!("SELECT {}_key_version", column.name());
        assert!(references.contains(&key), "and to `sealed_ref`: {key}");
    }
}

/// Anyone who has the file can still write it with other tools; this service and its operators cannot
/// change what is on record by accident.
#[tokio::test]
async fn the_audit_log_is_added_to_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("audit.db"))
        .await
        .unwrap();
    let columns = "id, time, tenant, action, activity, actor_type, actor_id, resource_type, \
        resources, count, fields, outcome";
    let id = "01a21473-4fe0-7d94-bf7c-5d47228ca4aa";
    let row = format!(
        "'{id}', 'then', 'acme', 'lead.read', 'read', 'api_key', 'kid', 'lead', '[]', 0, '[]', \
         'success'"
    );
    let run = async |statement: String| {
        sqlx::query(sqlx::AssertSqlSafe(statement))
            .execute(&store.opening)
            .await
    };
    run(format!(
        "INSERT INTO audit_event ({columns}) VALUES ({row})"
    ))
    .await
    .unwrap();
    for statement in [
        "UPDATE audit_event SET tenant = 'other'".to_owned(),
        "UPDATE OR REPLACE audit_event SET n = 7".to_owned(),
        "DELETE FROM audit_event".to_owned(),
        format!("INSERT OR REPLACE INTO audit_event ({columns}) VALUES ({row})"),
        format!(
            "REPLACE INTO audit_event (n, {columns}) VALUES (1, {})",
            row.replace("01a2", "01a3")
        ),
        format!(
            "INSERT INTO audit_event ({columns}) VALUES ({row}) ON CONFLICT DO UPDATE SET count = 9"
        ),
    ] {
        let error = run(statement.clone()).await.expect_err(&statement);
        assert!(
            error.to_string().contains("append-only"),
            "{statement}: {error}"
        );
    }
    for (column, value) in [
        ("'acme'", format!("'{}'", "a".repeat(129))),
        ("'read'", "'other-than-known'".to_owned()),
        ("'success'", "'done'".to_owned()),
    ] {
        let row = row.replace("01a2", "01a4").replacen(column, &value, 1);
        run(format!(
            "INSERT INTO audit_event ({columns}) VALUES ({row})"
        ))
        .await
        .expect_err(column);
    }
    let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_event WHERE tenant = 'acme'")
        .fetch_one(&store.opening)
        .await
        .unwrap();
    assert_eq!(rows, 1);
}

/// SQLite plans a statement again, which takes longer than a search, once another value is bound to a
/// parameter that it looked at.
#[tokio::test]
async fn a_search_is_planned_once() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("leads.db");
    let _store = SqliteStore::open(&path).await.unwrap();
    let connection = connection::open_reading(&path).unwrap();
    let tenant = TenantId::new("acme").unwrap();
    for column in LeadColumn::searchable() {
        for value in 1..4 {
            let values = [vec![value; 18], vec![0; 18]];
            lead_reads::by_index(&connection, &tenant, column, &values, None, 101).unwrap();
        }
        let select = lead_sql::select_by_index(column, 2, 101);
        let select = connection.prepare_cached(&select).unwrap();
        assert_eq!(select.get_status(StatementStatus::RePrepare), 0);
        assert_ne!(
            select.get_status(StatementStatus::Run),
            0,
            "it is the one that ran"
        );
    }
}
