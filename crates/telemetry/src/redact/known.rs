//! What is known of names that are written in the program.

use std::{
    array, fmt,
    sync::atomic::{AtomicU64, Ordering},
};

/// The verdicts on names by where these stand in memory: a name that is written in the program stands
/// there until it ends, and has the same verdict each time.
pub(super) struct KnownNames {
    /// A name and its verdict in one word, so that no lock is needed. Zero for none.
    slots: Box<[AtomicU64; SLOTS]>,
}

/// More than a program has names of fields; of two that share a place the later one has it.
const SLOTS: usize = 512;

const LENGTH_BITS: u32 = 15;
const ADDRESS_BITS: u32 = 48;

impl KnownNames {
    /// Whether the name hides its value: as it is known, or as `judge` says.
    pub(super) fn hides(&self, name: &'static str, judge: impl FnOnce(&str) -> bool) -> bool {
        let Some(place) = place(name) else {
            return judge(name);
        };
        // Neighbours in memory are as a rule some bytes apart.
        let slot = (place >> (LENGTH_BITS + 1)) ^ (place >> (LENGTH_BITS + 5));
        let slot = usize::try_from(slot % SLOTS as u64).unwrap_or_default();
        let known = self.slots[slot].load(Ordering::Relaxed);
        if known & !1 == place {
            return known & 1 == 1;
        }
        let hides = judge(name);
        self.slots[slot].store(place | u64::from(hides), Ordering::Relaxed);
        hides
    }
}

/// Where the name begins and how long it is, with a bit to spare.
fn place(name: &'static str) -> Option<u64> {
    let address = u64::try_from(name.as_ptr().addr()).ok()?;
    let length = u64::try_from(name.len()).ok()?;
    let fits = address < 1 << ADDRESS_BITS && length < 1 << LENGTH_BITS;
    fits.then_some(address << (LENGTH_BITS + 1) | length << 1)
}

impl Default for KnownNames {
    fn default() -> Self {
        Self {
            slots: Box::new(array::from_fn(|_| AtomicU64::new(0))),
        }
    }
}

impl fmt::Debug for KnownNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KnownNames").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names that begin at the same place are not each other.
    #[test]
    fn a_name_is_judged_once_and_not_taken_for_its_beginning() {
        let known = KnownNames::default();
        let names: &'static str = "token_count";
        for _ in 0..2 {
            assert!(known.hides(&names[..5], |name| name == "token"));
            assert!(!known.hides(names, |name| name == "token"));
        }
        let never = |_: &str| unreachable!("it is known");
        assert!(!known.hides(names, never));
    }
}
