//! A policy that stands in a file of the operator's.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{DetectionPolicy, document, document::InvalidText};
use crate::files::{self, Unreadable};

/// The most bytes of a policy, in a file and in the database.
pub(crate) const MAX_POLICY: usize = 1_048_576;

/// Where the policy stands. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct PolicyFile(PathBuf);

/// What a file held, or why nothing was read: the same again is no change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PolicyText(Result<Vec<u8>, Unreadable>);

/// Why a file gives no policy. The path is the operator's, and nothing of the text is told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnusableFile {
    #[error("{} {}", .0.display(), .1)]
    Unreadable(PathBuf, Unreadable),
    #[error("{}: {}", .0.display(), .1)]
    Invalid(PathBuf, InvalidText),
}

impl PolicyFile {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// What stands in it now.
    pub(crate) fn text(&self) -> PolicyText {
        PolicyText(files::read(&self.0, MAX_POLICY).map(|text| text.to_vec()))
    }

    /// The policy that a text of this file is.
    ///
    /// # Errors
    /// What is wrong with it, and on which line.
    pub(crate) fn policy(&self, text: &PolicyText) -> Result<DetectionPolicy, UnusableFile> {
        match &text.0 {
            Ok(text) => document::read_text(text)
                .map_err(|error| UnusableFile::Invalid(self.0.clone(), error)),
            Err(error) => Err(UnusableFile::Unreadable(self.0.clone(), *error)),
        }
    }

    /// Puts another policy in its place, all of it or nothing.
    pub(crate) fn write(&self, text: &str) -> io::Result<()> {
        files::replace(&self.0, text.as_bytes())
    }
}
