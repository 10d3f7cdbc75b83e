//! How far those are behind who keep checkpoints of the audit log.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use portcullis_telemetry::{Label, MetricError, Registry};

use crate::{clock::Clock, config::AnchorPlace, observe::SMALL};

/// Knows which anchors have the checkpoint that is published. Clones are one.
#[derive(Debug, Clone)]
pub(super) struct AnchorAges {
    clock: Arc<dyn Clock>,
    anchors: Arc<Mutex<Vec<Anchored>>>,
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
            anchors: Arc::new(Mutex::new(anchors.collect())),
        };
        let read = ages.clone();
        registry.observed_gauge_family(
            "ingest_audit_anchor_age_seconds",
            "For how long an anchor of the audit log has not had the published checkpoint; 0 if it has it",
            [Label::from("anchor")],
            SMALL,
            move || read.seconds(),
        )?;
        Ok(ages)
    }

    pub(super) fn published(&self, size: u64) {
        let now = self.clock.monotonic();
        for anchored in self.anchors().iter_mut().filter(|it| it.size < size) {
            anchored.behind.get_or_insert(now);
        }
    }

    pub(super) fn anchored(&self, anchor: &str, size: u64) {
        for anchored in self.anchors().iter_mut().filter(|it| it.name == anchor) {
            anchored.size = size;
            anchored.behind = None;
        }
    }

    fn seconds(&self) -> Vec<([String; 1], f64)> {
        let now = self.clock.monotonic();
        let age = |anchored: &Anchored| {
            let behind = anchored.behind.map(|since| now.saturating_sub(since));
            let seconds = behind.unwrap_or_default().as_secs_f64();
            ([anchored.name.clone()], seconds)
        };
        self.anchors().iter().map(age).collect()
    }

    fn anchors(&self) -> MutexGuard<'_, Vec<Anchored>> {
        self.anchors.lock().unwrap_or_else(PoisonError::into_inner)
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
}
