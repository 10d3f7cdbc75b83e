//! What the body of a request may use: memory, of which one tenant gets a quarter, and slots for work on the
//! processors, taken one after the other.

mod work_queues;

use std::fmt;

use portcullis_keyring::TenantId;

use self::work_queues::{WorkQueues, WorkSlot};
use super::rejection::Rejection;
use crate::{
    quality::Reason,
    shares::{Exceeded, Share, Shares},
};

/// Bytes that all bodies take together, with what is built from them.
const MEMORY: usize = 64 << 20;

/// What is smaller than this is worked on at once: unpacking, parsing and checking it takes less
/// than a millisecond.
pub(super) const LIGHT: usize = 16 << 10;

/// What the bodies of all requests use.
#[derive(Debug)]
pub(crate) struct BodyAllowances {
    memory: Shares<TenantId>,
    work: WorkQueues,
}

/// What the body of one request uses, given back when this is dropped.
pub(crate) struct BodyAllowance {
    memory: Share<TenantId>,
    work: Option<(WorkQueues, TenantId)>,
    slot: Option<WorkSlot>,
    most: usize,
}

impl BodyAllowances {
    pub(crate) fn new() -> Self {
        Self {
            memory: Shares::new(MEMORY),
            work: WorkQueues::new(),
        }
    }

    /// For a request of a tenant, which has used nothing yet.
    pub(super) fn of_tenant(&self, tenant: &TenantId) -> Result<BodyAllowance, Rejection> {
        let memory = self.memory.take(Some(tenant.clone()), 0);
        Ok(BodyAllowance {
            memory: memory.map_err(reject)?,
            work: Some((self.work.clone(), tenant.clone())),
            slot: None,
            most: self.memory.quarter(),
        })
    }

    /// How much is used.
    pub(crate) fn memory(&self) -> Shares<TenantId> {
        self.memory.clone()
    }
}

impl BodyAllowance {
    /// For a request of an operator, whose bodies are few: bounded for itself.
    pub(super) fn of_operator(bytes: usize) -> Result<Self, Rejection> {
        let memory = Shares::new(bytes).take(None, 0);
        Ok(Self {
            memory: memory.map_err(reject)?,
            work: None,
            slot: None,
            most: bytes,
        })
    }

    /// Takes memory for so many bytes more.
    pub(super) fn grow(&mut self, bytes: usize) -> Result<(), Rejection> {
        if bytes > self.most - self.memory.units().min(self.most) {
            // No other request is in its way: it would never pass.
            return Err(Rejection::new(
                Reason::TransportTooLarge,
                "what the body holds takes more memory than one tenant may use: send fewer values",
            ));
        }
        self.memory.grow(bytes).map_err(reject)
    }

    /// Gives memory back.
    pub(super) fn shrink(&mut self, bytes: usize) {
        self.memory.shrink(bytes);
    }

    /// How many bytes are used.
    #[cfg(test)]
    pub(super) const fn bytes(&self) -> usize {
        self.memory.units()
    }

    /// Called before work on so many bytes: waits for a slot if they are many and it has
    /// none, and tells whether it waited.
    pub(super) async fn begin_work(&mut self, bytes: usize) -> bool {
        if bytes > LIGHT
            && self.slot.is_none()
            && let Some((work, tenant)) = &self.work
        {
            self.slot = Some(work.take(tenant).await);
            return true;
        }
        false
    }

    /// The work is done, and the next may begin.
    pub(super) fn end_work(&mut self) {
        self.slot = None;
    }
}

impl fmt::Debug for BodyAllowance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyAllowance")
            .field("bytes", &self.memory.units())
            .finish_non_exhaustive()
    }
}

const fn reject(exceeded: Exceeded) -> Rejection {
    Rejection::plain(match exceeded {
        Exceeded::Own => Reason::CapacityTenantMemory,
        Exceeded::Total => Reason::CapacityMemory,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_waits_for_its_own_and_all_for_the_total() {
        let allowances = BodyAllowances::new();
        let grown = |tenant: &str, bytes| {
            let tenant = TenantId::new(tenant).unwrap();
            let mut allowance = allowances.of_tenant(&tenant).unwrap();
            let outcome = allowance.grow(bytes);
            outcome
                .map(|()| allowance)
                .map_err(|rejection| rejection.reason)
        };
        let alone = grown("a", MEMORY / 4 + 1);
        assert_eq!(alone.unwrap_err(), Reason::TransportTooLarge);
        let held = ["a", "b", "c", "d"].map(|tenant| grown(tenant, MEMORY / 4).unwrap());
        assert_eq!(grown("a", 1).unwrap_err(), Reason::CapacityTenantMemory);
        assert_eq!(grown("e", 1).unwrap_err(), Reason::CapacityMemory);
        drop(held);
        grown("e", 1).unwrap();
    }
}
