//! Sealing rows again and rotating the index in the background, for those who ask from afar.

use std::{num::NonZeroU32, sync::Arc};

use serde::Deserialize;

use super::{
    Action, Actor, DataKeyAction, DataKeyError, DataKeySelection, DataKeys, IndexRequest,
    IndexVersions, JobStatus, Reencrypted, RotatedIndex, SweepPace, job::Job, recorder::Recorder,
};
use crate::clock::Clock;

/// What goes on in the background, one of a kind at a time.
#[derive(Debug, Clone)]
pub(crate) struct Reencryption {
    keys: DataKeys,
    index: IndexVersions,
    sealing: Job<Reencrypted>,
    indexing: Job<RotatedIndex>,
    recorder: Recorder,
}

/// Whose rows are sealed again, and how fast.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReencryptionRequest {
    pub(crate) tenant: Option<String>,
    pub(crate) purpose: Option<String>,
    pub(crate) rows_per_second: Option<NonZeroU32>,
}

impl Reencryption {
    pub(super) fn new(
        keys: DataKeys,
        index: IndexVersions,
        clock: &Arc<dyn Clock>,
        recorder: Recorder,
    ) -> Self {
        Self {
            keys,
            index,
            sealing: Job::new("re-encryption", "reencrypt", Arc::clone(clock)),
            indexing: Job::new(
                "the rotation of the index",
                "rotate_index",
                Arc::clone(clock),
            ),
            recorder,
        }
    }

    /// Starts sealing rows again that need keys which only open. What cannot be asked for is refused before.
    pub(crate) async fn start(
        &self,
        actor: &Actor,
        request: ReencryptionRequest,
    ) -> Result<JobStatus<Reencrypted>, DataKeyError> {
        let (keys, actor) = (self.keys.clone(), actor.clone());
        let ReencryptionRequest {
            tenant,
            purpose,
            rows_per_second,
        } = request;
        let selection = DataKeySelection { tenant, purpose };
        let reencrypt = DataKeyAction::Reencrypt;
        self.keys
            .check_selection(&actor, reencrypt, &selection)
            .await?;
        let pace = SweepPace { rows_per_second };
        let started = self.sealing.start(|reporter| async move {
            let mut progress = |at: &str, done: &_| reporter.report(at, done);
            keys.reencrypt(&actor, &selection, pace, &mut progress)
                .await
        });
        Ok(started?)
    }

    /// How far that has come.
    pub(crate) async fn status(
        &self,
        actor: &Actor,
    ) -> Result<JobStatus<Reencrypted>, DataKeyError> {
        let action = Action::DataKeys {
            what: DataKeyAction::ReadReencryption,
            tenant: None,
            key: None,
        };
        let status = async { Ok(self.sealing.status()) };
        self.recorder.read(actor, action, status).await
    }

    /// Starts a rotation of the index, or goes on with it.
    pub(crate) async fn start_index(
        &self,
        actor: &Actor,
        request: IndexRequest,
    ) -> Result<JobStatus<RotatedIndex>, DataKeyError> {
        self.index.check(actor, request).await?;
        let (index, actor) = (self.index.clone(), actor.clone());
        let started = self.indexing.start(|reporter| async move {
            let mut progress = |at: &str, done: &_| reporter.report(at, done);
            index.rotate(&actor, request, &mut progress).await
        });
        Ok(started?)
    }

    /// How far that has come.
    pub(crate) fn index_status(&self) -> JobStatus<RotatedIndex> {
        self.indexing.status()
    }

    /// What tells how far sealing has come, for gauges. It holds nothing of the service: gauges outlive the
    /// writer, which ends when nobody can queue any more.
    pub(crate) fn progress(&self) -> Job<Reencrypted> {
        self.sealing.clone()
    }

    /// Cuts off what runs: each goes on when it is started again.
    pub(crate) fn stop(&self) {
        self.sealing.stop();
        self.indexing.stop();
    }
}
