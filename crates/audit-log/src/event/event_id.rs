//! What an event is known by before it has a place in the log.

use std::fmt;

use super::{
    Timestamp,
    hex_id::{read_hex, write_hex},
};

/// A UUID of version 7 (RFC 9562, 5.7): milliseconds, and 74 random bits, so that the hash of a leaf hides what the
/// leaf says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId([u8; 16]);

const VERSION: u8 = 0x70;
const VARIANT: u8 = 0x80;
/// Where dashes stand among the bytes.
const GROUPS: [(usize, usize); 5] = [(0, 4), (4, 6), (6, 8), (8, 10), (10, 16)];

impl EventId {
    /// The length of its text.
    pub(super) const TEXT_BYTES: usize = 36;

    /// An id from the time, and 10 random bytes of which 74 bits are used.
    #[must_use]
    pub fn new(time: Timestamp, random: [u8; 10]) -> Self {
        let mut bytes = [0; 16];
        // 48 bits of milliseconds.
        bytes[..6].copy_from_slice(&time.unix_millis().to_be_bytes()[2..]);
        bytes[6..].copy_from_slice(&random);
        bytes[6] = VERSION | bytes[6] & 0x0f;
        bytes[8] = VARIANT | bytes[8] & 0x3f;
        Self(bytes)
    }

    /// Reads a UUID of version 7 with dashes and small letters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != Self::TEXT_BYTES {
            return None;
        }
        let mut bytes = [0; 16];
        let mut groups = text.split('-');
        for (start, end) in GROUPS {
            read_hex(groups.next()?, &mut bytes[start..end])?;
        }
        let is_version_7 = bytes[6] & 0xf0 == VERSION && bytes[8] & 0xc0 == VARIANT;
        (groups.next().is_none() && is_version_7).then_some(Self(bytes))
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        for (start, end) in GROUPS {
            if start != 0 {
                out.push(b'-');
            }
            write_hex(&self.0[start..end], out);
        }
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (start, end) in GROUPS {
            if start != 0 {
                f.write_str("-")?;
            }
            for byte in &self.0[start..end] {
                write!(f, "{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventId({self})")
    }
}
