//! Columns of SQLite as values of this crate.

use std::str::FromStr;

use sqlx::{Row, Sqlite, Type, decode::Decode, sqlite::SqliteRow};

use crate::{
    feed::{Change, FeedSeq},
    pepper::PepperVersion,
    store::{KeyRecord, RecordState, RecordVersion, StoreError, UnixMillis},
    tenant::TenantId,
    verifier::{KeyHash, RowMac, Verifier},
};

/// A record from all columns of `apikey_cache_api_key`.
pub(super) fn record(row: &SqliteRow) -> Result<KeyRecord, StoreError> {
    Ok(KeyRecord {
        kid: parsed(row, "kid")?,
        tenant: tenant(row)?,
        tier: parsed(row, "tier")?,
        scopes: parsed(row, "scopes")?,
        version: version(row)?,
        not_before: date(row, "not_before")?,
        expires_at: date(row, "expires_at")?,
        created_at: UnixMillis::new(column(row, "created_at")?),
        last_used: date(row, "last_used")?,
        state: match column::<&str>(row, "status")? {
            "active" => RecordState::Active(Verifier {
                pepper: pepper(row)?,
                hash: KeyHash::new(mac(row, "hash")?),
                row_mac: RowMac::new(mac(row, "row_mac")?),
            }),
            "revoked" => RecordState::Revoked,
            _ => return Err(StoreError::unreadable("status")),
        },
    })
}

/// A change from the columns `seq`, `kid` and `version`.
pub(super) fn change(row: &SqliteRow) -> Result<Change, StoreError> {
    Ok(Change {
        seq: seq(row)?,
        kid: parsed(row, "kid")?,
        version: version(row)?,
    })
}

pub(super) fn tenant(row: &SqliteRow) -> Result<TenantId, StoreError> {
    parsed(row, "tenant")
}

pub(super) fn seq(row: &SqliteRow) -> Result<FeedSeq, StoreError> {
    unsigned(row, "seq").map(FeedSeq::new)
}

pub(super) fn version(row: &SqliteRow) -> Result<RecordVersion, StoreError> {
    unsigned(row, "version").map(RecordVersion::new)
}

/// A count as SQLite keeps it; what does not fit is beyond any count that is reached.
pub(super) fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn unsigned(row: &SqliteRow, name: &'static str) -> Result<u64, StoreError> {
    u64::try_from(column::<i64>(row, name)?).map_err(|_| StoreError::unreadable(name))
}

fn pepper(row: &SqliteRow) -> Result<PepperVersion, StoreError> {
    let name = "pepper_version";
    let number = u32::try_from(column::<i64>(row, name)?).ok();
    let version = number.and_then(|number| number.try_into().ok());
    version.ok_or_else(|| StoreError::unreadable(name))
}

fn date(row: &SqliteRow, name: &'static str) -> Result<Option<UnixMillis>, StoreError> {
    Ok(column::<Option<i64>>(row, name)?.map(UnixMillis::new))
}

fn mac(row: &SqliteRow, name: &'static str) -> Result<[u8; 32], StoreError> {
    column::<&[u8]>(row, name)?
        .try_into()
        .map_err(|_| StoreError::unreadable(name))
}

fn parsed<T: FromStr>(row: &SqliteRow, name: &'static str) -> Result<T, StoreError> {
    column::<&str>(row, name)?
        .parse()
        .map_err(|_| StoreError::unreadable(name))
}

fn column<'r, T>(row: &'r SqliteRow, name: &'static str) -> Result<T, StoreError>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
{
    row.try_get(name).map_err(|_| StoreError::unreadable(name))
}
