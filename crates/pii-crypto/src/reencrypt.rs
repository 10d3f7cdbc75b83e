//! Going over stored rows: sealing them again under the present keys, taking plaintext in, writing
//! indexes that are missing, and counting what is left.

mod attempts;
mod checkpoint;
mod dual;
mod keys;
mod plan;
pub(crate) mod report;
mod rows;
mod sweep;
mod timer;
mod verified;
mod verify;

use std::sync::Arc;

use portcullis_keyring::{
    Keyring,
    sweep::{Pace, Progress},
};

use self::{attempts::PatientRows, sweep::Sweep};
use crate::PiiKinds;

pub use self::{
    dual::DualColumn,
    report::{FailureReason, Report, RowFailure, SweepError, UnusableKey},
    rows::{
        FieldValue, IndexWrite, RowChange, RowError, RowField, RowOutcome, Scope, SealedRow,
        SealedRows,
    },
    timer::{Timer, TokioTimer},
    verified::{IndexCounts, StillNeeded, Verified},
};

/// Goes over the rows of a table while the application reads and writes them.
///
/// It takes no locks: a row is written only if nobody else has written it since it was read. It can be
/// stopped at any moment, by dropping what it does or by killing the process, and the next
/// [`run`](Self::run) of the same name goes on. It destroys nothing, and neither disables nor destroys
/// keys.
#[derive(Debug, Clone)]
pub struct Reencryptor {
    keyring: Keyring,
    kinds: PiiKinds,
    pub(crate) pace: Pace,
    pub(crate) timer: Arc<dyn Timer>,
}

impl Reencryptor {
    /// With the keys of a keyring, and every kind that the rows may hold.
    #[must_use]
    pub fn new(keyring: Keyring, kinds: PiiKinds) -> Self {
        Self {
            keyring,
            kinds,
            pace: Pace::default(),
            timer: Arc::new(TokioTimer::new()),
        }
    }

    /// How fast it may go; default: [`Pace::default`].
    #[must_use]
    pub fn pace(self, pace: Pace) -> Self {
        Self { pace, ..self }
    }

    /// What it measures time and waits with; default: [`TokioTimer`].
    #[must_use]
    pub fn timer(self, timer: Arc<dyn Timer>) -> Self {
        Self { timer, ..self }
    }

    /// Goes over the rows of a scope, from where the sweep of this name was stopped, and writes those
    /// that need it:
    /// * [`Scope::Keys`]: what these keys sealed is sealed under the present primary;
    /// * [`Scope::All`]: so is everything that is not;
    /// * [`Scope::Plaintext`]: plaintext is sealed, and its index values are written;
    /// * [`Scope::NotIndexed`]: the index values of that version are written.
    ///
    /// A row that cannot be is listed, and the others go on. `progress` is called after each page.
    ///
    /// # Errors
    /// [`SweepError`]: the table, the store of keys or the key-encryption key is down. What is done
    /// stays done, and the next run goes on.
    pub async fn run(
        &self,
        rows: &dyn SealedRows,
        scope: &Scope,
        sweep: &str,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<Report, SweepError> {
        Sweep::begin(self, rows, scope, sweep)
            .await?
            .run(progress)
            .await
    }

    /// How many rows still hold plaintext, counted and looked for.
    ///
    /// # Errors
    /// [`SweepError`].
    pub async fn plaintext_left(&self, rows: &dyn SealedRows) -> Result<u64, SweepError> {
        let rows = PatientRows::new(rows, self);
        let counted = rows.count(&Scope::Plaintext).await?;
        let found = rows.page(&Scope::Plaintext, None).await?;
        Ok(counted.max(found.len().try_into().unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests;
