//! Taking the steps.

use std::{collections::BTreeSet, fmt, num::NonZeroU32, pin::Pin, sync::Arc, time::SystemTime};

use portcullis_keyring::sweep::Progress;

use super::{
    machine::{Next, next},
    states::{IndexStates, IndexStatesError, Replaced},
    step::{IndexStep, RotationError, Stopped},
};
use crate::{
    IndexState, IndexVersion,
    reencrypt::{Reencryptor, Scope, SealedRows, report},
};

/// A rotation of the index root of an application to one version.
///
/// It keeps nothing: what is stored says where it is. It can be stopped at any point, killed too, and
/// another one goes on, in this process or in another; if several run at once, each step is done once.
pub struct IndexRotation {
    states: Arc<dyn IndexStates>,
    rows: Vec<Arc<dyn SealedRows>>,
    reencryptor: Reencryptor,
}

impl IndexRotation {
    /// A rotation over every table whose rows are indexed. `reencryptor` is what rows are opened with; its
    /// pace is how fast they are indexed, and its timer what tells the time.
    #[must_use]
    pub fn new(
        states: Arc<dyn IndexStates>,
        rows: Vec<Arc<dyn SealedRows>>,
        reencryptor: Reencryptor,
    ) -> Self {
        Self {
            states,
            rows,
            reencryptor,
        }
    }

    /// The next step to where `target` is the only version.
    ///
    /// # Errors
    /// [`RotationError`]; the next call goes on.
    pub async fn step(
        &self,
        target: IndexVersion,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<IndexStep, RotationError> {
        let state = self.state().await?;
        match next(&state, target, self.now()) {
            Next::NotStarted => Err(RotationError::NotStarted),
            Next::Other(version) => Err(RotationError::Other(version)),
            Next::Wait(ready_in) => Ok(IndexStep::Waiting { ready_in }),
            Next::Begin => {
                self.delete_others(&state).await?;
                let new = state.begin(target, self.now())?;
                self.replace(&state, &new, IndexStep::Begun).await
            }
            Next::Enforce { former } => self.enforce(&state, former, target, progress).await,
            Next::Retire { former } => {
                self.in_batches(|limit| self.states.copy_columns(target, limit))
                    .await?;
                let new = state.retire(former, self.now())?;
                self.replace(&state, &new, IndexStep::Retired { former })
                    .await
            }
            Next::Finish => {
                self.delete_others(&state).await?;
                Ok(IndexStep::Done)
            }
        }
    }

    /// Whether a rotation to `target` can begin or go on, as things are now. Nothing is changed.
    ///
    /// # Errors
    /// [`RotationError`].
    pub async fn check(&self, target: IndexVersion) -> Result<(), RotationError> {
        let state = self.state().await?;
        match next(&state, target, self.now()) {
            Next::NotStarted => Err(RotationError::NotStarted),
            Next::Other(version) => Err(RotationError::Other(version)),
            _ => Ok(()),
        }
    }

    /// Steps until it is done, waiting between them: minutes.
    ///
    /// # Errors
    /// [`RotationError`]. Rows that stop it are not an error: [`IndexStep::Stopped`].
    pub async fn run(
        &self,
        target: IndexVersion,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<IndexStep, RotationError> {
        loop {
            match self.step(target, progress).await? {
                IndexStep::Waiting { ready_in } => self.reencryptor.timer.wait(ready_in).await,
                IndexStep::Begun
                | IndexStep::Enforced { .. }
                | IndexStep::Retired { .. }
                | IndexStep::Overtaken => {}
                end @ (IndexStep::Done | IndexStep::Stopped(_)) => return Ok(end),
            }
        }
    }

    /// Gives up a rotation whose version is not enforced yet: it is not written any more, and its values
    /// are deleted when the next one begins.
    ///
    /// # Errors
    /// [`RotationError::Illegal`] when `target` is not written.
    pub async fn abandon(&self, target: IndexVersion) -> Result<Replaced, RotationError> {
        let state = self.state().await?;
        let new = state.abandon(target, self.now())?;
        Ok(self.states.replace(&state, &new).await?)
    }

    async fn enforce(
        &self,
        state: &IndexState,
        former: IndexVersion,
        target: IndexVersion,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<IndexStep, RotationError> {
        let mut stopped = Stopped::default();
        let (scope, sweep) = (Scope::NotIndexed(target), format!("index-{target}"));
        for rows in &self.rows {
            let run = self.reencryptor.run(&**rows, &scope, &sweep, progress);
            let report = run.await?;
            stopped.duplicates.extend(report.duplicates);
            stopped.failures.extend(report.failures);
            report::add_unusable(&mut stopped.unusable, report.unusable);
            stopped.left += report.left;
        }
        stopped.differences = self.differences(former, target).await?;
        if !stopped.is_any() {
            stopped.wrong = self.wrong(target, progress).await?;
        }
        if stopped.is_any() {
            // Somebody who has taken the step meanwhile may be deleting what was compared with.
            return Ok(if self.state().await? == *state {
                IndexStep::Stopped(stopped)
            } else {
                IndexStep::Overtaken
            });
        }
        let new = state.enforce(target, self.now())?;
        self.replace(state, &new, IndexStep::Enforced { former })
            .await
    }

    /// How many values of a version are not what the rows give. A writer that knew of one version alone leaves
    /// behind a value of the other that is there, and of what the field held before.
    async fn wrong(
        &self,
        version: IndexVersion,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<u64, RotationError> {
        let mut wrong = 0;
        for rows in self.rows.iter().filter(|rows| rows.is_indexed()) {
            let no_keys = BTreeSet::new();
            let verify = self.reencryptor.verify(&**rows, &no_keys, progress);
            let verified = verify.await?;
            let counts = verified.indexes.get(&version);
            wrong += counts.map_or(0, |counts| counts.missing + counts.wrong);
        }
        Ok(wrong)
    }

    async fn state(&self) -> Result<IndexState, IndexStatesError> {
        let mut attempts = self.reencryptor.attempts();
        loop {
            match self.states.read().await {
                Ok(state) => return Ok(state),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    async fn differences(
        &self,
        enforced: IndexVersion,
        written: IndexVersion,
    ) -> Result<u64, IndexStatesError> {
        let mut attempts = self.reencryptor.attempts();
        loop {
            match self.states.differences(enforced, written).await {
                Ok(differences) => return Ok(differences),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    fn now(&self) -> SystemTime {
        self.reencryptor.timer.wall()
    }

    /// A batch at a time, at its pace, until there is nothing left.
    async fn in_batches<'a>(
        &'a self,
        batch: impl Fn(NonZeroU32) -> Batch<'a>,
    ) -> Result<(), IndexStatesError> {
        let Reencryptor { pace, timer, .. } = &self.reencryptor;
        let began = timer.monotonic();
        let mut done = 0;
        let mut attempts = self.reencryptor.attempts();
        loop {
            match batch(pace.batch()).await {
                Ok(0) => return Ok(()),
                Ok(rows) => {
                    done += rows;
                    attempts = self.reencryptor.attempts();
                }
                Err(error) => {
                    attempts.after(error).await?;
                    continue;
                }
            }
            let elapsed = timer.monotonic().saturating_sub(began);
            timer
                .wait(pace.not_before(done).saturating_sub(elapsed))
                .await;
        }
    }

    async fn delete_others(&self, state: &IndexState) -> Result<(), IndexStatesError> {
        let live = state.live();
        self.in_batches(|limit| self.states.delete_others(&live, limit))
            .await
    }

    async fn replace(
        &self,
        state: &IndexState,
        new: &IndexState,
        step: IndexStep,
    ) -> Result<IndexStep, RotationError> {
        Ok(match self.states.replace(state, new).await? {
            Replaced::Done => step,
            Replaced::Changed => IndexStep::Overtaken,
        })
    }
}

/// One batch, whose answer is how many rows it had. A task may await it: it is `Send`.
type Batch<'a> = Pin<Box<dyn Future<Output = Result<u64, IndexStatesError>> + Send + 'a>>;

impl fmt::Debug for IndexRotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexRotation")
            .field("states", &self.states)
            .field("rows", &self.rows)
            .field("reencryptor", &self.reencryptor)
            .finish()
    }
}
