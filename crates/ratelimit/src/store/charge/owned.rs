//! A charge that borrows nothing.

use super::{Charge, Partition};
use crate::{
    address::ClientNetwork,
    clock::Timestamp,
    name::Category,
    policy::{MAX_LIMITS, Policy},
};

/// What a charge asks, for a future that outlives the one who asked. Corrections are left out.
pub(in crate::store) struct OwnedCharge {
    policy: Policy,
    category: Option<Category>,
    partition: OwnedPartition,
    key: Option<String>,
    address: Option<ClientNetwork>,
    before: u32,
    cost: u32,
    now: Timestamp,
    without: [bool; MAX_LIMITS],
}

enum OwnedPartition {
    Tenant(String),
    Address(ClientNetwork),
}

impl OwnedCharge {
    pub(in crate::store) fn of(charge: &Charge<'_>) -> Self {
        Self {
            policy: charge.policy.clone(),
            category: charge.category.cloned(),
            partition: match charge.partition {
                Partition::Tenant(tenant) => OwnedPartition::Tenant(tenant.to_owned()),
                Partition::Address(network) => OwnedPartition::Address(network),
            },
            key: charge.key.map(str::to_owned),
            address: charge.address,
            before: charge.before,
            cost: charge.cost,
            now: charge.now,
            without: charge.without,
        }
    }

    pub(in crate::store) fn as_charge(&self) -> Charge<'_> {
        Charge {
            policy: &self.policy,
            category: self.category.as_ref(),
            partition: match &self.partition {
                OwnedPartition::Tenant(tenant) => Partition::Tenant(tenant),
                OwnedPartition::Address(network) => Partition::Address(*network),
            },
            key: self.key.as_deref(),
            address: self.address,
            before: self.before,
            cost: self.cost,
            now: self.now,
            corrections: None,
            without: self.without,
        }
    }
}
