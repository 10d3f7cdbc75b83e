//! The processes on this machine, each by its name.

use crate::config::{AnchorPlace, AuditSink};

/// Which of the processes on this machine writes the log: each has its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AuditNode {
    Server,
    CommandLine,
}

/// So many processes of one kind can have a log each on one machine, or a name each in one log.
pub(super) const MAX_SLOTS: u32 = 64;

impl AuditNode {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::CommandLine => "command-line",
        }
    }

    /// What a process is called in its entries, and its folder if it has one.
    pub(super) fn name(self, slot: u32) -> String {
        match slot {
            0 => self.as_str().to_owned(),
            slot => format!("{}-{}", self.as_str(), slot + 1),
        }
    }

    /// Where its entries are delivered to. Those of a command wait in its log for who looks there.
    pub(super) fn sinks(self, configured: &[AuditSink]) -> &[AuditSink] {
        match self {
            Self::Server => configured,
            Self::CommandLine => &[],
        }
    }

    /// The node of a log in the folder of that name.
    pub(super) fn of_log(name: &str) -> Self {
        if name.starts_with(Self::CommandLine.as_str()) {
            Self::CommandLine
        } else {
            Self::Server
        }
    }

    /// Where its checkpoints are kept. A command ends before it is known whether somebody else is there.
    pub(super) fn anchors(self, configured: &[AnchorPlace]) -> impl Iterator<Item = &AnchorPlace> {
        let is_its = move |place: &&AnchorPlace| self == Self::Server || !place.is_remote();
        configured.iter().filter(is_its)
    }
}
