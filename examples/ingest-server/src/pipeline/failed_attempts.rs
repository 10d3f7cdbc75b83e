//! Secrets that are tried: each failure is counted and logged, and a client network that goes on failing is
//! told to wait.
//!
//! Only failures are slowed. A right secret is let in from the same network too: it is compared first,
//! in constant time, and has more than enough bits, so that what a limit on guesses could add is nothing,
//! while a limit on right ones would let anybody who shares an operator's network lock the operator out.

use std::{fmt::Debug, sync::Arc};

use portcullis_audit_log::event::Code;
use portcullis_ratelimit::{Decision, RateLimiter};

use super::limit_span::in_span;
use crate::audit::{AuditActor, AuditDraft, AuditLog, Peer, actions::AUTHENTICATE};

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TriedSecret {
    AdminToken,
    ApiKey,
}

/// How it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AttemptFault {
    Missing,
    /// Of another scheme or form.
    Malformed,
    /// Unknown, expired, revoked or just not the one.
    Wrong,
}

/// An attempt that failed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FailedAttempt {
    pub(crate) secret: TriedSecret,
    pub(crate) fault: AttemptFault,
    /// Whether the client network had failed too often before.
    pub(crate) is_slowed: bool,
}

/// Is told of each attempt that failed.
pub(crate) trait AttemptObserver: Debug + Send + Sync {
    fn observe(&self, attempt: FailedAttempt);
}

/// Attempts at one kind of secret. Clones are one.
#[derive(Debug, Clone)]
pub(crate) struct FailedAttempts {
    secret: TriedSecret,
    /// Its limit is by client address.
    limiter: RateLimiter,
    observer: Arc<dyn AttemptObserver>,
    audit: AuditLog,
}

impl FailedAttempts {
    pub(crate) fn new(
        secret: TriedSecret,
        limiter: RateLimiter,
        observer: Arc<dyn AttemptObserver>,
        audit: AuditLog,
    ) -> Self {
        Self {
            secret,
            limiter,
            observer,
            audit,
        }
    }

    /// Notes a failure at `target`, a route or a scope. Gives the refusal of a client network that has
    /// failed too often; its further attempts are counted and no longer logged one by one.
    pub(crate) async fn note(
        &self,
        fault: AttemptFault,
        peer: Peer,
        target: &str,
    ) -> Option<Decision> {
        let address = peer.address;
        let check = self.limiter.check_address(address);
        // A limit that is not decided on slows nobody: the attempt fails in any case.
        let refusal = in_span("limit_failed_attempts", 1, check, |decision| {
            decision.ok().filter(|decision| !decision.is_admitted())
        });
        let refusal = refusal.await;
        self.observer.observe(FailedAttempt {
            secret: self.secret,
            fault,
            is_slowed: refusal.is_some(),
        });
        let attempt = AuditDraft::new(None, AUTHENTICATE, AuditActor::Anonymous);
        self.audit.note(AuditDraft {
            peer: Some(peer),
            ..attempt.denied(code(self.secret, fault))
        });
        if refusal.is_none() {
            let (what, reason) = (self.secret.as_str(), fault.as_str());
            tracing::warn!(%address, route = target, what, reason, "a secret was not accepted");
        }
        refusal
    }
}

/// The attempt, as the audit log names it.
const fn code(secret: TriedSecret, fault: AttemptFault) -> Code {
    match (secret, fault) {
        (TriedSecret::AdminToken, AttemptFault::Missing) => Code::new("admin_token.missing"),
        (TriedSecret::AdminToken, AttemptFault::Malformed) => Code::new("admin_token.malformed"),
        (TriedSecret::AdminToken, AttemptFault::Wrong) => Code::new("admin_token.wrong"),
        (TriedSecret::ApiKey, AttemptFault::Missing) => Code::new("api_key.missing"),
        (TriedSecret::ApiKey, AttemptFault::Malformed) => Code::new("api_key.malformed"),
        (TriedSecret::ApiKey, AttemptFault::Wrong) => Code::new("api_key.wrong"),
    }
}

impl TriedSecret {
    pub(crate) const ALL: [Self; 2] = [Self::AdminToken, Self::ApiKey];

    /// As a label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::AdminToken => "admin_token",
            Self::ApiKey => "api_key",
        }
    }
}

impl AttemptFault {
    pub(crate) const ALL: [Self; 3] = [Self::Missing, Self::Malformed, Self::Wrong];

    /// As a label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::Wrong => "wrong",
        }
    }
}
