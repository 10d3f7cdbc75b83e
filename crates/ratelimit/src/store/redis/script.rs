//! Scripts on the server.

use std::fmt;

use redis::Cmd;

/// The script that decides charges, a [`Group`](super::group::Group) at a time.
pub(super) const CHARGE: &str = include_str!("charge.lua");

/// A script, and the hash by which a server that has it knows it.
pub(super) struct Script {
    source: String,
    hash: String,
}

impl Script {
    pub(super) fn new(source: impl Into<String>) -> Self {
        let source = source.into();
        let hash = redis::Script::new(&source).get_hash().to_owned();
        Self { source, hash }
    }

    /// The command for a server that has the script, without its keys and arguments.
    pub(super) fn by_hash(&self) -> Cmd {
        redis::cmd("EVALSHA").arg(&self.hash).to_owned()
    }

    /// The command for a server that does not have the script, and has it from then on.
    pub(super) fn whole(&self) -> Cmd {
        redis::cmd("EVAL").arg(&self.source).to_owned()
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Script")
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}
