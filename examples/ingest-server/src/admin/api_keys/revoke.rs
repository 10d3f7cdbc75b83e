//! Revoking a key, and what becomes of that in other processes.

use std::time::Duration;

use portcullis_apikey_cache::{EffectiveBy, Kid, Published, Revocation};
use portcullis_audit_log::event::Outcome;
use portcullis_telemetry::BackgroundTask;
use serde::Serialize;
use tokio::time::timeout;

use super::{ApiKeyError, ApiKeys, failed};
use crate::admin::{Action, Actor, names, record};

const WATCH: BackgroundTask = BackgroundTask::new("watch_revocation");

/// A key that is revoked, now or before: this process refuses it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RevokedApiKey {
    pub(crate) kid: String,
    pub(crate) was_active: bool,
    /// Whether Redis has told other processes; null where none is configured, and of a key that was revoked
    /// before.
    pub(crate) published: Option<bool>,
    #[serde(skip)]
    revocation: Revocation,
}

/// A revocation, and that no process accepts the key any more.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct EffectiveRevocation {
    #[serde(flatten)]
    pub(crate) revoked: RevokedApiKey,
    pub(crate) effective: Effect,
}

/// Since when no process accepts a key, and how that is known.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Effect {
    pub(crate) after_ms: u64,
    pub(crate) by: &'static str,
}

/// How long the store may take to say whose a key is.
const OWNER_WITHIN: Duration = Duration::from_millis(250);

impl ApiKeys {
    /// Revokes a key for good. Returns when that is durable; this process refuses the key from
    /// then on.
    pub(crate) async fn revoke(
        &self,
        actor: &Actor,
        kid: &str,
    ) -> Result<RevokedApiKey, ApiKeyError> {
        let kid: Result<Kid, _> = kid.parse();
        let revocation = match &kid {
            Ok(kid) => self.revoke_recorded(actor, kid).await,
            Err(malformed) => Err((*malformed).into()),
        };
        let action = Action::RevokeApiKey {
            kid: kid.as_ref().ok(),
        };
        self.report(actor, action, revocation.as_ref().err());
        Ok(RevokedApiKey::new(&kid?, revocation?))
    }

    /// What was begun names the key, so that a revocation that is done is told as done even if what
    /// came of it cannot be put on record.
    async fn revoke_recorded(&self, actor: &Actor, kid: &Kid) -> Result<Revocation, ApiKeyError> {
        // Whose key it is, unless the store takes its time: what has to be revoked does not wait for it.
        let old = timeout(OWNER_WITHIN, self.keys.record(kid)).await;
        let old = old.ok().and_then(Result::ok);
        let tenant = names::recorded(old.as_ref().map(|old| old.tenant().as_str()));
        let draft = record::draft(actor, &Action::RevokeApiKey { kid: Some(kid) }, tenant);
        let change = self.audit.begin(draft).await?;
        match self.keys.revoke(kid).await {
            Ok(revocation) => {
                if let Err(error) = change.finish(Outcome::Success, None).await {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "a key was revoked"
                    );
                }
                Ok(revocation)
            }
            Err(error) => Err(failed(change, error.into()).await),
        }
    }
}

impl RevokedApiKey {
    pub(super) fn new(kid: &Kid, revocation: Revocation) -> Self {
        Self {
            kid: kid.to_string(),
            was_active: revocation.was_active(),
            published: match revocation.published() {
                Published::NoBus => None,
                _ if !revocation.was_active() => None,
                published => Some(published == Published::Yes),
            },
            revocation,
        }
    }

    /// Waits until no process accepts the key any more: 3 s at most, whatever is down.
    pub(crate) async fn effective(self) -> EffectiveRevocation {
        let effective = self.revocation.effective().await;
        EffectiveRevocation {
            effective: Effect {
                after_ms: milliseconds(effective.took),
                by: match effective.how {
                    EffectiveBy::Acknowledged => "acknowledged",
                    _ => "leases_expired",
                },
            },
            revoked: self,
        }
    }

    /// Finds out when that is so, for the metric, without keeping anybody waiting.
    pub(crate) fn observe(self) {
        if self.was_active {
            let effective = async move { self.revocation.effective().await };
            drop(tokio::spawn(WATCH.run(effective)));
        }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
