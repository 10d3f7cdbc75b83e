//! The decision about one request.

use std::{hint::black_box, sync::Arc, time::Duration};

use thiserror::Error;

use super::{
    ApiKeyCache, Shared,
    entry::{Entry, Loaded, NegativeEntry},
    load::LoadFailed,
    nanoseconds,
};
use crate::{
    key::ApiKey,
    observer::{DenialReason, Event, Hit},
    principal::Principal,
    store::Validity,
};

/// When a caller may try again after the store did not answer.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// Why a request is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Denied {
    /// The key is unknown, wrong, revoked, expired or not yet valid: the answer does not say
    /// which. The observer is told.
    #[error("the API key is not accepted")]
    Unauthorized,
    /// The store could not be asked; the key may be good.
    #[error("API keys cannot be checked at the moment; try again later")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
    },
}

impl ApiKeyCache {
    /// Who presents this key.
    ///
    /// Answers from memory if the record is cached and the change feed was read lately; otherwise
    /// asks the store, once for all requests with the same key that may share the answer.
    /// [`validate_for`](Self::validate_for) can answer some requests while the store is down.
    ///
    /// # Errors
    ///
    /// [`Denied::Unauthorized`] if the key is not accepted, [`Denied::Unavailable`] if that could
    /// not be checked.
    pub async fn validate(&self, key: &ApiKey) -> Result<Principal, Denied> {
        match self.shared.validate_from_memory(key) {
            Decision::Made(answer) => answer,
            Decision::Renew(principal) => self.shared.renew(key, principal).await,
            Decision::Open(source) => self.shared.validate_from_store(key, source).await,
        }
    }
}

/// What can be said without asking the store.
pub(super) enum Decision {
    Made(Result<Principal, Denied>),
    /// Accepted; its hash is under an earlier pepper.
    Renew(Principal),
    Open(Source),
}

/// Whether a load may be one that began before this request.
#[derive(Clone, Copy)]
pub(super) enum Source {
    SharedLoad,
    /// Others that came before it began may share it.
    OwnLoad,
}

impl Shared {
    pub(super) fn validate_from_memory(&self, key: &ApiKey) -> Decision {
        if !key.has_format(&self.format) {
            return Decision::Made(self.deny(DenialReason::ForeignFormat));
        }
        let now = self.clock.monotonic();
        let confirmed = self.is_confirmed(now);
        if confirmed && let Some(entry) = self.fenced.key(key.kid(), now) {
            self.emit(&Event::Hit(Hit::Positive));
            return self.decide_on_hit(key, entry, now);
        }
        // Only now: it would cost a hit half as much again.
        if !key.kid().is_tagged_by(&self.hashing.load().peppers) {
            self.emit(&Event::PrefilterReject);
            return Decision::Made(self.deny(DenialReason::InventedKid));
        }
        if !confirmed {
            return Decision::Open(Source::OwnLoad);
        }
        if let Some(entry) = self.fenced.negative(key.kid(), now) {
            self.emit(&Event::Hit(Hit::Negative));
            return Decision::Made(self.deny_after_dummy_work(key, entry.reason));
        }
        self.emit(&Event::Miss);
        Decision::Open(Source::SharedLoad)
    }

    pub(super) async fn validate_from_store(
        self: &Arc<Self>,
        key: &ApiKey,
        source: Source,
    ) -> Result<Principal, Denied> {
        let mut loaded = self.load_from(key, source).await;
        // What others had read before this request is used in place of the memory, and no longer than that.
        let may_be_earlier = matches!((source, &loaded), (Source::SharedLoad, Ok(_)));
        if may_be_earlier && !self.is_confirmed(self.clock.monotonic()) {
            loaded = self.load_from(key, Source::OwnLoad).await;
        }
        self.decide_on_load(key, loaded).await
    }

    pub(super) async fn load_from(
        self: &Arc<Self>,
        key: &ApiKey,
        source: Source,
    ) -> Result<Loaded, LoadFailed> {
        match source {
            Source::SharedLoad => self.load_missed(key.kid()).await,
            Source::OwnLoad => {
                self.emit(&Event::DirectValidation);
                self.load_own(key.kid()).await
            }
        }
    }

    pub(super) async fn decide_on_load(
        &self,
        key: &ApiKey,
        loaded: Result<Loaded, LoadFailed>,
    ) -> Result<Principal, Denied> {
        match loaded {
            Ok(Loaded::Key(entry)) => {
                let accepted = self.decide(key, Arc::clone(&entry))?;
                if accepted.is_first_use {
                    self.renew_hash(key, &entry).await;
                }
                Ok(accepted.principal)
            }
            Ok(Loaded::Negative(NegativeEntry { reason, .. })) => {
                self.deny_after_dummy_work(key, reason)
            }
            Err(_) => Err(Denied::Unavailable {
                retry_after: RETRY_AFTER,
            }),
        }
    }

    fn decide_on_hit(&self, key: &ApiKey, entry: Arc<Entry>, now: Duration) -> Decision {
        let Accepted {
            principal,
            is_first_use,
        } = match self.decide(key, entry) {
            Ok(accepted) => accepted,
            Err(denied) => return Decision::Made(Err(denied)),
        };
        let now = nanoseconds(now);
        // Only now: nobody without the secret has a record kept in memory.
        if principal.entry().refresh.has_come(now) {
            self.request_refresh(principal.entry(), now);
        }
        // What was loaded before anybody asked for it, at the start or early, is first used here.
        if is_first_use && principal.entry().pepper != self.hashing.load().peppers.primary().version
        {
            return Decision::Renew(principal);
        }
        Decision::Made(Ok(principal))
    }

    #[cold]
    pub(super) async fn renew(
        &self,
        key: &ApiKey,
        principal: Principal,
    ) -> Result<Principal, Denied> {
        self.renew_hash(key, principal.entry()).await;
        Ok(principal)
    }

    #[cold]
    fn request_refresh(&self, entry: &Entry, now: u64) {
        if entry.refresh.claim(now) {
            self.refreshes.request(&entry.record.kid);
        }
    }

    pub(super) fn decide(&self, key: &ApiKey, entry: Arc<Entry>) -> Result<Accepted, Denied> {
        if !entry.secret.accepts(key) {
            return self.deny(DenialReason::WrongSecret);
        }
        // Most keys have no dates: the clock need not be read for them.
        if entry.record.has_dates() {
            match entry.record.validity(self.wall()) {
                Validity::Future => return self.deny(DenialReason::NotYetValid),
                Validity::Past => return self.deny(DenialReason::Expired),
                Validity::Current => {}
            }
        }
        let is_first_use = entry.is_first_use();
        if is_first_use {
            self.last_used.note(entry.record.kid, self.wall());
        }
        Ok(Accepted {
            principal: Principal::new(entry),
            is_first_use,
        })
    }

    /// Denies after as much work as for a kid that has a record.
    fn deny_after_dummy_work<T>(&self, key: &ApiKey, reason: DenialReason) -> Result<T, Denied> {
        black_box(self.hashing.load().nobody.accepts(key));
        self.deny(reason)
    }

    fn deny<T>(&self, reason: DenialReason) -> Result<T, Denied> {
        self.emit(&Event::Denied(reason));
        Err(Denied::Unauthorized)
    }
}

pub(super) struct Accepted {
    pub(super) principal: Principal,
    is_first_use: bool,
}
