//! Sealed values as columns of a database: `BLOB` in SQLite, `BYTEA` in PostgreSQL.

use sqlx::{Database, Decode, Encode, Type, encode::IsNull, error::BoxDynError};

use super::Sealed;

impl<T, DB: Database> Type<DB> for Sealed<T>
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

impl<'q, T, DB: Database> Encode<'q, DB> for Sealed<T>
where
    Vec<u8>: Encode<'q, DB>,
{
    fn encode(self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        self.bytes.encode(buffer)
    }

    fn encode_by_ref(&self, buffer: &mut DB::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        self.bytes.encode_by_ref(buffer)
    }

    fn size_hint(&self) -> usize {
        Encode::<DB>::size_hint(&self.bytes)
    }
}

/// What is no sealed value is [`MalformedSealed`](crate::MalformedSealed): plaintext is never taken for
/// one.
impl<'r, T, DB: Database> Decode<'r, DB> for Sealed<T>
where
    Vec<u8>: Decode<'r, DB>,
{
    fn decode(value: DB::ValueRef<'r>) -> Result<Self, BoxDynError> {
        let bytes = <Vec<u8> as Decode<DB>>::decode(value)?;
        Ok(Self::from_bytes(bytes)?)
    }
}
