//! E-mail addresses.

mod ascii;
mod domain;
mod local;

use std::fmt;

use zeroize::Zeroizing;

use super::{ParseError, PiiType, owned, trimmed};
use crate::{Indexed, Indexing, Suite};

/// An e-mail address, trimmed and otherwise as it was given.
///
/// Accepted is what RFC 5321 takes as `Dot-string@Domain` and RFC 6531 in letters of every script: no
/// dot at either end of the local part and no two in a row; labels of letters, digits and inner
/// hyphens, or international ones by UTS 46; a dot in the domain, and a top-level domain that could
/// be one. At most 254 bytes, also with the domain in Punycode, the local part 64.
///
/// Refused are quoted local parts and address literals, which no form takes and next to nobody has,
/// and characters that cannot be seen (RFC 8264): with one of them, what looks like one address is
/// two people. Of those, only joiners may stand in a domain, where IDNA allows them.
pub struct Email(Zeroizing<String>);

impl Email {
    /// The address as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Of what is trimmed and not too long.
    fn parse_any_script(text: &str) -> Result<Self, ParseError> {
        let (local, domain) = text.rsplit_once('@').ok_or(INVALID)?;
        if !local::is_valid(local) {
            return Err(INVALID);
        }
        let ascii = domain::checked(domain).ok_or(INVALID)?;
        if local.len() + 1 + ascii.len() > MAX_BYTES {
            return Err(ParseError::TooLong { limit: MAX_BYTES });
        }
        Ok(Self(owned(text)))
    }

    fn normalised_any_script(&self) -> Zeroizing<String> {
        let (local, domain) = self.parts();
        joined(&local::normal(local), &domain::normal(domain))
    }

    fn parts(&self) -> (&str, &str) {
        self.0.rsplit_once('@').unwrap_or((&self.0, ""))
    }
}

impl PiiType for Email {
    const NAME: &'static str = "email";
    const EXPECTED: &'static str = "an e-mail address";
    const SUITE: Suite = Suite::Exact;
    const INDEXING: Option<Indexing<Self>> = Some(Indexing::new());

    fn parse(text: &str) -> Result<Self, ParseError> {
        let text = trimmed(text, MAX_BYTES)?;
        if ascii::is_plain_address(text) {
            return Ok(Self(owned(text)));
        }
        Self::parse_any_script(text)
    }

    fn restore(text: Zeroizing<String>) -> Self {
        Self(text)
    }

    fn text(&self) -> &str {
        &self.0
    }

    /// `j***@e***.com`: the first letter of either side, and the top-level domain.
    fn masked(&self) -> String {
        let (local, domain) = self.0.rsplit_once('@').unwrap_or(("", &self.0));
        let top = domain.rsplit_once(domain::DOTS).map_or("", |(_, top)| top);
        let first = |part: &str| part.chars().next().map(String::from).unwrap_or_default();
        format!("{}***@{}***.{top}", first(local), first(domain))
    }
}

/// The domain is in lower-case Punycode, the local part by the rule of `email/2`: without characters
/// that cannot be seen, full-width and half-width characters as the usual ones, in lower case with one
/// form of the sigma, NFC. Letters that are only alike stay what they are: `ß` is not `ss`. Dots and
/// `+` parts stay: only the owner of a domain knows what they mean.
///
/// A normal form whose local part is ASCII is named `email/1`, as it always was; the rule before,
/// which knew of neither widths nor the sigma, gave the same form there. Any other is `email/2`, and
/// what that rule made of it is a former form under `email/1`.
impl Indexed for Email {
    const NORMALISERS: &'static [&'static str] = &[EMAIL_1, EMAIL_2];

    fn normaliser(&self) -> &'static str {
        let (local, _) = self.parts();
        if local.is_ascii() || local::normal(local).is_ascii() {
            EMAIL_1
        } else {
            EMAIL_2
        }
    }

    fn normalised(&self) -> Zeroizing<String> {
        if ascii::is_plain_address(&self.0) {
            return Zeroizing::new(self.0.to_ascii_lowercase());
        }
        self.normalised_any_script()
    }

    /// What `email/1` made of it as it is given, and of its usual spellings.
    fn former(&self) -> Vec<(&'static str, Zeroizing<String>)> {
        let (local, domain) = self.parts();
        if local.is_ascii() {
            return Vec::new();
        }
        let domain = domain::normal(domain);
        let former = local::former(local).into_iter();
        former
            .map(|local| (EMAIL_1, joined(&local, &domain)))
            .collect()
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

const EMAIL_1: &str = "email/1";
const EMAIL_2: &str = "email/2";

const INVALID: ParseError = ParseError::Invalid {
    expected: Email::EXPECTED,
};

const MAX_BYTES: usize = 254;

fn joined(local: &str, domain: &str) -> Zeroizing<String> {
    let mut normal = Zeroizing::new(String::with_capacity(local.len() + 1 + domain.len()));
    normal.push_str(local);
    normal.push('@');
    normal.push_str(domain);
    normal
}
