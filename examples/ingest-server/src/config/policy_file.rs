//! Policies that stand in files of the operator's.

use std::path::Path;

use super::{problems::Problems, setting::Setting, sources::Sources};
use crate::files::{FilePolicy, PolicyFile};

/// A file that a policy stands in, and the policy.
#[derive(Debug)]
pub(crate) struct GivenPolicy<P> {
    pub(crate) file: PolicyFile,
    pub(crate) policy: P,
}

/// Reads the file that a setting names, so that what is wrong with it is told with all else.
pub(super) fn read<P: FilePolicy>(
    setting: &'static Setting,
    sources: &Sources,
    problems: &mut Problems,
) -> Option<GivenPolicy<P>> {
    let given = sources.value(setting)?;
    let file = PolicyFile::new(Path::new(&given.text));
    match file.policy(&file.text()) {
        Ok(policy) => Some(GivenPolicy { file, policy }),
        Err(error) => {
            problems.add(&given.origin, error.to_string());
            None
        }
    }
}
