//! HMAC-SHA-256 with the key absorbed once, over fields that cannot run into each other.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A key with its two blocks hashed: what is left to do is the message.
pub(crate) struct MacKey(Hmac<Sha256>);

impl MacKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(key).expect("HMAC takes a key of any length"))
    }

    pub(crate) fn begin(&self) -> Mac {
        Mac(self.0.clone())
    }
}

/// A message so far; a clone goes on from here.
#[derive(Clone)]
pub(crate) struct Mac(Hmac<Sha256>);

impl Mac {
    /// What the message is, and a zero byte.
    pub(crate) fn label(&mut self, label: &[u8]) {
        self.bytes(label);
        self.bytes(&[0]);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The length as four bytes, most significant first, then the bytes.
    pub(crate) fn sized(&mut self, bytes: &[u8]) {
        let len = u32::try_from(bytes.len()).expect("no field is as long as 4 GiB");
        self.bytes(&len.to_be_bytes());
        self.bytes(bytes);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}
