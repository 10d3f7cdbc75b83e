//! Which feed is which.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// The identity of a feed: 16 random bytes, made with it and not secret; as text 32 hexadecimal digits.
///
/// Numbers of changes mean something only together with it: what nodes tell each other of one feed is never
/// taken for another's, such as that of a test environment on the same Redis.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct FeedId([u8; 16]);

impl FeedId {
    /// From the bytes a store kept.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for FeedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FeedId({self})")
    }
}

impl FromStr for FeedId {
    type Err = MalformedFeedId;

    fn from_str(text: &str) -> Result<Self, MalformedFeedId> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() != 32 || !text.bytes().all(is_digit) {
            return Err(MalformedFeedId);
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| MalformedFeedId)?;
        Ok(Self(number.to_be_bytes()))
    }
}

/// A text that is no id of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the id of a feed is 32 hexadecimal digits, letters small")]
#[non_exhaustive]
pub struct MalformedFeedId;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_from_its_text_and_from_no_other() {
        let id = FeedId::new([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        let text = "000102030405060708090a0b0c0d0eff";
        assert_eq!(id.to_string(), text);
        assert_eq!(text.parse(), Ok(id));
        for other in [
            "",
            "0",
            "+00102030405060708090a0b0c0d0eff",
            "000102030405060708090A0B0C0D0EFF",
            "000102030405060708090a0b0c0d0effff",
        ] {
            assert_eq!(other.parse::<FeedId>(), Err(MalformedFeedId), "{other}");
        }
    }
}
