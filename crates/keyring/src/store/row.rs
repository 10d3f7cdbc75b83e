//! Keys as rows of a table, and rows as keys, whatever the database.

use std::time::{Duration, SystemTime};

/// A statement on the table of keys that names its columns. A statement that is kept for a connection must give
/// the same ones when a later version has added one: `sqlx` panics at a column of SQLite that it does not know,
/// and PostgreSQL refuses the statement.
#[cfg(any(feature = "postgres", feature = "sqlite"))]
macro_rules! select_keys {
    ($rest:literal) => {
        concat!(
            "SELECT key_id, tenant, purpose, wrapped, state, created_at, state_since
             FROM keyring_data_key ",
            $rest
        )
    };
}
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(super) use select_keys;

#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(super) use self::sql::{load_all, load_one};

/// Times before 1970 are stored as 1970.
pub(super) fn milliseconds(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    i64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

/// None of a number that [`milliseconds`] never gives.
pub(super) fn time(milliseconds: i64) -> Option<SystemTime> {
    let since = Duration::from_millis(u64::try_from(milliseconds).ok()?);
    SystemTime::UNIX_EPOCH.checked_add(since)
}

#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod sql {
    //! Rows of `keyring_data_key`.

    use sqlx::{ColumnIndex, Decode, Row, Type};

    use super::time;
    use crate::{
        KeyId, KeyState, Purpose, TenantId,
        kek::{KekContext, WrappedKey},
        store::{DamagedKey, LoadedKeys, StoreError, StoredKey},
    };

    /// A row whose columns are numbers, texts and bytes.
    pub(in crate::store) trait KeyRow: Row {
        /// None if it is not there, or another type.
        fn number(&self, column: &str) -> Option<i64>;
        fn text(&self, column: &str) -> Option<&str>;
        fn bytes(&self, column: &str) -> Option<Option<Vec<u8>>>;
    }

    impl<R: Row> KeyRow for R
    where
        for<'a> &'a str: ColumnIndex<R> + Decode<'a, R::Database> + Type<R::Database>,
        for<'a> i64: Decode<'a, R::Database> + Type<R::Database>,
        for<'a> Option<Vec<u8>>: Decode<'a, R::Database> + Type<R::Database>,
    {
        fn number(&self, column: &str) -> Option<i64> {
            self.try_get(column).ok()
        }

        fn text(&self, column: &str) -> Option<&str> {
            self.try_get(column).ok()
        }

        fn bytes(&self, column: &str) -> Option<Option<Vec<u8>>> {
            self.try_get(column).ok()
        }
    }

    pub(in crate::store) fn load_all<R: KeyRow>(rows: &[R]) -> Result<LoadedKeys, StoreError> {
        rows.iter().map(read).collect()
    }

    pub(in crate::store) fn load_one<R: KeyRow>(
        row: Option<&R>,
    ) -> Result<Option<StoredKey>, StoreError> {
        let row = row.map(read).transpose()?;
        row.transpose().map_err(|damaged| damaged.error())
    }

    /// A row that is damaged is one of many; one without a key id is nobody's.
    fn read<R: KeyRow>(row: &R) -> Result<Result<StoredKey, DamagedKey>, StoreError> {
        let number = row.number("key_id").unwrap_or(-1);
        let id = u32::try_from(number).map_err(|_| StoreError::Damaged(number))?;
        let id = KeyId::new(id);
        let tenant = row.text("tenant").and_then(|name| TenantId::new(name).ok());
        let purpose = row.text("purpose").and_then(|name| Purpose::new(name).ok());
        let state = row.text("state").and_then(|name| name.parse().ok());
        let key = key(id, tenant.clone(), purpose.clone(), state, row);
        Ok(key.ok_or(DamagedKey {
            id,
            tenant,
            purpose,
            state,
        }))
    }

    fn key<R: KeyRow>(
        id: KeyId,
        tenant: Option<TenantId>,
        purpose: Option<Purpose>,
        state: Option<KeyState>,
        row: &R,
    ) -> Option<StoredKey> {
        let context = KekContext::new(tenant?, purpose?, id);
        let created_at = time(row.number("created_at")?)?;
        let key = match (state?, row.bytes("wrapped")?) {
            (KeyState::Destroyed, None) => StoredKey::tombstone(context, created_at),
            (KeyState::Destroyed, Some(_)) | (_, None) => return None,
            (state, Some(bytes)) => {
                StoredKey::new(context, state, WrappedKey::from_bytes(bytes), created_at)
            }
        };
        Some(key.since(time(row.number("state_since")?)?))
    }
}
