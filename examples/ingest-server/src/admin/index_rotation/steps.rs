//! The steps of a rotation, taken by one process at a time and followed by others.

use std::time::Duration;

use futures_util::future::BoxFuture;
use portcullis_keyring::sweep::Progress;
use portcullis_pii_crypto::{IndexVersion, index_rotation::IndexStep};

use super::{
    IndexVersions, RotatedIndex,
    claim::{Claim, Heard},
    from_rotation,
};
use crate::admin::{Actor, DataKeyError, OnProgress};

/// From one look at the phase to the next, while it has to last.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// From one look at what another process does to the next.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

impl IndexVersions {
    /// Rotates as the only one; while another process does, it tells how far that has come, and takes over from one
    /// that was killed.
    pub(super) async fn rotate_or_follow(
        &self,
        actor: &Actor,
        version: IndexVersion,
        progress: OnProgress<'_>,
    ) -> Result<RotatedIndex, DataKeyError> {
        let (claims, mut heard) = (self.claims(), Heard::default());
        let mut begun = false;
        loop {
            match claims.take(actor, version, &mut heard).await? {
                Ok(claim) => {
                    let steps = self.take_steps(version, &claim, &mut begun, &mut *progress);
                    let ended = tokio::select! {
                        biased;
                        ended = Box::pin(steps) => Some(ended),
                        () = claim.keep() => None,
                    };
                    if let Some(ended) = ended {
                        claim.release().await;
                        return ended;
                    }
                }
                Err(other) if other.version != version.value() => {
                    return Err(DataKeyError::Conflict(format!(
                        "{other}: let it end, or give it up, before another begins"
                    )));
                }
                Err(other) => {
                    let at = &other.at;
                    progress(&format!("{other}; followed: {at}"), &other.progress());
                    self.check_begun(version, &mut begun).await?;
                    tokio::time::sleep(FOLLOW_EVERY).await;
                }
            }
        }
    }

    /// Finds out that somebody has given the rotation up, after it had begun.
    async fn check_begun(
        &self,
        version: IndexVersion,
        begun: &mut bool,
    ) -> Result<(), DataKeyError> {
        let is_live = self.store.index_state().await?.phase(version).is_some();
        if *begun && !is_live {
            return Err(DataKeyError::Conflict(format!(
                "the rotation to version {version} of the index root was given up in the meantime"
            )));
        }
        *begun = is_live;
        Ok(())
    }

    async fn take_steps(
        &self,
        version: IndexVersion,
        claim: &Claim,
        begun: &mut bool,
        progress: OnProgress<'_>,
    ) -> Result<RotatedIndex, DataKeyError> {
        let roots = &self.keys.index_roots;
        let mut progress = |at: &str, done: &Progress| {
            claim.report(at, done);
            progress(at, done);
        };
        loop {
            self.check_begun(version, begun).await?;
            roots.read().await?;
            let rotation = self.rotation(&roots.present()?);
            let at = self.phase(version).await?;
            claim.report(&at, &Progress::default());
            let mut report = |done: &Progress| progress(&at, done);
            let step: BoxFuture<'_, _> = Box::pin(rotation.step(version, &mut report));
            match step.await.map_err(from_rotation)? {
                IndexStep::Waiting { ready_in } => {
                    let waiting = format!("{at}; waiting until every process knows");
                    progress(&waiting, &Progress::default());
                    tokio::time::sleep(ready_in.min(LOOK_EVERY)).await;
                }
                IndexStep::Done => return Ok(RotatedIndex::new(version, None)),
                IndexStep::Stopped(stopped) => {
                    return Ok(RotatedIndex::new(version, Some(&stopped)));
                }
                _ => {}
            }
        }
    }

    async fn phase(&self, version: IndexVersion) -> Result<String, DataKeyError> {
        let state = self.store.index_state().await?;
        let mut phases = state
            .rows()
            .map(|(version, phase, _)| format!("version {version} {}", phase.as_str()));
        let live = phases.by_ref().collect::<Vec<_>>().join(", ");
        Ok(format!("index to version {version} ({live})"))
    }
}
