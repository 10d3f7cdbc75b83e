//! The same with bare primitives, and with Tink.

use super::world::{FIELD, RECORD};

/// What each of the peers authenticates beside the text: the bytes that a [`Cipher`] does, made
/// beforehand.
pub(super) fn associated_data() -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in ["tenant-0", FIELD, RECORD] {
        bytes.extend_from_slice(&u32::try_from(part.len()).expect("short").to_be_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

macro_rules! in_place {
    ($library:ident) => {
        pub(crate) mod $library {
            use std::hint::black_box;

            use $library::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

            use super::super::world::{ADDRESS, KEY, NONCE};

            pub(crate) struct InPlace(LessSafeKey);

            impl InPlace {
                pub(crate) fn new() -> Self {
                    let key = UnboundKey::new(&AES_256_GCM, &KEY).expect("32 bytes");
                    Self(LessSafeKey::new(key))
                }

                pub(crate) fn seal(&self, aad: &[u8]) -> Vec<u8> {
                    let mut bytes = Vec::with_capacity(ADDRESS.len() + 16);
                    bytes.extend_from_slice(black_box(ADDRESS).as_bytes());
                    let nonce = Nonce::assume_unique_for_key(NONCE);
                    let sealed = self
                        .0
                        .seal_in_place_append_tag(nonce, Aad::from(aad), &mut bytes);
                    sealed.expect("it is short");
                    bytes
                }

                pub(crate) fn open(&self, aad: &[u8], sealed: &[u8]) -> Vec<u8> {
                    let mut bytes = sealed.to_vec();
                    let nonce = Nonce::assume_unique_for_key(NONCE);
                    let opened = self.0.open_in_place(nonce, Aad::from(aad), &mut bytes);
                    let len = opened.expect("it was sealed here").len();
                    bytes.truncate(len);
                    bytes
                }
            }
        }
    };
}
in_place!(ring);
in_place!(aws_lc_rs);

pub(super) fn tink() -> Box<dyn tink_core::Aead> {
    tink_aead::init();
    let keyset = tink_core::keyset::Handle::new(&tink_aead::aes256_gcm_key_template());
    tink_aead::new(&keyset.expect("there are random bytes")).expect("the primitive is there")
}

/// What the peers hash: the bytes that an index does.
pub(super) fn content(normalised: &str) -> [&[u8]; 4] {
    [
        &[0, 0, 0, 7],
        b"email/1",
        &[0, 0, 0, 26],
        normalised.as_bytes(),
    ]
}
