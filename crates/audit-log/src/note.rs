//! Signed notes of C2SP: a text, and lines of signatures under it.
//!
//! Ed25519 signs (type 01), and witnesses cosign (type 04). Lines of other types, as ML-DSA-44, are kept and ignored.

mod key_name;
mod signed;
mod signing;
mod verify;
mod verifying_key;

pub use self::{
    key_name::{InvalidKeyName, KeyId, KeyName},
    signed::{MAX_NOTE_BYTES, MAX_SIGNATURES, NoteError, NoteSignature, SignedNote},
    signing::{CosigningKey, InvalidSeed, SigningKey},
    verify::{UnverifiedNote, VerifiedSignature},
    verifying_key::{InvalidVerifyingKey, SignatureType, VerifyingKey},
};

#[cfg(test)]
mod tests;
