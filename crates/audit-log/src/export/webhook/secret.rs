//! What webhooks are signed with.

use std::{fmt, str::FromStr};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ring::hmac;
use secrecy::{ExposeSecret as _, SecretSlice};
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
/// Standard Webhooks: between 192 and 512 bits.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret that is shared with a receiver: `whsec_` and the base64 of 24 to 64 bytes. It is wiped when dropped.
pub struct WebhookSecret(SecretSlice<u8>);

/// The secrets of one receiver: each message is signed with all of them, so that the receiver may go over from one to
/// the other when it likes.
pub struct WebhookSecrets {
    current: WebhookSecret,
    previous: Option<WebhookSecret>,
}

/// A text that is no secret. It repeats nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret must be `whsec_` and the base64 of 24 to 64 bytes")]
#[non_exhaustive]
pub struct InvalidSecret;

impl FromStr for WebhookSecret {
    type Err = InvalidSecret;

    fn from_str(text: &str) -> Result<Self, InvalidSecret> {
        let base64 = text.strip_prefix(PREFIX).ok_or(InvalidSecret)?;
        let mut bytes = Zeroizing::new([0; *BYTES.end() + 2]);
        let length = STANDARD
            .decode_slice(base64, bytes.as_mut_slice())
            .ok()
            .filter(|length| BYTES.contains(length))
            .ok_or(InvalidSecret)?;
        Ok(Self(SecretSlice::from(bytes[..length].to_vec())))
    }
}

impl WebhookSecret {
    /// `v1,` and the base64 of HMAC-SHA256 over id, time and body.
    fn sign(&self, id: &str, seconds: u64, body: &[u8]) -> String {
        // EXPOSE: the key of a signature, which leaves as a signature only.
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.expose_secret());
        let mut context = hmac::Context::with_key(&key);
        context.update(format!("{id}.{seconds}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

impl WebhookSecrets {
    /// One secret.
    #[must_use]
    pub const fn new(current: WebhookSecret) -> Self {
        Self {
            current,
            previous: None,
        }
    }

    /// With the one before it, until the receiver has changed over.
    #[must_use]
    pub fn with_previous(self, previous: WebhookSecret) -> Self {
        Self {
            previous: Some(previous),
            ..self
        }
    }

    /// The value of `webhook-signature`: a signature of each secret, the current one first.
    pub(in crate::export) fn sign(&self, id: &str, seconds: u64, body: &[u8]) -> String {
        let mut signatures = self.current.sign(id, seconds, body);
        if let Some(previous) = &self.previous {
            signatures.push(' ');
            signatures.push_str(&previous.sign(id, seconds, body));
        }
        signatures
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSecret").finish_non_exhaustive()
    }
}

impl fmt::Debug for WebhookSecrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSecrets").finish_non_exhaustive()
    }
}
