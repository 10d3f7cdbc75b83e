//! Taking the steps.

use std::{fmt, sync::Arc, time::Duration};

use portcullis_keyring::{
    Keyring, PrepareError, TenantId,
    clock::Clock,
    sweep::{Cursor, Pace, Progress},
};

use super::{
    backfill::Backfill,
    machine::{Next, next},
    states::{IndexStates, IndexStatesError, Replaced},
};
use crate::{
    IllegalIndexStep, IndexState, IndexVersion, PiiKinds,
    reencrypt::{RowError, SealedRows},
};

/// A rotation of the index root of an application to one version.
///
/// It keeps nothing: what is stored says where it is. It can be stopped at any point, killed too, and
/// another one goes on, in this process or in another; if several run at once, each step is done once.
pub struct IndexRotation {
    states: Arc<dyn IndexStates>,
    rows: Vec<Arc<dyn SealedRows>>,
    keyring: Keyring,
    kinds: PiiKinds,
    clock: Arc<dyn Clock>,
    pace: Pace,
}

/// What a step did.
#[derive(Debug)]
#[non_exhaustive]
pub enum IndexStep {
    /// The version is written from now on, beside the one that is enforced.
    Begun,
    /// Every row has values of the version, and it is enforced.
    Enforced {
        /// The version that was, and is retiring now.
        former: IndexVersion,
    },
    /// The former version is not written any more.
    Retired {
        /// The version that is gone.
        former: IndexVersion,
    },
    /// The phase has to last: nothing was done.
    Waiting {
        /// How long it still has to.
        ready_in: Duration,
    },
    /// Somebody else took the step at the same time.
    Overtaken,
    /// The version cannot be enforced: somebody has to look at these rows. The next call tries again.
    Stopped(Stopped),
    /// The version is the only one, and no value of another is left: other roots can leave the environment.
    Done,
}

/// Why the new version is not enforced.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Stopped {
    /// Rows with a value that another row has too, and only one may: two records turn out to be the same.
    /// Erase or change one of them.
    pub duplicates: Vec<RowPlace>,
    /// Rows that do not open, or hold what is no sealed value.
    pub failures: Vec<RowPlace>,
    /// How many times a field has values under one version and none under the other.
    pub differences: u64,
}

/// Where a row is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RowPlace {
    /// The table.
    pub table: String,
    /// Whose it is.
    pub tenant: TenantId,
    /// Which row, in the words of the table.
    pub at: Cursor,
}

/// Why a step was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RotationError {
    /// No version is enforced.
    #[error("no version of the index root is enforced yet: start the service once")]
    NotStarted,
    /// Another rotation has not ended.
    #[error("version {0} of the index root is on its way: end or abandon that rotation first")]
    Other(IndexVersion),
    /// The version is not written, and so cannot be given up.
    #[error(transparent)]
    Illegal(#[from] IllegalIndexStep),
    /// The phases or values could not be read or written.
    #[error(transparent)]
    States(#[from] IndexStatesError),
    /// Rows could not be read or written.
    #[error(transparent)]
    Rows(#[from] RowError),
    /// No keys to open rows with.
    #[error(transparent)]
    Keys(#[from] PrepareError),
}

impl IndexRotation {
    /// A rotation over every table whose rows are indexed. `keyring` and `kinds` are what rows are opened
    /// with.
    #[must_use]
    pub fn new(
        states: Arc<dyn IndexStates>,
        rows: Vec<Arc<dyn SealedRows>>,
        keyring: Keyring,
        kinds: PiiKinds,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            states,
            rows,
            keyring,
            kinds,
            clock,
            pace: Pace::default(),
        }
    }

    /// How fast rows are indexed; default: [`Pace::default`].
    #[must_use]
    pub fn pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
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
        let state = self.states.read().await?;
        let now = self.clock.wall();
        match next(&state, target, now) {
            Next::NotStarted => Err(RotationError::NotStarted),
            Next::Other(version) => Err(RotationError::Other(version)),
            Next::Wait(ready_in) => Ok(IndexStep::Waiting { ready_in }),
            Next::Begin => {
                self.delete_others(&state).await?;
                let new = state.begin(target, now)?;
                self.replace(&state, &new, IndexStep::Begun).await
            }
            Next::Enforce { former } => self.enforce(&state, former, target, progress).await,
            Next::Retire { former } => {
                while self.states.copy_columns(target, self.pace.batch()).await? > 0 {}
                let new = state.retire(former, self.clock.wall())?;
                self.replace(&state, &new, IndexStep::Retired { former })
                    .await
            }
            Next::Finish => {
                self.delete_others(&state).await?;
                Ok(IndexStep::Done)
            }
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
                IndexStep::Waiting { ready_in } => tokio::time::sleep(ready_in).await,
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
        let state = self.states.read().await?;
        let new = state.abandon(target, self.clock.wall())?;
        Ok(self.states.replace(&state, &new).await?)
    }

    async fn enforce(
        &self,
        state: &IndexState,
        former: IndexVersion,
        target: IndexVersion,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<IndexStep, RotationError> {
        let backfill = Backfill {
            keyring: &self.keyring,
            kinds: &self.kinds,
            pace: self.pace,
            clock: &*self.clock,
        };
        let mut stopped = Stopped::default();
        for rows in &self.rows {
            backfill
                .index(&**rows, target, &mut stopped, progress)
                .await?;
        }
        stopped.differences = self.states.differences(former, target).await?;
        if stopped.is_any() {
            return Ok(IndexStep::Stopped(stopped));
        }
        let new = state.enforce(target, self.clock.wall())?;
        self.replace(state, &new, IndexStep::Enforced { former })
            .await
    }

    async fn delete_others(&self, state: &IndexState) -> Result<(), IndexStatesError> {
        let live = state.live();
        while self.states.delete_others(&live, self.pace.batch()).await? > 0 {}
        Ok(())
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

impl Stopped {
    const fn is_any(&self) -> bool {
        !self.duplicates.is_empty() || !self.failures.is_empty() || self.differences > 0
    }
}

impl fmt::Debug for IndexRotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IndexRotation")
            .field("states", &self.states)
            .field("rows", &self.rows)
            .field("pace", &self.pace)
            .finish_non_exhaustive()
    }
}
