//! Columns as values of this crate, whatever the database.

use std::str::FromStr;

use sqlx::{ColumnIndex, Decode, Row, Type};

use crate::{
    feed::{Change, ChangeKind, FeedId, FeedSeq, Invalidation, Reader, ReaderId},
    kid::Kid,
    pepper::PepperVersion,
    store::{KeyRecord, RecordState, RecordVersion, StoreError, UnixMillis},
    tenant::TenantId,
    verifier::{KeyHash, RowMac, Verifier},
};

/// A row whose columns are numbers, texts and bytes, any of them perhaps null. An error names the column.
pub(in crate::store) trait SqlRow: Row {
    fn number(&self, column: &'static str) -> Result<Option<i64>, StoreError>;
    fn text(&self, column: &'static str) -> Result<Option<&str>, StoreError>;
    fn bytes(&self, column: &'static str) -> Result<Option<&[u8]>, StoreError>;
}

impl<R: Row> SqlRow for R
where
    for<'a> &'a str: ColumnIndex<R> + Decode<'a, R::Database> + Type<R::Database>,
    for<'a> &'a [u8]: Decode<'a, R::Database> + Type<R::Database>,
    for<'a> i64: Decode<'a, R::Database> + Type<R::Database>,
{
    fn number(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.try_get(column)
            .map_err(|_| StoreError::unreadable(column))
    }

    fn text(&self, column: &'static str) -> Result<Option<&str>, StoreError> {
        self.try_get(column)
            .map_err(|_| StoreError::unreadable(column))
    }

    fn bytes(&self, column: &'static str) -> Result<Option<&[u8]>, StoreError> {
        self.try_get(column)
            .map_err(|_| StoreError::unreadable(column))
    }
}

/// A record from all columns of `apikey_cache_api_key`.
pub(super) fn record<R: SqlRow>(row: &R) -> Result<KeyRecord, StoreError> {
    Ok(KeyRecord {
        kid: kid(row)?,
        tenant: tenant(row)?,
        tier: parsed(row, "tier")?,
        scopes: parsed(row, "scopes")?,
        version: version(row)?,
        not_before: date(row, "not_before")?,
        expires_at: date(row, "expires_at")?,
        created_at: UnixMillis::new(number(row, "created_at")?),
        last_used: date(row, "last_used")?,
        state: match text(row, "status")? {
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
pub(super) fn change<R: SqlRow>(row: &R) -> Result<Change, StoreError> {
    let kind = match text(row, "kind")? {
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
pub(super) fn reader<R: SqlRow>(row: &R) -> Result<Reader, StoreError> {
    Ok(Reader {
        id: ReaderId::new(bytes(row, "id")?),
        applied: unsigned(row, "applied").map(FeedSeq::new)?,
        at: UnixMillis::new(number(row, "at")?),
    })
}

pub(super) fn feed_id<R: SqlRow>(row: &R) -> Result<FeedId, StoreError> {
    bytes(row, "id").map(FeedId::new)
}

pub(super) fn kid<R: SqlRow>(row: &R) -> Result<Kid, StoreError> {
    parsed(row, "kid")
}

/// A count from the column `number`.
pub(super) fn count<R: SqlRow>(row: &R) -> Result<u64, StoreError> {
    unsigned(row, "number")
}

pub(super) fn tenant<R: SqlRow>(row: &R) -> Result<TenantId, StoreError> {
    parsed(row, "tenant")
}

pub(super) fn seq<R: SqlRow>(row: &R) -> Result<FeedSeq, StoreError> {
    unsigned(row, "seq").map(FeedSeq::new)
}

pub(super) fn version<R: SqlRow>(row: &R) -> Result<RecordVersion, StoreError> {
    unsigned(row, "version").map(RecordVersion::new)
}

pub(super) fn pepper<R: SqlRow>(row: &R) -> Result<PepperVersion, StoreError> {
    let name = "pepper_version";
    let number = u32::try_from(number(row, name)?).ok();
    let version = number.and_then(|number| number.try_into().ok());
    version.ok_or_else(|| StoreError::unreadable(name))
}

fn unsigned<R: SqlRow>(row: &R, name: &'static str) -> Result<u64, StoreError> {
    u64::try_from(number(row, name)?).map_err(|_| StoreError::unreadable(name))
}

fn date<R: SqlRow>(row: &R, name: &'static str) -> Result<Option<UnixMillis>, StoreError> {
    Ok(row.number(name)?.map(UnixMillis::new))
}

fn number<R: SqlRow>(row: &R, name: &'static str) -> Result<i64, StoreError> {
    row.number(name)?
        .ok_or_else(|| StoreError::unreadable(name))
}

fn text<'r, R: SqlRow>(row: &'r R, name: &'static str) -> Result<&'r str, StoreError> {
    row.text(name)?.ok_or_else(|| StoreError::unreadable(name))
}

fn bytes<const N: usize, R: SqlRow>(row: &R, name: &'static str) -> Result<[u8; N], StoreError> {
    let bytes = row.bytes(name)?.and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or_else(|| StoreError::unreadable(name))
}

fn parsed<T: FromStr>(row: &impl SqlRow, name: &'static str) -> Result<T, StoreError> {
    text(row, name)?
        .parse()
        .map_err(|_| StoreError::unreadable(name))
}
