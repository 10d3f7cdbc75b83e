//! What a sealed value holds, when its key is prepared.

use std::mem;

use portcullis_keyring::PreparedKey;
use zeroize::Zeroizing;

use super::derived::Library;
use crate::Sealed;

/// Every failure is the same nothing.
pub(super) fn open_with<A: Library, T>(
    key: &PreparedKey,
    aad: &[u8],
    sealed: &Sealed<T>,
) -> Option<Zeroizing<String>> {
    let subkeys = A::subkeys(key);
    let subkey = subkeys.find_or_derive(key, sealed.suite(), &sealed.prefix());
    if !subkey.has_commitment(sealed.commitment()) {
        return None;
    }
    // Without the tag, so that the text fills what is allocated, and no rest of that is to be wiped.
    let mut text = Zeroizing::new(sealed.ciphertext().to_vec());
    if !subkey.open(sealed.counter(), aad, sealed.tag(), &mut text) {
        return None;
    }
    let len = sealed.suite().unpadded_len(&text)?;
    text.truncate(len);
    let text = into_text(text)?;
    // Only now, so that forged values cannot push good subkeys out.
    subkeys.remember(subkey);
    Some(text)
}

#[inline]
fn into_text(mut bytes: Zeroizing<Vec<u8>>) -> Option<Zeroizing<String>> {
    match String::from_utf8(mem::take(&mut *bytes)) {
        Ok(text) => {
            // Nothing is left to wipe, and nothing to free. Wiped all the same, it would have zeros
            // written to no bytes at no address, which takes some processors with AVX-512 longer than AES.
            mem::forget(bytes);
            Some(Zeroizing::new(text))
        }
        Err(error) => {
            *bytes = error.into_bytes();
            None
        }
    }
}
