//! How the cache of API keys does, and having it forget.

mod report;
mod request;

use std::sync::Arc;

use portcullis_apikey_cache::{ApiKeyCache, feed::Invalidation};
use portcullis_audit_log::event::Outcome;
use serde_json::Value;

use super::{
    Action, Actor, AdminEvent, AdminObserver, ApiKeyError, Warming, api_keys, names, record,
};
use crate::audit::{AuditDraft, AuditLog};

pub(crate) use self::report::KeyCacheReport;

/// The use cases on the cache of API keys.
#[derive(Debug, Clone)]
pub(crate) struct KeyCache {
    keys: ApiKeyCache,
    warming: Warming,
    audit: AuditLog,
    observer: Arc<dyn AdminObserver>,
}

impl KeyCache {
    pub(super) const fn new(
        keys: ApiKeyCache,
        warming: Warming,
        audit: AuditLog,
        observer: Arc<dyn AdminObserver>,
    ) -> Self {
        Self {
            keys,
            warming,
            audit,
            observer,
        }
    }

    /// What the cache has done since the start, and whether it knows of every revocation. It is looked at
    /// while the database cannot be written, and shows nothing of any key or tenant: that it was is noted, and
    /// not waited for.
    pub(crate) fn read(&self, actor: &Actor) -> KeyCacheReport {
        self.audit.note(AuditDraft {
            count: 1,
            ..record::draft(actor, &Action::ReadKeyCache, None)
        });
        self.report(actor, Action::ReadKeyCache, None);
        KeyCacheReport::of(&self.keys, &self.warming)
    }

    /// Has this process and every other forget what it knows of a key, of a tenant's keys or of all. Returns
    /// when that is durable; this process asks the store from then on.
    ///
    /// # Errors
    /// The request names none of them or several, it cannot be put on record, or the store fails.
    pub(crate) async fn invalidate(&self, actor: &Actor, given: Value) -> Result<(), ApiKeyError> {
        let what = request::read(given);
        let done = match &what {
            Ok(what) => self.invalidate_recorded(actor, what).await,
            Err(wrong) => {
                let action = Action::InvalidateKeyCache { what: None };
                self.audit.note(record::rejected(actor, &action));
                Err(ApiKeyError::Invalid(wrong.clone()))
            }
        };
        let what = what.as_ref().ok();
        self.report(
            actor,
            Action::InvalidateKeyCache { what },
            done.as_ref().err(),
        );
        done
    }

    /// That it was begun says what it is about, so that what is done is told as done even if what came of it
    /// cannot be put on record.
    async fn invalidate_recorded(
        &self,
        actor: &Actor,
        what: &Invalidation,
    ) -> Result<(), ApiKeyError> {
        let tenant = match what {
            Invalidation::Tenant(tenant) => Some(tenant.as_str()),
            Invalidation::Key(_) | Invalidation::All => None,
        };
        let action = Action::InvalidateKeyCache { what: Some(what) };
        let draft = record::draft(actor, &action, names::recorded(tenant));
        let change = self.audit.begin(draft).await?;
        match self.keys.invalidate(what).await {
            Ok(_) => {
                if let Err(error) = change.finish(Outcome::Success, None).await {
                    tracing::error!(
                        error = &error as &dyn std::error::Error,
                        "API keys are read again"
                    );
                }
                Ok(())
            }
            Err(error) => Err(api_keys::failed(change, error.into()).await),
        }
    }

    fn report(&self, actor: &Actor, action: Action<'_>, error: Option<&ApiKeyError>) {
        self.observer.observe(&AdminEvent {
            actor,
            action,
            result: api_keys::result(error),
        });
    }
}
