//! Personal parts are committed to and sealed, before the log is taken: an event never waits for a key for long.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{Shared, at_once, queued::Queued};
use crate::{
    observer,
    sealer::{PartToSeal, Sealer},
};

/// How long a group waits for the parts of a tenant to be sealed: for all tenants at once.
const MAX_WAIT: Duration = Duration::from_millis(500);

/// Commits each event to its personal part, and seals the parts; what cannot be sealed in time is lost, and its
/// commitment stays. A tenant whose key is slow costs the others nothing.
pub(super) async fn seal(
    shared: &Shared,
    sealer: Option<&Arc<dyn Sealer>>,
    group: &mut [Queued],
) -> Vec<Option<Vec<u8>>> {
    let mut sealed = vec![None; group.len()];
    let mut places = Vec::new();
    for (place, queued) in group.iter_mut().enumerate() {
        if let Some(personal) = &queued.personal {
            queued.event.commit_to(personal.commitment());
            places.push(place);
        }
    }
    if places.is_empty() {
        return sealed;
    }
    if let Some(sealer) = sealer {
        places.sort_unstable_by_key(|place| (group[*place].event.tenant(), *place));
        seal_by_tenant(&**sealer, group, &places, &mut sealed).await;
    }
    let kept = sealed.iter().flatten().count();
    if kept < places.len() {
        shared.tell(observer::Event::PartsLost {
            parts: (places.len() - kept) as u64,
        });
    }
    sealed
}

/// The parts at these places, of which those of a tenant stand together.
async fn seal_by_tenant(
    sealer: &dyn Sealer,
    group: &[Queued],
    places: &[usize],
    sealed: &mut [Option<Vec<u8>>],
) {
    let parts = places.iter().filter_map(|place| part(&group[*place]));
    let parts: Vec<_> = parts.collect();
    let tenants = || parts.chunk_by(|one, next| one.tenant == next.tenant);
    let sealing = tenants().map(|parts| timeout(MAX_WAIT, sealer.seal(parts)));
    let answers = at_once::all(sealing).await;
    let mut left = places;
    for (parts, answer) in tenants().zip(answers) {
        let (of_tenant, others) = left.split_at(parts.len());
        for (place, answer) in of_tenant.iter().zip(answer.unwrap_or_default()) {
            sealed[*place] = answer.ok();
        }
        left = others;
    }
}

fn part(queued: &Queued) -> Option<PartToSeal<'_>> {
    let personal = queued.personal.as_ref()?;
    let event = &queued.event;
    Some(PartToSeal::new(event.tenant(), event.id(), personal))
}
