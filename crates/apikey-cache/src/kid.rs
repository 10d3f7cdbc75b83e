//! The public name of a key, which tells issued kids from invented ones.

use std::{fmt, str::FromStr};

use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::{
    base62,
    entropy::{Entropy, EntropyError},
    mac::MacKey,
    pepper::{Pepper, PepperVersion, Peppers},
};

/// Characters of a kid: random ones, the version of the tag's key, the tag.
pub(crate) const KID_LEN: usize = 22;
const RANDOM_LEN: usize = 12;
const VERSION_LEN: usize = 3;
const TAG_LEN: usize = 7;
/// What the tag authenticates: all that stands before it.
const TAGGED_LEN: usize = RANDOM_LEN + VERSION_LEN;

/// The id of a key: 22 characters of `0-9A-Za-z`, not secret; lists and logs show it.
///
/// Twelve characters are random (71 bits), three are the version of the pepper whose tag key made
/// the tag, and seven are the tag: 40 bits of a MAC over the fifteen before it. Of 2⁴⁰ invented
/// kids one passes, so that the store is spared the rest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Kid([u8; KID_LEN]);

impl Kid {
    /// The kid as text.
    #[must_use]
    #[expect(
        clippy::missing_panics_doc,
        reason = "every constructor checks the alphabet"
    )]
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.0).expect("a kid is letters and digits")
    }

    /// A new kid, tagged under the primary pepper.
    pub(crate) fn make(entropy: &dyn Entropy, peppers: &Peppers) -> Result<Self, EntropyError> {
        let random = base62::make_text::<RANDOM_LEN>(entropy)?;
        Ok(Self::derive(&random, peppers.primary()))
    }

    fn derive(random: &[u8; RANDOM_LEN], pepper: &Pepper) -> Self {
        let mut kid = [0; KID_LEN];
        let version = base62::encode::<VERSION_LEN>(pepper.version.value().into());
        kid[..RANDOM_LEN].copy_from_slice(random);
        kid[RANDOM_LEN..TAGGED_LEN].copy_from_slice(&version);
        let tag = derive_tag(pepper.kid_tag(), &kid[..TAGGED_LEN]);
        kid[TAGGED_LEN..].copy_from_slice(&tag);
        Self(kid)
    }

    /// Whether the tag was made under one of these peppers, or under one whose tag key is left.
    pub(crate) fn is_tagged_by(&self, peppers: &Peppers) -> bool {
        let (tagged, tag) = self.0.split_at(TAGGED_LEN);
        self.tag_version()
            .and_then(|version| peppers.find_tag(version))
            .is_some_and(|key| derive_tag(key, tagged).ct_eq(tag).into())
    }

    /// The version of the pepper that the tag is said to have been made under; of a text that was not made
    /// here there may be none.
    #[must_use]
    pub fn tag_version(&self) -> Option<PepperVersion> {
        let number = base62::decode(&self.0[RANDOM_LEN..TAGGED_LEN])?;
        let number = u32::try_from(number).ok()?;
        number.try_into().ok()
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let kid = <[u8; KID_LEN]>::try_from(bytes).ok()?;
        base62::is_text(&kid).then_some(Self(kid))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; KID_LEN] {
        &self.0
    }
}

/// The first 40 bits of the MAC, as a number in seven digits.
fn derive_tag(key: &MacKey, tagged: &[u8]) -> [u8; TAG_LEN] {
    let mut mac = key.begin();
    mac.bytes(tagged);
    let bits = mac
        .finish()
        .iter()
        .take(5)
        .fold(0, |bits, byte| bits << 8 | u64::from(*byte));
    base62::encode(bits)
}

impl FromStr for Kid {
    type Err = MalformedKid;

    fn from_str(text: &str) -> Result<Self, MalformedKid> {
        Self::from_bytes(text.as_bytes()).ok_or(MalformedKid)
    }
}

impl fmt::Display for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Kid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kid({self})")
    }
}

/// A text that is no kid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a kid is 22 letters and digits")]
#[non_exhaustive]
pub struct MalformedKid;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{entropy::SystemEntropy, pepper};

    fn peppers(versions: &[u16]) -> Peppers {
        let secret = |version: &u16| {
            let [high, low] = version.to_be_bytes();
            (u32::from(*version), high ^ low.rotate_left(3) ^ 0x5A)
        };
        pepper::peppers(&versions.iter().map(secret).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_kid_passes_where_its_pepper_is_known() {
        let kid = Kid::make(&SystemEntropy, &peppers(&[2, 1])).unwrap();
        assert!(kid.is_tagged_by(&peppers(&[3, 2])));
        assert!(!kid.is_tagged_by(&peppers(&[3, 1])));
    }

    proptest! {
        #[test]
        fn a_changed_kid_does_not_pass(
            version in 1..=u16::MAX,
            at in 0..KID_LEN,
            character in prop::char::ranges(vec!['0'..='9', 'A'..='Z', 'a'..='z'].into()),
        ) {
            let peppers = peppers(&[version]);
            let kid = Kid::make(&SystemEntropy, &peppers).unwrap();
            prop_assert!(kid.is_tagged_by(&peppers));

            let mut changed = kid;
            changed.0[at] = character as u8;
            prop_assert_eq!(changed.is_tagged_by(&peppers), changed == kid);
        }

        #[test]
        fn parsing_accepts_22_letters_and_digits_and_nothing_else(
            text in "\\PC{0,24}|[0-9A-Za-z]{20,24}",
        ) {
            let is_text = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            prop_assert_eq!(text.parse::<Kid>().is_ok(), is_text && text.len() == 22);
        }
    }
}
