//! The schemas of what is accepted.

use std::path::PathBuf;

use super::{problems::Problems, settings, sources::Sources};
use crate::schemas::Schemas;

/// Loads them, so that what is wrong with one is told with all else. Schemas are the operator's:
/// their faults may quote them.
pub(super) fn read(sources: &Sources, problems: &mut Problems) -> Option<Schemas> {
    let given = sources.value(settings::SCHEMA_DIR);
    let (folder, origin) = given
        .map(|given| (PathBuf::from(given.text), given.origin))
        .unzip();
    if let (Some(folder), Some(origin)) = (&folder, &origin)
        && !folder.is_dir()
    {
        problems.add(origin, "is not a folder");
        return None;
    }
    let loaded = Schemas::load(folder.as_deref());
    loaded
        .map_err(|errors| {
            for error in errors {
                match &origin {
                    Some(origin) => problems.add(origin, error.to_string()),
                    None => problems.add_variable(settings::SCHEMA_DIR.variable, error.to_string()),
                }
            }
        })
        .ok()
}
