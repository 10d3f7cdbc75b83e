//! One limit as it is configured.

use serde::Deserialize;

use super::{Limit, LimitError, Mode, Rate};
use crate::name::LimitName;

/// A limit as it is configured: its numbers, whether it refuses, and optionally a name.
///
/// Read with serde it takes exactly one of `per-second`, `per-minute`, `per-hour` and `per-day`,
/// a `burst`, and optionally the most `debt`, `mode` (`"enforced"` or `"shadow"`) and `name`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "RuleText")]
pub struct Rule {
    pub(super) limit: Limit,
    /// Whether the limit's debt was given, if only as zero.
    pub(super) gives_debt: bool,
    pub(super) mode: Mode,
    pub(super) name: Option<LimitName>,
}

impl Rule {
    /// Enforces `limit`.
    #[must_use]
    pub const fn new(limit: Limit) -> Self {
        Self {
            limit,
            gives_debt: limit.debt() > 0,
            mode: Mode::Enforced,
            name: None,
        }
    }

    /// Counts and reports, and never refuses.
    #[must_use]
    pub fn shadow(self) -> Self {
        Self {
            mode: Mode::Shadow,
            ..self
        }
    }

    /// Shows the limit to clients under `name`; default: the name of its scope.
    #[must_use]
    pub fn named(self, name: LimitName) -> Self {
        Self {
            name: Some(name),
            ..self
        }
    }
}

impl Rule {
    /// The same rule with this debt, unless it gives one itself or another category wants more.
    pub(super) fn or_debt(self, most: u32) -> Result<Self, LimitError> {
        if self.gives_debt || self.limit.debt() >= most {
            return Ok(self);
        }
        let limit = self.limit.with_debt(most)?;
        Ok(Self { limit, ..self })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RuleText {
    per_second: Option<u32>,
    per_minute: Option<u32>,
    per_hour: Option<u32>,
    per_day: Option<u32>,
    burst: u32,
    debt: Option<u32>,
    #[serde(default)]
    mode: Mode,
    name: Option<LimitName>,
}

#[derive(Debug, thiserror::Error)]
enum RuleError {
    #[error("give exactly one of per-second, per-minute, per-hour and per-day")]
    NotOneRate,
    #[error(transparent)]
    Limit(#[from] LimitError),
}

impl TryFrom<RuleText> for Rule {
    type Error = RuleError;

    fn try_from(text: RuleText) -> Result<Self, RuleError> {
        let rates = [
            text.per_second.map(Rate::tokens_per_second),
            text.per_minute.map(Rate::tokens_per_minute),
            text.per_hour.map(Rate::tokens_per_hour),
            text.per_day.map(Rate::tokens_per_day),
        ];
        let mut given = rates.into_iter().flatten();
        let (Some(rate), None) = (given.next(), given.next()) else {
            return Err(RuleError::NotOneRate);
        };
        Ok(Self {
            limit: Limit::new(rate, text.burst)?.with_debt(text.debt.unwrap_or_default())?,
            gives_debt: text.debt.is_some(),
            mode: text.mode,
            name: text.name,
        })
    }
}
