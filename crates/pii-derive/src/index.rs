//! `index(…)`: how a field is found again.

use syn::{Error, LitInt, LitStr, Result, meta::ParseNestedMeta};

use crate::attribute;

/// A blind index of a field.
pub(crate) enum Index {
    /// Finds the one record that has a value, and keeps it the only one.
    Unique,
    /// Finds records that may have a value, by few bits.
    Search { bits: LitInt },
    /// Finds records whose name may contain a part, by groups of three letters.
    Trigram,
}

/// The leak that has to be accepted where a trigram index is asked for.
const LEAK: &str = "name-equality";

/// What the planner can judge; how many bits are good depends on the number of records.
const BITS: std::ops::RangeInclusive<u16> = 1..=128;

impl Index {
    /// What the field of the twin is called behind the name of the field.
    pub(crate) const fn suffix(&self) -> &'static str {
        match self {
            Self::Unique => "fp",
            Self::Search { .. } => "search",
            Self::Trigram => "trigrams",
        }
    }

    /// The bits that the plan has to allow.
    pub(crate) const fn bits(&self) -> Option<&LitInt> {
        match self {
            Self::Search { bits } => Some(bits),
            Self::Unique | Self::Trigram => None,
        }
    }

    /// Whether a field that has one may not have the other: both are called `search` where keys are derived.
    pub(crate) const fn excludes(&self, other: &Self) -> bool {
        matches!(
            (self, other),
            (Self::Unique, Self::Unique)
                | (
                    Self::Search { .. } | Self::Trigram,
                    Self::Search { .. } | Self::Trigram
                )
        )
    }

    /// Parses what stands behind `index`.
    pub(crate) fn parse(meta: &ParseNestedMeta<'_>) -> Result<Self> {
        let (mut kind, mut bits, mut leak) = (None, None, None);
        meta.parse_nested_meta(|meta| {
            let name = meta.path.get_ident().map(ToString::to_string);
            match name.as_deref() {
                Some("unique" | "search" | "trigram") if kind.is_none() => {
                    kind = name;
                    Ok(())
                }
                Some("bits") => {
                    bits = Some(checked_bits(meta.value()?.parse()?)?);
                    Ok(())
                }
                Some("accept_leak") => {
                    leak = Some(accepted_leak(meta.value()?.parse()?)?);
                    Ok(())
                }
                _ => Err(attribute::unknown(&meta, FORMS)),
            }
        })?;
        match (kind.as_deref(), bits, leak) {
            (Some("unique"), None, None) => Ok(Self::Unique),
            (Some("search"), Some(bits), None) => Ok(Self::Search { bits }),
            (Some("trigram"), None, Some(())) => Ok(Self::Trigram),
            (Some("unique"), ..) => {
                Err(meta.error("a unique index has 128 bits and no more to say: write `index(unique)`"))
            }
            (Some("search"), ..) => Err(meta.error(
                "a search index needs the number of its bits and nothing else: `index(search, bits = 12)`",
            )),
            (Some("trigram"), ..) => Err(meta.error(
                "a trigram index tells who reads the table which names are equal, and which begin or end \
                 alike: `index(trigram, accept_leak = \"name-equality\")` accepts it",
            )),
            _ => Err(meta.error(format!("which index? expected {FORMS}"))),
        }
    }
}

const FORMS: &str = "`index(unique)`, `index(search, bits = …)` or \
                     `index(trigram, accept_leak = \"name-equality\")`";

fn checked_bits(bits: LitInt) -> Result<LitInt> {
    match bits.base10_parse::<u16>() {
        Ok(number) if BITS.contains(&number) => Ok(bits),
        _ => Err(Error::new(bits.span(), "an index has 1 to 128 bits")),
    }
}

fn accepted_leak(leak: LitStr) -> Result<()> {
    if leak.value() == LEAK {
        return Ok(());
    }
    let message = format!("the leak of a trigram index is called `{LEAK}`");
    Err(Error::new(leak.span(), message))
}
