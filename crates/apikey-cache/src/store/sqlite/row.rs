//! Columns of SQLite as values of this crate.

use std::str::FromStr;

use sqlx::{Row, Sqlite, Type, decode::Decode, sqlite::SqliteRow};

use crate::{
    feed::{Change, ChangeKind, FeedId, FeedSeq, Invalidation, Reader, ReaderId},
    kid::Kid,
    pepper::PepperVersion,
    store::{KeyRecord, RecordState, RecordVersion, StoreError, UnixMillis},
    tenant::TenantId,
    verifier::{KeyHash, RowMac, Verifier},
};

/// A record from all columns of `apikey_cache_api_key`.
pub(super) fn record(row: &SqliteRow) -> Result<KeyRecord, StoreError> {
    Ok(KeyRecord {
        kid: kid(row)?,
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
                hash: KeyHash::new(bytes(row, "hash")?),
                row_mac: RowMac::new(bytes(row, "row_mac")?),
            }),
            "revoked" => RecordState::Revoked,
            _ => return Err(StoreError::unreadable("status")),
        },
    })
}

/// The columns of a change but for its number and date.
pub(super) struct ChangeColumns<'a> {
    pub(super) kind: &'static str,
    pub(super) kid: Option<&'a str>,
    pub(super) version: Option<RecordVersion>,
    pub(super) tenant: Option<&'a str>,
}

const RECORD: &str = "record";
const KEY: &str = "key";
const TENANT: &str = "tenant";
const ALL: &str = "all";

pub(super) fn change_columns(kind: &ChangeKind) -> ChangeColumns<'_> {
    let (name, kid, version, tenant) = match kind {
        ChangeKind::Record { kid, version } => (RECORD, Some(kid), Some(*version), None),
        ChangeKind::Invalidation(Invalidation::Key(kid)) => (KEY, Some(kid), None, None),
        ChangeKind::Invalidation(Invalidation::Tenant(tenant)) => {
            (TENANT, None, None, Some(tenant))
        }
        ChangeKind::Invalidation(Invalidation::All) => (ALL, None, None, None),
    };
    ChangeColumns {
        kind: name,
        kid: kid.map(Kid::as_str),
        version,
        tenant: tenant.map(TenantId::as_str),
    }
}

/// A change from the columns `seq`, `kind`, `kid`, `version` and `tenant`.
pub(super) fn change(row: &SqliteRow) -> Result<Change, StoreError> {
    let kind = match column::<&str>(row, "kind")? {
        RECORD => ChangeKind::Record {
            kid: kid(row)?,
            version: version(row)?,
        },
        KEY => ChangeKind::Invalidation(Invalidation::Key(kid(row)?)),
        TENANT => ChangeKind::Invalidation(Invalidation::Tenant(tenant(row)?)),
        ALL => ChangeKind::Invalidation(Invalidation::All),
        _ => return Err(StoreError::unreadable("kind")),
    };
    Ok(Change {
        seq: seq(row)?,
        kind,
    })
}

/// A reader from all columns of `apikey_cache_reader`.
pub(super) fn reader(row: &SqliteRow) -> Result<Reader, StoreError> {
    Ok(Reader {
        id: ReaderId::new(bytes(row, "id")?),
        applied: unsigned(row, "applied").map(FeedSeq::new)?,
        at: UnixMillis::new(column(row, "at")?),
    })
}

pub(super) fn feed_id(row: &SqliteRow) -> Result<FeedId, StoreError> {
    bytes(row, "id").map(FeedId::new)
}

pub(super) fn kid(row: &SqliteRow) -> Result<Kid, StoreError> {
    parsed(row, "kid")
}

/// A count from the column `number`.
pub(super) fn number(row: &SqliteRow) -> Result<u64, StoreError> {
    unsigned(row, "number")
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

pub(super) fn pepper(row: &SqliteRow) -> Result<PepperVersion, StoreError> {
    let name = "pepper_version";
    let number = u32::try_from(column::<i64>(row, name)?).ok();
    let version = number.and_then(|number| number.try_into().ok());
    version.ok_or_else(|| StoreError::unreadable(name))
}

fn date(row: &SqliteRow, name: &'static str) -> Result<Option<UnixMillis>, StoreError> {
    Ok(column::<Option<i64>>(row, name)?.map(UnixMillis::new))
}

fn bytes<const N: usize>(row: &SqliteRow, name: &'static str) -> Result<[u8; N], StoreError> {
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
