//! One run over the rows of a scope.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem, slice,
    time::Duration,
};

use portcullis_keyring::{
    TenantId,
    sweep::{Cursor, Progress},
};

use super::{
    FailureReason, Reencryptor, Report, RowChange, RowError, RowFailure, RowOutcome, Scope,
    SealedRow, SealedRows, SweepError, attempts::PatientRows, checkpoint::Checkpoint,
    keys::TenantKeys, plan::Plan, report::list,
};
use crate::SealError;

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

/// What is known of the rows of a page that are not settled yet.
type Failures = BTreeMap<Cursor, Vec<RowFailure>>;

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
            self.look_again().await;
        }
    }

    /// Rows may have come into the scope behind the cursor, and others were left to writers.
    fn helps_to_look_again(&self, resumed: bool) -> bool {
        let Report { left, progress, .. } = &self.report;
        let leave = *self.scope != Scope::All;
        *left > 0 && (self.left_to_writers > 0 || leave && (resumed || progress.failed < *left))
    }

    /// The next pass looks at every row that is left, and lists those that fail again.
    async fn look_again(&mut self) {
        if mem::take(&mut self.found_primary) {
            // Another process has demoted the key less than 5 s ago, and this one does not know yet.
            self.reencryptor.timer.wait(STATES_REREAD_AFTER).await;
        }
        let report = &mut self.report;
        report.failures.clear();
        report.duplicates.clear();
        report.progress.failed = 0;
        report.progress.total = report.progress.done + report.left;
        self.left_to_writers = 0;
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

    /// Brings the rows of a page in order; answers where it ends, and nothing when there is none.
    async fn page(&mut self, after: Option<&Cursor>) -> Result<Option<Cursor>, SweepError> {
        let mut page = self.read(after).await?;
        let Some(last) = page.last().map(|row| row.at.clone()) else {
            return Ok(None);
        };
        let done = number(page.len());
        let mut attempts = self.reencryptor.attempts();
        let mut conflicts = 0;
        loop {
            let mut failures = Failures::new();
            let changes = self.plan(page, &mut failures).await?;
            let planned = BTreeSet::from_iter(changes.iter().map(|change| change.row.at.clone()));
            // What fails and has nothing to write beside that is settled.
            for (_, failures) in failures.extract_if(.., |at, _| !planned.contains(at)) {
                self.fail(failures);
            }
            let unsettled = match self.apply(&changes).await {
                Ok(outcomes) => {
                    conflicts += 1;
                    self.settle(&changes, &outcomes, &mut failures)?
                }
                // Whether anything was written after all, the rows tell.
                Err(error) => {
                    attempts.after(error).await?;
                    planned
                }
            };
            if unsettled.is_empty() {
                break;
            }
            page = self.read(after).await?;
            page.retain(|row| unsettled.contains(&row.at));
            // Those that are gone from the scope were brought in order by somebody else.
            self.report.progress.skipped += number(unsettled.len() - page.len());
            if conflicts == CONFLICT_ATTEMPTS {
                self.report.progress.skipped += number(page.len());
                self.left_to_writers += number(page.len());
                break;
            }
            if page.is_empty() {
                break;
            }
        }
        self.report.progress.done += done;
        Ok(Some(last))
    }

    async fn plan(
        &mut self,
        page: Vec<SealedRow>,
        failures: &mut Failures,
    ) -> Result<Vec<RowChange>, SweepError> {
        let mut keys = self.reencryptor.keys_of_rows(&page, self.scope).await?;
        let mut changes = Vec::with_capacity(page.len());
        for row in page {
            let plan = self.plan_row(&row, &mut keys).await?;
            self.found_primary |= plan.found_primary;
            if !plan.failures.is_empty() {
                let table = self.rows.table();
                let failed = plan.failures.iter();
                let failed = failed.map(|(field, why)| RowFailure::new(table, &row, *field, *why));
                failures.insert(row.at.clone(), failed.collect());
            }
            if plan.writes() {
                changes.push(RowChange {
                    row,
                    sealed: plan.sealed,
                    indexed: plan.indexed,
                });
            }
        }
        Ok(changes)
    }

    async fn plan_row(
        &self,
        row: &SealedRow,
        keys: &mut BTreeMap<TenantId, TenantKeys>,
    ) -> Result<Plan, SweepError> {
        for _ in 0..PREPARE_ATTEMPTS {
            if let Some(keys) = keys.get(&row.tenant)
                && let Ok(plan) = Plan::of(row, self.scope, self.rows, keys, self.reencryptor)
            {
                return Ok(plan);
            }
            let again = slice::from_ref(row);
            keys.extend(self.reencryptor.keys_of_rows(again, self.scope).await?);
        }
        // Ten seconds do not suffice for one row, several times over.
        Ok(Plan::failed(FailureReason::NotSealed(SealError::StaleKeys)))
    }

    /// Notes what became of changes; answers with the rows that are to be read again.
    fn settle(
        &mut self,
        changes: &[RowChange],
        outcomes: &[RowOutcome],
        failures: &mut Failures,
    ) -> Result<BTreeSet<Cursor>, SweepError> {
        let table = self.rows.table();
        if outcomes.len() != changes.len() {
            return Err(SweepError::Contract(table.to_owned()));
        }
        let mut unsettled = BTreeSet::new();
        for (RowChange { row, .. }, outcome) in changes.iter().zip(outcomes) {
            let mut failed = failures.remove(&row.at).unwrap_or_default();
            match outcome {
                RowOutcome::Written => self.report.progress.changed += 1,
                RowOutcome::Changed => {
                    unsettled.insert(row.at.clone());
                    continue;
                }
                RowOutcome::Refused => {
                    failed.push(RowFailure::new(table, row, None, FailureReason::Refused));
                }
                RowOutcome::Duplicate => {
                    failed.push(RowFailure::new(table, row, None, FailureReason::Duplicate));
                }
            }
            if !failed.is_empty() {
                self.fail(failed);
            }
        }
        Ok(unsettled)
    }

    /// Lists what is wrong with one row.
    fn fail(&mut self, failures: Vec<RowFailure>) {
        self.report.progress.failed += 1;
        let is_duplicate = |it: &RowFailure| it.reason == FailureReason::Duplicate;
        let (duplicates, failures): (Vec<_>, Vec<_>) = failures.into_iter().partition(is_duplicate);
        list(&mut self.report.duplicates, duplicates);
        list(&mut self.report.failures, failures);
    }

    async fn apply(&self, changes: &[RowChange]) -> Result<Vec<RowOutcome>, RowError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        self.rows.apply(changes).await
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

fn number(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// How often a row that others keep changing is read again before it is left to the next pass.
const CONFLICT_ATTEMPTS: u32 = 5;

/// How often the keys of one row are prepared.
const PREPARE_ATTEMPTS: u32 = 4;

/// How often all is gone over that is still in the scope at the end.
const MAX_PASSES: u32 = 4;

/// Every process knows of a demotion then.
const STATES_REREAD_AFTER: Duration = Duration::from_secs(5);
