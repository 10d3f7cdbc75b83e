//! How good the data was that came in over some days.

use std::{num::NonZeroU32, sync::Arc};

use portcullis_dq_metrics::{
    clock::UnixMillis,
    history::{Day, Days, DaysError, HistoryError, ParseDayError, QualityHistory},
    report::{PeriodReport, PeriodRequest},
};

use super::{Action, ActionResult, Actor, AdminEvent, AdminObserver, names, record};
use crate::{
    audit::{AuditLog, Unrecorded},
    clock::Clock,
    quality::Reason,
    store::StoreError,
};

/// The use case on the history of data quality.
#[derive(Debug, Clone)]
pub(crate) struct QualityPeriods {
    history: Arc<dyn QualityHistory>,
    clock: Arc<dyn Clock>,
    audit: AuditLog,
    observer: Arc<dyn AdminObserver>,
}

/// Which days are asked for, as they were written.
#[derive(Debug, Clone, Default)]
pub(crate) struct PeriodAsked {
    pub(crate) days: Option<String>,
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PeriodError {
    #[error(transparent)]
    Invalid(#[from] InvalidPeriod),
    #[error(transparent)]
    Unrecorded(#[from] Unrecorded),
    #[error("the history of data quality cannot be read")]
    History(#[source] StoreError),
}

/// What was asked for is no period.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidPeriod {
    #[error("`days` is a number, 1 to 366")]
    Count,
    #[error("say either `days`, or `from` and `to`")]
    Both,
    #[error(transparent)]
    Day(#[from] ParseDayError),
    #[error(transparent)]
    Days(#[from] DaysError),
}

impl PeriodAsked {
    /// Whether a period is asked for at all.
    pub(crate) const fn is_any(&self) -> bool {
        self.days.is_some() || self.from.is_some() || self.to.is_some()
    }

    /// The days: the last ones, or from one to another, where today stands for the one that is not said.
    fn read(&self, today: Day) -> Result<Days, InvalidPeriod> {
        match self {
            Self {
                days: Some(days),
                from: None,
                to: None,
            } => {
                let days: NonZeroU32 = days.parse().map_err(|_| InvalidPeriod::Count)?;
                Ok(Days::last(days, today)?)
            }
            Self {
                days: None,
                from: Some(from),
                to,
            } => {
                let to = to.as_deref().map_or(Ok(today), str::parse)?;
                Ok(Days::new(from.parse()?, to)?)
            }
            _ => Err(InvalidPeriod::Both),
        }
    }
}

impl QualityPeriods {
    pub(crate) fn new(
        history: Arc<dyn QualityHistory>,
        clock: Arc<dyn Clock>,
        audit: AuditLog,
        observer: Arc<dyn AdminObserver>,
    ) -> Self {
        Self {
            history,
            clock,
            audit,
            observer,
        }
    }

    /// Outcomes, reasons, scores and samples of some days, of one tenant or of all.
    pub(crate) async fn report(
        &self,
        actor: &Actor,
        tenant: Option<&str>,
        asked: &PeriodAsked,
    ) -> Result<PeriodReport, PeriodError> {
        let action = Action::ReadQuality { tenant };
        let shown = async {
            let report = self.read(tenant, asked).await?;
            let draft = record::draft(actor, &action, names::recorded(tenant));
            self.audit.record(draft).await?;
            Ok(report)
        };
        let shown: Result<PeriodReport, PeriodError> = shown.await;
        self.observer.observe(&AdminEvent {
            actor,
            action,
            result: ActionResult::of_read(&shown),
        });
        shown
    }

    async fn read(
        &self,
        tenant: Option<&str>,
        asked: &PeriodAsked,
    ) -> Result<PeriodReport, PeriodError> {
        let now = UnixMillis::saturating_from(self.clock.wall().into());
        let days = asked.read(Day::of(now))?;
        let request = PeriodRequest::new(days).tenant(tenant);
        Ok(PeriodReport::read::<Reason>(&*self.history, &request, now).await?)
    }
}

impl From<HistoryError> for PeriodError {
    fn from(error: HistoryError) -> Self {
        Self::History(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(days: &str, from: &str, to: &str) -> Result<Vec<String>, InvalidPeriod> {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let asked = PeriodAsked {
            days: given(days),
            from: given(from),
            to: given(to),
        };
        let today = "2026-03-01".parse().unwrap();
        let days = asked.read(today)?;
        Ok([days.from(), days.to()].map(|day| day.to_string()).into())
    }

    #[test]
    fn a_period_is_a_number_of_days_or_has_a_beginning() {
        for (days, from, to, expected) in [
            ("1", "", "", ["2026-03-01", "2026-03-01"]),
            ("3", "", "", ["2026-02-27", "2026-03-01"]),
            ("", "2026-02-01", "", ["2026-02-01", "2026-03-01"]),
            ("", "2025-12-31", "2026-01-02", ["2025-12-31", "2026-01-02"]),
        ] {
            assert_eq!(read(days, from, to).unwrap(), expected);
        }
        for (days, from, to, error) in [
            ("0", "", "", InvalidPeriod::Count),
            ("-1", "", "", InvalidPeriod::Count),
            ("367", "", "", InvalidPeriod::Days(DaysError::TooMany)),
            ("7", "2026-02-01", "", InvalidPeriod::Both),
            ("", "", "2026-02-01", InvalidPeriod::Both),
            ("", "", "", InvalidPeriod::Both),
            (
                "",
                "2026-03-02",
                "",
                InvalidPeriod::Days(DaysError::Backwards),
            ),
        ] {
            assert_eq!(read(days, from, to), Err(error));
        }
        assert!(matches!(
            read("", "1.2.2026", ""),
            Err(InvalidPeriod::Day(_))
        ));
    }
}
