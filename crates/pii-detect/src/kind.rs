//! The kinds of personal data and secrets that are told apart.

use std::fmt;

/// What a piece of text was recognised as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// An e-mail address.
    Email,
    /// A telephone number written internationally or in a common national form.
    Phone,
    /// A payment card number: a known brand, a length of that brand, a valid Luhn digit.
    PaymentCard,
    /// A number that a state gives to a person or a company: CPF, CNPJ, US social security number.
    NationalId,
    /// A bank account: an IBAN.
    BankAccount,
    /// A secret of a known shape, such as an API key or a private key.
    ApiKey,
    /// An IPv4 or IPv6 address. Not looked for by default: it says little of a person and stands in
    /// every log.
    IpAddress,
}

impl Kind {
    /// Every kind, in the order of [`index`](Self::index).
    pub const ALL: &'static [Self] = &[
        Self::Email,
        Self::Phone,
        Self::PaymentCard,
        Self::NationalId,
        Self::BankAccount,
        Self::ApiKey,
        Self::IpAddress,
    ];

    /// The name, stable and fit for a metric label: `email`, `phone`, `payment_card`, `national_id`,
    /// `bank_account`, `api_key`, `ip_address`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::PaymentCard => "payment_card",
            Self::NationalId => "national_id",
            Self::BankAccount => "bank_account",
            Self::ApiKey => "api_key",
            Self::IpAddress => "ip_address",
        }
    }

    /// What replaces a finding in a masked text: its name in brackets, `[email]`. No finding reaches
    /// into it or over it.
    #[must_use]
    pub const fn placeholder(self) -> &'static str {
        match self {
            Self::Email => "[email]",
            Self::Phone => "[phone]",
            Self::PaymentCard => "[payment_card]",
            Self::NationalId => "[national_id]",
            Self::BankAccount => "[bank_account]",
            Self::ApiKey => "[api_key]",
            Self::IpAddress => "[ip_address]",
        }
    }

    /// Whether [`Detector::standard`](crate::Detector::standard) looks for it: every kind but
    /// [`IpAddress`](Self::IpAddress).
    #[must_use]
    pub const fn is_standard(self) -> bool {
        !matches!(self, Self::IpAddress)
    }

    /// The position in [`ALL`](Self::ALL), for a table with one entry for each kind. It may differ
    /// from one version of this crate to the next.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Some of the kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KindSet(u32);

impl KindSet {
    pub(crate) fn standard() -> Self {
        let kinds = Kind::ALL.iter().copied();
        kinds.filter(|kind| kind.is_standard()).collect()
    }

    pub(crate) const fn insert(&mut self, kind: Kind) {
        self.0 |= 1 << kind.index();
    }

    pub(crate) const fn remove(&mut self, kind: Kind) {
        self.0 &= !(1 << kind.index());
    }

    pub(crate) const fn contains(self, kind: Kind) -> bool {
        self.0 & (1 << kind.index()) != 0
    }
}

impl FromIterator<Kind> for KindSet {
    fn from_iter<I: IntoIterator<Item = Kind>>(kinds: I) -> Self {
        let mut set = Self(0);
        kinds.into_iter().for_each(|kind| set.insert(kind));
        set
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn all_lists_each_kind_once_at_its_index() {
        for (index, kind) in Kind::ALL.iter().enumerate() {
            assert_eq!(kind.index(), index, "{kind}");
        }
        let names: HashSet<_> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
    }

    #[test]
    fn the_placeholder_is_the_name_in_brackets() {
        for kind in Kind::ALL {
            assert_eq!(kind.placeholder(), format!("[{kind}]"));
        }
    }

    #[test]
    fn a_set_holds_what_was_inserted_and_not_removed() {
        let mut set: KindSet = [Kind::Email, Kind::ApiKey].into_iter().collect();
        set.remove(Kind::Email);
        set.insert(Kind::Phone);
        let held: Vec<_> = Kind::ALL
            .iter()
            .filter(|kind| set.contains(**kind))
            .collect();
        assert_eq!(held, [&Kind::Phone, &Kind::ApiKey]);
    }
}
