//! Who acted.

use std::fmt;

use super::{Id, word::words};

/// Who acted, by a pseudonym, and by which elevation of rights.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Actor {
    kind: ActorType,
    id: Id,
    grant: Option<Id>,
}

/// What kind of actor it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "version 1 of the leaf has these, and exports map each"
)]
pub enum ActorType {
    /// A program with an API key; the id is that of the key.
    ApiKey,
    /// A person who signed in.
    Person,
    /// The service itself.
    System,
    /// Somebody who did not say who.
    Anonymous,
}

impl Actor {
    /// An actor that acts within its own rights.
    #[must_use]
    pub const fn new(kind: ActorType, id: Id) -> Self {
        Self {
            kind,
            id,
            grant: None,
        }
    }

    /// The same actor, acting by an elevation of rights of this id.
    #[must_use]
    pub fn elevated_by(self, grant: Id) -> Self {
        Self {
            grant: Some(grant),
            ..self
        }
    }

    /// What kind of actor it is.
    #[must_use]
    pub const fn kind(&self) -> ActorType {
        self.kind
    }

    /// The pseudonym.
    #[must_use]
    pub const fn id(&self) -> &Id {
        &self.id
    }

    /// The elevation of rights, if it acts by one.
    #[must_use]
    pub const fn grant(&self) -> Option<&Id> {
        self.grant.as_ref()
    }
}

words!(ActorType {
    ApiKey => "api_key",
    Person => "person",
    System => "system",
    Anonymous => "anonymous",
});
