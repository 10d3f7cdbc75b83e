//! The text form of a sealed value.

use std::{fmt, marker::PhantomData, str::FromStr};

use base64::{Engine as _, display::Base64Display, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{self, Visitor},
};

use super::{MalformedSealed, OVERHEAD_BYTES, Sealed};
use crate::{Suite, cipher::MAX_PLAINTEXT_BYTES};

impl<T> Sealed<T> {
    /// The text form, as `Display` gives it, made in one allocation.
    #[must_use]
    pub fn to_text(&self) -> String {
        let len = PREFIX.len() + (self.as_bytes().len() * 4).div_ceil(3);
        let mut text = String::with_capacity(len);
        text.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(self.as_bytes(), &mut text);
        text
    }
}

/// `pc1.` and base64url without padding.
impl<T> fmt::Display for Sealed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{PREFIX}{}",
            Base64Display::new(self.as_bytes(), &URL_SAFE_NO_PAD)
        )
    }
}

/// Only the form that `Display` gives: one value has one text.
impl<T> FromStr for Sealed<T> {
    type Err = MalformedSealed;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let encoded = text.strip_prefix(PREFIX).ok_or(MalformedSealed)?;
        if encoded.len() > MAX_ENCODED_BYTES {
            return Err(MalformedSealed);
        }
        let bytes = URL_SAFE_NO_PAD
            .decode(encoded)
            .map_err(|_| MalformedSealed)?;
        Self::from_bytes(bytes)
    }
}

impl<T> Serialize for Sealed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_text())
    }
}

impl<'de, T> Deserialize<'de> for Sealed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor(PhantomData))
    }
}

const PREFIX: &str = "pc1.";
const MAX_ENCODED_BYTES: usize =
    (Suite::Padded.padded_len(MAX_PLAINTEXT_BYTES) + OVERHEAD_BYTES).div_ceil(3) * 4;

struct TextVisitor<T>(PhantomData<fn() -> T>);

impl<T> Visitor<'_> for TextVisitor<T> {
    type Value = Sealed<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a sealed value, which begins with {PREFIX}")
    }

    // The error names no part of the text: plaintext may stand where a sealed value should.
    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        text.parse().map_err(E::custom)
    }
}
