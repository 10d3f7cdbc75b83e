//! What went wrong with a call, fit for a log.

use std::error::Error;

use aws_sdk_secretsmanager::error::{ProvideErrorMetadata, SdkError};

/// What went wrong with a call of AWS: which call, and what AWS or the network said.
///
/// # Security
/// It holds nothing that was sent or received but the code and the message of an error. The errors of the SDK
/// keep whole answers, and one to `Decrypt` is a key: they are not kept as a source.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{call}: {what}")]
pub struct AwsFailure {
    call: &'static str,
    code: Option<String>,
    status: Option<u16>,
    what: String,
}

impl AwsFailure {
    /// What an error of the SDK says of `call`, which is named as in a policy: `kms:Decrypt`.
    #[must_use]
    pub fn new<E: ProvideErrorMetadata>(call: &'static str, error: &SdkError<E>) -> Self {
        let answer = error.raw_response();
        let status = answer.map(|answer| answer.status().as_u16());
        let (code, what) = match error {
            SdkError::ServiceError(error) => of_service(error.err(), status),
            SdkError::TimeoutError(_) => (None, "no answer in time".to_owned()),
            SdkError::DispatchFailure(failure) => {
                let error = failure.as_connector_error();
                let what = error.map_or_else(String::new, |error| innermost(error));
                (None, format!("no connection or no credentials: {what}"))
            }
            // What was not understood may be a secret.
            SdkError::ResponseError(_) => (None, "the answer is not one of AWS".to_owned()),
            _ => (None, "the request could not be made".to_owned()),
        };
        Self {
            call,
            code,
            status,
            what,
        }
    }

    /// The same for what AWS answered and should not have.
    #[must_use]
    pub fn unexpected(call: &'static str, what: &'static str) -> Self {
        Self {
            call,
            code: None,
            status: None,
            what: what.to_owned(),
        }
    }

    /// What AWS calls the error: `AccessDeniedException`. Nothing if AWS said nothing.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// The status of HTTP, if there was an answer.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        self.status
    }
}

/// The longest message that is kept. Those of AWS name a caller, an action and a resource.
const MAX_MESSAGE_CHARS: usize = 300;

fn of_service(error: &impl ProvideErrorMetadata, status: Option<u16>) -> (Option<String>, String) {
    let Some(code) = error.code().map(printable) else {
        let status = status.unwrap_or_default();
        return (
            None,
            format!("an error that AWS does not name, status {status}"),
        );
    };
    // These repeat what was sent.
    let repeats = matches!(&*code, "ValidationException" | "SerializationException");
    let what = match error.message() {
        Some(message) if !repeats => format!("{code}: {}", printable(message)),
        _ => code.clone(),
    };
    (Some(code), what)
}

fn innermost(mut error: &(dyn Error + 'static)) -> String {
    while let Some(cause) = error.source() {
        error = cause;
    }
    printable(&error.to_string())
}

fn printable(text: &str) -> String {
    let clean = |letter: char| if letter.is_control() { ' ' } else { letter };
    text.chars().take(MAX_MESSAGE_CHARS).map(clean).collect()
}
