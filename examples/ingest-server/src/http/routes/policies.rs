//! How it is told that a policy was not replaced.

use crate::{
    admin::ReplaceError, config::settings, http::problem::Problem, pipeline::rejection::Rejection,
    quality::Reason, store::PolicyKind,
};

impl From<ReplaceError> for Problem {
    fn from(error: ReplaceError) -> Self {
        match error {
            ReplaceError::Invalid(_) | ReplaceError::TooLarge => {
                Self::bad_request(error.to_string())
            }
            ReplaceError::Unrecorded(error) => error.into(),
            ReplaceError::Store(error) => Rejection::from(error).into(),
            ReplaceError::File { kind, error: why } => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    "a policy was not replaced"
                );
                let setting = match kind {
                    PolicyKind::Limits => settings::LIMITS_FILE,
                    PolicyKind::Detection => settings::DETECTION_FILE,
                };
                let variable = setting.variable;
                let detail = format!(
                    "the file of `{variable}` cannot be written ({why}); the policy is as before"
                );
                Rejection::new(Reason::CapacityPolicyFile, detail).into()
            }
        }
    }
}
