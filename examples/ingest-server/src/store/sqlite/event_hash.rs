//! What events are told apart by in an index: 16 bytes, whatever their texts.

use ring::digest::{Context, SHA256};
use rusqlite::{
    ToSql,
    types::{FromSql, FromSqlResult, ToSqlOutput, ValueRef},
};

/// The first 16 bytes of SHA-256 over tenant, source and id, each behind its length.
///
/// It is stored, so it takes no secret, which would have to outlive its rotation. An event of another
/// tenant is taken for one that is there only by a second preimage that begins with the attacker's own
/// tenant. Two of one tenant with one hash take 2⁶⁴ attempts, and are told apart by their texts, which are
/// compared wherever a hash is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EventHash([u8; 16]);

impl EventHash {
    /// The hash of the event with this tenant, source and id.
    pub(super) fn of(texts: [&[u8]; 3]) -> Self {
        let mut digest = Context::new(&SHA256);
        for text in texts {
            digest.update(&(text.len() as u64).to_be_bytes());
            digest.update(text);
        }
        let mut hash = [0; 16];
        hash.copy_from_slice(&digest.finish().as_ref()[..16]);
        Self(hash)
    }

    pub(super) const fn first_byte(self) -> u8 {
        self.0[0]
    }

    pub(super) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The least and the greatest with a first byte.
    pub(super) const fn bounds(first_byte: u8) -> (Self, Self) {
        let (mut least, mut greatest) = ([0; 16], [0xff; 16]);
        least[0] = first_byte;
        greatest[0] = first_byte;
        (Self(least), Self(greatest))
    }
}

impl FromSql for EventHash {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(Self)
    }
}

impl ToSql for EventHash {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(&self.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tenant: &str, source: &str, id: &str) -> EventHash {
        EventHash::of([tenant.as_bytes(), source.as_bytes(), id.as_bytes()])
    }

    /// Databases hold it: never change it.
    #[test]
    fn the_hash_is_the_documented_one() {
        let hash = of("acme", "shop/web", "1");
        assert_eq!(hex::encode(hash.0), "e996e55a6ef459fa1b36f993bfcdbeb2");
    }

    #[test]
    fn texts_that_run_together_to_the_same_have_hashes_of_their_own() {
        let hashes = [
            of("ab", "c", "d"),
            of("a", "bc", "d"),
            of("a", "b", "cd"),
            of("abc", "d", ""),
        ];
        for (index, one) in hashes.iter().enumerate() {
            assert!(!hashes[..index].contains(one), "{index}");
        }
    }

    #[test]
    fn bounds_hold_what_begins_with_their_byte() {
        for id in 0..1_000 {
            let hash = of("acme", "shop/web", &id.to_string());
            let (least, greatest) = EventHash::bounds(hash.first_byte());
            assert!(least <= hash && hash <= greatest, "{hash:?}");
            assert!(least.first_byte() == greatest.first_byte());
        }
    }
}
