//! Those who follow the log: sinks, the rules, and the one that takes away what is too old.

use std::{future::pending, sync::Arc};

use portcullis_audit_log::{audit::Audit, clock::Clock as LogClock};

use super::{AuditNode, AuditOpenError};
use crate::{
    audit::{Leadership, Suspicions, retain, watch},
    config,
    delivery::Deliveries,
};

/// Those who follow a log.
#[derive(Debug, Clone)]
pub(crate) struct AuditFollowing {
    pub(crate) deliveries: Deliveries,
    pub(crate) suspicions: Suspicions,
    /// Whether it is this process that does so.
    pub(crate) leadership: Leadership,
}

impl AuditFollowing {
    /// Those who follow a log, and what they do once this process leads, which never ends by itself.
    pub(super) fn new(
        config: &config::Audit,
        node: AuditNode,
        audit: &Audit,
        clock: Arc<dyn LogClock>,
        leadership: Leadership,
    ) -> Result<(Self, impl Future<Output = ()> + Send + use<>), AuditOpenError> {
        let sinks = node.sinks(&config.sinks);
        let (deliveries, delivering) = Deliveries::new(sinks, audit.store(), Arc::clone(&clock))?;
        let suspicions = Suspicions::default();
        let watching = {
            let (audit, suspicions) = (audit.clone(), suspicions.clone());
            async move {
                match node {
                    AuditNode::Server => watch(audit, &*clock, suspicions).await,
                    AuditNode::CommandLine => pending().await,
                }
            }
        };
        let retaining = retain(audit.clone(), config.days, config.personal_days, {
            let deliveries = deliveries.clone();
            move |ages| deliveries.held(ages)
        });
        let following = async move {
            tokio::select! {
                () = retaining => {}
                () = delivering => {}
                _ = watching => {}
            }
        };
        let this = Self {
            deliveries,
            suspicions,
            leadership: leadership.clone(),
        };
        Ok((this, async move { leadership.lead(following).await }))
    }
}
