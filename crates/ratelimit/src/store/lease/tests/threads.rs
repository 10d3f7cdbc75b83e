//! Many threads spend one lease.

use std::{sync::Arc, thread};

use super::{leasing, single};
use crate::store::{
    Store as _,
    histories::{Counted, admits, charged, millis, one_limit},
};

#[test]
fn threads_at_one_moment_never_spend_more_than_was_taken() {
    // Nothing comes back at one moment, and leases hold up to two hundred.
    let (inner, policy) = (Counted::new(), one_limit(1_000, 3_000));
    let nodes = [leasing(&inner), leasing(&inner)];
    let admitted: usize = thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let (node, policy) = (&nodes[thread % 2], &policy);
                let once = move |_: &_| {
                    let charge = single(policy, 1, millis(1));
                    let future = tokio::runtime::Builder::new_current_thread()
                        .build()
                        .unwrap()
                        .block_on(node.charge(&charge));
                    admits(policy, &future.unwrap())
                };
                scope.spawn(move || (0..500).filter(once).count())
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .sum()
    });
    let held: u64 = nodes.iter().map(|node| node.stats().outstanding).sum();
    for node in &nodes {
        let stats = node.stats();
        assert!(stats.local > 0, "{stats:?}");
        assert_eq!(
            stats.fetched,
            stats.spent + stats.outstanding + stats.expired + stats.returned
        );
    }
    // What is still held, given back too cautiously or left when a thread came last is not admitted.
    assert!(admitted <= 3_000, "{admitted}");
    let lost: u64 = nodes.iter().map(|node| node.stats().expired).sum();
    let left = charged(inner.as_ref(), &single(&policy, 0, millis(1)));
    let left = u64::from(left.status(&policy, 0).unwrap().remaining());
    assert_eq!(admitted as u64 + held + lost + left, 3_000);
    assert_eq!(Arc::strong_count(&inner), 3);
}
