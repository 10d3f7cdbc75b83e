//! Where a policy is kept, and whether what stands there can be used.

use std::fmt::Debug;

use serde::Serialize;

use crate::{files::PolicyFile, store::PolicyKind};

/// Where the policy that the service starts with is from.
#[derive(Debug, Clone)]
pub(crate) enum PolicyStart {
    File(PolicyFile),
    Database { is_set: bool },
}

/// Where the policy in force is from, for operators.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct PolicySource {
    from: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    /// Why what stands there by now is not in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// Whether what stands where a policy is kept is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PolicyState {
    InForce,
    /// It cannot be used: the policy before is in force.
    Unusable,
}

/// Is told whenever that may have changed.
pub(crate) trait PolicyObserver: Debug + Send + Sync {
    fn observe(&self, kind: PolicyKind, state: PolicyState);
}

impl PolicyStart {
    pub(super) fn source(&self) -> PolicySource {
        let (from, file) = match self {
            Self::File(file) => ("file", Some(file.path().display().to_string())),
            Self::Database { is_set: true } => ("database", None),
            Self::Database { is_set: false } => ("defaults", None),
        };
        PolicySource {
            from,
            file,
            problem: None,
        }
    }

    pub(super) fn into_file(self) -> Option<PolicyFile> {
        match self {
            Self::File(file) => Some(file),
            Self::Database { .. } => None,
        }
    }
}

impl PolicySource {
    pub(super) fn with_problem(self, problem: String) -> Self {
        Self {
            problem: Some(problem),
            ..self
        }
    }

    pub(super) const fn state(&self) -> PolicyState {
        match self.problem {
            Some(_) => PolicyState::Unusable,
            None => PolicyState::InForce,
        }
    }
}
