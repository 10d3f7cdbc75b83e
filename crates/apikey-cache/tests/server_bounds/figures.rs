//! A row of the table: how late revocations were, and how late they may be.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use portcullis_apikey_cache::Kid;

use crate::{node::Node, prober::Prober};

/// From a commit to the end of a reading of the feed that tells of it, but for the way there and back.
const READING: Duration = Duration::from_millis(500);
/// How long memory is trusted without news.
pub(crate) const CONFIRMED: Duration = Duration::from_secs(3);

/// What is promised for a node that reads the feed.
pub(crate) fn reading(node: &Node) -> Duration {
    READING + node.store.slowest_reading()
}

/// How late revocations were.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) median: Duration,
}

/// Watches on for longer than the bound, and holds it against how late revocations were. Prints the case, how
/// many were revoked, the worst, the median, the bound, and how often each key was checked.
pub(crate) async fn assert_row(
    case: &str,
    prober: &Prober,
    since: &Mutex<BTreeMap<Kid, Instant>>,
    bound: impl Fn() -> Duration,
) -> Figures {
    let revoked = since.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let last = revoked.values().max().unwrap();
    let until = *last + bound() + Duration::from_secs(1);
    tokio::time::sleep_until(until.into()).await;
    prober.whole_round().await;
    let bound = bound();
    let mut late = prober.late(&revoked);
    late.sort_unstable();
    let (worst, median) = (late[late.len() - 1], late[late.len() / 2]);
    println!(
        "| {case} | {} | {} | {} | {} | {} |",
        late.len(),
        millis(worst),
        millis(median),
        millis(bound),
        millis(prober.every()),
    );
    assert!(worst <= bound, "{case}: {worst:?} late, at most {bound:?}");
    Figures { median }
}

fn millis(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}
