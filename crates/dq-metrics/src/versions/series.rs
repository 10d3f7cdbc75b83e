//! Which pairs of event type and schema version have series of their own in metrics.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

use crate::plan::Plan;

/// Pairs with series of their own; later ones share one.
pub(crate) const PAIRS: usize = 40;

/// A bounded set of pairs of event type and version: those of the plan, then the first to be looked for.
///
/// A pair that has series keeps them, and one that has none while the set is full never gets any: no
/// counter goes back.
#[derive(Debug)]
pub(crate) struct VersionSeries(Mutex<BTreeSet<(String, String)>>);

impl VersionSeries {
    pub(crate) fn new(plan: &Plan) -> Self {
        let planned = plan.versions().take(PAIRS);
        let planned =
            planned.map(|(event_type, version)| (event_type.to_owned(), version.to_owned()));
        Self(Mutex::new(planned.collect()))
    }

    /// Whether this pair has series of its own, which it gets now if there is room.
    pub(crate) fn has(&self, event_type: &str, version: &str) -> bool {
        let pair = (event_type.to_owned(), version.to_owned());
        let mut pairs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        pairs.contains(&pair) || (pairs.len() < PAIRS && pairs.insert(pair))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Lifecycle;

    #[test]
    fn planned_pairs_come_first_and_none_is_forgotten() {
        let plan = Plan::new().schema("lead.created", "1", Lifecycle::Current);
        let series = VersionSeries::new(&plan);
        let versions: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let has = || -> Vec<bool> {
            let versions = versions.iter();
            versions
                .map(|version| series.has("page.view", version))
                .collect()
        };
        let first = has();
        assert_eq!(first.iter().filter(|has| **has).count(), PAIRS - 1);
        assert_eq!(has(), first);
        assert!(series.has("lead.created", "1"));
    }
}
