//! Numbers that are the same in every run.

/// SplitMix64 (Steele, Lea and Flood, 2014): small, and good enough to make up texts.
#[derive(Debug)]
pub(crate) struct Random(u64);

const DIGITS: &[u8] = b"0123456789";
const HEX: &[u8] = b"0123456789abcdef";

impl Random {
    /// The numbers that belong to a name: what is added to one corpus changes no other.
    pub(crate) fn of(name: &str) -> Self {
        // FNV-1a.
        Self(name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        }))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// At least `from` and at most `to`.
    pub(crate) fn within(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from + 1)
    }

    pub(crate) fn index(&mut self, length: usize) -> usize {
        let length = u64::try_from(length).expect("a length has at most 64 bits");
        usize::try_from(self.next() % length).expect("it is less than a length")
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.index(from.len())]
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: u64) -> bool {
        self.next().is_multiple_of(times)
    }

    pub(crate) fn letters(&mut self, alphabet: &[u8], count: usize) -> String {
        (0..count)
            .map(|_| char::from(self.pick(alphabet)))
            .collect()
    }

    pub(crate) fn digits(&mut self, count: usize) -> String {
        self.letters(DIGITS, count)
    }

    pub(crate) fn hex(&mut self, count: usize) -> String {
        self.letters(HEX, count)
    }

    /// A number of this many digits that does not begin with a zero.
    pub(crate) fn number(&mut self, digits: usize) -> String {
        let first = self.letters(b"123456789", 1);
        first + &self.digits(digits - 1)
    }
}
