//! Where the next page begins.

use std::fmt;

use base64::{Engine as _, display::Base64Display, engine::general_purpose::URL_SAFE_NO_PAD};

use super::Filter;

/// Where a search goes on: base64url of the leaf before which it does, and of eight bytes of its filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SearchCursor {
    before: u64,
    filter: [u8; 8],
}

/// A text is no cursor of the search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCursor {
    /// It is none of any search.
    #[error("a cursor must be as a page gave it")]
    Malformed,
    /// It is of a search for something else.
    #[error("the cursor is of another search; begin without one")]
    OtherFilter,
}

impl SearchCursor {
    /// Before a leaf.
    #[must_use]
    pub fn new(before: u64, filter: &Filter) -> Self {
        Self {
            before,
            filter: filter.fingerprint(),
        }
    }

    /// Reads the cursor of a search with that filter.
    ///
    /// # Errors
    /// [`InvalidCursor`].
    pub fn parse(text: &str, filter: &Filter) -> Result<Self, InvalidCursor> {
        let mut bytes = [0; 18];
        let length = URL_SAFE_NO_PAD
            .decode_slice(text, &mut bytes)
            .map_err(|_| InvalidCursor::Malformed)?;
        let bytes: &[u8; 16] = bytes[..length]
            .try_into()
            .map_err(|_| InvalidCursor::Malformed)?;
        let [before, of] = bytes.as_chunks::<8>().0 else {
            return Err(InvalidCursor::Malformed);
        };
        let cursor = Self::new(u64::from_be_bytes(*before), filter);
        if cursor.filter != *of {
            return Err(InvalidCursor::OtherFilter);
        }
        Ok(cursor)
    }

    /// The leaf before which the search goes on.
    #[must_use]
    pub const fn before(&self) -> u64 {
        self.before
    }
}

impl fmt::Display for SearchCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.before.to_be_bytes());
        bytes[8..].copy_from_slice(&self.filter);
        Base64Display::new(&bytes, &URL_SAFE_NO_PAD).fmt(f)
    }
}
