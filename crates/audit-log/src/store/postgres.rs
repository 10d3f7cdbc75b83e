//! A log in a PostgreSQL database that several processes share.

mod dialect;
mod migrate;
mod refusal;
mod taken;
mod write_transaction;

use std::{num::NonZeroUsize, time::Duration};

use async_trait::async_trait;
use sqlx::{PgPool, Postgres};
use tokio::{runtime::Handle, time::timeout};

use self::taken::Taken;
use super::{
    Appending, EntryBatch, IndexRows, Store, StoreError,
    sql::{BundleIndex, Dialect as _, RowReader, Tables},
};
use crate::{
    event::Id,
    note::SignedNote,
    search::{Page, Query},
    tile::TilePath,
};

/// A log in PostgreSQL 15 or later, in the tables `audit_log`, `audit_event`, `audit_term`, `audit_bundle`,
/// `audit_tile`, `audit_checkpoint`, `audit_personal`, `audit_tenant` and `audit_cursor` of the schema that the
/// connections of the pool find first.
///
/// Any number of processes may share it: a group locks the one row of `audit_log` (`FOR UPDATE`), and is committed with
/// what it changes there. The application makes the pool, and with it chooses TLS and the time limits of the server;
/// the primary answers it, and no replica. Unless server, role or pool say otherwise, nobody waits for a lock for longer
/// than 5 s (`lock_timeout`), and the server ends a connection that has stopped in the middle of a group after 3 s
/// (`idle_in_transaction_session_timeout`). A group is on the disk when it is committed, even with
/// `synchronous_commit = off`. A server that does not answer within 5 s is unavailable.
///
/// # Roles
/// Who owns the tables calls [`migrate`](Self::migrate), and once `SELECT audit_let_write('role')` for the role of the
/// service, which may then append and erase, and neither change nor delete a leaf. (Who owns the schema lets it be
/// used.) Pruning is a function with the rights
/// of the owner, `audit_prune`: it takes whole bundles from the beginning that are published, and nothing else.
/// `audit_let_prune` gives that to a role. `audit_let_read` gives a role the leaves of one tenant, the one that its
/// connection names (`SET audit.tenant`): row-level security is forced, for the owner too.
///
/// # Erasure
/// A row that is deleted is in the files of the server until `VACUUM` and later writes have gone over it, and in its
/// archived log. It is sealed: without the tenant's key nobody reads it there.
///
/// # Errors
/// What failed is told by its SQLSTATE, and by names of tables, columns and roles: no error holds a value of a row.
#[derive(Debug, Clone)]
pub struct PostgresStore {
    tables: Tables<Postgres>,
}

/// How long a server may take.
const TIMEOUT: Duration = Duration::from_secs(5);

impl PostgresStore {
    /// A log on this pool. The tables must exist: see [`migrate`](Self::migrate).
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self {
            tables: Tables::new(pool),
        }
    }

    /// Makes the tables, or brings them up to date, and notes in `audit_migrations` what it did. Any number of
    /// processes may do so at once. A role that may not make tables may call it when there is nothing to do.
    ///
    /// # Errors
    /// [`StoreError::Migration`] if the database cannot be written, or was migrated by a later version of this crate;
    /// nothing has changed then.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        migrate::run(&self.tables.pool).await
    }

    /// What a verification holds each leaf against, beside its hash: the rows that a search looks at.
    #[must_use]
    pub fn index_rows(&self, runtime: Handle) -> IndexRows {
        IndexRows::new(Box::new(self.tables.clone()), runtime)
    }

    async fn delete_parts(&self, leaves: &[u64]) -> Result<u64, StoreError> {
        let leaves = leaves.iter().filter_map(|n| i64::try_from(*n).ok());
        let delete = sqlx::query("DELETE FROM audit_personal WHERE n = ANY($1)");
        let delete = delete.bind(leaves.collect::<Vec<_>>());
        let deleted = delete.execute(&self.tables.pool).await;
        Ok(deleted.map_err(Postgres::failed)?.rows_affected())
    }

    /// Gives how many leaves it took. Others prune too: who holds the row knows where it began.
    async fn prune_some(&self, before: u64) -> Result<u64, StoreError> {
        let mut transaction = Postgres::begin(&self.tables.pool).await?;
        let former = sqlx::query_scalar::<_, i64>("SELECT first FROM audit_log FOR UPDATE");
        let former = former.fetch_one(&mut *transaction).await;
        let former = former.map_err(Postgres::failed)?;
        let prune = sqlx::query_scalar::<_, i64>("SELECT audit_prune($1)");
        let prune = prune.bind(i64::try_from(before).unwrap_or(i64::MAX));
        let first = prune.fetch_one(&mut *transaction).await;
        let first = first.map_err(Postgres::failed)?;
        Postgres::commit(transaction).await?;
        Ok((first - former).cast_unsigned())
    }
}

/// What a server says, if it says it soon.
async fn in_time<T>(asked: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    match timeout(TIMEOUT, asked).await {
        Ok(answer) => answer,
        Err(late) => Err(StoreError::unavailable(late)),
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn lock(&self, tenants: &[Id]) -> Result<Box<dyn Appending>, StoreError> {
        Ok(Box::new(Taken(in_time(self.tables.take(tenants)).await?)))
    }

    async fn size(&self) -> Result<u64, StoreError> {
        Ok(in_time(self.tables.log()).await?.size)
    }

    async fn entries(&self, from: u64, most: NonZeroUsize) -> Result<EntryBatch, StoreError> {
        in_time(self.tables.entries(from, most)).await
    }

    async fn tile(&self, path: TilePath) -> Result<Option<Vec<u8>>, StoreError> {
        in_time(self.tables.tile(path)).await
    }

    async fn checkpoint(&self) -> Result<Option<SignedNote>, StoreError> {
        in_time(self.tables.checkpoint()).await
    }

    async fn publish(&self, checkpoint: &SignedNote) -> Result<(), StoreError> {
        in_time(self.tables.publish(checkpoint)).await
    }

    async fn search(&self, query: &Query) -> Result<Page, StoreError> {
        in_time(self.tables.search(query)).await
    }

    async fn personal(&self, n: u64) -> Result<Option<Vec<u8>>, StoreError> {
        in_time(self.tables.personal(n)).await
    }

    async fn erase(&self, leaves: &[u64]) -> Result<u64, StoreError> {
        in_time(self.delete_parts(leaves)).await
    }

    async fn prune(&self, before: u64) -> Result<u64, StoreError> {
        let mut taken = 0;
        loop {
            let some = in_time(self.prune_some(before)).await?;
            if some == 0 {
                return Ok(taken);
            }
            taken += some;
        }
    }

    async fn first(&self) -> Result<u64, StoreError> {
        Ok(in_time(self.tables.log()).await?.first)
    }

    async fn cursor(&self, name: &Id) -> Result<Option<u64>, StoreError> {
        in_time(self.tables.cursor(name)).await
    }

    async fn move_cursor(&self, name: &Id, next: u64) -> Result<(), StoreError> {
        in_time(self.tables.move_cursor(name, next)).await
    }
}

#[async_trait]
impl RowReader for Tables<Postgres> {
    async fn index_of(&self, bundle: u64) -> Result<BundleIndex, StoreError> {
        in_time(self.bundle_index(bundle)).await
    }

    async fn first(&self) -> Result<u64, StoreError> {
        Ok(in_time(self.log()).await?.first)
    }
}
