//! The connections that are open, in the order in which they may have to make room.

use std::collections::{BTreeSet, HashMap};

use portcullis_ratelimit::address::ClientNetwork;
use tokio::time::Instant;

use super::idle::{self, Idle};
use crate::shares::Share;

/// All of them. A new connection looks for the one that has waited longest for a request without going over the
/// others: who hoards connections would have each further one cost as much as all that are held.
#[derive(Debug, Default)]
pub(super) struct OpenConnections {
    connections: HashMap<u64, Connection>,
    last_id: u64,
    all: Order,
    by_network: HashMap<Option<ClientNetwork>, Order>,
}

#[derive(Debug)]
struct Connection {
    network: Option<ClientNetwork>,
    idle: Idle,
    /// Where it stands in both orders.
    place: Instant,
    _share: Share<ClientNetwork>,
}

/// Connections by the time since when they may have waited: requests do not move them. One that is found to have
/// had a request since then goes to where it belongs, and one that has a request now goes to the end.
type Order = BTreeSet<(Instant, u64)>;

/// Among which connections one is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Among {
    All,
    Network(Option<ClientNetwork>),
}

/// What a look through an order has found.
#[derive(Debug, Default)]
struct Look {
    longest: Option<(Instant, u64)>,
    /// Those that stand elsewhere from now on.
    moved: Vec<(u64, Instant)>,
}

impl OpenConnections {
    /// Adds one that is new; gives its number.
    pub(super) fn add(
        &mut self,
        network: Option<ClientNetwork>,
        idle: Idle,
        share: Share<ClientNetwork>,
    ) -> u64 {
        self.last_id += 1;
        let id = self.last_id;
        let place = idle.unserved_since().unwrap_or_else(idle::now);
        self.all.insert((place, id));
        self.by_network
            .entry(network)
            .or_default()
            .insert((place, id));
        let connection = Connection {
            network,
            idle,
            place,
            _share: share,
        };
        self.connections.insert(id, connection);
        id
    }

    /// Forgets one, if it is there; its share is given back.
    pub(super) fn remove(&mut self, id: u64) -> Option<Idle> {
        let connection = self.connections.remove(&id)?;
        let stood = (connection.place, id);
        self.all.remove(&stood);
        if let Some(order) = self.by_network.get_mut(&connection.network) {
            order.remove(&stood);
            if order.is_empty() {
                self.by_network.remove(&connection.network);
            }
        }
        Some(connection.idle)
    }

    /// Forgets the one that has waited longest for a request; none if each has one.
    pub(super) fn remove_longest(&mut self, among: Among) -> Option<Idle> {
        let order = match among {
            Among::All => &self.all,
            Among::Network(network) => self.by_network.get(&network)?,
        };
        let look = self.look(order);
        for (id, place) in look.moved {
            self.move_to(id, place);
        }
        let (_, longest) = look.longest?;
        self.remove(longest)
    }

    /// Goes on until none behind can have waited longer than one that was found.
    fn look(&self, order: &Order) -> Look {
        let mut look = Look::default();
        for stands @ (place, id) in order {
            if look.longest.is_some_and(|longest| longest <= *stands) {
                break;
            }
            let Some(connection) = self.connections.get(id) else {
                continue;
            };
            let since = connection.idle.unserved_since();
            if since != Some(*place) {
                look.moved.push((*id, since.unwrap_or_else(idle::now)));
            }
            if let Some(since) = since {
                let found = (since, *id);
                look.longest = Some(look.longest.map_or(found, |longest| longest.min(found)));
            }
        }
        look
    }

    fn move_to(&mut self, id: u64, place: Instant) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let stood = (std::mem::replace(&mut connection.place, place), id);
        let by_network = self.by_network.get_mut(&connection.network);
        for order in [Some(&mut self.all), by_network].into_iter().flatten() {
            order.remove(&stood);
            order.insert((place, id));
        }
    }
}

#[cfg(test)]
mod tests;
