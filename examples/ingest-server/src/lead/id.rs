//! What identifies a lead.

use std::fmt;

use portcullis_keyring::entropy::{Entropy, EntropyError};
use time::OffsetDateTime;
use uuid::{Uuid, fmt::Hyphenated};

/// Identifies a lead; a UUIDv7 made by the application before the insert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct LeadId(pub(crate) Uuid);

impl LeadId {
    /// An id that is never made.
    pub(crate) const NOBODY: Self = Self(Uuid::nil());

    /// A new id: UUIDv7, so that ids sort by creation.
    ///
    /// # Errors
    /// The random source failed.
    pub(crate) fn make(at: OffsetDateTime, entropy: &dyn Entropy) -> Result<Self, EntropyError> {
        let mut random = [0; 10];
        entropy.fill(&mut random)?;
        let millis = u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        Ok(Self(
            uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid(),
        ))
    }

    /// The least that is made at a time.
    pub(crate) fn first_of(at: OffsetDateTime) -> Self {
        let millis = u64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or_default();
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid())
    }

    /// As text, in a buffer of the caller's: rows hold it several times.
    pub(crate) fn text(self, buffer: &mut [u8; Hyphenated::LENGTH]) -> &str {
        self.0.hyphenated().encode_lower(buffer)
    }

    /// Reads a lead id from a path, an event or a row.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        Uuid::parse_str(text).ok().map(Self)
    }
}

impl fmt::Display for LeadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}
