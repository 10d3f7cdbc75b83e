//! Asking again what is down, a few times.

use std::{num::NonZeroU32, slice::Iter, time::Duration};

use portcullis_keyring::sweep::Cursor;

use super::{Reencryptor, RowError, Scope, SealedRow, SealedRows, SweepError, Timer};

/// How often what is down is asked again.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    timer: &'a dyn Timer,
    waits: Iter<'static, Duration>,
}

/// Rows of a table that may be down for a moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct PatientRows<'a> {
    rows: &'a dyn SealedRows,
    reencryptor: &'a Reencryptor,
}

impl<'a> Attempts<'a> {
    pub(super) fn new(timer: &'a dyn Timer) -> Self {
        let waits = ATTEMPT_AGAIN_AFTER.iter();
        Self { timer, waits }
    }

    /// Waits until it may be asked again, or gives the error back.
    pub(crate) async fn after<E>(&mut self, error: E) -> Result<(), E> {
        let Some(wait) = self.waits.next() else {
            return Err(error);
        };
        self.timer.wait(*wait).await;
        Ok(())
    }
}

impl<'a> PatientRows<'a> {
    pub(super) const fn new(rows: &'a dyn SealedRows, reencryptor: &'a Reencryptor) -> Self {
        Self { rows, reencryptor }
    }

    pub(super) async fn count(self, scope: &Scope) -> Result<u64, SweepError> {
        let mut attempts = self.reencryptor.attempts();
        loop {
            match self.rows.count(scope).await {
                Ok(count) => return Ok(count),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    pub(super) async fn page(
        self,
        scope: &Scope,
        after: Option<&Cursor>,
    ) -> Result<Vec<SealedRow>, SweepError> {
        let limit: NonZeroU32 = self.reencryptor.pace.batch();
        let mut attempts = self.reencryptor.attempts();
        loop {
            match self.rows.page(scope, after, limit).await {
                Ok(page) => return Ok(page),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    pub(super) async fn cursor(self, sweep: &str) -> Result<Option<Cursor>, SweepError> {
        let mut attempts = self.reencryptor.attempts();
        loop {
            match self.rows.cursor(sweep).await {
                Ok(cursor) => return Ok(cursor),
                Err(error) => attempts.after(error).await?,
            }
        }
    }

    pub(super) async fn set_cursor(
        self,
        sweep: &str,
        cursor: Option<&Cursor>,
    ) -> Result<(), SweepError> {
        let mut attempts = self.reencryptor.attempts();
        loop {
            let stored: Result<(), RowError> = self.rows.set_cursor(sweep, cursor).await;
            match stored {
                Ok(()) => return Ok(()),
                Err(error) => attempts.after(error).await?,
            }
        }
    }
}

impl Reencryptor {
    pub(crate) fn attempts(&self) -> Attempts<'_> {
        Attempts::new(&*self.timer)
    }
}

/// What is down is asked again after each of these.
const ATTEMPT_AGAIN_AFTER: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(2),
];
