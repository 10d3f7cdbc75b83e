//! The key that wraps: named by its ARN, or by an alias that is looked up once.

use std::{fmt, sync::Arc, time::SystemTime};

use aws_sdk_kms::{Client, primitives::DateTime, types::KeyMetadata};
use portcullis_versioned_secrets::aws::AwsFailure;
use tokio::sync::OnceCell;

use super::key_arn::{InvalidKeyArn, KeyArn};

/// Cheap to clone; clones share what an alias has been found to name.
#[derive(Clone)]
pub(super) enum WrappingKey {
    Key(KeyArn),
    Alias(Arc<Alias>),
}

/// Which key it names is asked once, and stays for as long as this lives: what is wrapped names the key itself, so
/// that an alias that comes to name another key changes nothing before the next start.
pub(super) struct Alias {
    name: String,
    region: String,
    key: OnceCell<KeyArn>,
}

impl WrappingKey {
    pub(super) fn parse(text: &str, region: &str) -> Result<Self, InvalidKeyArn> {
        match alias_region(text) {
            None => Ok(Self::Key(KeyArn::in_region(text, region)?)),
            Some(named) if named.is_some_and(|named| named != region) => {
                Err(InvalidKeyArn::OtherRegion {
                    key: named.unwrap_or_default().to_owned(),
                    connection: region.to_owned(),
                })
            }
            Some(_) => Ok(Self::Alias(Arc::new(Alias {
                name: text.to_owned(),
                region: region.to_owned(),
                key: OnceCell::new(),
            }))),
        }
    }

    /// The key, if it is known without asking.
    pub(super) fn known(&self) -> Option<&KeyArn> {
        match self {
            Self::Key(key) => Some(key),
            Self::Alias(alias) => alias.key.get(),
        }
    }

    pub(super) async fn resolve(&self, client: &Client) -> Result<&KeyArn, AwsFailure> {
        match self {
            Self::Key(key) => Ok(key),
            Self::Alias(alias) => alias.key.get_or_try_init(|| alias.ask(client)).await,
        }
    }
}

impl Alias {
    async fn ask(&self, client: &Client) -> Result<KeyArn, AwsFailure> {
        let key = describe(client, &self.name).await?;
        let arn = key.arn.as_deref();
        let arn = arn.and_then(|arn| KeyArn::in_region(arn, &self.region).ok());
        arn.ok_or_else(|| AwsFailure::unexpected(DESCRIBE, "an answer without the ARN of a key"))
    }
}

/// Since when KMS wraps with the key material of now: its last rotation, or when the key was made.
pub(super) async fn material_since(
    client: &Client,
    key: &KeyArn,
) -> Result<Option<SystemTime>, AwsFailure> {
    let mut since = time(describe(client, key.as_str()).await?.creation_date);
    let mut marker = None;
    for _ in 0..MAX_PAGES {
        let request = client.list_key_rotations().key_id(key.as_str());
        let page = match request.set_marker(marker).send().await {
            Ok(page) => page,
            Err(error) => {
                let failure = AwsFailure::new(ROTATIONS, &error);
                // A key whose material KMS cannot make: it is as old as the key.
                return match failure.code() {
                    Some("UnsupportedOperationException") => Ok(since),
                    _ => Err(failure),
                };
            }
        };
        let rotations = page.rotations.unwrap_or_default().into_iter();
        since = since.max(rotations.filter_map(|it| time(it.rotation_date)).max());
        marker = page.next_marker;
        if marker.is_none() {
            break;
        }
    }
    Ok(since)
}

const DESCRIBE: &str = "kms:DescribeKey";
const ROTATIONS: &str = "kms:ListKeyRotations";
/// Far more than a key has: KMS lists a hundred rotations on a page.
const MAX_PAGES: usize = 20;

async fn describe(client: &Client, key: &str) -> Result<KeyMetadata, AwsFailure> {
    let answer = client.describe_key().key_id(key).send().await;
    let answer = answer.map_err(|error| AwsFailure::new(DESCRIBE, &error))?;
    let unexpected = || AwsFailure::unexpected(DESCRIBE, "an answer without a key");
    answer.key_metadata.ok_or_else(unexpected)
}

fn time(at: Option<DateTime>) -> Option<SystemTime> {
    SystemTime::try_from(at?).ok()
}

/// Of the name or the ARN of an alias the region that it says, if it says one; none of anything else.
fn alias_region(text: &str) -> Option<Option<&str>> {
    let (region, name) = match text.strip_prefix("alias/") {
        Some(name) => (None, name),
        None => {
            let fields: Vec<&str> = text.splitn(6, ':').collect();
            let [_, _, _, region, _, resource] = fields.as_slice() else {
                return None;
            };
            let name = resource.strip_prefix("alias/")?;
            // The same ARN of a key has to be one.
            KeyArn::parse(&text.replace(resource, "key/0"))?;
            (Some(*region), name)
        }
    };
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"/_-".contains(&byte);
    let is_name = matches!(name.len(), 1..=250) && name.bytes().all(is_letter);
    is_name.then_some(region)
}

impl fmt::Debug for WrappingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => write!(f, "{key:?}"),
            Self::Alias(alias) => write!(f, "{} ({:?})", alias.name, alias.key.get()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_and_arns_of_aliases_are_taken_and_nothing_like_them() {
        let of = |text: &str| WrappingKey::parse(text, "eu-west-1");
        for text in [
            "alias/portcullis",
            "alias/team/portcullis_1-a",
            "arn:aws:kms:eu-west-1:123456789012:alias/portcullis",
        ] {
            let key = of(text).expect("an alias");
            assert!(matches!(&key, WrappingKey::Alias(alias) if alias.name == text));
            assert_eq!(key.known(), None);
        }
        for text in [
            "alias/",
            "alias/a b",
            "alias/a:b",
            "Alias/a",
            "portcullis",
            "arn:aws:kms:eu-west-1:123456789012:alias/",
            "arn:aws:s3:eu-west-1:123456789012:alias/portcullis",
            "arn:aws:kms:eu-west-1:12:alias/portcullis",
        ] {
            let refused = of(text).expect_err(text);
            assert!(matches!(refused, InvalidKeyArn::NotAKey), "{text}");
        }
        let elsewhere = of("arn:aws:kms:us-east-1:123456789012:alias/portcullis");
        assert!(matches!(elsewhere, Err(InvalidKeyArn::OtherRegion { .. })));
    }
}
