//! Changes that this process has made.

use super::Shared;
use crate::feed::Change;

impl Shared {
    /// These changes were committed by this process: they are in effect here once this returns.
    pub(super) fn announce(&self, changes: &[Change]) {
        for change in changes {
            self.apply(&change.kind);
        }
    }
}
