//! All rules, for all actors.

use std::collections::HashMap;

use super::{Finding, NetworkHash, RuleSettings, SUSPICIOUS, actor::ActorHistory};
use crate::event::{ActorType, Leaf};

/// The rules, and what they remember of actors.
///
/// It is kept in memory: after a start, leaves of the last 28 days are shown to it, and their findings thrown away.
/// Where actors were is in no leaf, and is learned again.
#[derive(Debug)]
pub struct Rules {
    settings: RuleSettings,
    actors: [HashMap<Box<str>, ActorHistory>; ActorType::ALL.len()],
    /// Where those come from who did not say who they are.
    networks: HashMap<NetworkHash, ActorHistory>,
    forgotten: u64,
}

impl Rules {
    /// Without any actor.
    #[must_use]
    pub fn new(settings: RuleSettings) -> Self {
        Self {
            settings,
            actors: Default::default(),
            networks: HashMap::new(),
            forgotten: 0,
        }
    }

    /// Looks at the next leaf, and at the network that it came from if the caller knows it. Gives what was found; mostly
    /// nothing.
    ///
    /// Who is anonymous is told apart by the network, since all of them have one id. Of a leaf that has it beside it, in
    /// the personal part, and without that is about nobody who could be counted: nothing is found in it. One that has
    /// none beside it stands for several, and counts with its like.
    pub fn observe(&mut self, leaf: &Leaf<'_>, network: Option<NetworkHash>) -> Vec<Finding> {
        // What the rules themselves have recorded.
        if leaf.action() == SUSPICIOUS.as_str() {
            return Vec::new();
        }
        let from = network.filter(|_| leaf.actor_type() == ActorType::Anonymous);
        if let Some(from) = from {
            if !self.networks.contains_key(&from) {
                self.make_room();
            }
            let history = self.networks.entry(from).or_default();
            return history.observe(&self.settings, leaf, network);
        }
        if leaf.actor_type() == ActorType::Anonymous && leaf.personal().is_some() {
            return Vec::new();
        }
        let kind = leaf.actor_type() as usize;
        if !self.actors[kind].contains_key(leaf.actor_id()) {
            self.make_room();
            self.actors[kind].insert(leaf.actor_id().into(), ActorHistory::default());
        }
        let Self {
            settings, actors, ..
        } = self;
        let history = actors[kind].get_mut(leaf.actor_id());
        history.map_or_else(Vec::new, |history| history.observe(settings, leaf, network))
    }

    /// How many actors are remembered; of those who are anonymous, networks.
    #[must_use]
    pub fn actors(&self) -> usize {
        let known = self.actors.iter().map(HashMap::len);
        known.sum::<usize>() + self.networks.len()
    }

    /// How many actors were forgotten for others.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// For one more. Networks have to go first where they have half of the room: who has many of them gets nobody
    /// forgotten by that who is known by name and was seen lately.
    fn make_room(&mut self) {
        let before = self.actors();
        if before < self.settings.max_actors.get() {
            return;
        }
        if self.networks.len() >= before.div_ceil(2) {
            let newest_to_go = eighth(self.networks.values());
            self.networks
                .retain(|_, history| history.last() > newest_to_go);
        } else {
            let all = self.actors.iter().flat_map(HashMap::values);
            let newest_to_go = eighth(all.chain(self.networks.values()));
            let is_left = |history: &ActorHistory| history.last() > newest_to_go;
            for actors in &mut self.actors {
                actors.retain(|_, history| is_left(history));
            }
            self.networks.retain(|_, history| is_left(history));
        }
        self.forgotten += (before - self.actors()) as u64;
    }
}

/// When the youngest was seen of the eighth that were not seen for longest: so many go at once, so that not each new
/// actor has to look at all.
fn eighth<'a>(histories: impl Iterator<Item = &'a ActorHistory>) -> u64 {
    let mut lasts: Vec<_> = histories.map(ActorHistory::last).collect();
    if lasts.is_empty() {
        return 0;
    }
    let nth = (lasts.len() - 1) / 8;
    *lasts.select_nth_unstable(nth).1
}
