//! Personal parts are committed to and sealed, before the log is taken: an event never waits for a key for long.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{Shared, queued::Queued};
use crate::{
    event::Event,
    observer,
    sealer::{PartToSeal, Sealer},
};

/// How long a group waits for its parts to be sealed.
const MAX_WAIT: Duration = Duration::from_millis(500);

/// Commits each event to its personal part, and seals the parts; what cannot be sealed in time is lost, and its
/// commitment stays.
pub(super) async fn seal(
    shared: &Shared,
    sealer: Option<&Arc<dyn Sealer>>,
    group: &mut [Queued],
) -> Vec<Option<Vec<u8>>> {
    let mut sealed = vec![None; group.len()];
    let (mut places, mut parts) = (Vec::new(), Vec::new());
    for (place, queued) in group.iter_mut().enumerate() {
        if let Some(personal) = &queued.personal {
            queued.event.commit_to(personal.commitment());
            places.push(place);
            parts.push(part(&queued.event, personal));
        }
    }
    if parts.is_empty() {
        return sealed;
    }
    let answers = match sealer {
        Some(sealer) => timeout(MAX_WAIT, sealer.seal(&parts)).await.ok(),
        None => None,
    };
    for (place, answer) in places.iter().zip(answers.unwrap_or_default()) {
        sealed[*place] = answer.ok();
    }
    let kept = sealed.iter().flatten().count();
    if kept < places.len() {
        shared.tell(observer::Event::PartsLost {
            parts: (places.len() - kept) as u64,
        });
    }
    sealed
}

const fn part<'a>(event: &'a Event, personal: &'a crate::event::Personal) -> PartToSeal<'a> {
    PartToSeal::new(event.tenant(), event.id(), personal)
}
