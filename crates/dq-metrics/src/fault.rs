//! A taxonomy for the unit tests.

use crate::{Dimension, Facts, Reason, Severity};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    Unreadable,
    Misspelt,
    Incomplete,
    Late,
    Forbidden,
    Full,
}

impl Reason for Fault {
    const ALL: &'static [Self] = &[
        Self::Unreadable,
        Self::Misspelt,
        Self::Incomplete,
        Self::Late,
        Self::Forbidden,
        Self::Full,
    ];

    fn index(self) -> usize {
        self as usize
    }

    fn facts(self) -> Facts {
        match self {
            Self::Unreadable => Facts::new("read.unreadable", "It cannot be read.")
                .remediation("Send it again.")
                .dimension(Dimension::Validity)
                .severity(Severity::Error),
            Self::Misspelt => Facts::new("read.misspelt", "A word is wrong.")
                .remediation("Look it up.")
                .dimension(Dimension::Validity),
            Self::Incomplete => Facts::new("check.incomplete", "A field is missing.")
                .remediation("Fill it in.")
                .dimension(Dimension::Completeness),
            Self::Late => Facts::new("check.late", "It is too old.")
                .remediation("Send sooner.")
                .dimension(Dimension::Timeliness),
            Self::Forbidden => Facts::new("check.forbidden", "The sender may not do this.")
                .remediation("Ask for leave.")
                .severity(Severity::Info),
            Self::Full => Facts::new("store.full", "The store is full.")
                .remediation("Make room.")
                .severity(Severity::Critical)
                .unexpected(),
        }
    }
}
