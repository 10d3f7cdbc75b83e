//! HMAC-SHA-256 with its key hashed once.

use hmac::{Hmac, KeyInit as _};
use sha2::Sha256;

/// HMAC-SHA-256 ready for messages. Anyone who has the state can do what the key can, so it is wiped when it is
/// dropped, and stays in one place until then: a move copies a pointer and leaves no state behind.
#[derive(Clone)]
pub(super) struct Keyed(Box<Hmac<Sha256>>);

impl Keyed {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        let made = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
        // Cloned and not moved: the one made here is dropped, and with that wiped.
        Self(Box::new(made.clone()))
    }

    /// A message that is still empty; wiped when it is finished.
    #[inline]
    pub(super) fn begin(&self) -> Hmac<Sha256> {
        Hmac::clone(&self.0)
    }
}
