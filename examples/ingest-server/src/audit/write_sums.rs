//! What API keys write stands together: one event for each key, action and minute.

use std::{collections::HashMap, time::Duration};

use super::{AuditAction, AuditActor, AuditDraft};

/// How long writes are gathered.
const WINDOW: Duration = Duration::from_secs(60);

/// Keys whose writes are told apart at once. Those beyond are told one by one.
const MAX_KEYS: usize = 16_384;

/// Writes that wait for the end of their minute, by key.
#[derive(Debug, Default)]
pub(super) struct WriteSums(HashMap<String, Vec<Sum>>);

#[derive(Debug)]
struct Sum {
    ends: Duration,
    tenant: String,
    action: &'static AuditAction,
    count: u64,
}

impl WriteSums {
    /// Adds so many records; gives the event if it is to be written now.
    pub(super) fn add(&mut self, written: Written<'_>, now: Duration) -> Option<AuditDraft> {
        if let Some(sums) = self.0.get_mut(written.kid) {
            match sums.iter_mut().find(|sum| sum.action == written.action) {
                Some(sum) => sum.count = sum.count.saturating_add(written.count),
                None => sums.push(Sum::begun(written, now)),
            }
            return None;
        }
        if self.0.len() >= MAX_KEYS {
            return Some(written.draft());
        }
        let sums = vec![Sum::begun(written, now)];
        self.0.insert(written.kid.to_owned(), sums);
        None
    }

    /// Those whose minute is over.
    pub(super) fn due(&mut self, now: Duration) -> Vec<AuditDraft> {
        let mut due = Vec::new();
        self.0.retain(|kid, sums| {
            let ended = sums.extract_if(.., |sum| sum.ends <= now);
            due.extend(ended.map(|sum| sum.draft(kid)));
            !sums.is_empty()
        });
        due
    }

    /// All that wait.
    pub(super) fn drain(&mut self) -> Vec<AuditDraft> {
        let all = self.0.drain();
        let drafts = all.flat_map(|(kid, sums)| {
            let drafts: Vec<_> = sums.iter().map(|sum| sum.draft(&kid)).collect();
            drafts
        });
        drafts.collect()
    }
}

/// What a request has written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) kid: &'a str,
    pub(crate) action: &'static AuditAction,
    pub(crate) count: u64,
}

impl Written<'_> {
    pub(super) fn draft(self) -> AuditDraft {
        let actor = AuditActor::ApiKey(self.kid.to_owned());
        let draft = AuditDraft::new(Some(self.tenant), self.action, actor);
        AuditDraft {
            count: self.count,
            ..draft
        }
    }
}

impl Sum {
    fn begun(written: Written<'_>, now: Duration) -> Self {
        Self {
            ends: now.saturating_add(WINDOW),
            tenant: written.tenant.to_owned(),
            action: written.action,
            count: written.count,
        }
    }

    /// It is of many requests, and so of no trace.
    fn draft(&self, kid: &str) -> AuditDraft {
        let written = Written {
            tenant: &self.tenant,
            kid,
            action: self.action,
            count: self.count,
        };
        AuditDraft {
            trace: None,
            ..written.draft()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::actions;

    const fn written(kid: &str, count: u64) -> Written<'_> {
        Written {
            tenant: "acme",
            kid,
            action: actions::EVENT_WRITE,
            count,
        }
    }

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_a_key_writes_in_a_minute_is_one_event() {
        let mut sums = WriteSums::default();
        for second in 0..60 {
            assert_eq!(sums.add(written("a", 2), at(second)), None);
        }
        let lead = Written {
            action: actions::LEAD_WRITE,
            ..written("a", 1)
        };
        assert_eq!(sums.add(lead, at(30)), None);
        assert_eq!(sums.due(at(59)), []);
        let due = sums.due(at(60));
        assert_eq!((due.len(), due[0].count), (1, 120));
        assert_eq!(due[0].action, actions::EVENT_WRITE);
        assert_eq!(sums.drain().len(), 1);
        assert_eq!(sums.drain(), []);
    }

    #[test]
    fn more_keys_than_are_told_apart_are_told_one_by_one() {
        let mut sums = WriteSums::default();
        for n in 0..MAX_KEYS {
            assert_eq!(sums.add(written(&n.to_string(), 1), at(0)), None);
        }
        assert_eq!(sums.add(written("more", 3), at(0)).unwrap().count, 3);
        assert_eq!(sums.add(written("7", 1), at(0)), None);
    }
}
