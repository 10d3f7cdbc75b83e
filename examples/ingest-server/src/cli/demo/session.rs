//! Realistic traffic from three invented tenants, so that a newcomer sees in a minute what the
//! service does: it accepts, deduplicates, rejects with a reason, limits and revokes.

use std::{sync::Arc, time::Duration};

use portcullis_keyring::entropy::SystemEntropy;
use rand::{SeedableRng as _, rngs::StdRng};
use tokio::time::MissedTickBehavior;

use super::{
    display::Display,
    error::DemoError,
    sender::Sender,
    summary::{self, Summary},
    tenants::{self, Tenant},
    traffic,
};
use crate::{
    admin::{Actor, ApiKeys},
    app::Addresses,
    clock::{Clock, SystemClock, make_seed},
};

/// How often each tenant sends.
const BEAT: Duration = Duration::from_millis(200);

/// Sends for `length` and gives what came of it.
pub(crate) async fn run(
    keys: &ApiKeys,
    addresses: Addresses,
    length: Duration,
) -> Result<Summary, DemoError> {
    let clock = SystemClock;
    let mut random = StdRng::from_seed(make_seed(&SystemEntropy::new())?);
    let sender = Arc::new(Sender::new(addresses.public)?);
    let mut tenants = Tenant::all(keys).await?;
    let mut summary = Summary::default();
    let mut display = Display::new();

    // The beat tells how long it has been going on; the wall clock may be set meanwhile.
    let mut beat = tokio::time::interval(BEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let began = beat.tick().await;
    loop {
        let elapsed = beat.tick().await - began;
        if elapsed >= length {
            break;
        }
        for tenant in &mut tenants {
            let batch = tenant.next_batch(&mut random, clock.wall());
            let answer = sender.send(tenant.key(), &batch).await;
            summary.count(tenant.name(), batch.len(), answer);
        }
        if summary.revocation().is_none() && elapsed >= length / 2 {
            summary.note_revocation(revoke_a_key(keys, &sender).await?);
        }
        display.show(&summary, elapsed, length)?;
    }
    display.end();
    Ok(summary)
}

/// Issues a key, uses it, revokes it, and uses it again.
async fn revoke_a_key(keys: &ApiKeys, sender: &Sender) -> Result<summary::Revocation, DemoError> {
    let issued = tenants::issue(keys, "northwind", "enterprise").await?;
    let event = traffic::heartbeat();
    let before = sender.send(&issued.key, &event).await;
    let kid = issued.kid.to_string();
    let revoked = keys.revoke(&Actor::DevProfile, &kid).await;
    revoked.map_err(DemoError::Revoke)?;
    let after = sender.send(&issued.key, &event).await;
    Ok(summary::Revocation {
        kid,
        before: before.status(),
        after: after.status(),
    })
}
