//! The versions that the store is known to have at least.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{kid::Kid, store::RecordVersion};

/// How many kids of one stripe have their least version remembered at once.
pub(super) const LEAST_VERSIONS: usize = 1_024;

/// The least versions of kids that were changed lately.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct LeastVersions {
    of_kids: BTreeMap<Kid, LeastVersion>,
    /// When each is forgotten, in that order; one that was replaced stands there twice, and the second time
    /// counts. What is oldest is found without a look at the others.
    order: VecDeque<(Duration, Kid)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct LeastVersion {
    version: RecordVersion,
    forget_at: Duration,
}

impl LeastVersions {
    pub(super) fn of(&self, kid: &Kid, now: Duration) -> Option<RecordVersion> {
        let least = self.of_kids.get(kid)?;
        (now < least.forget_at).then_some(least.version)
    }

    /// Remembers a version until `forget_at`, which is not before that of any other; forgets what no load can
    /// still contradict, and if that is not enough, what is oldest.
    pub(super) fn insert(
        &mut self,
        kid: Kid,
        version: RecordVersion,
        now: Duration,
        forget_at: Duration,
    ) {
        self.of_kids
            .insert(kid, LeastVersion { version, forget_at });
        self.order.push_back((forget_at, kid));
        while let Some((forget_at, oldest)) = self.order.front().copied() {
            let is_current = self.is_current(&oldest, forget_at);
            if is_current && now < forget_at && self.of_kids.len() <= LEAST_VERSIONS {
                break;
            }
            self.order.pop_front();
            if is_current {
                self.of_kids.remove(&oldest);
            }
        }
        // One kid that is changed over and over stands there as often.
        if self.order.len() > 2 * LEAST_VERSIONS {
            let mut order = std::mem::take(&mut self.order);
            order.retain(|(forget_at, kid)| self.is_current(kid, *forget_at));
            self.order = order;
        }
    }

    fn is_current(&self, kid: &Kid, forget_at: Duration) -> bool {
        self.of_kids
            .get(kid)
            .is_some_and(|least| least.forget_at == forget_at)
    }

    pub(super) fn clear(&mut self) {
        self.of_kids.clear();
        self.order.clear();
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.of_kids.len()
    }

    #[cfg(test)]
    pub(super) fn order_len(&self) -> usize {
        self.order.len()
    }
}
