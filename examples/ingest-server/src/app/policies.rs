//! The policies that the service starts with: of the operator's files, or what was kept in the database.

use portcullis_ratelimit::policy::Policies;

use crate::{
    admin::{PolicyStart, PolicyStarts},
    config::{Config, GivenPolicy, Setting, settings},
    detection::{self, DetectionPolicy, InvalidPolicy},
    limits::{self, InvalidLimits},
    store::{PolicyKind, Remembered, Store, StoreError},
};

/// The policies cannot be read or used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PoliciesError {
    #[error("the stored limits and detection policy cannot be read")]
    Store(#[from] StoreError),
    #[error(
        "the limits that were set with `PUT /admin/limits` cannot be used; delete the row of \
         `limit_policies` to start with the defaults"
    )]
    Limits(#[from] InvalidLimits),
    #[error(
        "the detection policy that was set with `PUT /admin/detection` cannot be used; delete the row of \
         `detection_policy` to start with the defaults"
    )]
    Detection(#[from] InvalidPolicy),
}

/// The policies to begin with, and where they are from.
pub(super) async fn read(
    config: &Config,
    store: &dyn Store,
) -> Result<(Policies, DetectionPolicy, PolicyStarts), PoliciesError> {
    let kept = store.policy(PolicyKind::Limits).await?;
    let limits = start(
        config.limits.as_ref(),
        settings::LIMITS_FILE,
        kept.is_some(),
    );
    let policies = match &config.limits {
        Some(given) => given.policy.policies.clone(),
        None => limits::read_stored(kept.as_deref())?.policies,
    };
    let kept = store.policy(PolicyKind::Detection).await?;
    let detection = start(
        config.detection.as_ref(),
        settings::DETECTION_FILE,
        kept.is_some(),
    );
    let rules = match &config.detection {
        Some(given) => given.policy.clone(),
        None => detection::read_stored(kept.as_deref())?,
    };
    Ok((policies, rules, PolicyStarts { limits, detection }))
}

/// Whether a start could use what a database remembers, where no file stands in its place.
///
/// # Errors
/// Those of the start.
pub(crate) fn check_remembered(
    config: &Config,
    remembered: &Remembered,
) -> Result<(), PoliciesError> {
    for (kind, text) in &remembered.policies {
        match kind {
            PolicyKind::Limits if config.limits.is_none() => {
                limits::read_stored(Some(text))?;
            }
            PolicyKind::Detection if config.detection.is_none() => {
                detection::read_stored(Some(text))?;
            }
            PolicyKind::Limits | PolicyKind::Detection => {}
        }
    }
    Ok(())
}

fn start<P>(given: Option<&GivenPolicy<P>>, setting: &Setting, is_set: bool) -> PolicyStart {
    let Some(given) = given else {
        return PolicyStart::Database { is_set };
    };
    if is_set {
        let variable = setting.variable;
        tracing::warn!(
            "`{variable}` is set: what the database holds in its place, set while there was no \
             file, does not hold"
        );
    }
    PolicyStart::File(given.file.clone())
}
