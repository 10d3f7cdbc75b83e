//! In which networks an actor was.

use super::{DAY, NetworkHash};

const REMEMBERED: u64 = 28 * DAY;
/// As long as an actor is not known longer, each network may be new.
const LEARNING: u64 = 7 * DAY;
/// An actor that is in more networks than these is everywhere: those that it was not in for longest are forgotten.
const MAX_NETWORKS: usize = 32;

/// The networks, with the time that the actor was last in each.
#[derive(Debug, Default)]
pub(super) struct Places {
    since: Option<u64>,
    networks: Vec<(NetworkHash, u64)>,
}

impl Places {
    /// Whether the actor was not seen there.
    pub(super) fn observe(&mut self, network: NetworkHash, now: u64) -> bool {
        let since = *self.since.get_or_insert(now);
        self.networks.retain(|(_, last)| last + REMEMBERED > now);
        if let Some((_, last)) = self
            .networks
            .iter_mut()
            .find(|(known, _)| *known == network)
        {
            *last = now;
            return false;
        }
        if self.networks.len() == MAX_NETWORKS {
            let oldest = (0..MAX_NETWORKS).min_by_key(|index| self.networks[*index].1);
            self.networks.swap_remove(oldest.unwrap_or(0));
        }
        self.networks.push((network, now));
        since + LEARNING <= now
    }
}
