//! Which schema versions are in use, and when each was last seen.

mod series;

use std::sync::atomic::{AtomicU64, Ordering};

use crate::{clock::UnixMillis, labels::Labels};

pub(crate) use self::series::{PAIRS, VersionSeries};

/// Schema versions told apart for one event type of one tenant; later ones share `__other__`.
pub(crate) const VERSIONS: u16 = 8;

/// Use of the schema versions of one event type by one tenant.
#[derive(Debug)]
pub(crate) struct Versions {
    names: Labels,
    usage: [Usage; Labels::numbers(VERSIONS)],
}

/// How often one version came, and when last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct VersionUse<'a> {
    pub(crate) version: &'a str,
    pub(crate) events: u64,
    pub(crate) last_seen: UnixMillis,
}

#[derive(Debug, Default)]
struct Usage {
    events: AtomicU64,
    last_seen: AtomicU64,
}

impl Versions {
    pub(crate) fn new() -> Self {
        Self {
            names: Labels::new(VERSIONS),
            usage: Default::default(),
        }
    }

    pub(crate) fn record(
        &self,
        version: Option<&str>,
        admit: impl FnOnce(&str) -> bool,
        count: u64,
        now: UnixMillis,
    ) {
        let usage = &self.usage[self.names.resolve(version, admit).index()];
        usage.events.fetch_add(count, Ordering::Relaxed);
        // Under a race the earlier of two times may stay: they are milliseconds apart.
        if usage.last_seen.load(Ordering::Relaxed) < now.value() {
            usage.last_seen.store(now.value(), Ordering::Relaxed);
        }
    }

    /// The versions that came at least once.
    pub(crate) fn iter(&self) -> impl Iterator<Item = VersionUse<'_>> {
        let uses = self.names.iter().map(|label| {
            let usage = &self.usage[label.index()];
            VersionUse {
                version: self.names.name(label),
                events: usage.events.load(Ordering::Relaxed),
                last_seen: UnixMillis::new(usage.last_seen.load(Ordering::Relaxed)),
            }
        });
        uses.filter(|version| version.events > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::labels::OTHER;

    #[test]
    fn versions_beyond_the_bound_share_an_entry() {
        let versions = Versions::new();
        for n in 0..20 {
            versions.record(Some(&format!("{n}")), |_| true, 1, UnixMillis::new(n));
        }
        let uses: Vec<_> = versions.iter().collect();
        assert_eq!(uses.len(), 8 + 1, "8 told apart, and the others as one");
        let last = uses[usize::from(VERSIONS)];
        assert_eq!(
            (last.version, last.events, last.last_seen.value()),
            (OTHER, 12, 19)
        );
    }

    #[test]
    fn a_clock_that_steps_back_leaves_the_last_sight() {
        let versions = Versions::new();
        versions.record(Some("1"), |_| true, 1, UnixMillis::new(50));
        versions.record(Some("1"), |_| true, 1, UnixMillis::new(40));
        let seen: Vec<_> = versions
            .iter()
            .map(|version| version.last_seen.value())
            .collect();
        assert_eq!(seen, [50]);
    }
}
