//! Hashes of leaves and nodes, each under a prefix of its own.

use std::{fmt, str::FromStr};

use base64::{Engine as _, display::Base64Display, engine::general_purpose::STANDARD};
use ring::digest::{Context, Digest, SHA256, digest};

/// A SHA-256 hash in the tree: of a leaf, of a node, of the whole. As text it is standard base64, the form that
/// checkpoints and proofs have.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TreeHash([u8; Self::BYTES]);

/// A hash is 32 bytes, as text 44 characters of standard base64 with padding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash must be 44 characters of standard base64")]
#[non_exhaustive]
pub struct InvalidHash;

const LEAF: &[u8] = &[0];
const NODE: u8 = 1;

impl TreeHash {
    /// The length of a hash.
    pub const BYTES: usize = 32;

    /// A hash that was stored or sent.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The bytes to store or send.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    /// The hash of a leaf: SHA-256(`00` ‖ entry). RFC 6962, 2.1.
    #[must_use]
    pub fn of_leaf(entry: &[u8]) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(LEAF);
        context.update(entry);
        Self::of_digest(&context.finish())
    }

    /// The hash of a node: SHA-256(`01` ‖ left ‖ right). RFC 6962, 2.1.
    #[must_use]
    pub fn of_children(left: &Self, right: &Self) -> Self {
        let mut node = [NODE; 1 + 2 * Self::BYTES];
        node[1..=Self::BYTES].copy_from_slice(&left.0);
        node[1 + Self::BYTES..].copy_from_slice(&right.0);
        Self::of_digest(&digest(&SHA256, &node))
    }

    /// The root of the tree that has no leaf: SHA-256 of nothing. RFC 6962, 2.1.
    #[must_use]
    pub fn of_empty_tree() -> Self {
        Self::of_digest(&digest(&SHA256, &[]))
    }

    fn of_digest(digest: &Digest) -> Self {
        let mut bytes = [0; Self::BYTES];
        bytes.copy_from_slice(digest.as_ref());
        Self(bytes)
    }
}

impl FromStr for TreeHash {
    type Err = InvalidHash;

    /// Reads standard base64 with padding: one hash has one spelling.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bytes = STANDARD.decode(text).map_err(|_| InvalidHash)?;
        bytes.try_into().map(Self).map_err(|_| InvalidHash)
    }
}

impl fmt::Display for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Base64Display::new(&self.0, &STANDARD).fmt(f)
    }
}

impl fmt::Debug for TreeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TreeHash({self})")
    }
}
