//! The audit log that is configured: where it is kept, what signs it, and what seals what lies beside it.

mod accepting;
mod anchors;
mod archives;
mod clock;
mod closed;
mod ended;
mod error;
mod followers;
mod keys;
mod named;
mod node;
mod slot;

use std::{sync::Arc, time::Duration};

use portcullis_audit_log::{audit::Audit, clock::Clock as LogClock, observer::Observer};

use self::{
    anchors::AnchoredLog,
    archives::Filling,
    clock::AuditClock,
    keys::{identity, origin_of, signing_keys, verifying_keys},
    node::MAX_SLOTS,
    slot::Slot,
};
use super::Backend;
use crate::{
    audit::{AnchorTimes, AuditLog, KeyringSealer, log_name},
    clock::Clock,
    config::{AuditStore, Config},
};

pub(crate) use self::{
    accepting::{ForeignLog, LogTreeNamed},
    archives::{FillError, LogArchive},
    closed::{KEPT_CLOSE, NotInPlace},
    error::AuditOpenError,
    followers::AuditFollowing,
    named::{NamedLogError, NamedLogs, OpenedLog},
    node::AuditNode,
};

/// How long the log takes to be closed at most. What is not written by then is told.
pub(crate) const AUDIT_CLOSE: Duration = Duration::from_secs(4);

/// What becomes of a log of this kind of process that is not the one its anchors know, or whose end was cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RefusedLogs {
    /// Nothing opens.
    Refuse,
    /// It is passed over, as is one that is in use.
    PassOver,
}

/// The log of this process.
pub(crate) struct OpenedAudit<F> {
    pub(crate) log: AuditLog,
    pub(crate) following: AuditFollowing,
    /// What writes it and follows it, for the caller to spawn. In the end it says what became of the store.
    pub(crate) run: F,
}

impl Backend {
    /// Opens the log that this process writes: its own, in the first folder that no other has, or the one that all
    /// share. A command that accepts a rollback has one of its own in any case, as the shared one may be what was put
    /// back.
    ///
    /// # Errors
    /// [`AuditOpenError`].
    pub(crate) async fn open_audit(
        &self,
        config: &Config,
        node: AuditNode,
        refused: RefusedLogs,
        clock: &Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Result<
        OpenedAudit<impl Future<Output = Result<(), NotInPlace>> + Send + 'static>,
        AuditOpenError,
    > {
        let all = &config.audit.folder;
        // Its state is large, and would be on the stack of who starts.
        let open =
            |slot| Box::pin(self.open_slot(config, node, slot, clock, Arc::clone(&observer)));
        if config.audit.store == AuditStore::Database && refused == RefusedLogs::Refuse {
            return open(Slot::of_shared_log(all, node).await?).await;
        }
        let log_clock: Arc<dyn LogClock> = Arc::new(AuditClock(Arc::clone(clock)));
        for number in 0..MAX_SLOTS {
            let opened = match Slot::of_own_log(all, node, number, &log_clock).await {
                Ok(None) => continue,
                Ok(Some(slot)) => open(slot).await,
                Err(error) => Err(error),
            };
            match opened {
                Err(error) if refused == RefusedLogs::PassOver && error.is_refused() => {}
                opened => return opened,
            }
        }
        Err(AuditOpenError::NoSlot(all.clone()))
    }

    async fn open_slot(
        &self,
        config: &Config,
        node: AuditNode,
        slot: Slot,
        clock: &Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Result<
        OpenedAudit<impl Future<Output = Result<(), NotInPlace>> + Send + 'static>,
        AuditOpenError,
    > {
        let log_clock = Arc::new(AuditClock(Arc::clone(clock)));
        let Slot {
            log,
            node: name,
            current,
            kept,
            folder,
            leadership,
            name: held,
        } = slot;
        let sealer = KeyringSealer::new(self.keyring.clone(), Arc::clone(&self.data_keys));
        let origin = origin_of(&config.audit.origin, &log)?;
        let anchors = node.anchors(&config.audit.anchors).map(ToString::to_string);
        let times = Arc::new(AnchorTimes::new(anchors, observer, Arc::clone(clock)));
        let store = kept.store();
        let mut builder = Audit::builder(Arc::clone(&store), origin.clone(), log_name(&name))
            .generation(current.generation().clone())
            .close_wait(AUDIT_CLOSE)
            .sealer(Arc::new(sealer))
            .observer(Arc::clone(&times) as _)
            .clock(Arc::clone(&log_clock) as _);
        let identity = identity(&origin, &current, &config.secrets.audit_keys)?;
        for key in signing_keys(&origin, &config.secrets.audit_keys)? {
            builder = builder.key(key);
        }
        let anchored = AnchoredLog {
            base: &origin,
            generation: current.generation(),
            name: &log,
            store: &store,
            archive: config.audit.archive.as_ref(),
        };
        for place in node.anchors(&config.audit.anchors) {
            builder = builder.anchor(anchored.at(place, &self.store)?);
        }
        let opened = builder.open().await;
        let (audit, writing) =
            opened.map_err(|error| AuditOpenError::of_log(current.folder(), log.clone(), error))?;
        let place = config.audit.archive.as_ref();
        let place = place.filter(|_| node == AuditNode::Server);
        let filling = place.map(|place| {
            let archive = LogArchive::new(place, &log, current.generation().number());
            Filling::new(
                audit.clone(),
                identity.keys.clone(),
                archive,
                Arc::clone(clock),
            )
            .earlier(place, &folder, &origin)
        });
        let archived = filling.as_ref().map(Filling::gauge);
        let (following, followed) = AuditFollowing::new(
            config,
            node,
            &audit,
            folder.clone(),
            filling,
            log_clock as _,
            leadership,
        )?;
        let (log, gathering) = AuditLog::new(
            audit,
            folder,
            identity,
            Arc::clone(clock),
            config.audit.writes,
        );
        let log = log
            .archived(archived)
            .led(following.leadership.clone())
            .held(config.audit.is_held)
            .beside(following.ended.clone());
        if node == AuditNode::Server {
            log.anchored(times);
        }
        // Its state is large, and would be on the stack of all who pass it on.
        let (writing, gathering) = (Box::pin(writing), Box::pin(gathering));
        let followed = Box::pin(followed);
        let run = Box::pin(async move {
            let written = async { tokio::join!(writing, gathering) };
            tokio::select! {
                _ = written => {}
                () = followed => {}
            }
            let closed = closed::put_in_place(&kept).await;
            drop(held);
            closed
        });
        Ok(OpenedAudit {
            log,
            following,
            run,
        })
    }
}
