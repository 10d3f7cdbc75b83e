//! `--all-faults`: what senders do wrong and operators are told of, so that dashboards have something to show.
//! What takes a fault of the service itself (a full disk, a lost key) is nothing that a demo does to its data.

mod flood;
mod malformed;
mod office;
mod strangers;

use std::sync::Arc;

use rand::rngs::StdRng;
use time::OffsetDateTime;

use self::{flood::Flood, malformed::Malformed, office::Office, strangers::Strangers};
use super::{error::DemoError, sender::Sender, summary::Summary, tenants::Tenant};
use crate::admin::ApiKeys;

/// Senders that do something wrong, each in its own way.
#[derive(Debug)]
pub(super) struct Faults {
    strangers: Strangers,
    flood: Flood,
    malformed: Malformed,
    office: Office,
}

impl Faults {
    pub(super) async fn new(keys: &ApiKeys, sender: &Arc<Sender>) -> Result<Self, DemoError> {
        Ok(Self {
            strangers: Strangers::new(keys, sender).await?,
            flood: Flood::new(sender),
            malformed: Malformed::new(keys, sender).await?,
            office: Office::new(keys, sender).await?,
        })
    }

    /// Once for each beat; `is_late` in the second half.
    pub(super) async fn beat(
        &mut self,
        tenants: &mut [Tenant],
        random: &mut StdRng,
        now: OffsetDateTime,
        is_late: bool,
        summary: &mut Summary,
    ) {
        self.strangers.beat(summary).await;
        self.flood.beat(tenants, random, now, summary).await;
        self.malformed.beat(summary).await;
        self.office.beat(random, is_late, summary).await;
    }
}
