//! Random bytes for ids and salts, a page at a time: to ask the system for each would be most of what a note costs.

use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroize as _;

use crate::{
    entropy::{Entropy, EntropyError},
    event::{EventId, Salt, Timestamp},
};

const POOL_BYTES: usize = 4_096;

#[derive(Debug)]
pub(super) struct Ids {
    entropy: Arc<dyn Entropy>,
    pool: Mutex<Pool>,
}

struct Pool {
    bytes: [u8; POOL_BYTES],
    used: usize,
}

impl Ids {
    pub(super) const fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self {
            entropy,
            pool: Mutex::new(Pool {
                bytes: [0; POOL_BYTES],
                used: POOL_BYTES,
            }),
        }
    }

    pub(super) fn event_id(&self, time: Timestamp) -> Result<EventId, EntropyError> {
        Ok(EventId::new(time, self.take()?))
    }

    pub(super) fn salt(&self) -> Result<Salt, EntropyError> {
        Ok(Salt::from_bytes(self.take()?))
    }

    fn take<const N: usize>(&self) -> Result<[u8; N], EntropyError> {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.used + N > POOL_BYTES {
            // Should the source fail, what it wrote is not used.
            pool.used = POOL_BYTES;
            self.entropy.fill(&mut pool.bytes)?;
            pool.used = 0;
        }
        let Pool { bytes, used } = &mut *pool;
        let given = &mut bytes[*used..*used + N];
        *used += N;
        let mut taken = [0; N];
        taken.copy_from_slice(given);
        given.zeroize();
        Ok(taken)
    }
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}
