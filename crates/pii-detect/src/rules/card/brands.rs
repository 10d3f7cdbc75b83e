//! Issuer ranges of ISO/IEC 7812 in use, each with the lengths that it issues: those that are common,
//! and those that are allowed, or were, and that hardly anybody has seen on a card.

use std::ops::RangeInclusive;

/// A range of the first six digits, the common lengths, the rare ones.
struct Brand(RangeInclusive<u32>, &'static [usize], &'static [usize]);

/// How a brand issues a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Issued {
    Commonly,
    Rarely,
}

const NONE: &[usize] = &[];
/// Of Maestro.
const ANY: &[usize] = &[13, 14, 15, 17, 18, 19];
/// Ids of 17 to 19 digits are many, cards of that length few.
const LONG: &[usize] = &[17, 18, 19];
const PREFIX_DIGITS: usize = 6;

/// In ascending order and apart from each other; the name is that of the scheme that issues most of
/// the range.
const BRANDS: &[Brand] = &[
    Brand(220_000..=220_499, &[16], LONG),          // Mir
    Brand(222_100..=272_099, &[16], NONE),          // Mastercard
    Brand(300_000..=305_999, &[14], &[16]),         // Diners Club
    Brand(309_500..=309_599, &[14], &[16]),         // Diners Club
    Brand(340_000..=349_999, &[15], NONE),          // American Express
    Brand(352_800..=358_999, &[16], LONG),          // JCB
    Brand(360_000..=369_999, &[14], &[16]),         // Diners Club
    Brand(370_000..=379_999, &[15], NONE),          // American Express
    Brand(380_000..=399_999, &[14], &[16]),         // Diners Club
    Brand(400_000..=499_999, &[16], &[13, 19]),     // Visa, and parts of Elo
    Brand(501_800..=501_899, &[16], ANY),           // Maestro
    Brand(501_900..=501_999, &[16], NONE),          // Dankort
    Brand(502_000..=502_099, &[16], ANY),           // Maestro
    Brand(503_800..=503_899, &[16], ANY),           // Maestro
    Brand(504_175..=504_175, &[16], NONE),          // Elo
    Brand(506_699..=506_778, &[16], NONE),          // Elo
    Brand(508_500..=508_999, &[16], NONE),          // RuPay
    Brand(509_000..=509_999, &[16], NONE),          // Elo
    Brand(510_000..=559_999, &[16], NONE),          // Mastercard
    Brand(589_300..=589_399, &[16], ANY),           // Maestro
    Brand(601_100..=601_199, &[16], LONG),          // Discover
    Brand(606_282..=606_282, &[16], &[19]),         // Hipercard
    Brand(606_985..=608_500, &[16], NONE),          // RuPay
    Brand(620_000..=629_999, &[16, 19], &[17, 18]), // UnionPay, and parts of Elo
    Brand(630_400..=630_499, &[16], ANY),           // Maestro
    Brand(636_297..=636_297, &[16], NONE),          // Elo
    Brand(636_368..=636_368, &[16], NONE),          // Elo
    Brand(644_000..=659_999, &[16], LONG),          // Discover, and parts of Elo and RuPay
    Brand(675_900..=675_999, &[16], ANY),           // Maestro
    Brand(676_100..=676_399, &[16], ANY),           // Maestro
    Brand(979_200..=979_299, &[16], NONE),          // Troy
];

/// How a brand issues numbers that begin so and have this length; `None` if none does.
pub(super) fn issued(digits: &[u8]) -> Option<Issued> {
    let prefix = digits[..PREFIX_DIGITS]
        .iter()
        .fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'));
    let after = BRANDS.partition_point(|Brand(range, ..)| *range.end() < prefix);
    let Brand(range, common, rare) = BRANDS.get(after)?;
    if !range.contains(&prefix) {
        None
    } else if common.contains(&digits.len()) {
        Some(Issued::Commonly)
    } else {
        rare.contains(&digits.len()).then_some(Issued::Rarely)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_ascend_and_stand_apart() {
        assert!(BRANDS.is_sorted_by(|Brand(low, ..), Brand(high, ..)| low.end() < high.start()));
    }
}
