//! Who administers.

use std::{fmt, net::IpAddr};

/// A person or process that administers, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Actor {
    /// Has the admin token, and asks from this address.
    AdminToken { address: IpAddr },
    /// Runs the command line as this user of the operating system.
    CommandLine { user: u32 },
    /// The service itself, in the dev profile.
    DevProfile,
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AdminToken { address } => write!(f, "admin token from {address}"),
            Self::CommandLine { user } => write!(f, "command line, user {user}"),
            Self::DevProfile => f.write_str("dev profile"),
        }
    }
}
