//! How far those are behind who keep checkpoints of the audit log.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_telemetry::{Label, MetricError, Registry};

use crate::{clock::Clock, config::AnchorPlace, observe::SMALL};

/// Knows which anchors have a checkpoint of all that is in the log. Clones are one.
#[derive(Debug, Clone)]
pub(super) struct AnchorAges {
    clock: Arc<dyn Clock>,
    ages: Arc<Mutex<Ages>>,
}

#[derive(Debug)]
struct Ages {
    anchors: Vec<Anchored>,
    /// Since when there are entries that no checkpoint has: no anchor has them either.
    unpublished: Option<Duration>,
}

#[derive(Debug)]
struct Anchored {
    name: String,
    /// The size of the tree that it has.
    size: u64,
    /// Since when a larger one is published.
    behind: Option<Duration>,
}

impl AnchorAges {
    pub(super) fn register(
        registry: &Registry,
        places: &[AnchorPlace],
        clock: Arc<dyn Clock>,
    ) -> Result<Self, MetricError> {
        let anchors = places.iter().map(|place| Anchored {
            name: place.to_string(),
            size: 0,
            behind: None,
        });
        let ages = Self {
            clock,
            ages: Arc::new(Mutex::new(Ages {
                anchors: anchors.collect(),
                unpublished: None,
            })),
        };
        let read = ages.clone();
        registry.observed_gauge_family(
            "ingest_audit_anchor_age_seconds",
            "For how long an anchor of the audit log has not had a checkpoint of all entries, published or not: up to a \
             minute while entries come, 0 if it has it",
            [Label::from("anchor")],
            SMALL,
            move || read.seconds(),
        )?;
        Ok(ages)
    }

    pub(super) fn committed(&self) {
        let now = self.clock.monotonic();
        self.locked().unpublished.get_or_insert(now);
    }

    pub(super) fn published(&self, size: u64) {
        let now = self.clock.monotonic();
        let mut ages = self.locked();
        let since = ages.unpublished.take().unwrap_or(now);
        for anchored in ages.anchors.iter_mut().filter(|it| it.size < size) {
            anchored.behind.get_or_insert(since);
        }
    }

    pub(super) fn anchored(&self, anchor: &str, size: u64) {
        let mut ages = self.locked();
        for anchored in ages.anchors.iter_mut().filter(|it| it.name == anchor) {
            anchored.size = size;
            anchored.behind = None;
        }
    }

    fn seconds(&self) -> Vec<([String; 1], f64)> {
        let now = self.clock.monotonic();
        let ages = self.locked();
        let age = |anchored: &Anchored| {
            let since = anchored.behind.or(ages.unpublished);
            let behind = since.map(|since| now.saturating_sub(since));
            let seconds = behind.unwrap_or_default().as_secs_f64();
            ([anchored.name.clone()], seconds)
        };
        ages.anchors.iter().map(age).collect()
    }

    fn locked(&self) -> MutexGuard<'_, Ages> {
        self.ages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::ToldClock,
        observe::{movement::assert_moved, scraped},
    };

    #[test]
    fn an_anchor_gets_older_from_the_checkpoint_on_that_it_does_not_have() {
        let registry = Registry::new();
        let clock = Arc::new(ToldClock::new([0, 60, 60, 70, 120, 121, 121, 130]));
        let places = [AnchorPlace::Database, AnchorPlace::Folder("/a".into())];
        let ages = AnchorAges::register(&registry, &places, clock).unwrap();
        let age = "ingest_audit_anchor_age_seconds";
        let both = || {
            let samples = scraped(&registry);
            ["database", "file:/a"].map(|name| samples[&format!("{age}{{anchor=\"{name}\"}}")])
        };
        ages.published(3);
        for name in ["database", "file:/a"] {
            ages.anchored(name, 3);
        }
        let before = scraped(&registry);
        ages.published(4);
        ages.anchored("database", 4);
        // Once more, with what an anchor has signed.
        ages.published(4);
        ages.published(5);
        ages.anchored("database", 5);
        assert_moved(
            &before,
            &scraped(&registry),
            ["ingest_audit_anchor_age_seconds"],
        );
        assert_eq!(both(), [0.0, 61.0]);
        ages.anchored("file:/a", 5);
        assert_eq!(both(), [0.0, 0.0]);
    }

    #[test]
    fn an_anchor_gets_older_while_nothing_is_published_of_what_is_in_the_log() {
        let registry = Registry::new();
        let clock = Arc::new(ToldClock::new([0, 10, 360, 361, 365]));
        let ages = AnchorAges::register(&registry, &[AnchorPlace::Database], clock).unwrap();
        let age = || scraped(&registry)["ingest_audit_anchor_age_seconds{anchor=\"database\"}"];
        ages.committed();
        ages.committed();
        assert_eq!(age(), 360.0);
        ages.published(2);
        assert_eq!(age(), 365.0, "it has not had the entries since they came");
        ages.anchored("database", 2);
        assert_eq!(age(), 0.0);
    }
}
