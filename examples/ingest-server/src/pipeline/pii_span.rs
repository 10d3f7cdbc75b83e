//! What the spans that seal and open say: how much, of which kinds, under which keys, and what came of it.
//! Never a value, a key or its id.

use std::fmt;

use portcullis_keyring::PrepareError;
use portcullis_pii_crypto::PiiKind;
use tracing::{Span, field::Empty, info_span, record_all};

use super::{key_lookups::KeyLookups, pii::PiiOutcome};

/// Personal data of one request that is sealed or opened.
#[derive(Debug)]
pub(super) struct PiiWork {
    pub(super) kinds: Vec<PiiKind>,
    pub(super) keys: KeyLookups,
    values: usize,
    failed: usize,
    outcome: PiiOutcome,
}

/// The span that a stage seals in, or a reader opens in.
pub(super) fn span(name: &'static str) -> Span {
    info_span!(
        "personal_data",
        otel.name = name,
        pii.values = Empty,
        pii.kinds = Empty,
        pii.keys_cached = Empty,
        pii.keys_unwrapped = Empty,
        pii.failed_values = Empty,
        pii.outcome = Empty,
    )
}

impl PiiWork {
    /// On values of these kinds.
    pub(super) fn on(values: impl Iterator<Item = PiiKind>) -> Self {
        let mut work = Self {
            kinds: Vec::new(),
            keys: KeyLookups::default(),
            values: 0,
            failed: 0,
            outcome: PiiOutcome::Ok,
        };
        for kind in values {
            work.values += 1;
            if !work.kinds.contains(&kind) {
                work.kinds.push(kind);
            }
        }
        work
    }

    /// Notes that a value was not sealed or opened; of several outcomes, the first is shown.
    pub(super) fn failed(&mut self, outcome: PiiOutcome) {
        if self.failed == 0 {
            self.outcome = outcome;
        }
        self.failed += 1;
    }

    /// Notes that none was, for want of keys.
    pub(super) fn all_failed(&mut self, error: &PrepareError) -> PiiOutcome {
        self.failed = self.values;
        self.outcome = match error {
            PrepareError::TenantErased => PiiOutcome::KeyDestroyed,
            _ => PiiOutcome::KeyUnavailable,
        };
        self.outcome
    }

    /// Puts it into the span.
    pub(super) fn record(&self, span: &Span) {
        if self.values == 0 {
            record_all!(span, pii.values = 0, pii.outcome = self.outcome.as_str());
            return;
        }
        let count = |count| i64::try_from(count).unwrap_or(i64::MAX);
        record_all!(
            span,
            pii.values = count(self.values),
            pii.kinds = %Purposes(&self.kinds),
            pii.keys_cached = i64::from(self.keys.cached),
            pii.keys_unwrapped = i64::from(self.keys.unwrapped),
            pii.outcome = self.outcome.as_str(),
        );
        if self.failed > 0 {
            span.record("pii.failed_values", count(self.failed));
        }
    }
}

/// The names of kinds, as metrics have them.
struct Purposes<'a>(&'a [PiiKind]);

impl fmt::Display for Purposes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, kind) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            f.write_str(kind.purpose().as_str())?;
        }
        Ok(())
    }
}
