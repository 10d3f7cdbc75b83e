//! Which peppers API keys need, and what is kept of one that is dropped.

use portcullis_apikey_cache::{PepperRole, PepperUse, PepperVersion, Peppers};
use secrecy::SecretBox;
use serde::Serialize;

use super::{ApiKeyError, ApiKeys};
use crate::admin::{Action, Actor, record};

/// A version of the pepper, what needs it, and what to do next.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PepperDescription {
    pub(crate) version: u16,
    pub(crate) role: &'static str,
    /// Keys that are hashed under it, until they are used.
    pub(crate) hashed: u64,
    /// Keys that were issued under it.
    pub(crate) tagged: u64,
    pub(crate) next: String,
}

impl ApiKeys {
    /// Every version that is configured or that a key needs.
    pub(crate) async fn peppers(
        &self,
        actor: &Actor,
    ) -> Result<Vec<PepperDescription>, ApiKeyError> {
        let action = Action::ReadPeppers;
        let usage = async {
            let usage = self.keys.pepper_usage().await?;
            let draft = record::draft(actor, &action, None);
            self.audit.record(draft).await?;
            Ok(usage)
        };
        let usage: Result<_, ApiKeyError> = usage.await;
        self.report(actor, action, usage.as_ref().err());
        let described = usage?.into_iter();
        Ok(described
            .map(|(version, usage)| describe(version, usage))
            .collect())
    }

    /// The tag key of a version, one of the cache's; that it is shown is on record before.
    pub(crate) async fn tag_key(
        &self,
        actor: &Actor,
        peppers: &Peppers,
        version: PepperVersion,
    ) -> Result<SecretBox<[u8; 32]>, ApiKeyError> {
        let action = Action::ReadTagKey { version };
        let key = match peppers.tag_key(version) {
            Some(key) => {
                let draft = record::draft(actor, &action, None);
                let recorded = self.audit.record(draft).await;
                recorded.map(|_| key).map_err(ApiKeyError::from)
            }
            None => {
                self.audit.note(record::rejected(actor, &action));
                Err(ApiKeyError::Invalid(format!(
                    "there is no pepper of version {version}; `api-key peppers` lists them"
                )))
            }
        };
        self.report(actor, action, key.as_ref().err());
        key
    }
}

fn describe(version: PepperVersion, usage: PepperUse) -> PepperDescription {
    let (hashed, tagged) = (usage.rows.hashed, usage.rows.tagged);
    let waiting =
        format!("use or revoke the keys of `api-key list --pepper {version}`, or let them end");
    let next = match usage.role {
        PepperRole::Primary => "new keys are issued under it".to_owned(),
        PepperRole::Verifies if hashed > 0 => waiting,
        PepperRole::Verifies if tagged > 0 => {
            format!("can be dropped; keep its tag key: `api-key tag-key {version}`")
        }
        PepperRole::Verifies => "no key needs it: make it the primary one, or drop it".to_owned(),
        PepperRole::TagsOnly if hashed > 0 => format!("put the pepper back, then {waiting}"),
        PepperRole::TagsOnly if tagged > 0 => "keep the tag key".to_owned(),
        PepperRole::TagsOnly => "no key needs it: drop the tag key".to_owned(),
        _ if hashed > 0 => format!("put the pepper back, then {waiting}"),
        _ => "add its tag key, or put the pepper back".to_owned(),
    };
    PepperDescription {
        version: version.value(),
        role: usage.role.as_str(),
        hashed,
        tagged,
        next,
    }
}
