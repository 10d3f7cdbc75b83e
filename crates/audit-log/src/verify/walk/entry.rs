//! One entry.

use std::ops::ControlFlow;

use super::{Stopped, Walk};
use crate::{
    event::{Leaf, LeafNumbers, first_entry_of},
    source::SourceError,
    verify::{EntryFault, Finding},
};

impl Walk<'_, '_> {
    /// What is wrong with an entry, of which it is known whether it is the one that was signed.
    pub(super) fn entry(
        &mut self,
        n: u64,
        entry: &[u8],
        is_signed: bool,
    ) -> ControlFlow<Stopped, Option<EntryFault>> {
        let leaf = match Leaf::parse(entry) {
            Ok(leaf) if leaf.numbers().in_tree != n => {
                let found = leaf.numbers().in_tree;
                return self.of_no_tenant(EntryFault::WrongIndex { found });
            }
            Ok(leaf) if is_signed => leaf,
            Err(error) if is_signed => return self.of_no_tenant(EntryFault::Leaf(error)),
            _ => return self.of_no_tenant(EntryFault::Changed),
        };
        if let Some(left) = first_entry_of(&leaf) {
            self.left = self.left.max(left);
        }
        let LeafNumbers { in_tenant, .. } = leaf.numbers();
        let Ok(fault) = self.tenants.check(leaf.tenant(), in_tenant) else {
            self.find(Finding::TooManyTenants { n });
            return ControlFlow::Break(Stopped);
        };
        match self.beside(&leaf) {
            Ok(beside) => ControlFlow::Continue(fault.or(beside)),
            Err(error) => {
                self.find(Finding::Source(error));
                ControlFlow::Break(Stopped)
            }
        }
    }

    /// Whose entry stood there, nobody knows.
    fn of_no_tenant(&mut self, fault: EntryFault) -> ControlFlow<Stopped, Option<EntryFault>> {
        self.tenants.skip(1);
        ControlFlow::Continue(Some(fault))
    }

    fn beside(&mut self, leaf: &Leaf<'_>) -> Result<Option<EntryFault>, SourceError> {
        let Some(companions) = self.companions.as_deref_mut() else {
            return Ok(None);
        };
        if let Some(commitment) = leaf.personal() {
            match companions.personal(leaf)? {
                Some(personal) if commitment.verify(&personal).is_err() => {
                    return Ok(Some(EntryFault::Personal));
                }
                Some(_) => self.report.personal += 1,
                None => self.report.personal_absent += 1,
            }
        }
        Ok((!companions.agrees(leaf)?).then_some(EntryFault::Row))
    }
}
