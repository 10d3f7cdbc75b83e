//! The name of a KMS key.

use std::{fmt, sync::Arc};

/// The ARN of a key in AWS KMS: `arn:<partition>:kms:<region>:<account>:key/<id>`. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyArn(Arc<str>);

/// Why a text does not name a key that can be used here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKeyArn {
    /// It is an id, no name of a key, or an alias where the key itself has to be named.
    #[error(
        "not the ARN of a KMS key: give arn:aws:kms:<region>:<account>:key/<id>, which \
         `aws kms describe-key` shows; of the key that wraps, alias/<name> does too"
    )]
    NotAKey,
    /// KMS of one region does not see the keys of another.
    #[error(
        "the KMS key is in region {key}, and the connection to AWS calls {connection}: name one region"
    )]
    OtherRegion {
        /// The region of the key.
        key: String,
        /// The region that is called.
        connection: String,
    },
}

impl KeyArn {
    /// An ARN as AWS writes it, with one spelling for one key.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut fields = text.splitn(6, ':');
        let mut next = || fields.next();
        let (arn, partition, service) = (next()?, next()?, next()?);
        let (region, account, resource) = (next()?, next()?, next()?);
        let id = resource.strip_prefix("key/")?;
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let is_key = arn == "arn"
            && is_word(partition)
            && partition.starts_with("aws")
            && service == "kms"
            && is_word(region)
            && is_account
            && is_word(id);
        is_key.then(|| Self(text.into()))
    }

    #[cfg(feature = "aws-kms")]
    pub(super) fn in_region(text: &str, region: &str) -> Result<Self, InvalidKeyArn> {
        let arn = Self::parse(text).ok_or(InvalidKeyArn::NotAKey)?;
        if arn.region() != region {
            return Err(InvalidKeyArn::OtherRegion {
                key: arn.region().to_owned(),
                connection: region.to_owned(),
            });
        }
        Ok(arn)
    }

    /// The ARN as AWS writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The region that the key is in.
    #[must_use]
    pub fn region(&self) -> &str {
        self.0.split(':').nth(3).unwrap_or_default()
    }
}

/// What partitions, regions and ids of keys are made of: at most 64 small letters, digits and hyphens.
fn is_word(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    matches!(text.len(), 1..=64) && text.bytes().all(is_letter)
}

impl fmt::Display for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyArn({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/0b3a1c9e-0000-4000-8000-000000000001";

    #[test]
    fn the_arn_of_a_key_is_taken() {
        for text in [
            KEY,
            "arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/mrk-0123456789abcdef",
        ] {
            let arn = KeyArn::parse(text).expect("an ARN");
            assert_eq!(arn.as_str(), text);
        }
        assert_eq!(KeyArn::parse(KEY).expect("an ARN").region(), "eu-west-1");
    }

    #[test]
    fn nothing_else_is() {
        for text in [
            "",
            "0b3a1c9e-0000-4000-8000-000000000001",
            "alias/portcullis",
            "arn:aws:kms:eu-west-1:123456789012:alias/portcullis",
            "arn:aws:kms:eu-west-1:123456789012:key/",
            "arn:aws:kms:eu-west-1:123456789012:key/a b",
            "arn:aws:kms:eu-west-1:123456789012:key/A",
            "arn:aws:kms:eu-west-1:123456789012:key/a\n",
            "arn:aws:kms:eu-west-1:12345678901:key/a",
            "arn:aws:kms::123456789012:key/a",
            "arn:other:kms:eu-west-1:123456789012:key/a",
            "arn:aws:s3:eu-west-1:123456789012:key/a",
            "ARN:aws:kms:eu-west-1:123456789012:key/a",
        ] {
            assert_eq!(KeyArn::parse(text), None, "{text:?}");
        }
    }

    #[cfg(feature = "aws-kms")]
    #[test]
    fn a_key_of_another_region_is_refused() {
        let refused = KeyArn::in_region(KEY, "us-east-1").expect_err("another region");
        assert!(matches!(&refused, InvalidKeyArn::OtherRegion { .. }));
        assert!(refused.to_string().contains("eu-west-1"), "{refused}");
    }
}
