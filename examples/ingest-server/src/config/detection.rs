//! What is done with personal data that is found where no schema declares any.

use std::path::PathBuf;

use super::{problems::Problems, settings, sources::Sources};
use crate::detection::{DetectionPolicy, PolicyFile};

/// A file that the policy stands in, and the policy.
#[derive(Debug)]
pub(crate) struct DetectionFile {
    pub(crate) file: PolicyFile,
    pub(crate) policy: DetectionPolicy,
}

/// Reads the file, so that what is wrong with it is told with all else.
pub(super) fn read(sources: &Sources, problems: &mut Problems) -> Option<DetectionFile> {
    let given = sources.value(settings::DETECTION_FILE)?;
    let file = PolicyFile::new(&PathBuf::from(given.text));
    match file.policy(&file.text()) {
        Ok(policy) => Some(DetectionFile { file, policy }),
        Err(error) => {
            problems.add(&given.origin, error.to_string());
            None
        }
    }
}
