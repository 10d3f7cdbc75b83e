//! Those who follow the log: sinks, the rules, and the one that takes away what is too old.

use std::{future::pending, sync::Arc, time::Duration};

use portcullis_audit_log::{
    audit::{Audit, Retention},
    clock::Clock as LogClock,
};

use super::{
    AuditNode, AuditOpenError, NamedLogs,
    archives::{Filling, archive},
    ended::EndedLogs,
};
use crate::{
    audit::{
        ArchiveGauge, AuditFolder, EndedVerifications, Leadership, Suspicions, retain, retention,
        watch,
    },
    config::Config,
    delivery::{Deliveries, cursor_of},
};

/// Those who follow a log.
#[derive(Debug, Clone)]
pub(crate) struct AuditFollowing {
    pub(crate) deliveries: Deliveries,
    pub(crate) suspicions: Suspicions,
    pub(crate) archive: Option<ArchiveGauge>,
    /// What came of verifying logs whose processes have ended.
    pub(crate) ended: EndedVerifications,
    /// Whether it is this process that does so.
    pub(crate) leadership: Leadership,
}

impl AuditFollowing {
    /// Those who follow a log, and what they do once this process leads, which never ends by itself.
    pub(super) fn new(
        config: &Config,
        node: AuditNode,
        audit: &Audit,
        own: AuditFolder,
        filling: Option<Filling>,
        clock: Arc<dyn LogClock>,
        leadership: Leadership,
    ) -> Result<(Self, impl Future<Output = ()> + Send + use<>), AuditOpenError> {
        let logs = NamedLogs::new(config);
        let config = &config.audit;
        let sinks = node.sinks(&config.sinks);
        let (deliveries, delivering) = Deliveries::new(sinks, audit.store(), Arc::clone(&clock))?;
        let suspicions = Suspicions::default();
        let verified = EndedVerifications::default();
        let watching = {
            let (audit, suspicions) = (audit.clone(), suspicions.clone());
            let (clock, deliveries) = (Arc::clone(&clock), deliveries.clone());
            let ended = EndedLogs {
                logs,
                folder: own.clone(),
                clock: Arc::clone(&clock),
                audit: audit.clone(),
                deliveries,
                suspicions: suspicions.clone(),
                verified: verified.clone(),
                // Entries stay until the process starts again, which has it on record in the log itself that they go.
                ages: retention(config.days, config.personal_days, config.is_held)
                    .leaves(Duration::MAX),
            };
            // Whose state is large is apart from those who wait for it: what they call is on one stack with them.
            let following_ended = Box::pin(ended.follow());
            Box::pin(async move {
                match node {
                    AuditNode::Server => {
                        let watching = Box::pin(watch(audit, &*clock, suspicions));
                        tokio::join!(watching, following_ended);
                    }
                    AuditNode::CommandLine => pending().await,
                }
            })
        };
        let ages = retention(config.days, config.personal_days, config.is_held);
        let ages = match &config.archive {
            Some(_) => ages.archived(),
            None => ages,
        };
        // The service delivers what commands have recorded, and they end before that.
        let of_ended = config
            .sinks
            .iter()
            .filter(|_| node == AuditNode::CommandLine);
        let of_ended: Vec<_> = of_ended.flat_map(cursor_of).collect();
        let retaining = Box::pin(retain(audit.clone(), own, ages, {
            let deliveries = deliveries.clone();
            move |ages| {
                let cursors = of_ended.iter().cloned();
                cursors.fold(deliveries.held(ages), Retention::follower)
            }
        }));
        let delivering = Box::pin(delivering);
        let archived = filling.as_ref().map(Filling::gauge);
        let archiving = Box::pin(archive(filling));
        let following = Box::pin(async move {
            tokio::select! {
                () = retaining => {}
                () = delivering => {}
                () = archiving => {}
                () = watching => {}
            }
        });
        let this = Self {
            deliveries,
            suspicions,
            archive: archived,
            ended: verified,
            leadership: leadership.clone(),
        };
        Ok((this, async move { leadership.lead(following).await }))
    }
}
