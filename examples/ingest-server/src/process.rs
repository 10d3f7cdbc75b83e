//! What the process gives away of its memory: nothing to other users, to core dumps or, as far as it
//! may, to swap space. See ADR 0015. And which signal does not end it.

use std::{io, mem};

use rustix::{
    io::Result,
    mm::{MlockAllFlags, mlockall},
    process::{
        DumpableBehavior, Resource, Rlimit, Signal, getrlimit, set_dumpable_behavior, setrlimit,
    },
};
use tokio::signal::unix::{SignalKind, signal};

/// No core dump is written, and no process of the same user can attach or read the memory and the
/// environment under `/proc`.
pub(crate) fn forbid_dumps() -> Result<()> {
    let nothing = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    setrlimit(Resource::Core, nothing)?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
}

/// A write beyond the limit of file sizes (`ulimit -f`) fails from now on as one to a full disk does. Unless
/// somebody asks for its signal, it ends the process.
///
/// # Errors
/// The system refuses it.
pub(crate) fn outlive_file_size_limit() -> io::Result<()> {
    // What the signal does stays replaced without anybody who listens.
    signal(SignalKind::from_raw(Signal::XFSZ.as_raw())).map(drop)
}

/// What of the memory stays out of swap space, until the process ends: the system does not count how many asked
/// for a page, and to give up one secret's would give up that of another beside it.
#[derive(Debug, Default)]
pub(crate) struct LockedMemory {
    /// The first that was refused.
    refused: bool,
}

impl LockedMemory {
    /// Locks the pages that these bytes lie on.
    pub(crate) fn lock(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        match region::lock(bytes.as_ptr(), bytes.len()) {
            Ok(pages) => mem::forget(pages),
            Err(_) => self.refused = true,
        }
    }

    /// Whether the limit was too low for something.
    pub(crate) const fn is_incomplete(&self) -> bool {
        self.refused
    }
}

/// Locks every page the process touches from now on, if that is allowed without a limit. With one,
/// memory would one day be refused to anyone who asks for it first.
pub(crate) fn lock_everything() {
    if getrlimit(Resource::Memlock).current.is_none() {
        let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
        // Where a kernel or a sandbox refuses it, what was locked before stays locked.
        let _ = mlockall(flags);
    }
}
