//! The fields of a sealed record, whether they may be absent or not.

use portcullis_keyring::KeyId;

use crate::{
    AnyPii, PiiKind, PiiType, Sealed,
    reencrypt::{FieldValue, RowField},
};

/// A place for a sealed value in a record: one that has it, or may have it.
pub trait SealedPlace {
    /// The type of what is sealed.
    type Kind: PiiType;

    /// What is there.
    fn get(&self) -> Option<&Sealed<Self::Kind>>;

    /// Puts another in its place.
    fn set(&mut self, sealed: Sealed<Self::Kind>);
}

impl<T: PiiType> SealedPlace for Sealed<T> {
    type Kind = T;

    fn get(&self) -> Option<&Self> {
        Some(self)
    }

    fn set(&mut self, sealed: Self) {
        *self = sealed;
    }
}

impl<T: PiiType> SealedPlace for Option<Sealed<T>> {
    type Kind = T;

    fn get(&self) -> Option<&Sealed<T>> {
        self.as_ref()
    }

    fn set(&mut self, sealed: Sealed<T>) {
        *self = Some(sealed);
    }
}

/// The data key that a field needs, if it has a value.
pub fn key_of(place: &impl SealedPlace) -> Option<KeyId> {
    place.get().map(Sealed::key_id)
}

/// A field as a sweep reads it, if it has a value.
pub fn row_field<P: SealedPlace>(field: &str, record: &str, place: &P) -> Option<RowField> {
    let sealed = place.get()?.clone().into_any();
    Some(RowField::new(
        field.to_owned(),
        record.to_owned(),
        Some(PiiKind::of::<P::Kind>()),
        FieldValue::Sealed(sealed),
    ))
}

/// Puts another sealed value in the place of a field; always true.
pub fn replace<P: SealedPlace>(place: &mut P, sealed: Sealed<AnyPii>) -> bool {
    place.set(Sealed::from_cipher(sealed.into_bytes()));
    true
}
