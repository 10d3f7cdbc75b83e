//! Room in the write queue: rows and bytes, of which one tenant gets a quarter.

use std::num::NonZeroUsize;

use portcullis_keyring::TenantId;

use crate::shares::{Exceeded, Share, Shares};

/// What a row takes beside the text that it is made from.
const ROW_BYTES: usize = 512;

/// How much may wait for a commit.
#[derive(Debug, Clone)]
pub(crate) struct QueueRoom {
    rows: Shares<TenantId>,
    bytes: Shares<TenantId>,
}

/// Room for the rows of one request, given back when dropped.
#[derive(Debug)]
pub(crate) struct QueueSlots {
    _rows: Share<TenantId>,
    _bytes: Share<TenantId>,
}

impl QueueRoom {
    pub(super) fn new(rows: NonZeroUsize, bytes: NonZeroUsize) -> Self {
        Self {
            rows: Shares::new(rows.get()),
            bytes: Shares::new(bytes.get()),
        }
    }

    /// Takes room for so many rows of a tenant, made from so many bytes of text, without waiting.
    pub(super) fn take(
        &self,
        tenant: &TenantId,
        rows: usize,
        text: usize,
    ) -> Result<QueueSlots, Exceeded> {
        let bytes = text.saturating_add(rows.saturating_mul(ROW_BYTES));
        Ok(QueueSlots {
            _rows: self.rows.take(Some(tenant.clone()), rows)?,
            _bytes: self.bytes.take(Some(tenant.clone()), bytes)?,
        })
    }

    /// Rows for which there is room.
    pub(crate) fn free_rows(&self) -> usize {
        self.rows.total() - self.rows.taken()
    }

    /// Rows for which there is room when nothing waits.
    pub(crate) const fn rows(&self) -> usize {
        self.rows.total()
    }

    /// Bytes for which there is room.
    pub(crate) fn free_bytes(&self) -> usize {
        self.bytes.total() - self.bytes.taken()
    }

    /// Bytes for which there is room when nothing waits.
    pub(crate) const fn bytes(&self) -> usize {
        self.bytes.total()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_bytes_are_bounded_for_a_tenant_and_for_all_and_nothing_is_half_held() {
        let some = |number| NonZeroUsize::new(number).unwrap();
        let room = QueueRoom::new(some(8), some(8 * 1_024));
        let tenants = ["a", "b", "c", "d", "e"].map(|name| TenantId::new(name).unwrap());
        let [a, .., e] = &tenants;
        assert_eq!(room.take(a, 3, 0).unwrap_err(), Exceeded::Own);
        // Its rows are given back when its bytes do not fit.
        assert_eq!(room.take(a, 1, 1_537).unwrap_err(), Exceeded::Own);
        assert_eq!((room.free_rows(), room.free_bytes()), (8, 8 * 1_024));
        let held: Vec<QueueSlots> = tenants[..4]
            .iter()
            .map(|tenant| room.take(tenant, 1, 1_536).unwrap())
            .collect();
        assert_eq!((room.free_rows(), room.free_bytes()), (4, 0));
        assert_eq!(room.take(e, 1, 0).unwrap_err(), Exceeded::Total);
        drop(held);
        drop(room.take(e, 2, 1_024).unwrap());
    }
}
