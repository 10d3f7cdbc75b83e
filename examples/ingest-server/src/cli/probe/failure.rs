//! Why a step failed, in words that have nothing of what was sent.

use std::fmt;

use http::StatusCode;
use serde_json::Value;

/// A step that did not come out as it has to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// Nobody took the connection.
    Connection,
    /// The answer was not there in time.
    Deadline,
    /// The connection ended before the answer did.
    BrokenOff,
    /// The answer was longer than any is.
    TooLong,
    Status {
        status: StatusCode,
        expected: StatusCode,
        /// Why the service says that it refused.
        reason: Option<String>,
    },
    /// The answer has the right status, and not what it has to have.
    Content(&'static str),
}

/// The longest reason, and the characters of one.
const MAX_REASON: usize = 64;

impl Failure {
    pub(super) fn status(status: StatusCode, expected: StatusCode, answer: &Value) -> Self {
        let reason = answer.get("reason").and_then(Value::as_str);
        let is_one = |text: &&str| {
            let mut bytes = text.bytes();
            text.len() <= MAX_REASON
                && bytes.all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'.' | b'_'))
        };
        Self::Status {
            status,
            expected,
            reason: reason.filter(is_one).map(str::to_owned),
        }
    }

    /// Whether to ask again would take as long again.
    pub(super) const fn has_no_answer(&self) -> bool {
        matches!(self, Self::Connection | Self::Deadline)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection => f.write_str("no connection"),
            Self::Deadline => f.write_str("no answer in time"),
            Self::BrokenOff => f.write_str("the answer broke off"),
            Self::TooLong => f.write_str("the answer is too long"),
            Self::Content(what) => f.write_str(what),
            Self::Status {
                status,
                expected,
                reason,
            } => {
                write!(f, "answered {}", status.as_u16())?;
                if let Some(reason) = reason {
                    write!(f, " ({reason})")?;
                }
                write!(f, ", not {}", expected.as_u16())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn of_an_answer_nothing_is_told_but_its_status_and_a_reason() {
        let told = |answer: Value| {
            Failure::status(
                StatusCode::SERVICE_UNAVAILABLE,
                StatusCode::ACCEPTED,
                &answer,
            )
            .to_string()
        };
        assert_eq!(
            told(json!({ "reason": "capacity.queue_full" })),
            "answered 503 (capacity.queue_full), not 202"
        );
        for reason in [json!("to a@example.com"), json!("a".repeat(65)), json!(1)] {
            assert_eq!(told(json!({ "reason": reason })), "answered 503, not 202");
        }
    }
}
