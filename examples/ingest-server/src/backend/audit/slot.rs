//! The log that a process writes, and the name that it has there: names are free again once their processes are gone.

use std::{io, path::Path, sync::Arc};

use portcullis_audit_log::{clock::Clock as LogClock, store::FileStoreError};

use super::{AuditNode, AuditOpenError, node::MAX_SLOTS};
use crate::{
    audit::{AuditFolder, CurrentLog, DATABASE, DatabaseLog, KeptLog, Leadership, LockFile},
    files,
};

/// Within the folder of a log that is shared: a file for the name of each process, and that of the leader.
const NODES: &str = "nodes";
const LEADER: &str = "leader";

/// A log that is open, and what this process is there.
pub(super) struct Slot {
    /// What the log is called, as its folder.
    pub(super) log: String,
    /// What the process is called in its entries.
    pub(super) node: String,
    pub(super) current: CurrentLog,
    pub(super) kept: KeptLog,
    pub(super) folder: AuditFolder,
    pub(super) leadership: Leadership,
    /// Of the name, where the log is shared.
    pub(super) name: Option<LockFile>,
}

impl Slot {
    /// Takes the folder of that number and the log in it, unless another process has it.
    pub(super) async fn of_own_log(
        all: &Path,
        node: AuditNode,
        number: u32,
        clock: &Arc<dyn LogClock>,
    ) -> Result<Option<Self>, AuditOpenError> {
        files::create_folder(all).map_err(|error| folder_failed(all, &error))?;
        let name = node.name(number);
        let folder = all.join(&name);
        match CurrentLog::open(&folder, clock).await {
            Ok((current, store)) => Ok(Some(Self {
                log: name.clone(),
                folder: AuditFolder::new(all.to_owned(), name.clone()),
                node: name,
                current,
                kept: KeptLog::Files(Arc::new(store)),
                leadership: Leadership::alone(),
                name: None,
            })),
            Err(FileStoreError::InUse { .. }) => Ok(None),
            Err(error) => Err(AuditOpenError::of_store(folder, name, error)),
        }
    }

    /// Opens the log that all processes share, under the first name that no other has.
    pub(super) async fn of_shared_log(all: &Path, node: AuditNode) -> Result<Self, AuditOpenError> {
        let folder = all.join(DATABASE);
        let (node, name, leadership) = {
            let (taken, name) = take_name(&folder.join(NODES), node)?;
            let leadership = match node {
                AuditNode::Server => Leadership::by_lock(folder.join(LEADER), taken.clone()),
                AuditNode::CommandLine => Leadership::never(),
            };
            (taken, name, leadership)
        };
        let log = DatabaseLog::open(&folder).await;
        let log = log.map_err(|error| AuditOpenError::Database { folder, error })?;
        Ok(Self {
            log: DATABASE.to_owned(),
            node,
            current: log.current().clone(),
            folder: AuditFolder::shared(all.to_owned(), log.database().clone()),
            kept: KeptLog::Database(Arc::new(log)),
            leadership,
            name: Some(name),
        })
    }
}

fn take_name(nodes: &Path, node: AuditNode) -> Result<(String, LockFile), AuditOpenError> {
    let failed = |error: io::Error| folder_failed(nodes, &error);
    files::create_folder(nodes).map_err(failed)?;
    for name in (0..MAX_SLOTS).map(|number| node.name(number)) {
        if let Some(lock) = LockFile::alone(&nodes.join(&name)).map_err(failed)? {
            return Ok((name, lock));
        }
    }
    Err(AuditOpenError::NoSlot(nodes.to_owned()))
}

fn folder_failed(folder: &Path, error: &io::Error) -> AuditOpenError {
    AuditOpenError::Folder {
        folder: folder.to_owned(),
        kind: error.kind(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_process_has_a_name_of_its_own_in_one_log_and_a_server_leads() {
        let all = tempfile::tempdir().unwrap();
        let slot = |node| Slot::of_shared_log(all.path(), node);
        let first = slot(AuditNode::Server).await.unwrap();
        let second = slot(AuditNode::Server).await.unwrap();
        let command = slot(AuditNode::CommandLine).await.unwrap();
        let slots = [&first, &second, &command];
        assert_eq!(
            slots.map(|slot| &*slot.node),
            ["server", "server-2", "command-line"]
        );
        assert!(slots.iter().all(|slot| slot.log == "database"));
        first.leadership.lead(async {}).await;
        drop(first);
        let next = slot(AuditNode::Server).await.unwrap();
        assert_eq!(next.node, "server");
        next.leadership.lead(async {}).await;
        assert!(!second.leadership.is_leading() && !command.leadership.is_leading());
    }
}
