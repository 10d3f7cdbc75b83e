//! Replacing an API key by a new one.

use std::time::Duration;

use portcullis_apikey_cache::{Kid, Rotated, Rotation};
use serde::Deserialize;

use super::{ApiKeyError, ApiKeys, IssuedApiKey, failed, request};
use crate::{
    admin::{Action, Actor, names, record},
    store::AuditOutcome,
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
    pub(crate) old_ends_at: String,
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
        let mut change = self.audit.begin(draft).await?;
        let rotated = match self.keys.rotate(kid, rotation).await {
            Ok(rotated) => rotated,
            Err(error) => return Err(failed(change, error.into()).await),
        };
        let draft = change.draft_mut();
        draft.resources.push(rotated.kid().to_string());
        draft.count = 2;
        if let Err(unrecorded) = change.finish(AuditOutcome::Success, None).await {
            // Nobody has seen the new key. The old one's end stands: that it was asked for is on record.
            drop(self.keys.revoke(rotated.kid()).await);
            tracing::error!(
                error = &unrecorded as &dyn std::error::Error,
                "a key was rotated; the old one ends, and the new one was revoked unseen"
            );
            return Err(unrecorded.into());
        }
        Ok(rotated.into())
    }
}

impl From<Rotated> for RotatedApiKey {
    fn from(rotated: Rotated) -> Self {
        let old_ends_at = timestamp::format(timestamp::from_system(rotated.old_ends_at()));
        let kid = *rotated.kid();
        let key = rotated.into_key();
        Self {
            new: IssuedApiKey { kid, key },
            old_ends_at,
        }
    }
}
