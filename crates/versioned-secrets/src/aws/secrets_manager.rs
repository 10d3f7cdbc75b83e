//! AWS Secrets Manager as a place that keeps secrets.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use aws_sdk_secretsmanager::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::{AwsConnection, AwsFailure};
use crate::source::{FetchedSecrets, SecretSource, SourceError};

/// One secret in AWS Secrets Manager whose text is a JSON object of texts: the version with the label
/// `AWSCURRENT`, which a rotation moves in one step.
///
/// The id of that version is the revision.
///
/// # Errors
/// | what AWS says | [`SourceError`] |
/// |---|---|
/// | the credential is unknown, expired, or its policy does not allow it; the KMS key of the secret refuses | `Denied` |
/// | there is no such secret, it has no current version, it is being deleted | `NotFound` |
/// | the secret is binary, or not a JSON object of texts | `Malformed` |
/// | anything else, or nothing | `Unavailable` |
#[derive(Clone)]
pub struct SecretsManager {
    client: Client,
    secret_id: String,
    place: String,
}

impl SecretsManager {
    /// The secret with this name or ARN, in the region of the connection.
    #[must_use]
    pub fn new(connection: &AwsConnection, secret_id: impl Into<String>) -> Self {
        let secret_id = secret_id.into();
        Self {
            client: Client::new(connection.sdk_config()),
            place: format!(
                "secret {secret_id:?} of AWS Secrets Manager in {}",
                connection.region()
            ),
            secret_id,
        }
    }

    fn refusal(&self, error: &SdkError<impl ProvideErrorMetadata>) -> SourceError {
        let failure = AwsFailure::new(CALL, error);
        let place = self.place.clone();
        match failure.code() {
            Some(code) if DENIED.contains(&code) => SourceError::Denied { place },
            Some(code) if NOT_FOUND.contains(&code) => SourceError::NotFound { place },
            None if failure.status() == Some(403) => SourceError::Denied { place },
            _ => SourceError::Unavailable {
                place,
                source: Box::new(failure),
            },
        }
    }
}

#[async_trait]
impl SecretSource for SecretsManager {
    async fn fetch(&self) -> Result<FetchedSecrets, SourceError> {
        let request = self.client.get_secret_value();
        // Named so that a policy can ask for it.
        let request = request.secret_id(&self.secret_id).version_stage(CURRENT);
        let answer = request.send().await;
        let answer = answer.map_err(|error| self.refusal(&error))?;
        let (Some(text), Some(revision)) = (answer.secret_string, answer.version_id) else {
            return Err(self.malformed());
        };
        let text = Zeroizing::new(text);
        let values = parse(&text).ok_or_else(|| self.malformed())?;
        Ok(FetchedSecrets::new(values, revision))
    }
}

impl SecretsManager {
    fn malformed(&self) -> SourceError {
        SourceError::Malformed {
            place: self.place.clone(),
        }
    }
}

impl fmt::Debug for SecretsManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecretsManager")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

const CALL: &str = "secretsmanager:GetSecretValue";
const CURRENT: &str = "AWSCURRENT";

/// Codes that another credential or policy would change. `DecryptionFailure` is the KMS key of the secret: it
/// is disabled, or does not let this caller use it.
const DENIED: [&str; 12] = [
    "AccessDenied",
    "AccessDeniedException",
    "DecryptionFailure",
    "DecryptionFailureException",
    "ExpiredTokenException",
    "IncompleteSignatureException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "NotAuthorized",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// Codes of a secret that is not there, is being deleted, or whose name no secret can have.
const NOT_FOUND: [&str; 4] = [
    "InvalidParameterException",
    "InvalidRequestException",
    "ResourceNotFoundException",
    "ValidationException",
];

/// A JSON object of texts. The error of the parser would quote it.
fn parse(text: &str) -> Option<BTreeMap<String, SecretString>> {
    let values: BTreeMap<String, String> = serde_json::from_str(text).ok()?;
    let secret = |(name, value)| (name, SecretString::from(value));
    Some(values.into_iter().map(secret).collect())
}
