//! Which number the next event of each tenant has.

use std::{collections::HashMap, io, path::Path};

use super::{FileStoreError, file_error::failed};
use crate::{bounded_file, disk::Disk, event::Leaf, folder::WholeFiles};

/// The next number of each tenant, after the first `size` entries of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tenants {
    pub(super) size: u64,
    next: HashMap<Box<str>, u64>,
}

/// The name of the file.
const NAME: &str = "tenants";
const MAGIC: [u8; 4] = *b"PAT1";
/// The numbers of some seven million tenants with the longest names.
const MAX_BYTES: usize = 1024 * 1024 * 1024;

impl Tenants {
    /// As the file in a folder has them: `"PAT1" ‖ CRC-32 of the rest u32 ‖ size u64 ‖ (length u8 ‖ tenant ‖ next
    /// u64)*`. Nothing if it is not there, or is not what was written.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, FileStoreError> {
        let path = folder.join(NAME);
        match bounded_file::read(&path, MAX_BYTES) {
            Ok(bytes) => Ok(decode(&bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("read", &path)(error)),
        }
    }

    /// Writes them to the file, which is replaced as a whole.
    pub(super) fn write(&self, disk: &dyn Disk, folder: &Path) -> Result<(), FileStoreError> {
        let mut bytes = Vec::new();
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.size.to_be_bytes());
        for (tenant, next) in &self.next {
            // An id has at most 128 bytes.
            bytes.push(u8::try_from(tenant.len()).unwrap_or(u8::MAX));
            bytes.extend_from_slice(tenant.as_bytes());
            bytes.extend_from_slice(&next.to_be_bytes());
        }
        let checksum = crc32fast::hash(&bytes[8..]);
        bytes[4..8].copy_from_slice(&checksum.to_be_bytes());
        let mut files = WholeFiles::for_owner(disk, folder);
        files.put(NAME, &bytes)?;
        Ok(files.finish()?)
    }

    /// The number of the next event of a tenant.
    pub(super) fn next_of(&self, tenant: &str) -> u64 {
        self.next.get(tenant).copied().unwrap_or(0)
    }

    /// Takes note of a leaf. Gives whether another of its tenant can follow it.
    pub(super) fn follow(&mut self, leaf: &Leaf<'_>) -> bool {
        let next = leaf.numbers().in_tenant.checked_add(1);
        if let Some(next) = next {
            self.set(leaf.tenant(), next);
        }
        next.is_some()
    }

    /// An event of a tenant had the number before this one.
    pub(super) fn set(&mut self, tenant: &str, next: u64) {
        match self.next.get_mut(tenant) {
            Some(known) => *known = next,
            None => {
                self.next.insert(tenant.into(), next);
            }
        }
    }
}

fn decode(bytes: &[u8]) -> Option<Tenants> {
    let (magic, rest) = bytes.split_first_chunk::<4>()?;
    let (checksum, rest) = rest.split_first_chunk::<4>()?;
    if *magic != MAGIC || crc32fast::hash(rest) != u32::from_be_bytes(*checksum) {
        return None;
    }
    let (size, mut rest) = rest.split_first_chunk::<8>()?;
    let mut tenants = Tenants {
        size: u64::from_be_bytes(*size),
        ..Tenants::default()
    };
    while let Some((length, after)) = rest.split_first() {
        let (tenant, after) = after.split_at_checked(usize::from(*length))?;
        let (next, after) = after.split_first_chunk::<8>()?;
        tenants.set(str::from_utf8(tenant).ok()?, u64::from_be_bytes(*next));
        rest = after;
    }
    Some(tenants)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;
    use crate::disk::SystemDisk;

    #[test]
    fn they_are_read_as_they_were_written_and_each_bit_is_guarded() {
        let dir = TempDir::new().unwrap();
        assert_eq!(Tenants::read(dir.path()).unwrap(), None);
        let mut tenants = Tenants::default();
        tenants.write(&SystemDisk, dir.path()).unwrap();
        assert_eq!(Tenants::read(dir.path()).unwrap(), Some(tenants.clone()));
        tenants.size = 9;
        tenants.set("tenant-7", 5);
        tenants.set("system", 4);
        tenants.write(&SystemDisk, dir.path()).unwrap();
        let read = Tenants::read(dir.path()).unwrap().unwrap();
        assert_eq!(read, tenants);
        assert_eq!((read.next_of("tenant-7"), read.next_of("nobody")), (5, 0));
        let sound = fs::read(dir.path().join(NAME)).unwrap();
        for bit in 0..sound.len() * 8 {
            let mut bytes = sound.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            fs::write(dir.path().join(NAME), &bytes).unwrap();
            assert_eq!(Tenants::read(dir.path()).unwrap(), None, "bit {bit}");
        }
    }
}
