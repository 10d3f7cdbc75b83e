//! What must hold of a log that two processes have written, and one of them was killed.

use std::{collections::HashMap, num::NonZeroUsize, sync::Arc};

use portcullis_audit_log::{
    event::Leaf,
    store::{IndexRows, Store},
    verify::Outcome,
};

use crate::{
    shared_log::verify,
    writers::{Acknowledged, TURNS},
};

/// Acknowledged is kept, where it was said to be; no hole in `n`, none in `tn`; both have written in turns; what is
/// published has all of it and verifies.
pub(crate) async fn check(
    store: Arc<dyn Store>,
    rows: IndexRows,
    acknowledged: &[Acknowledged; 2],
) {
    let size = store.size().await.unwrap();
    let (mut ids, mut of_tenants, mut nodes) = (HashMap::new(), HashMap::new(), Vec::new());
    let mut next = 0;
    while next < size {
        let batch = store.entries(next, NonZeroUsize::MAX).await.unwrap();
        for (n, leaf) in batch.iter() {
            let leaf = Leaf::parse(leaf).unwrap();
            assert_eq!((n, leaf.numbers().in_tree), (next, next));
            let in_tenant = of_tenants.entry(leaf.tenant().to_owned()).or_insert(0);
            assert_eq!(leaf.numbers().in_tenant, *in_tenant, "tn of {n}");
            *in_tenant += 1;
            assert_eq!(
                ids.insert(leaf.id().to_string(), n),
                None,
                "{n} is there twice"
            );
            nodes.push(leaf.node().to_owned());
            next += 1;
        }
    }
    for (n, id) in acknowledged.iter().flatten() {
        assert_eq!(ids.get(id), Some(n), "{n} was acknowledged");
    }
    let turns = nodes.windows(2).filter(|two| two[0] != two[1]).count();
    assert!(turns >= TURNS, "{turns} turns in {size} entries");
    let report = verify(store, rows).await;
    assert_eq!(report.outcome(), Outcome::Sound, "{report:?}");
    assert_eq!(report.entries, size);
}
