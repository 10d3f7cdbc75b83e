//! The calls of KMS that wrap and unwrap.

use std::{collections::BTreeSet, fmt, time::SystemTime};

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

use super::{
    InvalidKeyArn, KeyArn,
    envelope::{self, Envelope},
    wrapping_key::{self, WrappingKey},
};
use crate::{
    DataKey,
    kek::{GeneratedKey, KekContext, KekError, KekProvider, WrappedKey},
};

/// A symmetric key in AWS KMS, and former ones that still open what they wrapped.
///
/// | method | call of KMS |
/// |---|---|
/// | `generate` | `GenerateDataKey`, 256 bits |
/// | `unwrap_key` | `Decrypt`, with the key named that wrapped it |
/// | `wrap` | `Encrypt` |
/// | `rewrap` | `ReEncrypt`: the data key does not leave KMS |
/// | `primary_since` | `DescribeKey` and `ListKeyRotations` |
/// | `wrapping_key` | of an alias `DescribeKey`, once |
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
    region: String,
    wraps: WrappingKey,
    opens: BTreeSet<KeyArn>,
}

impl AwsKms {
    /// Wraps with this KMS key, which has to be in the region of the connection: its ARN,
    /// `arn:aws:kms:<region>:<account>:key/<id>`, or an alias, `alias/<name>` or the ARN of one.
    ///
    /// KMS is asked once which key an alias names, before anything else or by
    /// [`wrapping_key`](Self::wrapping_key), and every call names that key from then on. To let an alias name
    /// another key is a rotation of the key-encryption key, which this process takes part in at its next start:
    /// let every process open both keys first ([`also_opens`](Self::also_opens)).
    ///
    /// # Errors
    /// [`InvalidKeyArn`].
    pub fn new(connection: &AwsConnection, key: &str) -> Result<Self, InvalidKeyArn> {
        let region = connection.region();
        let wraps = WrappingKey::parse(key, region)?;
        // The budget of a keyring counts calls, and what the SDK repeats by itself it would not see.
        let config = Builder::from(connection.sdk_config()).retry_config(RetryConfig::disabled());
        Ok(Self {
            client: Client::from_conf(config.build()),
            region: region.to_owned(),
            wraps,
            opens: BTreeSet::new(),
        })
    }

    /// The key that wraps, which KMS is asked for if an alias names it and nobody has asked yet. To be called at
    /// the start of a service: an alias that there is not is found then.
    ///
    /// # Errors
    /// [`AwsFailure`].
    pub async fn wrapping_key(&self) -> Result<KeyArn, AwsFailure> {
        self.wraps.resolve(&self.client).await.cloned()
    }

    /// Opens what this KMS key wrapped, too: the former one, or the next one while processes are configured one
    /// after another. It is named by its ARN: an alias may not name it any more when it is needed.
    ///
    /// # Errors
    /// [`InvalidKeyArn`].
    pub fn also_opens(mut self, key_arn: &str) -> Result<Self, InvalidKeyArn> {
        self.opens.insert(KeyArn::in_region(key_arn, &self.region)?);
        Ok(self)
    }

    /// What a wrapped key holds, if it was made for this context with a key that is configured.
    async fn envelope<'a>(
        &self,
        context: &KekContext,
        wrapped: &'a WrappedKey,
    ) -> Result<Envelope<'a>, KekError> {
        let envelope = Envelope::parse(wrapped).ok_or(KekError::Rejected)?;
        if !envelope.is_intact(context) {
            return Err(KekError::Rejected);
        }
        if !self.opens.contains(&envelope.key) && *self.wraps().await? != envelope.key {
            return Err(KekError::UnknownKey(envelope.key.to_string()));
        }
        Ok(envelope)
    }

    async fn wraps(&self) -> Result<&KeyArn, KekError> {
        let key = self.wraps.resolve(&self.client).await;
        key.map_err(|failure| KekError::Unavailable(Box::new(failure)))
    }
}

#[async_trait]
impl KekProvider for AwsKms {
    async fn generate(&self, context: &KekContext) -> Result<GeneratedKey, KekError> {
        let primary = self.wraps().await?;
        let mut request = self.client.generate_data_key();
        for (name, value) in encryption_context(context) {
            request = request.encryption_context(name, value);
        }
        let request = request.key_id(primary.as_str());
        let answer = request.key_spec(DataKeySpec::Aes256).send().await;
        let answer = answer.map_err(|error| failed(GENERATE, &error))?;
        let key = data_key(answer.plaintext);
        let key = key.ok_or_else(|| unexpected(GENERATE, "a key of another length"))?;
        let (arn, blob) = (answer.key_id.as_deref(), answer.ciphertext_blob);
        Ok(GeneratedKey::new(
            key,
            sealed(primary, GENERATE, context, arn, blob)?,
        ))
    }

    async fn wrap(&self, context: &KekContext, key: &DataKey) -> Result<WrappedKey, KekError> {
        let primary = self.wraps().await?;
        let mut request = self.client.encrypt();
        for (name, value) in encryption_context(context) {
            request = request.encryption_context(name, value);
        }
        // EXPOSE: wrapping is what this provider is for; it is sent to KMS over TLS.
        let plaintext = Blob::new(key.hazmat_export().as_slice());
        let request = request.key_id(primary.as_str()).plaintext(plaintext);
        let answer = request.send().await;
        let answer = answer.map_err(|error| failed(ENCRYPT, &error))?;
        sealed(
            primary,
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
        let envelope = self.envelope(context, key).await?;
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
        let envelope = self.envelope(context, key).await?;
        let primary = self.wraps().await?;
        let mut request = self.client.re_encrypt();
        for (name, value) in encryption_context(context) {
            request = request
                .source_encryption_context(name, value.clone())
                .destination_encryption_context(name, value);
        }
        let request = request
            .source_key_id(envelope.key.as_str())
            .destination_key_id(primary.as_str());
        let answer = request
            .ciphertext_blob(Blob::new(envelope.blob))
            .send()
            .await;
        let answer = answer.map_err(|error| refused_or_failed(RE_ENCRYPT, &error))?;
        sealed(
            primary,
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
        Ok(Some(self.wraps().await?.to_string()))
    }

    /// What is configured; which key an alias names may not be known yet.
    fn opens(&self, key: &WrappedKey) -> bool {
        Envelope::parse(key).is_some_and(|envelope| {
            let wraps = self.wraps.known();
            self.opens.contains(&envelope.key) || wraps.is_none_or(|known| *known == envelope.key)
        })
    }

    /// Since the last rotation that KMS lists, or since the key was made.
    async fn primary_since(&self) -> Result<Option<SystemTime>, KekError> {
        let since = wrapping_key::material_since(&self.client, self.wraps().await?).await;
        since.map_err(|failure| KekError::Unavailable(Box::new(failure)))
    }
}

impl fmt::Debug for AwsKms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AwsKms")
            .field("wraps", &self.wraps)
            .field("opens", &self.opens)
            .finish_non_exhaustive()
    }
}

/// What KMS wrapped with the primary key, as it is stored.
fn sealed(
    primary: &KeyArn,
    call: &'static str,
    context: &KekContext,
    key: Option<&str>,
    blob: Option<Blob>,
) -> Result<WrappedKey, KekError> {
    match (key, blob) {
        (Some(key), Some(blob)) if key == primary.as_str() => {
            let made = envelope::make(context, primary, blob.as_ref());
            made.ok_or_else(|| unexpected(call, "a ciphertext of an impossible length"))
        }
        _ => Err(unexpected(
            call,
            "an answer for another key, or without a ciphertext",
        )),
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
