//! Requests that are worked on: how many there may be, and whose they are.

use std::sync::{Arc, Mutex, PoisonError};

use http::Extensions;
use portcullis_keyring::TenantId;
use portcullis_ratelimit::address::ClientNetwork;

use super::rejection::Rejection;
use crate::{
    quality::Reason,
    shares::{Exceeded, Share, Shares},
};

/// The requests in flight of one listener. A quarter may be of one client network, as long as its
/// tenant is not known, and a quarter of one tenant.
#[derive(Debug, Clone)]
pub(crate) struct RequestsInFlight(Shares<Requester>);

/// A permit to be among the requests in flight. Work that goes on when its sender is gone keeps a
/// clone.
#[derive(Debug, Clone)]
pub(crate) struct InFlight(Arc<Mutex<Share<Requester>>>);

/// Whom a request counts for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Requester {
    Network(ClientNetwork),
    Tenant(TenantId),
}

impl RequestsInFlight {
    pub(crate) fn new(requests: usize) -> Self {
        Self(Shares::new(requests))
    }

    /// Admits a request that comes from a network, or from those who are bounded by the total
    /// alone.
    pub(crate) fn admit(&self, network: Option<ClientNetwork>) -> Result<InFlight, Rejection> {
        let share = self.0.take(network.map(Requester::Network), 1);
        match share {
            Ok(share) => Ok(InFlight(Arc::new(Mutex::new(share)))),
            Err(Exceeded::Own) => Err(Rejection::plain(Reason::CapacityNetworkInFlight)),
            Err(Exceeded::Total) => Err(Rejection::plain(Reason::CapacityOverloaded)),
        }
    }

    /// How many requests are in flight.
    pub(crate) fn count(&self) -> usize {
        self.0.taken()
    }
}

impl InFlight {
    /// From now on the request is the tenant's, and no longer that of its network: many tenants
    /// may share a network.
    pub(super) fn pass_to_tenant(
        extensions: &Extensions,
        tenant: &TenantId,
    ) -> Result<(), Rejection> {
        let Some(Self(share)) = extensions.get() else {
            return Ok(());
        };
        let mut share = share.lock().unwrap_or_else(PoisonError::into_inner);
        let passed = share.pass_to(Requester::Tenant(tenant.clone()));
        passed.map_err(|_| Rejection::plain(Reason::CapacityTenantInFlight))
    }
}
