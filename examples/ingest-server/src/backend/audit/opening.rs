//! How the log of this process is put together: what writes it, what fills its archive, what follows it.

use std::sync::Arc;

use portcullis_audit_log::{
    audit::Audit, clock::Clock as LogClock, note::KeyName, observer::Observer,
};

use super::{
    AUDIT_CLOSE, AuditFollowing, AuditNode, AuditOpenError, LogArchive, NotInPlace, OpenedAudit,
    anchors::AnchoredLog,
    archives::Filling,
    clock::AuditClock,
    closed,
    keys::{identity, origin_of, signing_keys},
    slot::Slot,
};
use crate::{
    audit::{AnchorTimes, AuditIdentity, AuditLog, KeyringSealer, log_name},
    backend::Backend,
    clock::Clock,
    config::Config,
};

/// What a log is opened with, whichever it is.
pub(super) struct Opening<'a> {
    pub(super) backend: &'a Backend,
    pub(super) config: &'a Config,
    pub(super) node: AuditNode,
    pub(super) clock: &'a Arc<dyn Clock>,
    pub(super) observer: &'a Arc<dyn Observer>,
}

impl Opening<'_> {
    /// Opens the log of that slot.
    ///
    /// # Errors
    /// [`AuditOpenError`].
    pub(super) async fn open(
        &self,
        slot: Slot,
    ) -> Result<
        OpenedAudit<impl Future<Output = Result<(), NotInPlace>> + Send + use<>>,
        AuditOpenError,
    > {
        let origin = origin_of(&self.config.audit.origin, &slot.log)?;
        let identity = identity(&origin, &slot.current, &self.config.secrets.audit_keys)?;
        let times = self.anchor_times();
        let (audit, writing) = self.writer(&slot, &origin, &times).await?;
        let filling = self.filling(&slot, &origin, &identity, &audit);
        let archived = filling.as_ref().map(Filling::gauge);
        let (following, followed) = AuditFollowing::new(
            self.config,
            self.node,
            &audit,
            slot.folder.clone(),
            filling,
            self.log_clock(),
            slot.leadership,
        )?;
        let (log, gathering) = AuditLog::new(
            audit,
            slot.folder,
            identity,
            Arc::clone(self.clock),
            self.config.audit.writes,
        );
        let log = log
            .archived(archived)
            .led(following.leadership.clone())
            .held(self.config.audit.is_held)
            .beside(following.ended.clone());
        if self.node == AuditNode::Server {
            log.anchored(times);
        }
        let (kept, name) = (slot.kept, slot.name);
        // Their state is large, and would be on the stack of all who pass it on.
        let (writing, gathering) = (Box::pin(writing), Box::pin(gathering));
        let followed = Box::pin(followed);
        let run = Box::pin(async move {
            let written = async { tokio::join!(writing, gathering) };
            tokio::select! {
                _ = written => {}
                () = followed => {}
            }
            let closed = closed::put_in_place(&kept).await;
            drop(name);
            closed
        });
        Ok(OpenedAudit {
            log,
            following,
            run,
        })
    }

    /// What writes to the log: signed by every key, anchored at every place that is for this kind of process.
    async fn writer(
        &self,
        slot: &Slot,
        origin: &KeyName,
        times: &Arc<AnchorTimes>,
    ) -> Result<(Audit, impl Future<Output = ()> + Send + use<>), AuditOpenError> {
        let (config, backend) = (&self.config, self.backend);
        let store = slot.kept.store();
        let sealer = KeyringSealer::new(backend.keyring.clone(), Arc::clone(&backend.data_keys));
        let mut builder = Audit::builder(Arc::clone(&store), origin.clone(), log_name(&slot.node))
            .generation(slot.current.generation().clone())
            .close_wait(AUDIT_CLOSE)
            .sealer(Arc::new(sealer))
            .observer(Arc::clone(times) as _)
            .clock(self.log_clock());
        for key in signing_keys(origin, &config.secrets.audit_keys)? {
            builder = builder.key(key);
        }
        let anchored = AnchoredLog {
            base: origin,
            generation: slot.current.generation(),
            name: &slot.log,
            store: &store,
            archive: config.audit.archive.as_ref(),
        };
        for place in self.node.anchors(&config.audit.anchors) {
            builder = builder.anchor(anchored.at(place, &backend.store)?);
        }
        match builder.open().await {
            Ok(opened) => Ok(opened),
            Err(error) => {
                let (folder, log) = (slot.current.folder(), slot.log.clone());
                let origin = slot.current.generation().origin(origin)?;
                let refused = AuditOpenError::of_named_log(folder, log, &origin, &*store, error);
                Err(refused.await)
            }
        }
    }

    /// What fills the archive, if there is one: a service does so, for commands too.
    fn filling(
        &self,
        slot: &Slot,
        origin: &KeyName,
        identity: &AuditIdentity,
        audit: &Audit,
    ) -> Option<Filling> {
        let place = self.config.audit.archive.as_ref();
        let place = place.filter(|_| self.node == AuditNode::Server)?;
        let archive = LogArchive::new(place, &slot.log, slot.current.generation().number());
        let filling = Filling::new(
            audit.clone(),
            identity.keys.clone(),
            archive,
            Arc::clone(self.clock),
        );
        Some(filling.earlier(place, &slot.folder, origin))
    }

    fn anchor_times(&self) -> Arc<AnchorTimes> {
        let anchors = self.node.anchors(&self.config.audit.anchors);
        Arc::new(AnchorTimes::new(
            anchors.map(ToString::to_string),
            Arc::clone(self.observer),
            Arc::clone(self.clock),
        ))
    }

    fn log_clock(&self) -> Arc<dyn LogClock> {
        Arc::new(AuditClock(Arc::clone(self.clock)))
    }
}
