//! A policy that stands in a file of the operator's.

use std::{
    io,
    path::{Path, PathBuf},
};

use super::{bounded, bounded::Unreadable, private};

/// The most bytes of a policy, in a file and in the database.
pub(crate) const MAX_POLICY: usize = 1_048_576;

/// What can stand in a file of its own.
pub(crate) trait FilePolicy: Sized {
    /// Reads it from a text.
    ///
    /// # Errors
    /// On which line is what wrong; it repeats nothing that is not known.
    fn from_text(text: &[u8]) -> Result<Self, String>;
}

/// Where a policy stands. Clones are one.
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
    Invalid(PathBuf, String),
    /// As a file is for a moment that is written in its place, and for ever where that is cut off.
    #[error(
        "{} says nothing, and may be cut off; for the defaults write an empty table of it (`[tier]`) or an \
         empty object (`{{}}`)", .0.display()
    )]
    Empty(PathBuf),
}

impl PolicyFile {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// What stands in it now.
    pub(crate) fn text(&self) -> PolicyText {
        PolicyText(bounded::read(&self.0, MAX_POLICY).map(|text| text.to_vec()))
    }

    /// The policy that a text of this file is.
    ///
    /// # Errors
    /// What is wrong with it, and on which line.
    pub(crate) fn policy<P: FilePolicy>(&self, text: &PolicyText) -> Result<P, UnusableFile> {
        match &text.0 {
            Ok(text) if is_empty(text) => Err(UnusableFile::Empty(self.0.clone())),
            Ok(text) => {
                P::from_text(text).map_err(|error| UnusableFile::Invalid(self.0.clone(), error))
            }
            Err(error) => Err(UnusableFile::Unreadable(self.0.clone(), *error)),
        }
    }

    /// Puts another policy in its place, or that of what a link there leads to, all of it or nothing, for those to
    /// read who could before.
    pub(crate) fn write(&self, text: &str) -> io::Result<()> {
        private::replace_keeping_access(&self.0, text.as_bytes())
    }
}

/// Whether there is nothing but blank lines and comments.
fn is_empty(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    lines.all(|line| line.is_empty() || line.starts_with(b"#"))
}
