mod card;
mod detect;
mod digits;
mod email;
mod names;
mod phone;

use std::borrow::Cow;
use std::collections::HashSet;

use prometheus_client::metrics::counter::Counter;

pub use self::detect::{Detectors, Kind};
use self::names::NameRules;
use crate::metrics::{ClosedCounters, MetricError, Registry};

/// What the redactor hides: a policy for field names, and the value patterns.
#[derive(Clone, Debug)]
pub struct Redaction {
    fields: FieldPolicy,
    detectors: Detectors,
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
            detectors: Detectors::new(),
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
            detectors: Detectors::new(),
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
            detectors: Detectors::new(),
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

    /// Recognises secrets with this prefix beside `pcl_`.
    #[must_use]
    pub fn with_key_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.detectors = self.detectors.with_key_prefix(prefix);
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

/// What stands in the place of a hidden field.
pub(crate) const HIDDEN: &str = "[redacted]";

/// Hides secrets and personal data in everything that leaves the process as telemetry, and counts
/// what it hid.
#[derive(Debug)]
pub struct Redactor {
    redaction: Redaction,
    hidden: ClosedCounters<5>,
}

const KINDS: [&str; 5] = ["email", "phone", "payment_card", "api_key", "field"];
const FIELD: usize = 4;

impl Redactor {
    /// A redactor of its own, with its counts at zero.
    #[must_use]
    pub fn new(redaction: Redaction) -> Self {
        Self {
            redaction,
            hidden: ClosedCounters::new("kind", KINDS),
        }
    }

    /// The kind of the first piece of personal data or secret in `text`, whatever the policy.
    #[must_use]
    pub fn detect(&self, text: &str) -> Option<Kind> {
        self.redaction.detectors.detect(text)
    }

    /// `text` with everything that a pattern recognises replaced by [`Kind::mask`].
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
        let hides = match &self.redaction.fields {
            FieldPolicy::Deny(rules) => rules.matches(name),
            FieldPolicy::Allow(names) => !names.contains(name),
            FieldPolicy::Off => false,
        };
        if hides {
            self.hidden.at(FIELD).inc();
        }
        hides
    }

    /// The first `shown` bytes of a text, masked, when it is given with its
    /// [look-ahead](Self::look_ahead): a secret across the cut is masked as a whole.
    pub(crate) fn mask_until<'a>(&self, text: &'a str, shown: usize) -> Cow<'a, str> {
        match self.redaction.fields {
            FieldPolicy::Off => Cow::Borrowed(&text[..text.floor_char_boundary(shown)]),
            _ => self
                .redaction
                .detectors
                .mask_until(text, shown, |kind| self.count(kind)),
        }
    }

    /// How much of a long text has to be looked at to show its first `shown` bytes.
    pub(crate) const fn look_ahead(shown: usize) -> usize {
        shown.saturating_add(detect::LONGEST_MATCH_BYTES)
    }

    pub(crate) fn register(&self, registry: &Registry) -> Result<(), MetricError> {
        registry.register(
            "telemetry_redactions",
            "Values hidden in logs and spans, by pattern or for the field's name",
            self.hidden.clone(),
        )
    }

    fn count(&self, kind: Kind) {
        let index = match kind {
            Kind::Email => 0,
            Kind::Phone => 1,
            Kind::PaymentCard => 2,
            Kind::ApiKey => 3,
        };
        self.hidden.at(index).inc();
    }
}

#[cfg(test)]
mod tests;
