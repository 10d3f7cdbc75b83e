//! Why something was done, and what it was done to.

use super::{Code, Id, ResourceType};

/// A stated reason: a code, and the reference that belongs to it, as the number of a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reason {
    code: Code,
    reference: Option<Id>,
}

/// A thing that was acted on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Resource {
    kind: ResourceType,
    id: Id,
}

impl Reason {
    /// A reason, with its reference if there is one. What was typed beside them is personal text.
    #[must_use]
    pub const fn new(code: Code, reference: Option<Id>) -> Self {
        Self { code, reference }
    }

    /// The code.
    #[must_use]
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The reference.
    #[must_use]
    pub const fn reference(&self) -> Option<&Id> {
        self.reference.as_ref()
    }
}

impl Resource {
    /// The thing of that kind and id.
    #[must_use]
    pub const fn new(kind: ResourceType, id: Id) -> Self {
        Self { kind, id }
    }

    /// What kind of thing it is.
    #[must_use]
    pub const fn kind(&self) -> ResourceType {
        self.kind
    }

    /// Which one of them.
    #[must_use]
    pub const fn id(&self) -> &Id {
        &self.id
    }
}
