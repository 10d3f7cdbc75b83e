//! How a plaintext is laid out.

/// How the plaintext of a sealed field is laid out; its number stands in every sealed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Suite {
    /// 01: the length of the ciphertext is that of the value.
    Exact,
    /// 02: padded with `80 00…` to a multiple of 32 bytes, so that the length tells little.
    Padded,
}

impl Suite {
    pub(crate) const ALL: [Self; 2] = [Self::Exact, Self::Padded];

    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::Exact => 1,
            Self::Padded => 2,
        }
    }

    #[inline]
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.number() == number)
    }

    /// How long `plain` bytes are once they are laid out.
    pub(crate) const fn padded_len(self, plain: usize) -> usize {
        match self {
            Self::Exact => plain,
            Self::Padded => (plain + 1).next_multiple_of(PADDING_BLOCK),
        }
    }

    /// Whether some plaintext is laid out in this many bytes.
    pub(crate) const fn can_be_padded_len(self, len: usize) -> bool {
        match self {
            Self::Exact => true,
            Self::Padded => len > 0 && len.is_multiple_of(PADDING_BLOCK),
        }
    }

    /// Pads what follows `from` in a buffer.
    #[inline]
    pub(crate) fn pad(self, buffer: &mut Vec<u8>, from: usize) {
        if self == Self::Padded {
            let end = from + self.padded_len(buffer.len() - from);
            buffer.push(PADDING_START);
            buffer.resize(end, 0);
        }
    }

    /// How much of a laid-out plaintext is the value; nothing unless the padding is the one that
    /// [`pad`](Self::pad) makes.
    #[inline]
    pub(crate) fn unpadded_len(self, padded: &[u8]) -> Option<usize> {
        let len = match self {
            Self::Exact => padded.len(),
            Self::Padded => padded.iter().rposition(|byte| *byte != 0)?,
        };
        let canonical = self == Self::Exact || padded[len] == PADDING_START;
        (canonical && self.padded_len(len) == padded.len()).then_some(len)
    }
}

const PADDING_START: u8 = 0x80;
const PADDING_BLOCK: usize = 32;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn padding_is_undone(plain in proptest::collection::vec(any::<u8>(), 0..200), from in 0..50_usize) {
            for suite in Suite::ALL {
                let mut buffer = vec![0xee; from];
                buffer.extend_from_slice(&plain);
                suite.pad(&mut buffer, from);
                let padded = &buffer[from..];
                prop_assert_eq!(padded.len(), suite.padded_len(plain.len()));
                prop_assert!(suite.can_be_padded_len(padded.len()));
                prop_assert_eq!(suite.unpadded_len(padded), Some(plain.len()));
                prop_assert_eq!(&padded[..plain.len()], &plain[..]);
            }
        }
    }

    #[test]
    fn only_canonical_padding_is_undone() {
        let block = |text: &[u8]| {
            let mut block = vec![0; 32];
            block[..text.len()].copy_from_slice(text);
            block
        };
        assert_eq!(Suite::Padded.unpadded_len(&block(b"ab\x80")), Some(2));
        assert_eq!(Suite::Padded.unpadded_len(&block(b"\x80")), Some(0));
        assert_eq!(Suite::Padded.unpadded_len(&block(b"ab")), None);
        assert_eq!(Suite::Padded.unpadded_len(&block(b"")), None);
        let more_than_needed = [block(b"ab\x80"), block(b"")].concat();
        assert_eq!(Suite::Padded.unpadded_len(&more_than_needed), None);
        assert_eq!(Suite::Padded.unpadded_len(&[]), None);
    }
}
