//! One page of a run.

use std::{
    collections::{BTreeMap, BTreeSet},
    slice,
    time::Duration,
};

use portcullis_keyring::{TenantId, sweep::Cursor};

use super::{
    super::{
        FailureReason, Report, RowChange, RowError, RowFailure, RowOutcome, SealedRow, SweepError,
        keys::TenantKeys, plan::Plan, report,
    },
    Sweep,
};

/// What is known of the rows of a page that are not settled yet.
type Failures = BTreeMap<Cursor, Vec<RowFailure>>;

/// What rows of a page become.
#[derive(Debug, Default)]
struct Planned {
    changes: Vec<RowChange>,
    // When each was sealed.
    sealed_at: Vec<Duration>,
    failures: Failures,
    /// Rows to be read and sealed again, or for the first time: what was sealed before them waits.
    later: BTreeSet<Cursor>,
}

impl Sweep<'_> {
    /// Brings the rows of a page in order; answers where it ends, and nothing when there is none.
    pub(super) async fn page(
        &mut self,
        after: Option<&Cursor>,
    ) -> Result<Option<Cursor>, SweepError> {
        let mut page = self.read(after).await?;
        let Some(last) = page.last().map(|row| row.at.clone()) else {
            return Ok(None);
        };
        let done = number(page.len());
        let mut attempts = self.reencryptor.attempts();
        let mut conflicts = 0;
        loop {
            let Planned {
                changes,
                mut failures,
                later: mut unsettled,
                ..
            } = self.plan(page).await?;
            let planned = BTreeSet::from_iter(changes.iter().map(|change| change.row.at.clone()));
            // What fails and has nothing to write beside that is settled.
            let settled = |at: &Cursor| !planned.contains(at) && !unsettled.contains(at);
            for (_, failures) in failures.extract_if(.., |at, _| settled(at)) {
                self.fail(failures);
            }
            match self.apply(&changes).await {
                Ok(outcomes) => {
                    let changed = self.settle(&changes, &outcomes, &mut failures)?;
                    conflicts += u32::from(!changed.is_empty());
                    unsettled.extend(changed);
                }
                // Whether anything was written after all, the rows tell.
                Err(error) => {
                    attempts.after(error).await?;
                    unsettled.extend(planned);
                }
            }
            if unsettled.is_empty() {
                break;
            }
            page = self.read(after).await?;
            let is_full = number(page.len()) >= self.reencryptor.pace.batch().get().into();
            page.retain(|row| unsettled.contains(&row.at));
            let missing = number(unsettled.len() - page.len());
            // Those that are gone from the scope were brought in order by somebody else. New rows may have
            // pushed them off a full page.
            self.report.progress.skipped += missing;
            self.left_to_writers += if is_full { missing } else { 0 };
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

    /// Seals what rows become. What waits too long for the keys of others is left for later: from sealing
    /// to committing it takes 30 s at most, and the table takes its part of them.
    async fn plan(&mut self, page: Vec<SealedRow>) -> Result<Planned, SweepError> {
        let mut keys = self.reencryptor.keys_of_rows(&page, self.scope).await?;
        let mut planned = Planned::default();
        for row in page {
            let now = self.now();
            let first = planned.sealed_at.first().copied();
            if first.is_some_and(|first| now.saturating_sub(first) > SEALED_AHEAD) {
                planned.later.insert(row.at);
                continue;
            }
            let plan = self.plan_row(&row, &mut keys).await?;
            self.found_primary |= plan.found_primary;
            if !plan.failures.is_empty() {
                let table = self.rows.table();
                let failed = plan.failures.iter();
                let failed = failed.map(|(field, why)| RowFailure::new(table, &row, *field, *why));
                planned.failures.insert(row.at.clone(), failed.collect());
            }
            if plan.writes() {
                planned.sealed_at.push(self.now());
                planned.changes.push(RowChange {
                    row,
                    sealed: plan.sealed,
                    indexed: plan.indexed,
                });
            }
        }
        let now = self.now();
        let is_late = |at: &&Duration| now.saturating_sub(**at) > APPLIED_WITHIN;
        // The clock does not go back: those that are late come first.
        let late = planned.sealed_at.iter().take_while(is_late).count();
        let late = planned.changes.drain(..late);
        planned.later.extend(late.map(|change| change.row.at));
        Ok(planned)
    }

    fn now(&self) -> Duration {
        self.reencryptor.timer.monotonic()
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
        Ok(Plan::failed(FailureReason::StaleKeys))
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
        let Report {
            duplicates: listed,
            failures: failed,
            unusable,
            ..
        } = &mut self.report;
        report::list(listed, duplicates);
        report::note(failed, unusable, failures);
    }

    async fn apply(&self, changes: &[RowChange]) -> Result<Vec<RowOutcome>, RowError> {
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        self.rows.apply(changes).await
    }
}

fn number(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// How often a row that others keep changing is read again before it is left to the next pass.
const CONFLICT_ATTEMPTS: u32 = 5;

/// When something was sealed this long ago, it is written before more is sealed.
const SEALED_AHEAD: Duration = Duration::from_secs(5);

/// What was sealed longer ago is not written any more, and sealed again.
const APPLIED_WITHIN: Duration = Duration::from_secs(10);

/// How often the keys of one row are prepared.
const PREPARE_ATTEMPTS: u32 = 4;
