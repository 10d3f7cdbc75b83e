//! How keys are added: one, or many in one transaction.

use sqlx::SqliteConnection;

use super::{SqliteDekStore, commit, failed};
use crate::{
    kek::WrappedKey,
    store::{InsertError, StoreError, StoredKey, row::milliseconds},
};

impl SqliteDekStore {
    /// Adds keys in one transaction, each as [`insert`](crate::store::DekStore::insert) does and in this
    /// order: one that is refused leaves the others. For a service in which the first keys of many tenants
    /// are made at once: a commit waits for the disk, however much it makes durable.
    ///
    /// # Errors
    /// [`StoreError`]: none of them was added.
    pub async fn insert_all(
        &self,
        keys: &[StoredKey],
    ) -> Result<Vec<Result<(), InsertError>>, StoreError> {
        let mut transaction = self.begin().await?;
        let mut outcomes = Vec::with_capacity(keys.len());
        for key in keys {
            let refusal = refusal(&mut transaction, key).await?;
            if refusal.is_none() {
                add(&mut transaction, key).await?;
            }
            outcomes.push(refusal.map_or(Ok(()), Err));
        }
        commit(transaction).await?;
        Ok(outcomes)
    }

    pub(super) async fn insert_one(&self, key: &StoredKey) -> Result<(), InsertError> {
        let mut transaction = self.begin().await?;
        if let Some(refusal) = refusal(&mut transaction, key).await? {
            transaction.rollback().await.map_err(failed)?;
            return Err(refusal);
        }
        add(&mut transaction, key).await?;
        Ok(commit(transaction).await?)
    }
}

/// Why the key cannot be added to what is there, if so.
async fn refusal(
    connection: &mut SqliteConnection,
    key: &StoredKey,
) -> Result<Option<InsertError>, StoreError> {
    let (erased, id_taken, state_taken): (bool, bool, bool) = sqlx::query_as(
        "SELECT EXISTS (SELECT 1 FROM keyring_erased_tenant WHERE tenant = ?1),
                EXISTS (SELECT 1 FROM keyring_data_key WHERE key_id = ?2),
                EXISTS (SELECT 1 FROM keyring_data_key WHERE tenant = ?1 AND purpose = ?3
                        AND state = ?4 AND state IN ('primary', 'pending'))",
    )
    .bind(key.tenant().as_str())
    .bind(key.id().value())
    .bind(key.purpose().as_str())
    .bind(key.state().as_str())
    .fetch_one(connection)
    .await
    .map_err(failed)?;
    Ok(match (erased, id_taken, state_taken) {
        (true, _, _) => Some(InsertError::TenantErased),
        (_, true, _) => Some(InsertError::IdTaken),
        (_, _, true) => Some(InsertError::StateTaken),
        (false, false, false) => None,
    })
}

async fn add(connection: &mut SqliteConnection, key: &StoredKey) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO keyring_data_key (key_id, tenant, purpose, wrapped, state, created_at, state_since)
         VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(key.id().value())
    .bind(key.tenant().as_str())
    .bind(key.purpose().as_str())
    .bind(key.wrapped().map(WrappedKey::as_bytes))
    .bind(key.state().as_str())
    .bind(milliseconds(key.created_at()))
    .bind(milliseconds(key.state_since()))
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}
