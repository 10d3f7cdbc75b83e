//! A key-encryption key in AWS KMS.

mod envelope;
mod key_arn;

use std::{collections::BTreeSet, fmt};

use async_trait::async_trait;
use aws_sdk_kms::{
    Client,
    config::{Builder, retry::RetryConfig},
    error::{ProvideErrorMetadata, SdkError},
    primitives::Blob,
    types::DataKeySpec,
};
use portcullis_versioned_secrets::aws::{AwsConnection, AwsFailure};
use secrecy::SecretBox;
use zeroize::Zeroizing;

use self::envelope::Envelope;
use super::{GeneratedKey, KekContext, KekError, KekProvider, WrappedKey};
use crate::DataKey;

pub use self::key_arn::{InvalidKeyArn, KeyArn};

/// A symmetric key in AWS KMS, and former ones that still open what they wrapped.
///
/// | method | call of KMS |
/// |---|---|
/// | `generate` | `GenerateDataKey`, 256 bits |
/// | `unwrap_key` | `Decrypt`, with the key named that wrapped it |
/// | `wrap` | `Encrypt` |
/// | `rewrap` | `ReEncrypt`: the data key does not leave KMS |
///
/// Every call has the encryption context `portcullis:tenant`, `portcullis:purpose` and `portcullis:key-id`
/// (eight hexadecimal digits), which KMS authenticates, checks policies by, and writes into CloudTrail in the
/// clear. The wrapped key names the key that wrapped it; one that is not configured is not called.
///
/// # Errors
/// [`Rejected`](KekError::Rejected) means that the wrapped key is not what was made for this context: it is
/// damaged or was moved, which shows without a call, or KMS looked at it and answered
/// `InvalidCiphertextException` or `IncorrectKeyException`. [`UnknownKey`](KekError::UnknownKey) means that
/// another KMS key wrapped it. All else is [`Unavailable`](KekError::Unavailable), also what KMS refuses without
/// looking at the wrapped key: `AccessDeniedException`, a key that is disabled, being deleted or gone,
/// throttling, expired credentials. Nothing opens in any of these cases, and the service goes on with the keys
/// that it has until the policy is repaired. As a refusal, one wrong policy would take every key away from a
/// running service at once, and be told as tampering with data.
///
/// Each call is sent once, whatever the connection says of attempts: the next caller, who waits for the budget of the
/// [`Keyring`](crate::Keyring), is the next attempt.
///
/// # Security
/// Disabling the KMS key, or taking the permission away, keeps processes from unwrapping more keys; those that
/// they hold serve up to 24 h. What has to stop within seconds is the state of the data keys
/// ([`Keyring::change_state`](crate::Keyring::change_state)).
///
/// The buffers that the SDK and TLS read an answer into are not wiped.
#[derive(Clone)]
pub struct AwsKms {
    client: Client,
    primary: KeyArn,
    opens: BTreeSet<KeyArn>,
}

impl AwsKms {
    /// Wraps with the KMS key of this ARN, `arn:aws:kms:<region>:<account>:key/<id>`, which has to be in the
    /// region of the connection. An alias could come to mean another key while processes run, and is refused.
    ///
    /// # Errors
    /// [`InvalidKeyArn`].
    pub fn new(connection: &AwsConnection, key_arn: &str) -> Result<Self, InvalidKeyArn> {
        let primary = KeyArn::in_region(key_arn, connection.region())?;
        // The budget of a keyring counts calls, and what the SDK repeats by itself it would not see.
        let config = Builder::from(connection.sdk_config()).retry_config(RetryConfig::disabled());
        Ok(Self {
            client: Client::from_conf(config.build()),
            opens: BTreeSet::from([primary.clone()]),
            primary,
        })
    }

    /// Opens what this KMS key wrapped, too: the former one, or the next one while processes are configured one
    /// after another.
    ///
    /// # Errors
    /// [`InvalidKeyArn`].
    pub fn also_opens(mut self, key_arn: &str) -> Result<Self, InvalidKeyArn> {
        let region = self.primary.region();
        self.opens.insert(KeyArn::in_region(key_arn, region)?);
        Ok(self)
    }

    /// What a wrapped key holds, if it was made for this context with a key that is configured.
    fn envelope<'a>(
        &self,
        context: &KekContext,
        wrapped: &'a WrappedKey,
    ) -> Result<Envelope<'a>, KekError> {
        let envelope = Envelope::parse(wrapped).ok_or(KekError::Rejected)?;
        if !envelope.is_intact(context) {
            return Err(KekError::Rejected);
        }
        if !self.opens.contains(&envelope.key) {
            return Err(KekError::UnknownKey(envelope.key.to_string()));
        }
        Ok(envelope)
    }

    /// What KMS wrapped with the primary key, as it is stored.
    fn sealed(
        &self,
        call: &'static str,
        context: &KekContext,
        key: Option<&str>,
        blob: Option<Blob>,
    ) -> Result<WrappedKey, KekError> {
        match (key, blob) {
            (Some(key), Some(blob)) if key == self.primary.as_str() => {
                let made = envelope::make(context, &self.primary, blob.as_ref());
                made.ok_or_else(|| unexpected(call, "a ciphertext of an impossible length"))
            }
            _ => Err(unexpected(
                call,
                "an answer for another key, or without a ciphertext",
            )),
        }
    }
}

#[async_trait]
impl KekProvider for AwsKms {
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        let mut request = self.client.generate_data_key();
        for (name, value) in encryption_context(context) {
            request = request.encryption_context(name, value);
        }
        let request = request.key_id(self.primary.as_str());
        let answer = request.key_spec(DataKeySpec::Aes256).send().await;
        let answer = answer.map_err(|error| failed(GENERATE, &error))?;
        let key = data_key(answer.plaintext);
        let key = key.ok_or_else(|| unexpected(GENERATE, "a key of another length"))?;
        let (arn, blob) = (answer.key_id.as_deref(), answer.ciphertext_blob);
        Ok(GeneratedKey::new(
            key,
            self.sealed(GENERATE, context, arn, blob)?,
        ))
    }

    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError> {
        let mut request = self.client.encrypt();
        for (name, value) in encryption_context(context) {
            request = request.encryption_context(name, value);
        }
        // EXPOSE: wrapping is what this provider is for; it is sent to KMS over TLS.
        let plaintext = Blob::new(key.hazmat_export().as_slice());
        let request = request.key_id(self.primary.as_str()).plaintext(plaintext);
        let answer = request.send().await;
        let answer = answer.map_err(|error| failed(ENCRYPT, &error))?;
        self.sealed(
            ENCRYPT,
            context,
            answer.key_id.as_deref(),
            answer.ciphertext_blob,
        )
    }

    async fn unwrap_key(
        &self,
        context: &KekContext,
        key: &WrappedKey,
    ) -> Result<DataKey, KekError> {
        let envelope = self.envelope(context, key)?;
        let mut request = self.client.decrypt();
        for (name, value) in encryption_context(context) {
            request = request.encryption_context(name, value);
        }
        let request = request.key_id(envelope.key.as_str());
        let answer = request
            .ciphertext_blob(Blob::new(envelope.blob))
            .send()
            .await;
        let answer = answer.map_err(|error| refused_or_failed(DECRYPT, &error))?;
        // A text that KMS decrypts for this key and context, and that no data key is.
        data_key(answer.plaintext).ok_or(KekError::Rejected)
    }

    async fn rewrap(&self, context: &KekContext, key: &WrappedKey) -> Result<WrappedKey, KekError> {
        let envelope = self.envelope(context, key)?;
        let mut request = self.client.re_encrypt();
        for (name, value) in encryption_context(context) {
            request = request
                .source_encryption_context(name, value.clone())
                .destination_encryption_context(name, value);
        }
        let request = request
            .source_key_id(envelope.key.as_str())
            .destination_key_id(self.primary.as_str());
        let answer = request
            .ciphertext_blob(Blob::new(envelope.blob))
            .send()
            .await;
        let answer = answer.map_err(|error| refused_or_failed(RE_ENCRYPT, &error))?;
        self.sealed(
            RE_ENCRYPT,
            context,
            answer.key_id.as_deref(),
            answer.ciphertext_blob,
        )
    }

    fn version_of(&self, key: &WrappedKey) -> Option<String> {
        Envelope::parse(key).map(|envelope| envelope.key.to_string())
    }

    async fn primary(&self) -> Result<Option<String>, KekError> {
        Ok(Some(self.primary.to_string()))
    }
}

impl fmt::Debug for AwsKms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKms")
            .field("primary", &self.primary)
            .field("opens", &self.opens)
            .finish_non_exhaustive()
    }
}

const GENERATE: &str = "kms:GenerateDataKey";
const ENCRYPT: &str = "kms:Encrypt";
const DECRYPT: &str = "kms:Decrypt";
const RE_ENCRYPT: &str = "kms:ReEncrypt";

fn encryption_context(context: &KekContext) -> [(&'static str, String); 3] {
    [
        ("portcullis:tenant", context.tenant().as_str().to_owned()),
        ("portcullis:purpose", context.purpose().as_str().to_owned()),
        ("portcullis:key-id", context.key_id().to_string()),
    ]
}

fn data_key(plaintext: Option<Blob>) -> Option<DataKey> {
    let bytes = Zeroizing::new(plaintext?.into_inner());
    let bytes: &[u8; DataKey::BYTES] = bytes.as_slice().try_into().ok()?;
    let copy = |key: &mut [u8; DataKey::BYTES]| key.copy_from_slice(bytes);
    Some(DataKey::hazmat_from_bytes(SecretBox::init_with_mut(copy)))
}

/// Of a call that passes no wrapped key.
fn failed(call: &'static str, error: &SdkError<impl ProvideErrorMetadata>) -> KekError {
    KekError::Unavailable(Box::new(AwsFailure::new(call, error)))
}

/// Of a call that passes a wrapped key, which KMS may refuse.
fn refused_or_failed(call: &'static str, error: &SdkError<impl ProvideErrorMetadata>) -> KekError {
    let failure = AwsFailure::new(call, error);
    match failure.code() {
        Some("InvalidCiphertextException" | "IncorrectKeyException") => KekError::Rejected,
        _ => KekError::Unavailable(Box::new(failure)),
    }
}

fn unexpected(call: &'static str, what: &'static str) -> KekError {
    KekError::Unavailable(Box::new(AwsFailure::unexpected(call, what)))
}
