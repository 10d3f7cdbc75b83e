//! The suite, on the table of the example and on tables that break one clause each.

use std::sync::Arc;

use async_trait::async_trait;
use portcullis_keyring::TenantId;
use portcullis_pii_crypto::{
    AnyPii, Email, PiiKind, Sealed,
    conformance::{TestTable, sealed_rows},
    reencrypt::{RowError, SealedRows},
};
use tempfile::TempDir;

use super::{
    customers::EMAIL,
    faulty::{Fault, Faulty},
    shop::Shop,
};

#[derive(Debug)]
struct Table {
    _folder: TempDir,
    shop: Shop,
    rows: Arc<dyn SealedRows>,
}

impl Table {
    async fn make(fault: Option<Fault>) -> Arc<dyn TestTable> {
        let (folder, shop) = Shop::new().await;
        let rows: Arc<dyn SealedRows> = match fault {
            None => Arc::new(shop.customers.clone()),
            Some(fault) => Arc::new(Faulty::new(shop.clone(), fault)),
        };
        Arc::new(Self {
            _folder: folder,
            shop,
            rows,
        })
    }
}

fn failed(error: sqlx::Error) -> RowError {
    RowError::new("customer", error)
}

#[async_trait]
impl TestTable for Table {
    fn rows(&self) -> Arc<dyn SealedRows> {
        Arc::clone(&self.rows)
    }

    fn field(&self) -> (String, PiiKind) {
        (EMAIL.to_owned(), PiiKind::of::<Email>())
    }

    fn record(&self, row: u32) -> String {
        // Not in the order of their numbers.
        format!("c{}-{row}", (row * 7) % 10)
    }

    async fn store(
        &self,
        tenant: &TenantId,
        row: u32,
        value: &Sealed<AnyPii>,
    ) -> Result<(), RowError> {
        let id = self.record(row);
        let mut transaction = self.shop.pool.begin().await.map_err(failed)?;
        sqlx::query(
            "INSERT INTO customer (id, tenant, email_sealed) VALUES (?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET email = NULL, email_sealed = excluded.email_sealed",
        )
        .bind(&id)
        .bind(tenant.as_str())
        .bind(value)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        sqlx::query("DELETE FROM customer_key WHERE customer = ?")
            .bind(&id)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        sqlx::query("INSERT INTO customer_key (key_id, customer) VALUES (?, ?)")
            .bind(value.key_id().value())
            .bind(&id)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        transaction.commit().await.map_err(failed)
    }

    async fn stored(
        &self,
        _tenant: &TenantId,
        row: u32,
    ) -> Result<Option<Sealed<AnyPii>>, RowError> {
        let select = "SELECT email_sealed FROM customer WHERE id = ?";
        let select = sqlx::query_scalar(select).bind(self.record(row));
        let stored = select.fetch_optional(&self.shop.pool).await;
        Ok(stored.map_err(failed)?.flatten())
    }

    async fn remove(&self, _tenant: &TenantId, row: u32) -> Result<(), RowError> {
        for delete in [
            "DELETE FROM customer WHERE id = ?",
            "DELETE FROM customer_key WHERE customer = ?",
        ] {
            let delete = sqlx::query(delete).bind(self.record(row));
            delete.execute(&self.shop.pool).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn store_plain(
        &self,
        tenant: &TenantId,
        row: u32,
        value: &str,
    ) -> Result<bool, RowError> {
        sqlx::query(
            "INSERT INTO customer (id, tenant, email) VALUES (?, ?, ?)
             ON CONFLICT (id) DO UPDATE SET email = excluded.email",
        )
        .bind(self.record(row))
        .bind(tenant.as_str())
        .bind(value)
        .execute(&self.shop.pool)
        .await
        .map_err(failed)?;
        Ok(true)
    }
}

#[tokio::test]
async fn the_table_of_the_example_keeps_the_contract() {
    sealed_rows(async || Table::make(None).await).await;
}

/// What the suite says of a table that breaks a clause.
async fn said_of(fault: Fault) -> String {
    let suite = tokio::spawn(sealed_rows(async move || Table::make(Some(fault)).await));
    let panic = suite.await.expect_err("it keeps the contract").into_panic();
    *panic.downcast::<String>().expect("a message")
}

#[tokio::test]
async fn a_table_that_breaks_a_clause_is_told_which() {
    for (fault, clause) in [
        (Fault::LosesARow, "pages are complete and in one order"),
        (Fault::TurnsPages, "pages are complete and in one order"),
        (Fault::CountsAll, "the rows of a key are those that need it"),
        (
            Fault::KeepsKeys,
            "a change is written with the keys it needs",
        ),
        (
            Fault::NotesNoKeys,
            "a change is written with the keys it needs",
        ),
        (Fault::Overwrites, "a writer that came first wins"),
        (Fault::StopsAtConflicts, "outcomes follow the changes"),
        (
            Fault::KeepsPlaintext,
            "plaintext gives way to what is sealed",
        ),
        (
            Fault::WritesNoIndex,
            "a row is indexed when its values are written",
        ),
        (Fault::OneCursor, "cursors are kept by name"),
    ] {
        let said = said_of(fault).await;
        let expected = format!("`SealedRows`: {clause}: ");
        assert!(said.starts_with(&expected), "{fault:?}: {said}");
    }
}
