use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Mutex;
use std::time::Duration;

use tracing::Metadata;
use tracing::callsite::Identifier;

/// Counts lines by the place in the source that writes them, second by second.
pub(super) struct Throttle {
    lines_per_second: NonZeroU32,
    places: Mutex<HashMap<Option<Identifier>, Second>>,
}

pub(super) enum Verdict {
    /// Write it, and say how many lines of this place were dropped before it.
    Write {
        suppressed: u64,
    },
    Drop,
}

#[derive(Default)]
struct Second {
    number: u64,
    written: u32,
    suppressed: u64,
}

/// Places are as many as the program has logging statements. Those that come after this many
/// share one count.
const MOST_PLACES: usize = 8_192;

impl Throttle {
    pub(super) fn new(lines_per_second: NonZeroU32) -> Self {
        Self {
            lines_per_second,
            places: Mutex::default(),
        }
    }

    pub(super) fn check(&self, metadata: &Metadata<'_>, now: Duration) -> Verdict {
        let mut places = self
            .places
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let place = Some(metadata.callsite());
        let known = places.len() < MOST_PLACES || places.contains_key(&place);
        let second = places.entry(if known { place } else { None }).or_default();
        if second.number != now.as_secs() {
            second.number = now.as_secs();
            second.written = 0;
        }
        if second.written >= self.lines_per_second.get() {
            second.suppressed += 1;
            return Verdict::Drop;
        }
        second.written += 1;
        Verdict::Write {
            suppressed: std::mem::take(&mut second.suppressed),
        }
    }
}
