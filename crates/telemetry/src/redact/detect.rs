use std::borrow::Cow;
use std::ops::Range;

use super::{card, email, phone};

/// What a value pattern recognised in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// An e-mail address, plain or with a percent-encoded `@`.
    Email,
    /// A telephone number written internationally or in a common national form.
    Phone,
    /// A payment card number: a known brand, the right length, a valid Luhn digit.
    PaymentCard,
    /// A secret that carries a known prefix.
    ApiKey,
}

impl Kind {
    /// The name used as a metric label.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::PaymentCard => "payment_card",
            Self::ApiKey => "api_key",
        }
    }

    /// What stands in the text instead.
    #[must_use]
    pub fn mask(self) -> &'static str {
        match self {
            Self::Email => "[email]",
            Self::Phone => "[phone]",
            Self::PaymentCard => "[payment_card]",
            Self::ApiKey => "[api_key]",
        }
    }
}

/// The patterns that recognise personal data and secrets by their value alone.
///
/// They are pure functions of the text. Uuids, hexadecimal ids, timestamps, addresses and plain
/// numbers are left alone; a bare run of digits is a card only with a brand's prefix, length and
/// Luhn digit, and is never a telephone number unless it starts like one (`+`, `00`, `0`).
#[derive(Clone, Debug)]
pub struct Detectors {
    key_prefixes: Vec<String>,
}

/// The longest text before a cut that a pattern may need to see behind it.
pub(super) const LONGEST_MATCH_BYTES: usize = 320;

const SHORTEST_KEY_BODY_BYTES: usize = 8;

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Match {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
}

impl Detectors {
    /// The built-in patterns and the secret prefix `pcl_`.
    #[must_use]
    pub fn new() -> Self {
        Self {
            key_prefixes: vec!["pcl_".to_owned()],
        }
    }

    /// Recognises secrets with this prefix too. An empty prefix is ignored.
    #[must_use]
    pub fn with_key_prefix(mut self, prefix: impl Into<String>) -> Self {
        let prefix = prefix.into();
        if !prefix.is_empty() {
            self.key_prefixes.push(prefix);
        }
        self
    }

    /// The kind of the first piece of personal data or secret in `text`.
    #[must_use]
    pub fn detect(&self, text: &str) -> Option<Kind> {
        self.next_match(text, 0).map(|found| found.kind)
    }

    /// `text` with everything recognised replaced by [`Kind::mask`].
    #[must_use]
    pub fn mask<'a>(&self, text: &'a str) -> Cow<'a, str> {
        self.mask_until(text, text.len(), |_| {})
    }

    /// The part of `text` before `until`, masked; what starts before and ends behind is masked too.
    pub(super) fn mask_until<'a>(
        &self,
        text: &'a str,
        until: usize,
        mut count: impl FnMut(Kind),
    ) -> Cow<'a, str> {
        let until = text.floor_char_boundary(until);
        let next = |from| {
            self.next_match(text, from)
                .filter(|found| found.range.start < until)
        };
        let Some(mut found) = next(0) else {
            return Cow::Borrowed(&text[..until]);
        };
        let mut masked = String::with_capacity(until);
        let mut written = 0;
        loop {
            masked.push_str(&text[written..found.range.start]);
            masked.push_str(found.kind.mask());
            count(found.kind);
            written = found.range.end;
            match next(written) {
                Some(following) => found = following,
                None => break,
            }
        }
        masked.push_str(text.get(written..until).unwrap_or_default());
        Cow::Owned(masked)
    }

    /// The leftmost match that starts at `from` or later.
    pub(super) fn next_match(&self, text: &str, from: usize) -> Option<Match> {
        let bytes = text.as_bytes();
        let mut at = from;
        while at < bytes.len() {
            let starts_word = at == 0 || !bytes[at - 1].is_ascii_alphanumeric();
            if starts_word && is_uuid(&bytes[at..]) {
                at += UUID_BYTES;
                continue;
            }
            let found = match bytes[at] {
                b'@' => email::around(text, from, at..at + 1).map(|r| (r, Kind::Email)),
                b'%' if bytes[at..].starts_with(b"%40") => {
                    email::around(text, from, at..at + 3).map(|r| (r, Kind::Email))
                }
                b'0'..=b'9' | b'+' | b'(' => card::at(bytes, at)
                    .map(|r| (r, Kind::PaymentCard))
                    .or_else(|| phone::at(bytes, at).map(|r| (r, Kind::Phone))),
                _ => None,
            }
            .or_else(|| {
                let key = starts_word.then(|| self.key_at(text, at)).flatten();
                key.map(|range| (range, Kind::ApiKey))
            });
            if let Some((range, kind)) = found {
                return Some(Match { range, kind });
            }
            at += 1;
        }
        None
    }

    fn key_at(&self, text: &str, at: usize) -> Option<Range<usize>> {
        let bytes = text.as_bytes();
        let prefix = self
            .key_prefixes
            .iter()
            .find(|p| bytes[at..].starts_with(p.as_bytes()))?;
        let body = bytes[at + prefix.len()..]
            .iter()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
            .count();
        (body >= SHORTEST_KEY_BODY_BYTES).then_some(at..at + prefix.len() + body)
    }
}

impl Default for Detectors {
    fn default() -> Self {
        Self::new()
    }
}

const UUID_BYTES: usize = 36;

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() >= UUID_BYTES
        && bytes[8] == b'-'
        && bytes[..UUID_BYTES]
            .iter()
            .enumerate()
            .all(|(index, byte)| match index {
                8 | 13 | 18 | 23 => *byte == b'-',
                _ => byte.is_ascii_hexdigit(),
            })
        && !bytes.get(UUID_BYTES).is_some_and(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests;
