//! A tenant that sends four times as much as it does anyway.

use std::sync::Arc;

use rand::rngs::StdRng;
use time::OffsetDateTime;

use super::super::{sender::Sender, summary::Summary, tenants::Tenant};

/// The tenant on the free tier.
const TENANT: &str = "tailspin";

/// Requests of a beat beside the one that there is without faults.
const MORE: usize = 3;

#[derive(Debug)]
pub(super) struct Flood {
    sender: Arc<Sender>,
}

impl Flood {
    pub(super) fn new(sender: &Arc<Sender>) -> Self {
        Self {
            sender: Arc::clone(sender),
        }
    }

    pub(super) async fn beat(
        &self,
        tenants: &mut [Tenant],
        random: &mut StdRng,
        now: OffsetDateTime,
        summary: &mut Summary,
    ) {
        let Some(tenant) = tenants.iter_mut().find(|tenant| tenant.name() == TENANT) else {
            return;
        };
        for _ in 0..MORE {
            let batch = tenant.next_batch(random, now);
            let answer = self.sender.send(tenant.key(), &batch).await;
            summary.count_events(TENANT, batch.len(), &answer);
        }
    }
}
