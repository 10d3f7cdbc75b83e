//! What is hidden from logs and traces, by field name and by value.

mod clean;
mod known;
mod names;

use std::{array, borrow::Cow, collections::HashSet};

use portcullis_pii_detect::{Detector, Kind};
use prometheus_client::metrics::counter::Counter;

use self::{clean::CleanTexts, known::KnownNames, names::NameRules};
use crate::metrics::{ClosedCounters, MetricError, Registry};

/// What the redactor hides: a policy for field names, and the value patterns.
#[derive(Clone, Debug)]
pub struct Redaction {
    fields: FieldPolicy,
    detector: Detector,
}

#[derive(Clone, Debug)]
enum FieldPolicy {
    /// Everything is shown but the fields these rules name.
    Deny(NameRules),
    /// Nothing is shown but these fields.
    Allow(HashSet<String>),
    /// Fields, and values too, are shown as they are.
    Off,
}

impl Redaction {
    /// Fields whose name says secret or personal data are hidden, and so is every value that a
    /// pattern recognises.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            fields: FieldPolicy::Deny(NameRules::standard()),
            detector: Detector::standard(),
        }
    }

    /// Only the named fields are shown; patterns apply to their values all the same.
    ///
    /// The fields this crate writes itself (method, route, status, …) are always shown. The
    /// message of a log line is not a field: the patterns apply to it, so that personal data
    /// belongs into fields and not into format strings.
    #[must_use]
    pub fn allow_list<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        let names = names.into_iter().map(Into::into);
        let names = names
            .chain(OWN_FIELDS.iter().map(ToString::to_string))
            .collect();
        Self {
            fields: FieldPolicy::Allow(names),
            detector: Detector::standard(),
        }
    }

    /// Nothing is hidden.
    ///
    /// # Security
    /// For experiments with invented data only: secrets reach logs and traces as they are.
    #[must_use]
    pub fn dangerous_off() -> Self {
        Self {
            fields: FieldPolicy::Off,
            detector: Detector::standard(),
        }
    }

    /// Hides fields whose name ends in `name` too; with an allow list, takes the name off it.
    #[must_use]
    pub fn with_denied_field(mut self, name: &str) -> Self {
        match &mut self.fields {
            FieldPolicy::Deny(rules) => rules.add(name),
            FieldPolicy::Allow(names) => {
                names.remove(name);
            }
            FieldPolicy::Off => {}
        }
        self
    }

    /// Recognises values by this detector of [`pii_detect`](crate::pii_detect); default:
    /// [`Detector::standard`].
    #[must_use]
    pub fn with_detector(mut self, detector: Detector) -> Self {
        self.detector = detector;
        self
    }
}

impl Default for Redaction {
    fn default() -> Self {
        Self::standard()
    }
}

/// The names that this crate writes, with values it makes itself.
const OWN_FIELDS: &[&str] = &[
    "level",
    "target",
    "suppressed",
    "panic.location",
    "http.request.method",
    "http.route",
    "http.response.status_code",
    "url.scheme",
    "network.protocol.version",
    "error.type",
];

/// What is shown instead of a hidden field.
pub(crate) const HIDDEN: &str = "[redacted]";

/// Hides secrets and personal data in everything that leaves the process as telemetry, and counts
/// what it hid.
#[derive(Debug)]
pub struct Redactor {
    redaction: Redaction,
    look_ahead_bytes: usize,
    known: KnownNames,
    clean: CleanTexts,
    hidden: ClosedCounters<SERIES>,
}

/// One series for each kind of value, and one for fields hidden by name.
const SERIES: usize = FIELD + 1;
const FIELD: usize = Kind::ALL.len();

impl Redactor {
    /// A redactor of its own, with its counts at zero.
    #[must_use]
    pub fn new(redaction: Redaction) -> Self {
        let label = |index| {
            Kind::ALL
                .get(index)
                .map_or("field", |kind: &Kind| kind.as_str())
        };
        Self {
            look_ahead_bytes: redaction.detector.look_ahead_bytes(),
            redaction,
            known: KnownNames::default(),
            clean: CleanTexts::new(),
            hidden: ClosedCounters::new("kind", array::from_fn(label)),
        }
    }

    /// Whether nothing is hidden, as [`Redaction::dangerous_off`] asks.
    #[must_use]
    pub const fn is_off(&self) -> bool {
        matches!(self.redaction.fields, FieldPolicy::Off)
    }

    /// What recognises values, whatever the policy for fields.
    #[must_use]
    pub fn detector(&self) -> &Detector {
        &self.redaction.detector
    }

    /// `text` with everything that a pattern recognises replaced by its
    /// [placeholder](Kind::placeholder).
    #[must_use]
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.mask_until(text, text.len())
    }

    /// What may be shown of the field `name` with the value `value`.
    #[must_use]
    pub fn field<'a>(&self, name: &str, value: &'a str) -> Cow<'a, str> {
        if self.hides(name) {
            Cow::Borrowed(HIDDEN)
        } else {
            self.mask(value)
        }
    }

    /// How many values have been hidden since the start, by pattern or by field name.
    #[must_use]
    pub fn hidden(&self) -> u64 {
        self.hidden.iter().map(Counter::get).sum()
    }

    /// Whether the field is hidden for its name, whatever its value. Counts if so.
    pub(crate) fn hides(&self, name: &str) -> bool {
        self.count_hidden(self.has_hidden_name(name))
    }

    /// The same for a name that is written in the program: the rules are asked once for it.
    pub(crate) fn hides_field(&self, name: &'static str) -> bool {
        let hides = self.known.hides(name, |name| self.has_hidden_name(name));
        self.count_hidden(hides)
    }

    fn has_hidden_name(&self, name: &str) -> bool {
        match &self.redaction.fields {
            FieldPolicy::Deny(rules) => rules.matches(name),
            FieldPolicy::Allow(names) => !names.contains(name),
            FieldPolicy::Off => false,
        }
    }

    fn count_hidden(&self, hides: bool) -> bool {
        if hides {
            self.hidden.at(FIELD).inc();
        }
        hides
    }

    /// The first `shown` bytes of a text, masked, when it is given with its
    /// [look-ahead](Self::look_ahead): a secret across the cut is masked as a whole.
    pub(crate) fn mask_until<'a>(&self, text: &'a str, shown: usize) -> Cow<'a, str> {
        let shown = text.floor_char_boundary(shown);
        if matches!(self.redaction.fields, FieldPolicy::Off) {
            return Cow::Borrowed(&text[..shown]);
        }
        if self.clean.holds(text) {
            return Cow::Borrowed(&text[..shown]);
        }
        let findings = self.detector().find(text);
        let mut findings = findings
            .take_while(|finding| finding.range.start < shown)
            .peekable();
        if findings.peek().is_none() {
            if shown == text.len() {
                self.clean.keep(text);
            }
            return Cow::Borrowed(&text[..shown]);
        }
        let mut masked = String::with_capacity(shown);
        let mut copied = 0;
        for finding in findings {
            masked.push_str(&text[copied..finding.range.start]);
            masked.push_str(finding.kind.placeholder());
            copied = finding.range.end;
            self.hidden.at(finding.kind.index()).inc();
        }
        masked.push_str(text.get(copied..shown).unwrap_or_default());
        Cow::Owned(masked)
    }

    /// How much of a long text has to be looked at to show its first `shown` bytes.
    pub(crate) fn look_ahead(&self, shown: usize) -> usize {
        shown.saturating_add(self.look_ahead_bytes)
    }

    pub(crate) fn register(&self, registry: &Registry) -> Result<(), MetricError> {
        self.hidden.register(
            registry,
            "telemetry_redactions",
            "Values hidden in logs and spans, by pattern or for the field's name",
        )
    }
}

#[cfg(test)]
mod tests;
