//! What an event must be like.

use ring::digest::{Context, SHA256};

use crate::event::{Id, Leaf, Outcome, Timestamp, is_id, is_label};

/// Which events are meant: those that have every term and lie within the time. Without any, all are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Filter {
    terms: Vec<Term>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
}

/// Something that an event has or has not: what a store keeps an index of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Term {
    kind: TermKind,
    value: Box<str>,
}

/// What a term is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "an index has an entry of each, and its bytes are fixed"
)]
pub enum TermKind {
    /// `tenant`.
    Tenant,
    /// `actor.id`.
    Actor,
    /// `action`.
    Action,
    /// The `id` of one of its `resources`.
    Resource,
    /// One of its `fields`.
    Field,
    /// `outcome`.
    Outcome,
}

/// A term that no event can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no event has such a value of `{}`", .kind.as_str())]
#[non_exhaustive]
pub struct InvalidFilter {
    /// What the term is about.
    pub kind: TermKind,
}

impl Filter {
    /// All events.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Those that have this.
    pub(crate) fn of(term: Term) -> Self {
        Self {
            terms: vec![term],
            ..Self::default()
        }
    }

    /// Only those that have this.
    ///
    /// # Errors
    /// [`InvalidFilter`] if the value is of a form that nothing in a leaf has.
    pub fn with(mut self, kind: TermKind, value: &str) -> Result<Self, InvalidFilter> {
        let term = Term::new(kind, value)?;
        // In one order, so that one filter has one cursor.
        if let Err(at) = self.terms.binary_search(&term) {
            self.terms.insert(at, term);
        }
        Ok(self)
    }

    /// Only those from this time on.
    #[must_use]
    pub const fn from(mut self, from: Timestamp) -> Self {
        self.from = Some(from);
        self
    }

    /// Only those before this time.
    #[must_use]
    pub const fn to(mut self, to: Timestamp) -> Self {
        self.to = Some(to);
        self
    }

    /// What an event must have.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// From which time on and before which events are meant.
    #[must_use]
    pub const fn times(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (self.from, self.to)
    }

    /// Whether anything between two times, both included, may be meant.
    #[must_use]
    pub fn overlaps(&self, earliest: Timestamp, latest: Timestamp) -> bool {
        self.from.is_none_or(|from| latest >= from) && self.to.is_none_or(|to| earliest < to)
    }

    /// Whether an event is meant.
    #[must_use]
    pub fn matches(&self, leaf: &Leaf<'_>) -> bool {
        self.overlaps(leaf.time(), leaf.time()) && self.terms.iter().all(|term| term.is_of(leaf))
    }

    /// Eight bytes that are others for another filter.
    pub(super) fn fingerprint(&self) -> [u8; 8] {
        let mut context = Context::new(&SHA256);
        for term in &self.terms {
            context.update(term.kind.as_str().as_bytes());
            context.update(&[0]);
            context.update(term.value.as_bytes());
            context.update(&[0]);
        }
        for time in [self.from, self.to] {
            let micros = time.map_or(u64::MAX, Timestamp::unix_micros);
            context.update(&micros.to_be_bytes());
        }
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&context.finish().as_ref()[..8]);
        bytes
    }
}

impl Term {
    /// A term.
    ///
    /// # Errors
    /// [`InvalidFilter`] if the value is of a form that nothing in a leaf has.
    pub fn new(kind: TermKind, value: &str) -> Result<Self, InvalidFilter> {
        let is_one = match kind {
            TermKind::Tenant | TermKind::Actor | TermKind::Resource => is_id(value),
            TermKind::Action | TermKind::Field => is_label(value),
            TermKind::Outcome => Outcome::from_word(value).is_some(),
        };
        if !is_one {
            return Err(InvalidFilter { kind });
        }
        let value = value.into();
        Ok(Self { kind, value })
    }

    /// A term on something that has the form of an id.
    pub(crate) fn of_id(kind: TermKind, id: &Id) -> Self {
        let value = id.as_str().into();
        Self { kind, value }
    }

    /// What it is about.
    #[must_use]
    pub const fn kind(&self) -> TermKind {
        self.kind
    }

    /// What it must be.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    fn is_of(&self, leaf: &Leaf<'_>) -> bool {
        let value = &*self.value;
        match self.kind {
            TermKind::Tenant => leaf.tenant() == value,
            TermKind::Actor => leaf.actor_id() == value,
            TermKind::Action => leaf.action() == value,
            TermKind::Resource => leaf.resources().any(|(_, id)| id == value),
            TermKind::Field => leaf.fields().any(|field| field == value),
            TermKind::Outcome => leaf.outcome().as_str() == value,
        }
    }
}

impl TermKind {
    /// As a filter and an index name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Actor => "actor",
            Self::Action => "action",
            Self::Resource => "resource",
            Self::Field => "field",
            Self::Outcome => "outcome",
        }
    }

    /// Gives every term of a leaf to `each`.
    pub fn each_of(leaf: &Leaf<'_>, mut each: impl FnMut(Self, &str)) {
        each(Self::Tenant, leaf.tenant());
        each(Self::Actor, leaf.actor_id());
        each(Self::Action, leaf.action());
        leaf.resources()
            .for_each(|(_, id)| each(Self::Resource, id));
        leaf.fields().for_each(|field| each(Self::Field, field));
        each(Self::Outcome, leaf.outcome().as_str());
    }
}
