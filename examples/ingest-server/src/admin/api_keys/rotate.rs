//! Replacing an API key by a new one.

use std::time::{Duration, SystemTime};

use portcullis_apikey_cache::{Kid, Rotated, Rotation};
use portcullis_audit_log::event::Outcome;
use serde::Deserialize;

use super::{ApiKeyError, ApiKeys, IssuedApiKey, RevokedApiKey, failed, request};
use crate::{
    admin::{Action, Actor, names, record},
    audit::Unrecorded,
    timestamp,
};

/// How a key is to be replaced, as text.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotationRequest {
    pub(crate) overlap_seconds: Option<u64>,
    pub(crate) expires_at: Option<String>,
}

/// A key that has replaced another, and when that one ends.
#[derive(Debug)]
pub(crate) struct RotatedApiKey {
    pub(crate) new: IssuedApiKey,
    /// When the new one ends, if ever.
    pub(crate) expires_at: Option<String>,
    pub(crate) old_ends_at: String,
    /// If the old one was revoked at once.
    pub(crate) revoked: Option<RevokedApiKey>,
}

impl RotationRequest {
    /// How long both keys are good if nothing is said: a day, in which a change is rolled out.
    const DEFAULT_OVERLAP: Duration = Duration::from_secs(86_400);

    /// # Errors
    /// What is wrong, with the member's name.
    fn to_rotation(&self) -> Result<Rotation, String> {
        let overlap = self.overlap_seconds.map(Duration::from_secs);
        let rotation = Rotation::after(overlap.unwrap_or(Self::DEFAULT_OVERLAP));
        let expires_at = request::date("expires_at", self.expires_at.as_deref())?;
        Ok(match expires_at {
            Some(at) => rotation.expires_at(at),
            None => rotation,
        })
    }
}

impl ApiKeys {
    /// Makes a key that is allowed what the old one is, and has the old one end after the overlap. The
    /// text of the new key is shown only this once. That it was asked for is on record before, and
    /// which key came of it before this returns.
    pub(crate) async fn rotate(
        &self,
        actor: &Actor,
        kid: &str,
        request: &RotationRequest,
    ) -> Result<RotatedApiKey, ApiKeyError> {
        let kid: Result<Kid, _> = kid.parse();
        let rotated = match &kid {
            Ok(kid) => self.rotate_valid(actor, kid, request).await,
            Err(malformed) => Err((*malformed).into()),
        };
        let action = Action::RotateApiKey {
            kid: kid.as_ref().ok(),
            new: rotated.as_ref().ok().map(|rotated| &rotated.new.kid),
        };
        self.report(actor, action, rotated.as_ref().err());
        rotated
    }

    async fn rotate_valid(
        &self,
        actor: &Actor,
        kid: &Kid,
        request: &RotationRequest,
    ) -> Result<RotatedApiKey, ApiKeyError> {
        let asked = Action::RotateApiKey {
            kid: Some(kid),
            new: None,
        };
        match request.to_rotation() {
            Ok(rotation) => self.rotate_recorded(actor, asked, kid, rotation).await,
            Err(message) => {
                self.audit.note(record::rejected(actor, &asked));
                Err(ApiKeyError::Invalid(message))
            }
        }
    }

    async fn rotate_recorded(
        &self,
        actor: &Actor,
        asked: Action<'_>,
        kid: &Kid,
        rotation: Rotation,
    ) -> Result<RotatedApiKey, ApiKeyError> {
        // Whose key it is; of one that is not there, nobody's.
        let old = self.keys.record(kid).await.ok();
        let tenant = old.as_ref().map(|old| old.tenant().as_str());
        let draft = record::draft(actor, &asked, names::recorded(tenant));
        let change = self.audit.begin(draft).await?;
        let rotated = match self.keys.rotate(kid, rotation).await {
            Ok(rotated) => rotated,
            Err(error) => return Err(failed(change, error.into()).await),
        };
        let change = change.with_resource(rotated.kid().as_str());
        if let Err(unrecorded) = change.finish(Outcome::Success, None).await {
            // Nobody has seen the new key. The old one's end stands: that it was asked for is on record.
            self.revoke_unseen(kid, rotated.kid(), &unrecorded).await;
            let old_ends_at = RotatedApiKey::new(kid, rotated).old_ends_at;
            return Err(ApiKeyError::RotatedUnrecorded { old_ends_at });
        }
        Ok(RotatedApiKey::new(kid, rotated))
    }

    async fn revoke_unseen(&self, old: &Kid, new: &Kid, unrecorded: &Unrecorded) {
        match self.keys.revoke(new).await {
            Ok(_) => tracing::error!(
                error = unrecorded as &dyn std::error::Error,
                "the API key {old} was rotated and ends; the new one, {new}, was revoked unseen"
            ),
            Err(not_revoked) => tracing::error!(
                error = &not_revoked as &dyn std::error::Error,
                "the API key {old} was rotated and ends; nobody has seen the new one, {new}, which is good \
                 until it is revoked"
            ),
        }
    }
}

impl RotatedApiKey {
    fn new(old: &Kid, rotated: Rotated) -> Self {
        let time = |at: SystemTime| timestamp::format(timestamp::from_system(at));
        let expires_at = rotated.expires_at().map(time);
        let old_ends_at = time(rotated.old_ends_at());
        let revocation = rotated.revocation().cloned();
        let revoked = revocation.map(|revocation| RevokedApiKey::new(old, revocation));
        let kid = *rotated.kid();
        let key = rotated.into_key();
        Self {
            new: IssuedApiKey { kid, key },
            expires_at,
            old_ends_at,
            revoked,
        }
    }

    /// Whether Redis has told other processes that the old key is revoked; null where none is configured, and
    /// where it is not revoked at once.
    pub(crate) fn published(&self) -> Option<bool> {
        self.revoked.as_ref()?.published
    }
}
