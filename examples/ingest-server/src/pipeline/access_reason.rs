//! What a caller says personal data is read for.

use http::HeaderMap;
use portcullis_pii_detect::Detector;

use crate::audit::{ReasonCodes, StatedReason};

/// The header field that says it; without it, personal data is masked.
pub(crate) const ACCESS_REASON: &str = "x-access-reason";

/// The longest reason, in characters.
const MAX_LENGTH: usize = 256;

/// A reason that can be put on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccessReason(StatedReason);

/// Why a reason cannot be put on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum InvalidReason {
    #[error("`X-Access-Reason` must be given once")]
    Repeated,
    #[error("`X-Access-Reason` must be UTF-8")]
    NotUtf8,
    #[error("`X-Access-Reason` must have at most {MAX_LENGTH} characters")]
    TooLong,
    #[error("`X-Access-Reason` must have no control or invisible characters")]
    Control,
}

impl AccessReason {
    /// The reason that a request gives; one of blanks alone is none.
    pub(crate) fn read(
        headers: &HeaderMap,
        codes: &ReasonCodes,
        detector: &Detector,
    ) -> Result<Option<Self>, InvalidReason> {
        let mut values = headers.get_all(ACCESS_REASON).iter();
        let Some(value) = values.next() else {
            return Ok(None);
        };
        if values.next().is_some() {
            return Err(InvalidReason::Repeated);
        }
        let text = std::str::from_utf8(value.as_bytes()).map_err(|_| InvalidReason::NotUtf8)?;
        if text.chars().any(is_invisible) {
            return Err(InvalidReason::Control);
        }
        let text = text.trim();
        if text.chars().count() > MAX_LENGTH {
            return Err(InvalidReason::TooLong);
        }
        Ok((!text.is_empty()).then(|| Self(StatedReason::of(text, codes, detector))))
    }

    pub(crate) const fn stated(&self) -> &StatedReason {
        &self.0
    }
}

/// Characters that would make a line of the log read otherwise than it is: controls, separators of
/// lines, joiners, and what turns the direction of text.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    type Outcome = Result<Option<AccessReason>, InvalidReason>;

    fn read(values: &[&[u8]]) -> Outcome {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCESS_REASON, HeaderValue::from_bytes(value).unwrap());
        }
        AccessReason::read(&headers, &codes(), &Detector::standard())
    }

    fn codes() -> ReasonCodes {
        ReasonCodes::configured("support").unwrap()
    }

    #[test]
    fn what_can_be_put_on_record_is_and_the_rest_is_refused() {
        let some = |text: &str| {
            let reason = StatedReason::of(text, &codes(), &Detector::standard());
            Ok(Some(AccessReason(reason)))
        };
        let longest = "ä".repeat(256);
        let too_long = "ä".repeat(257);
        let table: [(&[&[u8]], Outcome); 15] = [
            (&[], Ok(None)),
            (&[b""], Ok(None)),
            (&[b"   "], Ok(None)),
            (&[b" support T-1042 "], some("support T-1042")),
            (&["Rückfrage".as_bytes()], some("Rückfrage")),
            (&[longest.as_bytes()], some(&longest)),
            (&[too_long.as_bytes()], Err(InvalidReason::TooLong)),
            (&[b"a", b"b"], Err(InvalidReason::Repeated)),
            (&[b"a", b"a"], Err(InvalidReason::Repeated)),
            (&[b"caf\xe9"], Err(InvalidReason::NotUtf8)),
            (&[b"a\tb"], Err(InvalidReason::Control)),
            (&["a\u{85}b".as_bytes()], Err(InvalidReason::Control)),
            (&["a\u{202e}b".as_bytes()], Err(InvalidReason::Control)),
            (&["a\u{2028}b".as_bytes()], Err(InvalidReason::Control)),
            (
                &[b"asked by ada@example.com, +44 20 7946 0958"],
                some("asked by [email], [phone]"),
            ),
        ];
        for (values, expected) in table {
            assert_eq!(read(values), expected, "{values:?}");
        }
    }
}
