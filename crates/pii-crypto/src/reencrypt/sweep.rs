//! One run over the rows of a scope.

mod page;

use std::{mem, time::Duration};

use portcullis_keyring::sweep::{Cursor, Progress};

use super::{
    Reencryptor, Report, Scope, SealedRow, SealedRows, SweepError, attempts::PatientRows,
    checkpoint::Checkpoint,
};

/// One run over the rows of a scope.
pub(super) struct Sweep<'a> {
    reencryptor: &'a Reencryptor,
    rows: &'a dyn SealedRows,
    scope: &'a Scope,
    name: &'a str,
    started: Duration,
    report: Report,
    resumed_at: Option<Cursor>,
    left_to_writers: u64,
    found_primary: bool,
}

impl<'a> Sweep<'a> {
    pub(super) async fn begin(
        reencryptor: &'a Reencryptor,
        rows: &'a dyn SealedRows,
        scope: &'a Scope,
        name: &'a str,
    ) -> Result<Self, SweepError> {
        let started = reencryptor.timer.monotonic();
        let patient = PatientRows::new(rows, reencryptor);
        let stored = patient.cursor(name).await?;
        let checkpoint = stored.and_then(|stored| Checkpoint::of(scope, &stored));
        let mut sweep = Self {
            reencryptor,
            rows,
            scope,
            name,
            started,
            report: Report::new(Progress::default()),
            resumed_at: None,
            left_to_writers: 0,
            found_primary: false,
        };
        let counted = patient.count(scope).await?;
        let progress = &mut sweep.report.progress;
        if let Some(Checkpoint { done, at }) = checkpoint {
            progress.earlier = done;
            progress.done = done;
            sweep.resumed_at = Some(at);
        }
        progress.total = if *scope == Scope::All {
            counted
        } else {
            progress.earlier + counted
        };
        Ok(sweep)
    }

    pub(super) async fn run(
        mut self,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<Report, SweepError> {
        let mut from = self.resumed_at.take();
        let mut passes = 0;
        loop {
            let resumed = from.is_some();
            self.pass(from.take(), progress).await?;
            passes += 1;
            self.report.left = self.left().await?;
            if passes == MAX_PASSES || !self.helps_to_look_again(resumed) {
                return Ok(self.report);
            }
            self.look_again().await?;
        }
    }

    /// Rows may have come into the scope behind the cursor, and others were left to writers. No row leaves
    /// the scope of all: what an earlier run could not bring in order behind the cursor shows by looking.
    fn helps_to_look_again(&self, resumed: bool) -> bool {
        let Report { left, progress, .. } = &self.report;
        let is_in_order = match self.scope {
            Scope::All => !resumed,
            _ => *left == 0 || !resumed && progress.failed >= *left,
        };
        self.left_to_writers > 0 && *left > 0 || !is_in_order
    }

    /// The next pass looks at every row that is left, and lists those that fail again.
    async fn look_again(&mut self) -> Result<(), SweepError> {
        if mem::take(&mut self.found_primary) {
            // Another process has demoted the key less than 5 s ago, and this one does not know yet.
            self.reencryptor.timer.wait(STATES_REREAD_AFTER).await;
        }
        let next = match self.scope {
            Scope::All => self.patient().count(self.scope).await?,
            _ => self.report.left,
        };
        let report = &mut self.report;
        report.failures.clear();
        report.unusable.clear();
        report.duplicates.clear();
        report.progress.failed = 0;
        report.progress.total = report.progress.done + next;
        self.left_to_writers = 0;
        Ok(())
    }

    async fn pass(
        &mut self,
        mut after: Option<Cursor>,
        progress: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<(), SweepError> {
        while let Some(last) = self.page(after.as_ref()).await? {
            let checkpoint = Checkpoint {
                done: self.report.progress.done,
                at: last,
            };
            let stored = checkpoint.to_cursor(self.scope);
            self.remember(Some(&stored)).await?;
            after = Some(checkpoint.at);
            self.report.progress.elapsed = self.elapsed();
            progress(&self.report.progress);
            self.keep_pace().await;
        }
        self.remember(None).await
    }

    async fn read(&self, after: Option<&Cursor>) -> Result<Vec<SealedRow>, SweepError> {
        self.patient().page(self.scope, after).await
    }

    async fn remember(&self, cursor: Option<&Cursor>) -> Result<(), SweepError> {
        self.patient().set_cursor(self.name, cursor).await
    }

    async fn left(&self) -> Result<u64, SweepError> {
        if *self.scope == Scope::All {
            return Ok(self.report.progress.failed + self.left_to_writers);
        }
        self.patient().count(self.scope).await
    }

    const fn patient(&self) -> PatientRows<'a> {
        PatientRows::new(self.rows, self.reencryptor)
    }

    fn elapsed(&self) -> Duration {
        let now = self.reencryptor.timer.monotonic();
        now.saturating_sub(self.started)
    }

    async fn keep_pace(&self) {
        let Progress { done, earlier, .. } = self.report.progress;
        let not_before = self.reencryptor.pace.not_before(done - earlier);
        let wait = not_before.saturating_sub(self.elapsed());
        if !wait.is_zero() {
            self.reencryptor.timer.wait(wait).await;
        }
    }
}

/// How often all is gone over that is still in the scope at the end.
const MAX_PASSES: u32 = 4;

/// Every process knows of a demotion then.
const STATES_REREAD_AFTER: Duration = Duration::from_secs(5);
