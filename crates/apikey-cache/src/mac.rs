//! HMAC-SHA-256 with the key absorbed once, over fields that cannot run into each other.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// A key with its two blocks hashed, and perhaps how all messages under it begin: what is left to do is the
/// rest of the message.
///
/// Anyone who has the state can do what the key can, so it is wiped when it is dropped, and stays in one place
/// until then: a move copies a pointer and leaves no state behind.
pub(crate) struct MacKey(Box<Hmac<Sha256>>);

impl MacKey {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        let made = Hmac::new_from_slice(key).expect("HMAC takes a key of any length");
        Mac(made).keep()
    }

    pub(crate) fn begin(&self) -> Mac {
        Mac(Hmac::clone(&self.0))
    }
}

/// A message so far; wiped when it is finished or dropped.
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

    /// For messages that go on from here.
    pub(crate) fn keep(self) -> MacKey {
        // Cloned and not moved: this one is dropped, and with that wiped.
        MacKey(Box::new(self.0.clone()))
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    /// A state that is moved leaves bytes behind that nobody wipes; a pointer does not.
    #[test]
    fn what_is_moved_of_a_key_is_a_pointer_and_what_is_dropped_is_wiped() {
        const fn is_wiped<T: ZeroizeOnDrop>() {}
        // An HMAC is two states of it and one buffer.
        is_wiped::<Sha256>();
        assert_eq!(size_of::<MacKey>(), size_of::<usize>());
    }
}
