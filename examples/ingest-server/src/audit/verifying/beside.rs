//! What lies beside the log, held against its leaves: personal parts, and the index by which they are found.

use std::ops::Range;

use portcullis_audit_log::{
    audit::{Audit, PersonalError},
    event::{Leaf, Personal, Salt},
    source::SourceError,
    verify::Companions,
};
use tokio::runtime::Handle;

/// The personal parts that the service can open, and the index of its store.
#[derive(Debug)]
pub(super) struct Beside {
    audit: Audit,
    index: Box<dyn Companions + Send>,
    runtime: Handle,
}

impl Beside {
    pub(super) fn new(audit: Audit, index: Box<dyn Companions + Send>, runtime: Handle) -> Self {
        Self {
            audit,
            index,
            runtime,
        }
    }
}

impl Companions for Beside {
    /// Of an erased tenant nobody can open any: such a part counts as absent. One that was changed does not.
    fn personal(&mut self, leaf: &Leaf<'_>) -> Result<Option<Personal>, SourceError> {
        let opened = self.audit.personal_of(leaf);
        match self.runtime.block_on(opened) {
            Ok(personal) => Ok(personal),
            // What no leaf commits to: the verification tells of it.
            Err(error) if error.is_damaged() => Personal::from_bytes(vec![0; Salt::BYTES])
                .map(Some)
                .map_err(SourceError::unreadable("personal")),
            Err(PersonalError::Sealed(_)) => Ok(None),
            Err(error) => Err(SourceError::unreadable("personal")(error)),
        }
    }

    fn damages(&mut self) -> Result<Vec<Range<u64>>, SourceError> {
        let checking = self.audit.store().check_journal();
        let checked = self.runtime.block_on(checking);
        checked.map_err(SourceError::unreadable("journal"))
    }

    fn agrees(&mut self, leaf: &Leaf<'_>) -> Result<bool, SourceError> {
        self.index.agrees(leaf)
    }
}
