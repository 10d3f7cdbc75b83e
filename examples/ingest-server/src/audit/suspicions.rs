//! What the rules found, counted.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use portcullis_audit_log::rule::Rule;

/// How often each rule found something since the start. Clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Suspicions(Arc<[AtomicU64; Rule::ALL.len()]>);

impl Suspicions {
    pub(crate) fn add(&self, rule: Rule) {
        self.0[rule as usize].fetch_add(1, Relaxed);
    }

    pub(crate) fn counts(&self) -> impl Iterator<Item = (Rule, u64)> {
        let count = |rule: Rule| (rule, self.0[rule as usize].load(Relaxed));
        Rule::ALL.into_iter().map(count)
    }
}
