//! Refusals of one kind stand together: the first at once, those that follow within ten seconds in
//! one event that counts them.

use std::{collections::HashMap, time::Duration};

use crate::store::AuditDraft;

/// How long refusals are gathered.
const WINDOW: Duration = Duration::from_secs(10);

/// Kinds of refusals that are told apart at once; those beyond are written one by one.
const MAX_KINDS: usize = 1_024;

/// Who was refused what.
type Kind = (String, &'static str, Option<&'static str>);

/// Refusals that wait for the end of their window.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    windows: HashMap<Kind, Window>,
}

#[derive(Debug)]
struct Window {
    ends: Duration,
    gathered: Option<AuditDraft>,
}

impl Refusals {
    /// The refusal, if it is to be written now.
    pub(super) fn add(&mut self, draft: AuditDraft, now: Duration) -> Option<AuditDraft> {
        let kind = (draft.actor.id().to_owned(), draft.action, draft.detail);
        if let Some(window) = self.windows.get_mut(&kind) {
            match &mut window.gathered {
                Some(gathered) => {
                    gathered.count = gathered.count.saturating_add(draft.count);
                    // It stands for several by now.
                    gathered.resources.clear();
                    gathered.trace = None;
                }
                None => window.gathered = Some(draft),
            }
            return None;
        }
        if self.windows.len() < MAX_KINDS {
            let ends = now.saturating_add(WINDOW);
            let gathered = None;
            self.windows.insert(kind, Window { ends, gathered });
        }
        Some(draft)
    }

    /// Those whose window has ended; a kind without any in its window is forgotten.
    pub(super) fn due(&mut self, now: Duration) -> Vec<AuditDraft> {
        let mut due = Vec::new();
        self.windows.retain(|_, window| {
            if window.ends > now {
                return true;
            }
            window.ends = now.saturating_add(WINDOW);
            let gathered = window.gathered.take();
            let is_lasting = gathered.is_some();
            due.extend(gathered);
            is_lasting
        });
        due
    }

    /// All that wait.
    pub(super) fn drain(&mut self) -> Vec<AuditDraft> {
        let windows = self.windows.drain();
        windows.filter_map(|(_, window)| window.gathered).collect()
    }
}
