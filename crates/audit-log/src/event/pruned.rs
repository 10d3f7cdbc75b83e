//! What a log says of its beginning, which it does not have any more.

use super::{Action, Id, Leaf, Resource, ResourceType};

/// Leaves go.
pub(crate) const PRUNED: Action = Action::new("audit.pruned");
const FIRST_ENTRY: ResourceType = ResourceType::new("first_entry");

/// The first entry that is left, as a resource of [`PRUNED`].
pub(crate) fn first_entry(n: u64) -> Resource {
    Resource::new(FIRST_ENTRY, Id::of_leaf_index(n))
}

/// Which entry is the first that is left, if a leaf tells of it.
pub(crate) fn first_entry_of(leaf: &Leaf<'_>) -> Option<u64> {
    if leaf.action() != PRUNED.as_str() || leaf.tenant() != Id::SYSTEM_TENANT.as_str() {
        return None;
    }
    let mut resources = leaf.resources();
    let (_, id) = resources.find(|(kind, _)| *kind == FIRST_ENTRY.as_str())?;
    id.strip_prefix('n')?.parse().ok()
}
