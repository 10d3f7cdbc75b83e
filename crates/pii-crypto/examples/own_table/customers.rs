//! The table of an application, whose e-mail addresses and names were plaintext once.

mod application;

use std::{fmt, num::NonZeroU32};

use async_trait::async_trait;
use portcullis_keyring::{TenantId, sweep::Cursor};
use portcullis_pii_crypto::{
    AnyPii, Email, IndexRoots, PersonName, PiiKind, Sealed,
    reencrypt::{
        FieldValue, IndexWrite, RowChange, RowError, RowField, RowOutcome, Scope, SealedRow,
        SealedRows,
    },
};
use sqlx::{
    Connection as _, QueryBuilder, Row as _, Sqlite, SqliteConnection, SqlitePool,
    sqlite::SqliteRow,
};

/// The columns by their names: a statement that is kept for a connection must give the same ones when a column
/// is added.
macro_rules! select_customers {
    ($rest:literal) => {
        concat!(
            "SELECT id, tenant, email, name, email_sealed, name_sealed FROM customer ",
            $rest
        )
    };
}

pub(crate) const EMAIL: &str = "customer.email";
pub(crate) const NAME: &str = "customer.name";

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The table `customer`, with what it takes to seal it beside it.
#[derive(Clone)]
pub(crate) struct Customers {
    pool: SqlitePool,
    roots: IndexRoots,
}

impl Customers {
    pub(crate) const fn new(pool: SqlitePool, roots: IndexRoots) -> Self {
        Self { pool, roots }
    }

    /// Adds the columns for sealed values, the index of addresses, which keys each row needs, and where
    /// sweeps are. The plaintext stays where it is.
    pub(crate) async fn add_columns(&self) -> Result<(), Failure> {
        sqlx::raw_sql(
            "ALTER TABLE customer ADD COLUMN email_sealed BLOB;
             ALTER TABLE customer ADD COLUMN name_sealed BLOB;
             CREATE TABLE customer_index (
               tenant TEXT NOT NULL, value BLOB NOT NULL, version INTEGER NOT NULL,
               customer TEXT NOT NULL, PRIMARY KEY (customer, version), UNIQUE (tenant, value));
             CREATE TABLE customer_key (
               key_id INTEGER NOT NULL, customer TEXT NOT NULL, PRIMARY KEY (key_id, customer));
             CREATE TABLE customer_sweep (name TEXT PRIMARY KEY, at TEXT NOT NULL);",
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }
}

#[async_trait]
impl SealedRows for Customers {
    fn table(&self) -> &str {
        "customer"
    }

    async fn count(&self, scope: &Scope) -> Result<u64, RowError> {
        let mut count = QueryBuilder::new("SELECT COUNT(*) FROM customer WHERE ");
        push_scope(&mut count, scope);
        let count = count.build_query_scalar::<i64>().fetch_one(&self.pool);
        Ok(count.await.map_err(failed)?.cast_unsigned())
    }

    async fn page(
        &self,
        scope: &Scope,
        after: Option<&Cursor>,
        limit: NonZeroU32,
    ) -> Result<Vec<SealedRow>, RowError> {
        let mut select = QueryBuilder::new(select_customers!("WHERE id > "));
        select.push_bind(after.map_or("", Cursor::as_str));
        push_scope(select.push(" AND "), scope);
        select.push(" ORDER BY id LIMIT ").push_bind(limit.get());
        let rows = select.build().fetch_all(&self.pool).await.map_err(failed)?;
        rows.iter().map(|row| read(row).map_err(failed)).collect()
    }

    async fn apply(&self, changes: &[RowChange]) -> Result<Vec<RowOutcome>, RowError> {
        let begin = self.pool.begin_with("BEGIN IMMEDIATE");
        let mut transaction = begin.await.map_err(failed)?;
        let mut outcomes = Vec::with_capacity(changes.len());
        for change in changes {
            let outcome = apply_one(&mut transaction, change).await;
            outcomes.push(outcome.map_err(failed)?);
        }
        transaction.commit().await.map_err(failed)?;
        Ok(outcomes)
    }

    fn index(&self, tenant: &TenantId, field: &str, value: &AnyPii) -> Vec<IndexWrite> {
        let index = self.roots.unique_index(tenant, field);
        let values = value.index(&index).unwrap_or_default();
        let write = |value| IndexWrite::new(IDENTITY, value);
        values.into_iter().map(write).collect()
    }

    async fn cursor(&self, sweep: &str) -> Result<Option<Cursor>, RowError> {
        let at = sqlx::query_scalar("SELECT at FROM customer_sweep WHERE name = ?").bind(sweep);
        let at = at.fetch_optional(&self.pool).await.map_err(failed)?;
        Ok(at.map(Cursor::new))
    }

    async fn set_cursor(&self, sweep: &str, cursor: Option<&Cursor>) -> Result<(), RowError> {
        let set = match cursor {
            Some(_) => "INSERT OR REPLACE INTO customer_sweep (name, at) VALUES (?1, ?2)",
            None => "DELETE FROM customer_sweep WHERE name = ?1 AND ?2 IS NULL",
        };
        let set = sqlx::query(set)
            .bind(sweep)
            .bind(cursor.map(Cursor::as_str));
        set.execute(&self.pool).await.map_err(failed)?;
        Ok(())
    }
}

impl fmt::Debug for Customers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Customers").finish_non_exhaustive()
    }
}

const IDENTITY: &str = "identity";

/// Each column: plaintext, sealed, the field that it is bound to, and its kind.
const COLUMNS: [(&str, &str, &str, PiiKind); 2] = [
    ("email", "email_sealed", EMAIL, PiiKind::of::<Email>()),
    ("name", "name_sealed", NAME, PiiKind::of::<PersonName>()),
];

fn push_scope(select: &mut QueryBuilder<Sqlite>, scope: &Scope) {
    match scope {
        Scope::Keys(ids) => {
            select.push("id IN (SELECT customer FROM customer_key WHERE key_id IN (");
            let mut list = select.separated(", ");
            for id in ids {
                list.push_bind(id.value());
            }
            select.push("))");
        }
        Scope::Plaintext => {
            select.push("(email IS NOT NULL OR name IS NOT NULL)");
        }
        Scope::NotIndexed(version) => {
            select.push("(email IS NULL AND email_sealed IS NOT NULL AND NOT EXISTS ");
            select.push("(SELECT 1 FROM customer_index WHERE customer = id AND version = ");
            select.push_bind(version.value()).push("))");
        }
        _ => {
            select.push("TRUE");
        }
    }
}

fn read(row: &SqliteRow) -> Result<SealedRow, Failure> {
    let id: String = row.try_get("id")?;
    let tenant = TenantId::new(row.try_get::<&str, _>("tenant")?)?;
    let mut fields = Vec::new();
    for (plain, sealed, field, kind) in COLUMNS {
        let value = match (row.try_get(plain)?, row.try_get(sealed)?) {
            (Some(plain), _) => match kind.parse(plain) {
                Ok(value) => FieldValue::Plain(value),
                Err(error) => FieldValue::Invalid(error),
            },
            (None::<&str>, Some(bytes)) => {
                Sealed::from_bytes(bytes).map_or(FieldValue::Malformed, FieldValue::Sealed)
            }
            (None, None::<Vec<u8>>) => continue,
        };
        fields.push(RowField::new(
            field.to_owned(),
            id.clone(),
            Some(kind),
            value,
        ));
    }
    Ok(SealedRow::new(tenant, Cursor::new(id), fields))
}

/// Writes a row, if it is what was read: all of the change, or nothing.
async fn apply_one(
    transaction: &mut SqliteConnection,
    change: &RowChange,
) -> Result<RowOutcome, Failure> {
    let id = change.row.at.as_str();
    let select = sqlx::query(select_customers!("WHERE id = ?")).bind(id);
    let row = select.fetch_optional(&mut *transaction).await?;
    let Some(now) = row.as_ref().map(read).transpose()? else {
        return Ok(RowOutcome::Changed);
    };
    if !now.holds_same(&change.row) {
        return Ok(RowOutcome::Changed);
    }
    let mut savepoint = transaction.begin().await?;
    for (_, write) in &change.indexed {
        let tenant = &change.row.tenant;
        if !insert_index(&mut savepoint, tenant, id, write).await? {
            savepoint.rollback().await?;
            return Ok(RowOutcome::Duplicate);
        }
    }
    for (at, sealed) in &change.sealed {
        let update = match change.row.fields[*at].field.as_str() {
            EMAIL => "UPDATE customer SET email = NULL, email_sealed = ? WHERE id = ?",
            _ => "UPDATE customer SET name = NULL, name_sealed = ? WHERE id = ?",
        };
        let update = sqlx::query(update).bind(sealed).bind(id);
        update.execute(&mut *savepoint).await?;
    }
    note_keys(&mut savepoint, id).await?;
    savepoint.commit().await?;
    Ok(RowOutcome::Written)
}

/// Writes the customer's value in the place of what it had of this version; whether it is the customer's
/// then, and not another's.
async fn insert_index(
    connection: &mut SqliteConnection,
    tenant: &TenantId,
    id: &str,
    write: &IndexWrite,
) -> Result<bool, Failure> {
    let version = write.value.version().value();
    sqlx::query("DELETE FROM customer_index WHERE customer = ? AND version = ?")
        .bind(id)
        .bind(version)
        .execute(&mut *connection)
        .await?;
    let owner: String = sqlx::query_scalar(
        "INSERT INTO customer_index (tenant, value, version, customer) VALUES (?, ?, ?, ?)
         ON CONFLICT (tenant, value) DO UPDATE SET version = version RETURNING customer",
    )
    .bind(tenant.as_str())
    .bind(&write.value)
    .bind(version)
    .bind(id)
    .fetch_one(&mut *connection)
    .await?;
    Ok(owner == id)
}

/// Notes the keys that a row needs now, and no others: plaintext that an earlier version of the
/// application wrote later is what counts, and not what is sealed beside it.
async fn note_keys(connection: &mut SqliteConnection, id: &str) -> Result<(), Failure> {
    sqlx::query("DELETE FROM customer_key WHERE customer = ?")
        .bind(id)
        .execute(&mut *connection)
        .await?;
    let select = sqlx::query(select_customers!("WHERE id = ?")).bind(id);
    let row = read(&select.fetch_one(&mut *connection).await?)?;
    for field in &row.fields {
        if let FieldValue::Sealed(sealed) = &field.value {
            sqlx::query("INSERT OR IGNORE INTO customer_key (key_id, customer) VALUES (?, ?)")
                .bind(sealed.key_id().value())
                .bind(id)
                .execute(&mut *connection)
                .await?;
        }
    }
    Ok(())
}

fn failed(error: impl Into<Failure>) -> RowError {
    RowError::new("customer", error)
}
