//! Who administers.

use std::{fmt, net::IpAddr};

use crate::audit::Peer;

/// A person or process that administers, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Actor {
    /// Has the admin token, and asks from there.
    AdminToken { peer: Peer },
    /// Runs the command line as this user of the operating system.
    CommandLine { user: u32 },
    /// The service itself, in the dev profile.
    DevProfile,
    /// Writes the file of the detection policy.
    DetectionFile,
    /// Writes the file of the limits.
    LimitsFile,
    /// The service itself, which rotates data keys by their age.
    Schedule,
    /// Another process, which left a policy in the database.
    Database,
}

impl Actor {
    /// Who it is in the audit log.
    pub(crate) fn id(&self) -> String {
        match self {
            Self::AdminToken { .. } => "admin-token".to_owned(),
            Self::CommandLine { user } => format!("command-line:{user}"),
            Self::DevProfile => "dev-profile".to_owned(),
            Self::DetectionFile => "detection-file".to_owned(),
            Self::LimitsFile => "limits-file".to_owned(),
            Self::Schedule => "schedule".to_owned(),
            Self::Database => "database".to_owned(),
        }
    }

    /// Where it asks from, if that is known.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        self.peer().map(|peer| peer.address)
    }

    /// The same, with what it says it is.
    pub(crate) const fn peer(&self) -> Option<&Peer> {
        match self {
            Self::AdminToken { peer } => Some(peer),
            _ => None,
        }
    }
}

/// As in the audit log, and where from.
impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.id())?;
        match self.address() {
            Some(address) => write!(f, " from {address}"),
            None => Ok(()),
        }
    }
}
