//! Fingerprints as columns of a database: `BLOB` in SQLite, `BYTEA` in PostgreSQL.

use sqlx::{Database, Decode, Encode, Type, encode::IsNull, error::BoxDynError};

use super::{IndexValue, MAX_BYTES, VERSION_BYTES};

/// The bytes of a column are no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the value of a blind index")]
struct MalformedIndexValue;

impl<DB: Database> Type<DB> for IndexValue
where
    Vec<u8>: Type<DB>,
{
    fn type_info() -> DB::TypeInfo {
        <Vec<u8> as Type<DB>>::type_info()
    }

    fn compatible(found: &DB::TypeInfo) -> bool {
        <Vec<u8> as Type<DB>>::compatible(found)
    }
}

impl<'q, DB: Database> Encode<'q, DB> for IndexValue
where
    Vec<u8>: Encode<'q, DB>,
{
    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        self.as_bytes().to_vec().encode(buffer)
    }

    fn size_hint(&self) -> usize {
        self.len
    }
}

impl<'r, DB: Database> Decode<'r, DB> for IndexValue
where
    Vec<u8>: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let bytes = <Vec<u8> as Decode<DB>>::decode(value)?;
        let version = Self::stored_version(&bytes).ok_or(MalformedIndexValue)?;
        if bytes.len() == VERSION_BYTES || bytes.len() > MAX_BYTES {
            return Err(MalformedIndexValue.into());
        }
        Ok(Self::new(version, &bytes[VERSION_BYTES..]))
    }
}
