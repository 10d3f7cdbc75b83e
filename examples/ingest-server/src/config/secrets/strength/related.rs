//! Two secrets of which one follows from the other: anyone who learns one has both.

use ring::digest::{SHA256, digest};
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use super::{Key, encoded, pattern::most_common};

/// What a key is to another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equal,
    /// Anyone who has the other one finds it by trying a few things.
    Derived,
}

/// What a key is to another one; nothing for two that were drawn apart, but for 1 pair in 10^9.
pub(super) fn relation(key: &Key, other: &Key) -> Option<Relation> {
    let mut reversed = Zeroizing::new(*other);
    reversed.reverse();
    if bool::from(key.ct_eq(other)) {
        Some(Relation::Equal)
    } else if is_changed(key, other)
        || is_changed(key, &reversed)
        || shares_a_part(key, other, &reversed)
        || is_hash(key, other)
        || is_hash(other, key)
    {
        Some(Relation::Derived)
    } else {
        None
    }
}

/// Most bytes are the same, or changed in the same way.
fn is_changed(key: &Key, other: &Key) -> bool {
    let pairs = || key.iter().zip(other);
    most_common(&mut pairs().map(|(one, other)| one ^ other)) >= 8
        || most_common(&mut pairs().map(|(one, other)| one.wrapping_sub(*other))) >= 8
        || most_common(&mut pairs().map(|(one, other)| one.wrapping_add(*other))) >= 8
}

/// Eight bytes in a row that the other has too, wherever they stand.
fn shares_a_part(key: &Key, other: &Key, reversed: &Key) -> bool {
    let has = |whole: &Key, part: &[u8]| whole.windows(8).any(|window| window == part);
    key.windows(8)
        .any(|part| has(other, part) || has(reversed, part))
}

fn is_hash(key: &Key, other: &Key) -> bool {
    let spellings = encoded::spellings(other);
    let is_hash_of = |bytes: &[u8]| digest(&SHA256, bytes).as_ref() == key;
    is_hash_of(other) || spellings.iter().any(|text| is_hash_of(text.as_bytes()))
}
