//! Realistic traffic from three invented tenants, so that a newcomer sees in a minute what the
//! service does: it accepts, deduplicates, rejects with a reason, limits and revokes.

use std::{sync::Arc, time::Duration};

use portcullis_keyring::entropy::SystemEntropy;
use rand::{SeedableRng as _, rngs::StdRng};
use tokio::time::MissedTickBehavior;

use super::{
    display::Display,
    error::DemoError,
    faults::Faults,
    sender::Sender,
    summary::{Revocation, Summary},
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

/// Sends for `length`, with all faults or those of every day, and gives what came of it.
pub(crate) async fn run(
    keys: &ApiKeys,
    addresses: Addresses,
    length: Duration,
    has_all_faults: bool,
) -> Result<Summary, DemoError> {
    let clock = SystemClock;
    let mut random = StdRng::from_seed(make_seed(&SystemEntropy::new())?);
    let sender = Arc::new(Sender::new(addresses.public)?);
    let mut tenants = Tenant::all(keys).await?;
    let mut faults = None;
    if has_all_faults {
        faults = Some(Faults::new(keys, &sender).await?);
    }
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
            summary.count_events(tenant.name(), batch.len(), &answer);
        }
        let is_late = elapsed >= length / 2;
        if let Some(faults) = &mut faults {
            let now = clock.wall();
            let beat = faults.beat(&mut tenants, &mut random, now, is_late, &mut summary);
            beat.await;
        }
        if summary.revocation().is_none() && is_late {
            revoke_a_key(keys, &sender, &mut summary).await?;
        }
        display.show(&summary, elapsed, length)?;
    }
    display.end();
    Ok(summary)
}

/// Issues a key, uses it, revokes it, and uses it again.
async fn revoke_a_key(
    keys: &ApiKeys,
    sender: &Sender,
    summary: &mut Summary,
) -> Result<(), DemoError> {
    let tenant = "northwind";
    let issued = tenants::issue(keys, tenant, "enterprise").await?;
    let event = traffic::heartbeat();
    let before = sender.send(&issued.key, &event).await;
    summary.count_events(tenant, event.len(), &before);
    let kid = issued.kid.to_string();
    let revoked = keys.revoke(&Actor::DevProfile, &kid).await;
    revoked.map_err(DemoError::Revoke)?;
    let after = sender.send(&issued.key, &event).await;
    summary.count_events(tenant, event.len(), &after);
    summary.note_revocation(Revocation {
        kid,
        before: before.status,
        after: after.status,
    });
    Ok(())
}
