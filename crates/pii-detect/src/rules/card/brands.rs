//! Issuer ranges of ISO/IEC 7812 in use, each with the lengths that it issues.

use std::ops::RangeInclusive;

/// A range of the first six digits.
struct Brand(RangeInclusive<u32>, &'static [usize]);

const ANY: &[usize] = &[13, 14, 15, 16, 17, 18, 19];
const LONG: &[usize] = &[16, 17, 18, 19];
const PREFIX_DIGITS: usize = 6;

/// In ascending order and apart from each other; the name is that of the scheme that issues most of
/// the range.
const BRANDS: &[Brand] = &[
    Brand(220_000..=220_499, LONG),          // Mir
    Brand(222_100..=272_099, &[16]),         // Mastercard
    Brand(300_000..=305_999, &[14, 16]),     // Diners Club
    Brand(309_500..=309_599, &[14, 16]),     // Diners Club
    Brand(340_000..=349_999, &[15]),         // American Express
    Brand(352_800..=358_999, LONG),          // JCB
    Brand(360_000..=369_999, &[14, 16]),     // Diners Club
    Brand(370_000..=379_999, &[15]),         // American Express
    Brand(380_000..=399_999, &[14, 16]),     // Diners Club
    Brand(400_000..=499_999, &[13, 16, 19]), // Visa, and parts of Elo
    Brand(501_800..=501_899, ANY),           // Maestro
    Brand(501_900..=501_999, &[16]),         // Dankort
    Brand(502_000..=502_099, ANY),           // Maestro
    Brand(503_800..=503_899, ANY),           // Maestro
    Brand(504_175..=504_175, &[16]),         // Elo
    Brand(506_699..=506_778, &[16]),         // Elo
    Brand(508_500..=508_999, &[16]),         // RuPay
    Brand(509_000..=509_999, &[16]),         // Elo
    Brand(510_000..=559_999, &[16]),         // Mastercard
    Brand(589_300..=589_399, ANY),           // Maestro
    Brand(601_100..=601_199, LONG),          // Discover
    Brand(606_282..=606_282, &[16, 19]),     // Hipercard
    Brand(606_985..=608_500, &[16]),         // RuPay
    Brand(620_000..=629_999, LONG),          // UnionPay, and parts of Elo
    Brand(630_400..=630_499, ANY),           // Maestro
    Brand(636_297..=636_297, &[16]),         // Elo
    Brand(636_368..=636_368, &[16]),         // Elo
    Brand(644_000..=659_999, LONG),          // Discover, and parts of Elo and RuPay
    Brand(675_900..=675_999, ANY),           // Maestro
    Brand(676_100..=676_399, ANY),           // Maestro
    Brand(979_200..=979_299, &[16]),         // Troy
];

/// Whether a brand issues numbers that begin so and have this length.
pub(super) fn issues(digits: &[u8]) -> bool {
    let prefix = digits[..PREFIX_DIGITS]
        .iter()
        .fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'));
    let after = BRANDS.partition_point(|Brand(range, _)| *range.end() < prefix);
    BRANDS.get(after).is_some_and(|Brand(range, lengths)| {
        range.contains(&prefix) && lengths.contains(&digits.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_ascend_and_stand_apart() {
        assert!(BRANDS.is_sorted_by(|Brand(low, _), Brand(high, _)| low.end() < high.start()));
    }
}
