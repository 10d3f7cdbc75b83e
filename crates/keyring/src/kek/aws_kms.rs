//! A key-encryption key in AWS KMS.

pub(crate) mod envelope;
mod key_arn;
#[cfg(feature = "aws-kms")]
mod provider;
#[cfg(feature = "aws-kms")]
mod wrapping_key;

pub use self::key_arn::{InvalidKeyArn, KeyArn};
#[cfg(feature = "aws-kms")]
pub use self::provider::AwsKms;
