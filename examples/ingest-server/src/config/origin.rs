//! Where a value came from, so that what is wrong with it is told there.

use std::{fmt, path::PathBuf};

/// The place that the operator has to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A flag, without the dashes.
    Flag(&'static str),
    Variable(String),
    /// A key of the file.
    Key {
        path: PathBuf,
        line: usize,
        key: &'static str,
    },
    /// A place in the file that is no key of ours.
    Position {
        path: PathBuf,
        line: usize,
        column: usize,
    },
    /// A member of what a place holds, by the name of the variable that it stands for.
    Fetched {
        place: String,
        variable: String,
    },
    /// The whole of it.
    SecretObject(String),
    /// A variable in the file of generated secrets.
    Generated {
        path: PathBuf,
        variable: String,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => write!(f, "--{name}"),
            Self::Variable(name) => f.write_str(name),
            Self::Key { path, line, key } => {
                write!(f, "{key} in {}, line {line}", path.display())
            }
            Self::Position { path, line, column } => {
                write!(f, "{}, line {line}, column {column}", path.display())
            }
            Self::Fetched { place, variable } => write!(f, "{variable} in {place}"),
            Self::SecretObject(place) => f.write_str(place),
            Self::Generated { path, variable } => write!(f, "{variable} in {}", path.display()),
        }
    }
}
