//! Personal data of any declared kind, between validation and sealing.

use portcullis_keyring::{KeyId, Purpose, TenantId};
use portcullis_pii_crypto::{
    Cipher, Email, FreeText, IndexRoots, NationalId, PersonName, PhoneNumber, Pii, PiiType,
    PostalAddress, SealError, UniqueIndex,
};

use crate::{schemas::PersonalKind, store::IndexRow};

/// A parsed value.
#[derive(Debug)]
pub(crate) enum PersonalValue {
    Email(Pii<Email>),
    Phone(Pii<PhoneNumber>),
    NationalId(Pii<NationalId>),
    Name(Pii<PersonName>),
    Address(Pii<PostalAddress>),
    Text(Pii<FreeText>),
}

/// A sealed value, and the data key that opens it.
#[derive(Debug)]
pub(crate) struct SealedValue {
    pub(crate) key_id: KeyId,
    pub(crate) bytes: Vec<u8>,
    pub(crate) text: String,
}

impl PersonalValue {
    /// Reads a value of the declared kind, or says what it should have been.
    pub(crate) fn parse(kind: PersonalKind, text: &str) -> Result<Self, &'static str> {
        match kind {
            PersonalKind::Email => Pii::parse(text)
                .map(Self::Email)
                .map_err(|_| "an e-mail address"),
            PersonalKind::Phone => Pii::parse(text)
                .map(Self::Phone)
                .map_err(|_| "a phone number in international form, beginning with +"),
            PersonalKind::NationalId => Pii::parse(text)
                .map(Self::NationalId)
                .map_err(|_| "a CPF with valid check digits"),
            PersonalKind::Name => Pii::parse(text).map(Self::Name).map_err(|_| "a name"),
            PersonalKind::Address => Pii::parse(text)
                .map(Self::Address)
                .map_err(|_| "an address"),
            PersonalKind::Text => Pii::parse(text).map(Self::Text).map_err(|_| "a text"),
        }
    }

    /// What the data key that seals it is for.
    pub(crate) fn purpose(&self) -> Purpose {
        match self {
            Self::Email(_) => Email::purpose(),
            Self::Phone(_) => PhoneNumber::purpose(),
            Self::NationalId(_) => NationalId::purpose(),
            Self::Name(_) => PersonName::purpose(),
            Self::Address(_) => PostalAddress::purpose(),
            Self::Text(_) => FreeText::purpose(),
        }
    }

    /// Its kind.
    pub(crate) const fn kind(&self) -> PersonalKind {
        match self {
            Self::Email(_) => PersonalKind::Email,
            Self::Phone(_) => PersonalKind::Phone,
            Self::NationalId(_) => PersonalKind::NationalId,
            Self::Name(_) => PersonalKind::Name,
            Self::Address(_) => PersonalKind::Address,
            Self::Text(_) => PersonalKind::Text,
        }
    }

    /// Seals it for one field of one record.
    pub(crate) fn seal(
        &self,
        cipher: &Cipher,
        field: &str,
        record: &str,
    ) -> Result<SealedValue, SealError> {
        match self {
            Self::Email(value) => seal(cipher, field, record, value),
            Self::Phone(value) => seal(cipher, field, record, value),
            Self::NationalId(value) => seal(cipher, field, record, value),
            Self::Name(value) => seal(cipher, field, record, value),
            Self::Address(value) => seal(cipher, field, record, value),
            Self::Text(value) => seal(cipher, field, record, value),
        }
    }
}

/// The blind indexes of one tenant's leads, with their keys derived.
#[derive(Debug)]
pub(crate) struct LeadIndexes {
    email: UniqueIndex,
    phone: UniqueIndex,
    national_id: UniqueIndex,
}

impl LeadIndexes {
    pub(crate) fn derive(roots: &IndexRoots, tenant: &TenantId) -> Self {
        let index = |name| roots.unique_index(tenant, name);
        Self {
            email: index("lead.email"),
            phone: index("lead.phone"),
            national_id: index("lead.national_id"),
        }
    }

    /// A value's index rows, one for each live version, the enforced one first; none for a kind
    /// that is not looked up.
    pub(crate) fn rows(&self, value: &PersonalValue) -> Vec<IndexRow> {
        let values = match value {
            PersonalValue::Email(value) => self.email.values(value),
            PersonalValue::Phone(value) => self.phone.values(value),
            PersonalValue::NationalId(value) => self.national_id.values(value),
            PersonalValue::Name(_) | PersonalValue::Address(_) | PersonalValue::Text(_) => {
                return Vec::new();
            }
        };
        values.into_iter().map(IndexRow::from).collect()
    }
}

fn seal<T: PiiType>(
    cipher: &Cipher,
    field: &str,
    record: &str,
    value: &Pii<T>,
) -> Result<SealedValue, SealError> {
    let sealed = cipher.seal(field, record, value)?;
    Ok(SealedValue {
        key_id: sealed.key_id(),
        text: sealed.to_string(),
        bytes: sealed.into_bytes(),
    })
}
