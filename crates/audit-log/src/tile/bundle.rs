//! Bundles of entries.

use super::{TileError, TileKind, TilePath};

/// An entry bundle: up to 256 entries that stand side by side, each behind its length in two bytes.
#[derive(Debug, Clone, Copy)]
pub struct EntryBundle<'a> {
    path: TilePath,
    bytes: &'a [u8],
}

/// The entries of a bundle, in their order.
#[derive(Debug, Clone)]
pub struct Entries<'a>(&'a [u8]);

/// Appends an entry to the bytes of a bundle.
///
/// # Errors
/// [`TileError::EntryTooLong`] if it has more than 65,535 bytes; nothing is appended.
pub fn write_entry(entry: &[u8], bundle: &mut Vec<u8>) -> Result<(), TileError> {
    let found = entry.len();
    let length = u16::try_from(found).map_err(|_| TileError::EntryTooLong { found })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

impl<'a> EntryBundle<'a> {
    /// Reads the file of a bundle, without copying it.
    ///
    /// # Errors
    /// [`TileError::OtherKind`] if the path is that of a tile, [`TileError::Truncated`] and
    /// [`TileError::TrailingBytes`] if the file does not have as many entries as the path says.
    pub fn decode(path: TilePath, bytes: &'a [u8]) -> Result<Self, TileError> {
        if path.kind() != TileKind::Entries {
            return Err(TileError::OtherKind);
        }
        let mut entries = Entries(bytes);
        for entry in 0..usize::from(path.width()) {
            entries.next().ok_or(TileError::Truncated { entry })?;
        }
        match entries.0.len() {
            0 => Ok(Self { path, bytes }),
            found => Err(TileError::TrailingBytes { found }),
        }
    }

    /// Where it stands.
    #[must_use]
    pub const fn path(&self) -> TilePath {
        self.path
    }

    /// Its entries: as many as the path says.
    #[must_use]
    pub const fn entries(&self) -> Entries<'a> {
        Entries(self.bytes)
    }
}

impl<'a> Entries<'a> {
    /// Of bytes that stand elsewhere than in a bundle.
    pub(crate) const fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether no byte is left, once there is no next entry.
    pub(crate) const fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Iterator for Entries<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.0.split_first_chunk::<2>()?;
        let (entry, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        self.0 = rest;
        Some(entry)
    }
}
