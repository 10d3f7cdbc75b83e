//! E-mail addresses.

use std::fmt;

use idna::{
    AsciiDenyList,
    uts46::{DnsLength, Hyphens, Uts46},
};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::{ParseError, PiiType, owned, trimmed};
use crate::{Indexed, Indexing, Suite};

/// An e-mail address, trimmed and otherwise as it was given.
///
/// Accepted is what the HTML standard calls a valid e-mail address, and beyond it letters of every
/// script; quoted local parts and address literals are not. At most 254 bytes, the local part 64
/// (RFC 5321), and the domain has a dot.
pub struct Email(Zeroizing<String>);

impl Email {
    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PiiType for Email {
    const NAME: &'static str = "email";
    const EXPECTED: &'static str = "an e-mail address";
    const SUITE: Suite = Suite::Exact;
    const INDEXING: Option<Indexing<Self>> = Some(Indexing::new());

    fn parse(text: &str) -> Result<Self, ParseError> {
        let text = trimmed(text, MAX_BYTES)?;
        let (local, domain) = text.rsplit_once('@').ok_or(INVALID)?;
        let local_good = matches!(local.len(), 1..=MAX_LOCAL_BYTES) && local.chars().all(is_atom);
        if !local_good || !domain.contains('.') || ascii_domain(domain).is_none() {
            return Err(INVALID);
        }
        Ok(Self(owned(text)))
    }

    fn restore(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    fn text(&self) -> &str {
        &self.0
    }

    fn masked(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or(("", &self.0));
        let top = domain.rsplit_once('.').map_or("", |(_, top)| top);
        let first = |part: &str| part.chars().next().map(String::from).unwrap_or_default();
        format!("{}***@{}***.{top}", first(local), first(domain))
    }
}

/// `email/1`: NFC, the local part in lower case, the domain in lower-case Punycode. Dots and `+`
/// parts stay: only the owner of a domain knows what they mean.
impl Indexed for Email {
    const NORMALISERS: &'static [&'static str] = &["email/1"];

    fn normaliser(&self) -> &'static str {
        "email/1"
    }

    fn normalised(&self) -> Zeroizing<String> {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or((&self.0, ""));
        let lower = Zeroizing::new(local.nfc().collect::<String>());
        let lower = Zeroizing::new(lower.to_lowercase());
        // What was parsed has a domain that can be converted; rules of later versions may differ.
        let domain = ascii_domain(domain).unwrap_or_else(|| Zeroizing::new(domain.to_lowercase()));
        let mut normal = Zeroizing::new(String::with_capacity(self.0.len() * 3));
        normal.extend(lower.nfc());
        normal.push('@');
        normal.push_str(&domain);
        normal
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

const INVALID: ParseError = ParseError::Invalid {
    expected: Email::EXPECTED,
};

const MAX_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;

fn is_atom(char: char) -> bool {
    match char {
        'a'..='z' | 'A'..='Z' | '0'..='9' => true,
        _ if char.is_ascii() => ".!#$%&'*+/=?^_`{|}~-".contains(char),
        _ => !char.is_whitespace() && !char.is_control(),
    }
}

fn ascii_domain(domain: &str) -> Option<Zeroizing<String>> {
    Uts46::new()
        .to_ascii(
            domain.as_bytes(),
            AsciiDenyList::STD3,
            Hyphens::Allow,
            DnsLength::Verify,
        )
        .ok()
        .map(|domain| Zeroizing::new(domain.into_owned()))
}
