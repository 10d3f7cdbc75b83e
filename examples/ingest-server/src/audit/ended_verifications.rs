//! What came of verifying the logs of this machine whose processes have ended.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use portcullis_audit_log::verify::{Outcome, Report};
use serde::Serialize;

/// The last of each log, and how many did not find one sound. Clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct EndedVerifications(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    failures: u64,
    last: BTreeMap<String, EndedVerified>,
}

/// What was found of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct EndedVerified {
    /// The name of its folder.
    log: String,
    at: String,
    /// `sound`, `incomplete`, `unusable` or `tampered`.
    outcome: String,
    entries: u64,
    /// What is wrong, in the order of the log.
    findings: Vec<String>,
    /// How many findings are not listed.
    more_findings: u64,
}

impl EndedVerifications {
    /// One was verified then.
    pub(crate) fn add(&self, log: &str, at: String, report: &Report) {
        let mut state = self.locked();
        if report.outcome() != Outcome::Sound {
            state.failures += 1;
        }
        let verified = EndedVerified {
            log: log.to_owned(),
            at,
            outcome: report.outcome().to_string(),
            entries: report.entries,
            findings: report.findings.iter().map(ToString::to_string).collect(),
            more_findings: report.more,
        };
        state.last.insert(log.to_owned(), verified);
    }

    /// How many since the start did not find a log sound.
    pub(crate) fn failures(&self) -> u64 {
        self.locked().failures
    }

    /// The last of each log, by its name.
    pub(crate) fn last(&self) -> Vec<EndedVerified> {
        self.locked().last.values().cloned().collect()
    }

    fn locked(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
