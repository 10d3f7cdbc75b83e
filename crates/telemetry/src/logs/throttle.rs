//! At most so many lines a second from one call site.

use std::{collections::HashMap, num::NonZeroU32, sync::Mutex, time::Duration};

use tracing::{Metadata, callsite::Identifier};

/// Counts lines by the call site that writes them, second by second.
pub(super) struct Throttle {
    lines_per_second: NonZeroU32,
    call_sites: Mutex<HashMap<Option<Identifier>, Second>>,
}

pub(super) enum Verdict {
    /// Write it, and say how many lines of this call site were dropped before it.
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

/// There are as many call sites as logging statements in the program. Those beyond this many share
/// one count.
const MAX_CALL_SITES: usize = 8_192;

impl Throttle {
    pub(super) fn new(lines_per_second: NonZeroU32) -> Self {
        Self {
            lines_per_second,
            call_sites: Mutex::default(),
        }
    }

    pub(super) fn check(&self, metadata: &Metadata<'_>, now: Duration) -> Verdict {
        let mut call_sites = self
            .call_sites
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner());
        let call_site = Some(metadata.callsite());
        let known = call_sites.len() < MAX_CALL_SITES || call_sites.contains_key(&call_site);
        let second = call_sites
            .entry(if known { call_site } else { None })
            .or_default();
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
