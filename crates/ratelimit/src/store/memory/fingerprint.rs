//! Keys of fixed size in place of the texts they stand for.

use std::hash::{BuildHasher as _, BuildHasherDefault, Hash, Hasher, RandomState};

use crate::store::{Partition, Subject, Target};

/// A key of 128 bits, in place of the texts that it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fingerprint(u64, u64);

/// Makes fingerprints under two secret keys of this process, so that nobody can choose texts
/// whose fingerprints meet.
pub(super) struct Fingerprints {
    low: RandomState,
    high: RandomState,
}

/// Takes a fingerprint for its own hash.
pub(super) type FingerprintHasher = BuildHasherDefault<LowHalf>;

#[derive(Debug, Default)]
pub(super) struct LowHalf(u64);

impl Fingerprint {
    /// A number below `bound`, from the half that tables do not use.
    pub(super) fn index_below(self, bound: usize) -> usize {
        let index = (u128::from(self.1) * bound as u128) >> 64;
        usize::try_from(index).unwrap_or(0)
    }
}

impl Hash for Fingerprint {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.0);
    }
}

impl Fingerprints {
    pub(super) fn make_random() -> Self {
        Self {
            low: RandomState::new(),
            high: RandomState::new(),
        }
    }

    pub(super) fn of_partition(&self, partition: Partition<'_>) -> Fingerprint {
        self.of(&partition)
    }

    pub(super) fn of_bucket(&self, partition: Fingerprint, target: &Target<'_>) -> Fingerprint {
        let limit = target.limit().identity_hash();
        match target.subject() {
            Subject::Whole => Fingerprint(partition.0 ^ limit, partition.1),
            part => self.of(&(partition.0, partition.1, limit, part)),
        }
    }

    fn of(&self, what: &impl Hash) -> Fingerprint {
        Fingerprint(self.low.hash_one(what), self.high.hash_one(what))
    }
}

impl Hasher for LowHalf {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_u64(&mut self, half: u64) {
        self.0 = half;
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }
}
