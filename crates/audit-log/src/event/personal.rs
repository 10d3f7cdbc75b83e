//! What people typed and where they came from: kept beside the log, and erased without changing it.

use std::{fmt, net::IpAddr};

use base64::{Engine as _, display::Base64Display, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::digest::{Context, SHA256};

use super::hex_id::write_hex;

const LABEL: &[u8] = b"portcullis/audit/personal/v1\0";

/// Sixteen random bytes that are erased with what they stand before: without them nobody can try what a commitment is
/// to.
#[derive(Clone, Copy)]
pub struct Salt([u8; Self::BYTES]);

/// The personal part of an event: its salt, and a JSON object. It is stored sealed, beside the log.
#[derive(Clone)]
pub struct Personal(Vec<u8>);

/// What the personal part is made from. Members without a value are left out.
#[derive(Clone, Copy, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "a leaf of version 1 commits to these"
)]
pub struct PersonalText<'a> {
    /// The address that the request came from.
    pub address: Option<IpAddr>,
    /// The user agent that it named.
    pub user_agent: Option<&'a str>,
    /// What somebody typed, as a reason.
    pub text: Option<&'a str>,
}

/// What a leaf holds of the personal part: SHA-256("portcullis/audit/personal/v1" ‖ `00` ‖ salt ‖ JSON). As text it is
/// base64url without padding.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Commitment([u8; 32]);

/// Why there is no such personal part. It repeats nothing of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPersonal {
    /// It is longer than it may be.
    #[error("a personal part has at most 4096 bytes, not {found}; cut what was typed")]
    TooLong {
        /// How long it is.
        found: usize,
    },
    /// There is no salt and no text behind it.
    #[error("a personal part must be a salt of 16 bytes and a text")]
    Malformed,
    /// It is not what the leaf has a commitment to.
    #[error("the personal part is not the one that the leaf commits to")]
    Changed,
}

impl Salt {
    /// The length of a salt.
    pub const BYTES: usize = 16;

    /// A salt of random bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }
}

impl Personal {
    /// The most bytes of a personal part, with its salt.
    pub const MAX_BYTES: usize = 4096;

    /// Puts a personal part together.
    ///
    /// # Errors
    /// [`InvalidPersonal::TooLong`].
    pub fn new(salt: Salt, text: &PersonalText<'_>) -> Result<Self, InvalidPersonal> {
        let mut bytes = salt.0.to_vec();
        let address = text.address.map(|address| address.to_string());
        let members = [
            ("ip", address.as_deref()),
            ("ua", text.user_agent),
            ("text", text.text),
        ];
        let mut before = b'{';
        for (name, value) in members {
            if let Some(value) = value {
                bytes.push(before);
                before = b',';
                write_string(name, &mut bytes);
                bytes.push(b':');
                write_string(value, &mut bytes);
            }
        }
        bytes.extend_from_slice(if before == b'{' { b"{}" } else { b"}" });
        Self::from_bytes(bytes)
    }

    /// A personal part that was stored.
    ///
    /// # Errors
    /// [`InvalidPersonal::TooLong`] and [`InvalidPersonal::Malformed`]. Whether it is the right one,
    /// [`Commitment::verify`] tells.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, InvalidPersonal> {
        let found = bytes.len();
        if found > Self::MAX_BYTES {
            return Err(InvalidPersonal::TooLong { found });
        }
        let text = bytes.get(Salt::BYTES..).map(str::from_utf8);
        match text {
            Some(Ok(_)) => Ok(Self(bytes)),
            _ => Err(InvalidPersonal::Malformed),
        }
    }

    /// Salt and JSON, to be sealed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The JSON object.
    #[must_use]
    pub fn json(&self) -> &str {
        let json = self.0.get(Salt::BYTES..).unwrap_or_default();
        str::from_utf8(json).unwrap_or_default()
    }

    /// What the leaf holds of it.
    #[must_use]
    pub fn commitment(&self) -> Commitment {
        let mut context = Context::new(&SHA256);
        context.update(LABEL);
        context.update(&self.0);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(context.finish().as_ref());
        Commitment(bytes)
    }
}

impl Commitment {
    /// As long as any other, until the personal part is hashed.
    pub(crate) const UNKNOWN: Self = Self([0; 32]);

    /// The length of its text.
    pub(super) const TEXT_BYTES: usize = 43;

    /// Reads base64url without padding: one commitment has one spelling.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != Self::TEXT_BYTES {
            return None;
        }
        let mut bytes = [0; 33];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut bytes).ok()?;
        bytes.get(..length)?.try_into().map(Self).ok()
    }

    /// Shows that a personal part is the one that belongs to the leaf.
    ///
    /// # Errors
    /// [`InvalidPersonal::Changed`] if it is not.
    pub fn verify(&self, personal: &Personal) -> Result<(), InvalidPersonal> {
        if personal.commitment() == *self {
            Ok(())
        } else {
            Err(InvalidPersonal::Changed)
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + Self::TEXT_BYTES, 0);
        // 32 bytes are 43 characters, for which there is room.
        let written = URL_SAFE_NO_PAD.encode_slice(self.0, &mut out[start..]);
        debug_assert_eq!(written, Ok(Self::TEXT_BYTES));
    }
}

impl fmt::Display for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Base64Display::new(&self.0, &URL_SAFE_NO_PAD).fmt(f)
    }
}

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Commitment({self})")
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Salt").finish_non_exhaustive()
    }
}

impl fmt::Debug for Personal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Personal").finish_non_exhaustive()
    }
}

impl fmt::Debug for PersonalText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PersonalText").finish_non_exhaustive()
    }
}

/// Appends a JSON string: quotation mark, backslash and control characters are escaped, and nothing else.
fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..0x20 => {
                out.extend_from_slice(b"\\u00");
                write_hex(&[byte], out);
            }
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}
