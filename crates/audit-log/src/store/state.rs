//! What a group is begun with.

use std::collections::HashMap;

use crate::{event::Id, tree::RightEdge};

/// The tree of a log, and how many of its leaves some tenants have.
#[derive(Debug, Clone, Default)]
pub struct LogState {
    pub(super) edge: RightEdge,
    pub(super) tenants: HashMap<Id, u64>,
}

impl LogState {
    /// The tree, and the number of leaves of each tenant that a group has events of. One that is not named has none.
    #[must_use]
    pub const fn new(edge: RightEdge, tenants: HashMap<Id, u64>) -> Self {
        Self { edge, tenants }
    }

    /// The tree.
    #[must_use]
    pub const fn edge(&self) -> &RightEdge {
        &self.edge
    }

    /// How many leaves a tenant has.
    #[must_use]
    pub fn leaves_of(&self, tenant: &Id) -> u64 {
        self.tenants.get(tenant).copied().unwrap_or(0)
    }

    /// The tenants that were asked for or came to have leaves, with the number of leaves of each.
    pub fn tenants(&self) -> impl Iterator<Item = (&Id, u64)> {
        self.tenants
            .iter()
            .map(|(tenant, leaves)| (tenant, *leaves))
    }
}
