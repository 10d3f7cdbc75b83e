//! What a sweep is for its callers.

use super::*;

#[test]
fn a_sweep_can_be_spawned() {
    const fn is_send<T: Send>(_: &T) {}
    let _ = |reencryptor: &Reencryptor, rows: &dyn SealedRows| {
        is_send(&reencryptor.run(rows, &Scope::All, "all", &mut |_| {}));
        is_send(&reencryptor.verify(rows, &std::collections::BTreeSet::new(), &mut |_| {}));
    };
}
