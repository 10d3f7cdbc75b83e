//! Keys as rows, and rows as keys.

use std::{
    error::Error,
    time::{Duration, SystemTime},
};

use sqlx::{Row as _, postgres::PgRow};

use crate::{
    KeyId, KeyState, Purpose, TenantId,
    kek::{KekContext, WrappedKey},
    store::{StoreError, StoredKey},
};

pub(super) fn id(key: KeyId) -> i64 {
    i64::from(key.value())
}

/// Times before 1970 are stored as 1970.
pub(super) fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

pub(super) fn read(row: &PgRow) -> Result<StoredKey, StoreError> {
    let id: i64 = row.try_get("key_id").map_err(super::failed)?;
    parse(id, row).map_err(|_| StoreError::Damaged(id))
}

fn parse(id: i64, row: &PgRow) -> Result<StoredKey, Box<dyn Error + Send + Sync>> {
    let context = KekContext::new(
        TenantId::new(row.try_get("tenant")?)?,
        Purpose::new(row.try_get("purpose")?)?,
        KeyId::new(u32::try_from(id)?),
    );
    let state: KeyState = row.try_get::<&str, _>("state")?.parse()?;
    let time = |column| -> Result<SystemTime, Box<dyn Error + Send + Sync>> {
        let milliseconds: i64 = row.try_get(column)?;
        Ok(SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(milliseconds)?))
    };
    let created_at = time("created_at")?;
    let key = match row.try_get::<Option<Vec<u8>>, _>("wrapped")? {
        Some(bytes) => StoredKey::new(context, state, WrappedKey::from_bytes(bytes), created_at),
        None => StoredKey::tombstone(context, created_at),
    };
    Ok(key.since(time("state_since")?))
}
