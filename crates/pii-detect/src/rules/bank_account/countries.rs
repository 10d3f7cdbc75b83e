//! What the IBAN of a country consists of: ISO 13616 and the registry that SWIFT keeps.

use std::iter;

use self::Sign::{A, C, N};

/// What stands behind the check digits, from left to right.
#[derive(Clone, Copy, Debug)]
pub(super) struct Structure(&'static [Part]);

/// So many places for such a sign.
type Part = (u8, Sign);

/// Named as in the registry, which writes `8!n12!c`.
#[derive(Clone, Copy, Debug)]
enum Sign {
    /// A letter. Small ones are taken too, since whole accounts are written in them.
    A,
    /// A letter or a digit.
    C,
    /// A digit.
    N,
}

const STRUCTURES: &[(&[u8; 2], &[Part])] = &[
    (b"AD", &[(8, N), (12, C)]),
    (b"AE", &[(19, N)]),
    (b"AL", &[(8, N), (16, C)]),
    (b"AT", &[(16, N)]),
    (b"AZ", &[(4, A), (20, C)]),
    (b"BA", &[(16, N)]),
    (b"BE", &[(12, N)]),
    (b"BG", &[(4, A), (6, N), (8, C)]),
    (b"BH", &[(4, A), (14, C)]),
    (b"BI", &[(23, N)]),
    // Sources of the registry differ on where letters may stand: either is taken.
    (b"BR", &[(8, C), (15, N), (2, C)]),
    (b"BY", &[(4, C), (4, N), (16, C)]),
    (b"CH", &[(5, N), (12, C)]),
    (b"CR", &[(18, N)]),
    (b"CY", &[(8, N), (16, C)]),
    (b"CZ", &[(20, N)]),
    (b"DE", &[(18, N)]),
    (b"DJ", &[(23, N)]),
    (b"DK", &[(14, N)]),
    (b"DO", &[(4, C), (20, N)]),
    (b"EE", &[(16, N)]),
    (b"EG", &[(25, N)]),
    (b"ES", &[(20, N)]),
    (b"FI", &[(14, N)]),
    (b"FK", &[(2, A), (12, N)]),
    (b"FO", &[(14, N)]),
    (b"FR", &[(10, N), (11, C), (2, N)]),
    (b"GB", &[(4, A), (14, N)]),
    (b"GE", &[(2, A), (16, N)]),
    (b"GI", &[(4, A), (15, C)]),
    (b"GL", &[(14, N)]),
    (b"GR", &[(7, N), (16, C)]),
    (b"GT", &[(24, C)]),
    (b"HN", &[(4, A), (20, N)]),
    (b"HR", &[(17, N)]),
    (b"HU", &[(24, N)]),
    (b"IE", &[(4, A), (14, N)]),
    (b"IL", &[(19, N)]),
    (b"IQ", &[(4, A), (15, N)]),
    (b"IS", &[(22, N)]),
    (b"IT", &[(1, A), (10, N), (12, C)]),
    (b"JO", &[(4, A), (4, N), (18, C)]),
    (b"KW", &[(4, A), (22, C)]),
    (b"KZ", &[(3, N), (13, C)]),
    (b"LB", &[(4, N), (20, C)]),
    (b"LC", &[(4, A), (24, C)]),
    (b"LI", &[(5, N), (12, C)]),
    (b"LT", &[(16, N)]),
    (b"LU", &[(3, N), (13, C)]),
    (b"LV", &[(4, A), (13, C)]),
    (b"LY", &[(21, N)]),
    (b"MC", &[(10, N), (11, C), (2, N)]),
    (b"MD", &[(20, C)]),
    (b"ME", &[(18, N)]),
    (b"MK", &[(3, N), (10, C), (2, N)]),
    (b"MN", &[(16, N)]),
    (b"MR", &[(23, N)]),
    (b"MT", &[(4, A), (5, N), (18, C)]),
    (b"MU", &[(4, A), (19, N), (3, A)]),
    (b"NI", &[(4, A), (20, N)]),
    (b"NL", &[(4, A), (10, N)]),
    (b"NO", &[(11, N)]),
    (b"OM", &[(3, N), (16, C)]),
    (b"PK", &[(4, A), (16, C)]),
    (b"PL", &[(24, N)]),
    (b"PS", &[(4, A), (21, C)]),
    (b"PT", &[(21, N)]),
    (b"QA", &[(4, A), (21, C)]),
    (b"RO", &[(4, A), (16, C)]),
    (b"RS", &[(18, N)]),
    (b"RU", &[(14, N), (15, C)]),
    (b"SA", &[(2, N), (18, C)]),
    (b"SC", &[(4, A), (20, N), (3, A)]),
    (b"SD", &[(14, N)]),
    (b"SE", &[(20, N)]),
    (b"SI", &[(15, N)]),
    (b"SK", &[(20, N)]),
    (b"SM", &[(1, A), (10, N), (12, C)]),
    (b"SO", &[(19, N)]),
    (b"ST", &[(21, N)]),
    (b"SV", &[(4, A), (20, N)]),
    (b"TL", &[(19, N)]),
    (b"TN", &[(20, N)]),
    (b"TR", &[(6, N), (16, C)]),
    (b"UA", &[(6, N), (19, C)]),
    (b"VA", &[(18, N)]),
    (b"VG", &[(4, A), (16, N)]),
    (b"XK", &[(16, N)]),
    (b"YE", &[(4, A), (4, N), (18, C)]),
];

impl Structure {
    /// That of the country with this code of ISO 3166; `None` if it has no accounts with an IBAN.
    pub(super) fn of(country: [u8; 2]) -> Option<Self> {
        let index = STRUCTURES
            .binary_search_by_key(&country, |(code, _)| **code)
            .ok()?;
        Some(Self(STRUCTURES[index].1))
    }

    /// How many characters an account has, without the country and the check digits.
    pub(super) fn places(self) -> usize {
        self.0.iter().map(|(places, _)| usize::from(*places)).sum()
    }

    /// Whether in each place of `account` stands what the country has there.
    pub(super) fn fits(self, account: &[u8]) -> bool {
        let signs = self
            .0
            .iter()
            .flat_map(|(places, sign)| iter::repeat_n(*sign, usize::from(*places)));
        account.len() == self.places() && signs.zip(account).all(|(sign, byte)| sign.is(*byte))
    }
}

impl Sign {
    fn is(self, byte: u8) -> bool {
        match self {
            Self::A => byte.is_ascii_alphabetic(),
            Self::C => byte.is_ascii_alphanumeric(),
            Self::N => byte.is_ascii_digit(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_countries_ascend() {
        assert!(STRUCTURES.is_sorted_by_key(|(code, _)| **code));
    }

    #[test]
    fn a_structure_counts_places_and_says_what_stands_in_them() {
        let andorra = Structure::of(*b"AD").unwrap();
        assert_eq!(andorra.places(), 20);
        assert!(andorra.fits(b"00012030200359100100"));
        assert!(andorra.fits(b"00012030abcdefABCDEF"));
        assert!(!andorra.fits(b"0001203a200359100100"));
        assert!(!andorra.fits(b"0001203020035910010"));
        let malta = Structure::of(*b"MT").unwrap();
        assert!(malta.fits(b"MALT011000012345MTLCAST001S"));
        assert!(!malta.fits(b"MAL1011000012345MTLCAST001S"));
        assert!(Structure::of(*b"XX").is_none());
    }
}
