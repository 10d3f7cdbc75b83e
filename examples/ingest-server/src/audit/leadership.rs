//! Who follows a log that several processes write.

use std::{
    fs::File,
    future::pending,
    io::{self, Read as _},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use portcullis_telemetry::BackgroundTask;
use tokio::time::sleep;

use super::{LockFile, is_log_name};

const TASK: BackgroundTask = BackgroundTask::new("audit_leadership");

/// How often a process that does not lead asks whether it may: as long a log is followed by nobody after its leader was
/// killed.
pub(crate) const ASK_EVERY: Duration = Duration::from_secs(5);

/// No name of a node is longer.
const LONGEST_NAME: u64 = 64;

/// Whether this process leads those that write a log: what follows the log is to be done once, and the leader does it.
/// Clones are the same.
///
/// # Contract
/// * Of the processes that share a log at most one leads.
/// * One that leads does so until its last clone is dropped or its process ends. A lock that can be lost before, as that
///   of a session with a server, has to end what the leader does.
/// * Once the leader is gone another one leads, within [`ASK_EVERY`] and what asking takes.
#[derive(Debug, Clone)]
pub(crate) struct Leadership(Arc<By>);

#[derive(Debug)]
enum By {
    /// Nobody else writes the log.
    Alone,
    /// It leaves that to others.
    Never,
    Lock(LeaderFile),
}

/// Who leads the processes that share a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Leader {
    /// Whether it is this process.
    pub(crate) is_this: bool,
    /// The name of its node, if that can be found out. For as long as nobody leads, it is the one that did.
    pub(crate) node: Option<String>,
}

/// The file that is the leader's, with the name of its node in it.
#[derive(Debug)]
struct LeaderFile {
    path: PathBuf,
    /// What this process is called.
    node: String,
    held: Mutex<Option<LockFile>>,
}

impl Leadership {
    /// Of a log that no other process writes.
    pub(crate) fn alone() -> Self {
        Self(Arc::new(By::Alone))
    }

    /// Of a process that never leads.
    pub(crate) fn never() -> Self {
        Self(Arc::new(By::Never))
    }

    /// Of who has the lock of that file, among the processes of a machine. This one has the name `node` there.
    pub(crate) fn by_lock(path: PathBuf, node: String) -> Self {
        let held = Mutex::default();
        Self(Arc::new(By::Lock(LeaderFile { path, node, held })))
    }

    /// Whether this process leads by now.
    pub(crate) fn is_leading(&self) -> bool {
        match &*self.0 {
            By::Alone => true,
            By::Never => false,
            By::Lock(file) => file.is_held(),
        }
    }

    /// Who leads; `None` where no other process writes the log, or this one leaves it to others.
    pub(crate) fn leader(&self) -> Option<Leader> {
        match &*self.0 {
            By::Alone | By::Never => None,
            By::Lock(file) => Some(file.leader()),
        }
    }

    /// Does what a leader does, as soon as this process leads.
    pub(crate) async fn lead<T>(&self, work: impl Future<Output = T>) -> T {
        match &*self.0 {
            By::Alone => {}
            By::Never => pending().await,
            By::Lock(file) => file.wait().await,
        }
        work.await
    }
}

impl LeaderFile {
    async fn wait(&self) {
        let mut is_told = false;
        loop {
            match self.take() {
                Ok(true) => return,
                Ok(false) => {}
                Err(error) if !is_told => {
                    is_told = true;
                    TASK.within(|| {
                        tracing::error!(
                            error = &error as &dyn std::error::Error,
                            "this process cannot find out whether another follows the audit log, and does not: look \
                             at the file `leader` in its folder"
                        );
                    });
                }
                Err(_) => {}
            }
            sleep(ASK_EVERY).await;
        }
    }

    /// Takes the lock, unless this process has it. Gives whether it has it then.
    fn take(&self) -> io::Result<bool> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.is_some() {
            return Ok(true);
        }
        *held = LockFile::alone(&self.path)?;
        if let Some(held) = &*held {
            // It leads also where it cannot say so.
            let _ = held.write(&self.node);
            TASK.within(|| tracing::info!("this process follows the audit log"));
        }
        Ok(held.is_some())
    }

    fn is_held(&self) -> bool {
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.is_some()
    }

    fn leader(&self) -> Leader {
        let is_this = self.is_held();
        let node = if is_this {
            Some(self.node.clone())
        } else {
            self.written()
        };
        Leader { is_this, node }
    }

    /// The name that is in the file. The lock is not asked for it: who is about to lead would find it taken.
    fn written(&self) -> Option<String> {
        let mut name = String::new();
        let file = File::open(&self.path).ok()?;
        file.take(LONGEST_NAME).read_to_string(&mut name).ok()?;
        is_log_name(&name).then_some(name)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures_util::poll;
    use tokio::time::{advance, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn of_two_one_leads_and_the_other_once_that_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let of_process =
            |node: &str| Leadership::by_lock(folder.path().join("leader"), node.into());
        let [first, second] = ["server", "server-2"].map(of_process);
        let leader = |is_this, node: &str| {
            let node = Some(node.to_owned());
            Some(Leader { is_this, node })
        };
        let nobody = Leader {
            is_this: false,
            node: None,
        };
        assert_eq!(second.leader(), Some(nobody));
        first.lead(async {}).await;
        // All that one process does for the log.
        first.clone().lead(async {}).await;
        let mut waiting = pin!(second.lead(async {}));
        for _ in 0..3 {
            assert!(poll!(&mut waiting).is_pending());
            advance(ASK_EVERY).await;
        }
        assert!(first.is_leading() && !second.is_leading());
        assert_eq!(first.leader(), leader(true, "server"));
        assert_eq!(second.leader(), leader(false, "server"));
        drop(first);
        timeout(ASK_EVERY, waiting).await.unwrap();
        assert!(second.is_leading());
        assert_eq!(second.leader(), leader(true, "server-2"));
        assert_eq!(of_process("server").leader(), leader(false, "server-2"));
    }

    #[test]
    fn what_is_no_name_of_a_node_is_told_to_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("leader");
        for text in ["", "../etc", "server-2\n", &"a".repeat(100)] {
            std::fs::write(&path, text).unwrap();
            let leader = Leadership::by_lock(path.clone(), "server".into()).leader();
            assert_eq!(leader.unwrap().node, None, "{text}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_log_of_ones_own_is_followed_at_once_and_one_left_to_others_never() {
        assert!(Leadership::alone().is_leading());
        assert_eq!(Leadership::alone().leader(), None);
        Leadership::alone().lead(async {}).await;
        let never = Leadership::never();
        timeout(ASK_EVERY * 10, never.lead(async {}))
            .await
            .unwrap_err();
        assert!(!never.is_leading());
    }

    #[tokio::test(start_paused = true)]
    async fn who_cannot_ask_goes_on_asking() {
        let folder = tempfile::tempdir().unwrap();
        let missing = folder.path().join("missing");
        let leadership = Leadership::by_lock(missing.join("leader"), "server".into());
        let mut waiting = pin!(leadership.lead(async {}));
        assert!(poll!(&mut waiting).is_pending());
        std::fs::create_dir(&missing).unwrap();
        timeout(ASK_EVERY * 2, waiting).await.unwrap();
    }
}
