//! The bytes of one body, as they come.

use bytes::Bytes;
use memmap2::MmapMut;

use crate::{
    pipeline::{
        allowance::{BodyAllowance, LIGHT},
        rejection::Rejection,
    },
    quality::Reason,
};

/// Memory is taken from the system in pages of so many bytes.
const PAGE: usize = 4_096;

/// Bytes that grow up to a bound, and are counted. What is large has memory of its own, which the
/// system gets back at once: an allocator would keep it after a flood of large bodies.
#[derive(Debug)]
pub(super) struct BodyBuffer {
    held: Held,
    /// Its bytes that are counted.
    counted: usize,
    longest: usize,
}

#[derive(Debug)]
enum Held {
    Small(Vec<u8>),
    Large(Mapped),
}

#[derive(Debug)]
struct Mapped {
    memory: MmapMut,
    length: usize,
}

impl BodyBuffer {
    /// For a body that is no longer than `longest`.
    pub(super) const fn new(longest: usize) -> Self {
        Self {
            held: Held::Small(Vec::new()),
            counted: 0,
            longest,
        }
    }

    pub(super) const fn len(&self) -> usize {
        match &self.held {
            Held::Small(bytes) => bytes.len(),
            Held::Large(mapped) => mapped.length,
        }
    }

    /// How many bytes are counted for it.
    pub(super) const fn counted(&self) -> usize {
        self.counted
    }

    /// Appends bytes, and counts what they take.
    pub(super) fn extend(
        &mut self,
        bytes: &[u8],
        allowance: &mut BodyAllowance,
    ) -> Result<(), Rejection> {
        let length = self.len() + bytes.len();
        let takes = length.next_multiple_of(PAGE);
        if takes > self.counted {
            allowance.grow(takes - self.counted)?;
            self.counted = takes;
        }
        if length > LIGHT {
            self.enlarge(length)?;
        }
        match &mut self.held {
            Held::Small(held) => {
                held.reserve_exact(takes - held.len());
                held.extend_from_slice(bytes);
            }
            Held::Large(mapped) => {
                mapped.memory[mapped.length..length].copy_from_slice(bytes);
                mapped.length = length;
            }
        }
        Ok(())
    }

    /// Moves a small buffer into memory of its own. Pages of it are taken when they are written.
    fn enlarge(&mut self, length: usize) -> Result<(), Rejection> {
        let Held::Small(bytes) = &self.held else {
            return Ok(());
        };
        let memory = MmapMut::map_anon(self.longest.max(length));
        let mut memory = memory.map_err(|_| Rejection::plain(Reason::CapacityMemory))?;
        memory[..bytes.len()].copy_from_slice(bytes);
        self.held = Held::Large(Mapped {
            memory,
            length: bytes.len(),
        });
        Ok(())
    }

    pub(super) fn into_bytes(self) -> Bytes {
        match self.held {
            Held::Small(bytes) => bytes.into(),
            Held::Large(mapped) => Bytes::from_owner(mapped),
        }
    }
}

impl AsRef<[u8]> for BodyBuffer {
    fn as_ref(&self) -> &[u8] {
        match &self.held {
            Held::Small(bytes) => bytes,
            Held::Large(mapped) => mapped.as_ref(),
        }
    }
}

impl AsRef<[u8]> for Mapped {
    fn as_ref(&self) -> &[u8] {
        &self.memory[..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_in_order_and_counted_in_pages() {
        let mut allowance = BodyAllowance::of_operator(2 << 20).unwrap();
        let mut buffer = BodyBuffer::new(1 << 20);
        let mut expected = Vec::new();
        for (n, more) in [0, 1, 100, 5_000, 11_283, 1, 70_000, 300_000]
            .into_iter()
            .enumerate()
        {
            let bytes = vec![u8::try_from(n).unwrap(); more];
            buffer.extend(&bytes, &mut allowance).unwrap();
            expected.extend_from_slice(&bytes);
            assert_eq!(buffer.as_ref(), expected);
            assert_eq!(buffer.counted(), expected.len().next_multiple_of(PAGE));
            assert_eq!(buffer.counted(), allowance.bytes());
        }
        assert_eq!(buffer.into_bytes(), expected);
    }

    #[test]
    fn what_is_over_the_allowance_is_not_taken_in() {
        let mut allowance = BodyAllowance::of_operator(2 * PAGE).unwrap();
        let mut buffer = BodyBuffer::new(1 << 20);
        buffer.extend(&[0; 2 * PAGE], &mut allowance).unwrap();
        assert!(buffer.extend(&[0], &mut allowance).is_err());
        assert_eq!((buffer.len(), buffer.counted()), (2 * PAGE, 2 * PAGE));
    }
}
