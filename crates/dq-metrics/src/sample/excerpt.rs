//! From an event as it came to the text that may be stored.

use super::{Discarded, Fingerprint, MASKED_BYTES, Masker, SAMPLE_BYTES};
use crate::reason::Reason;

/// Longest detail, in bytes.
const DETAIL_BYTES: usize = 512;

/// The texts of a sample: masked, and short enough.
pub(super) struct Excerpt {
    pub(super) detail: String,
    pub(super) payload: String,
}

impl Excerpt {
    /// Masks first and shortens then, so that no value is cut in half before it can be recognised.
    ///
    /// `names` is how many bytes of [`SAMPLE_BYTES`] are taken already.
    pub(super) fn new<R: Reason>(
        discarded: &Discarded<'_, R>,
        names: usize,
        masker: &dyn Masker,
    ) -> Self {
        let detail = masked(discarded.detail.as_bytes(), DETAIL_BYTES, |text| {
            masker.mask_text(text)
        });
        let room = SAMPLE_BYTES.saturating_sub(names + detail.len());
        Self {
            payload: masked(discarded.payload, room, |text| masker.mask_payload(text)),
            detail,
        }
    }

    /// FNV-1a, 64 bit, over what is masked already: it tells no more than the sample does.
    ///
    /// G. Fowler, L. C. Noll, K.-P. Vo, D. Eastlake, "The FNV Non-Cryptographic Hash Algorithm".
    pub(super) fn fingerprint(&self, reason: &str, event_type: &str) -> Fingerprint {
        let parts = [reason, event_type, &self.detail, &self.payload];
        // 0xFF never occurs in UTF-8, so it keeps the parts apart.
        let bytes = parts.iter().flat_map(|part| part.bytes().chain([0xFF]));
        Fingerprint(fnv1a(bytes))
    }
}

fn masked(text: &[u8], longest: usize, mask: impl Fn(&str) -> String) -> String {
    if text.len() > MASKED_BYTES {
        return format!("({} bytes, too long to mask)", text.len());
    }
    let mut masked = mask(&String::from_utf8_lossy(text));
    masked.truncate(masked.floor_char_boundary(longest));
    masked
}

fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{fault::Fault, subject::Subject};

    /// Replaces every `secret`.
    #[derive(Debug)]
    struct HidesSecret;

    impl Masker for HidesSecret {
        fn mask_payload(&self, payload: &str) -> String {
            self.mask_text(payload)
        }

        fn mask_text(&self, text: &str) -> String {
            text.replace("secret", "[gone]")
        }
    }

    fn excerpt(payload: &[u8], detail: &str) -> Excerpt {
        let discarded = Discarded::new(Subject::UNKNOWN, Fault::Unreadable, payload).detail(detail);
        Excerpt::new(&discarded, 100, &HidesSecret)
    }

    /// Test vectors of the FNV reference: Internet-Draft draft-eastlake-fnv, 64 bit, FNV-1a.
    #[test]
    fn fnv_agrees_with_its_published_vectors() {
        assert_eq!(fnv1a("".bytes()), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a".bytes()), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a("foobar".bytes()), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn a_value_across_the_cut_is_masked_before_the_cut() {
        for padding in SAMPLE_BYTES - 120..SAMPLE_BYTES - 90 {
            let payload = format!("{}secret", "x".repeat(padding));
            let cut = excerpt(payload.as_bytes(), "").payload;
            assert!(!cut.contains("se"), "{}", &cut[padding.min(cut.len())..]);
        }
    }

    #[test]
    fn all_texts_together_keep_the_bound() {
        let wide = "é".repeat(4_000);
        let excerpt = excerpt(wide.as_bytes(), &wide);
        assert_eq!(excerpt.detail.len(), DETAIL_BYTES);
        assert!(100 + excerpt.detail.len() + excerpt.payload.len() <= SAMPLE_BYTES);
        assert!(excerpt.payload.len() > SAMPLE_BYTES - 100 - DETAIL_BYTES - 2);
    }

    #[test]
    fn a_payload_too_long_to_mask_leaves_only_its_length() {
        let text = excerpt(&vec![b's'; MASKED_BYTES + 1], "").payload;
        assert_eq!(text, "(65537 bytes, too long to mask)");
    }

    #[test]
    fn broken_utf8_is_sampled_too() {
        assert_eq!(
            excerpt(b"{\"a\": \"\xff\"}", "").payload,
            "{\"a\": \"\u{fffd}\"}"
        );
    }

    #[test]
    fn the_fingerprint_depends_on_every_part() {
        let base = excerpt(b"payload", "detail").fingerprint("read.unreadable", "t");
        let others = [
            excerpt(b"payloae", "detail").fingerprint("read.unreadable", "t"),
            excerpt(b"payload", "detaim").fingerprint("read.unreadable", "t"),
            excerpt(b"payload", "detail").fingerprint("read.misspelt", "t"),
            excerpt(b"ilpayload", "deta").fingerprint("read.unreadable", "t"),
        ];
        assert!(others.iter().all(|other| *other != base));
        assert_eq!(
            excerpt(b"payload", "detail").fingerprint("read.unreadable", "t"),
            base
        );
    }
}
