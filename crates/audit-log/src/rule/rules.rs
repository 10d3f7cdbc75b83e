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
    forgotten: u64,
}

impl Rules {
    /// Without any actor.
    #[must_use]
    pub fn new(settings: RuleSettings) -> Self {
        Self {
            settings,
            actors: Default::default(),
            forgotten: 0,
        }
    }

    /// Looks at the next leaf, and at the network that it came from if the caller knows it. Gives what was found; mostly
    /// nothing.
    pub fn observe(&mut self, leaf: &Leaf<'_>, network: Option<NetworkHash>) -> Vec<Finding> {
        // What the rules themselves have recorded.
        if leaf.action() == SUSPICIOUS.as_str() {
            return Vec::new();
        }
        let kind = leaf.actor_type() as usize;
        if !self.actors[kind].contains_key(leaf.actor_id()) {
            if self.actors() >= self.settings.max_actors.get() {
                self.forget();
            }
            self.actors[kind].insert(leaf.actor_id().into(), ActorHistory::default());
        }
        let Self {
            settings, actors, ..
        } = self;
        let history = actors[kind].get_mut(leaf.actor_id());
        history.map_or_else(Vec::new, |history| history.observe(settings, leaf, network))
    }

    /// How many actors are remembered.
    #[must_use]
    pub fn actors(&self) -> usize {
        self.actors.iter().map(HashMap::len).sum()
    }

    /// How many actors were forgotten for others.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// An eighth at once, so that not each new actor has to look at all.
    fn forget(&mut self) {
        let lasts = self.actors.iter().flat_map(HashMap::values);
        let mut lasts: Vec<_> = lasts.map(ActorHistory::last).collect();
        let before = lasts.len();
        let (_, newest_to_go, _) = lasts.select_nth_unstable((before - 1) / 8);
        let newest_to_go = *newest_to_go;
        for actors in &mut self.actors {
            actors.retain(|_, history| history.last() > newest_to_go);
        }
        self.forgotten += (before - self.actors()) as u64;
    }
}
