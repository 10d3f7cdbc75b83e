//! Country calling codes (ITU-T E.164, annex to the Operational Bulletin), and how many digits a
//! national number behind each has: from the shortest of any type, be it toll-free, premium or a
//! pager, to the longest.

use std::ops::RangeInclusive;

/// Numbers of fewer than nine digits with the code are in the table only where subscribers have such;
/// those of companies and services stand in [`SHORT`], since a signed number looks like them.
const CODES: &[(u32, usize, usize)] = &[
    (1, 10, 10),
    (7, 10, 10),
    (20, 8, 10),
    (27, 7, 10),
    (30, 10, 12),
    (31, 7, 11),
    (32, 8, 9),
    (33, 9, 9),
    (34, 9, 9),
    (36, 8, 9),
    (39, 6, 12),
    (40, 7, 9),
    (41, 9, 12),
    (43, 6, 13),
    (44, 7, 10),
    (45, 8, 8),
    (46, 7, 12),
    (47, 7, 8),
    (48, 7, 10),
    (49, 7, 13),
    (51, 8, 9),
    (52, 10, 10),
    (53, 7, 10),
    (54, 10, 11),
    (55, 8, 11),
    (56, 9, 11),
    (57, 8, 11),
    (58, 10, 10),
    (60, 8, 10),
    (61, 7, 12),
    (62, 7, 13),
    (63, 7, 13),
    (64, 7, 10),
    (65, 8, 11),
    (66, 8, 13),
    (81, 8, 13),
    (82, 7, 13),
    (84, 7, 10),
    (86, 7, 12),
    (90, 7, 13),
    (91, 8, 13),
    (92, 8, 12),
    (93, 9, 9),
    (94, 9, 9),
    (95, 7, 10),
    (98, 7, 10),
    (211, 9, 9),
    (212, 9, 9),
    (213, 8, 9),
    (216, 8, 8),
    (218, 9, 9),
    (220, 7, 9),
    (221, 7, 9),
    (222, 8, 8),
    (223, 8, 8),
    (224, 8, 9),
    (225, 10, 10),
    (226, 8, 8),
    (227, 8, 8),
    (228, 8, 8),
    (229, 8, 10),
    (230, 7, 10),
    (231, 7, 9),
    (232, 8, 8),
    (233, 8, 9),
    (234, 8, 12),
    (235, 8, 8),
    (236, 8, 8),
    (237, 8, 9),
    (238, 7, 7),
    (239, 7, 7),
    (240, 9, 9),
    (241, 7, 8),
    (242, 9, 9),
    (243, 7, 10),
    (244, 9, 9),
    (245, 7, 9),
    (246, 7, 7),
    (247, 5, 6),
    (248, 7, 7),
    (249, 9, 9),
    (250, 8, 9),
    (251, 9, 9),
    (252, 6, 9),
    (253, 8, 8),
    (254, 7, 10),
    (255, 9, 9),
    (256, 9, 9),
    (257, 8, 8),
    (258, 8, 9),
    (260, 9, 9),
    (261, 9, 9),
    (262, 9, 9),
    (263, 7, 10),
    (264, 8, 9),
    (265, 7, 9),
    (266, 8, 8),
    (267, 7, 10),
    (268, 8, 9),
    (269, 7, 7),
    (290, 4, 5),
    (291, 7, 7),
    (297, 7, 7),
    (298, 6, 6),
    (299, 6, 6),
    (350, 8, 8),
    (351, 9, 9),
    (352, 6, 11),
    (353, 7, 10),
    (354, 7, 9),
    (355, 6, 9),
    (356, 8, 8),
    (357, 8, 8),
    (358, 6, 12),
    (359, 6, 12),
    (370, 8, 8),
    (371, 8, 8),
    (372, 7, 10),
    (373, 8, 8),
    (374, 8, 8),
    (375, 6, 11),
    (376, 6, 9),
    (377, 8, 9),
    (378, 8, 10),
    (379, 9, 10),
    (380, 9, 10),
    (381, 6, 12),
    (382, 8, 9),
    (383, 8, 12),
    (385, 7, 9),
    (386, 6, 8),
    (387, 8, 9),
    (389, 8, 8),
    (420, 9, 12),
    (421, 6, 9),
    (423, 7, 9),
    (500, 5, 5),
    (501, 7, 11),
    (502, 8, 11),
    (503, 7, 11),
    (504, 8, 11),
    (505, 8, 8),
    (506, 8, 10),
    (507, 7, 11),
    (508, 6, 9),
    (509, 8, 8),
    (590, 9, 9),
    (591, 8, 9),
    (592, 7, 7),
    (593, 8, 11),
    (594, 9, 9),
    (595, 6, 11),
    (596, 9, 9),
    (597, 6, 7),
    (598, 6, 12),
    (599, 7, 8),
    (670, 7, 8),
    (672, 5, 6),
    (673, 7, 7),
    (674, 7, 7),
    (675, 7, 8),
    (676, 5, 7),
    (677, 5, 7),
    (678, 5, 7),
    (679, 7, 11),
    (680, 7, 7),
    (681, 6, 9),
    (682, 5, 5),
    (683, 4, 7),
    (685, 5, 10),
    (686, 5, 8),
    (687, 6, 6),
    (688, 5, 7),
    (689, 6, 9),
    (690, 4, 7),
    (691, 7, 7),
    (692, 7, 7),
    (800, 8, 8),
    (808, 8, 8),
    (850, 8, 10),
    (852, 6, 11),
    (853, 7, 8),
    (855, 8, 10),
    (856, 8, 10),
    (870, 9, 12),
    (878, 12, 12),
    (880, 6, 10),
    (881, 9, 10),
    (882, 7, 12),
    (883, 8, 12),
    (886, 7, 11),
    (888, 11, 11),
    (960, 7, 10),
    (961, 7, 8),
    (962, 8, 9),
    (963, 8, 9),
    (964, 8, 10),
    (965, 7, 8),
    (966, 9, 10),
    (967, 7, 9),
    (968, 7, 9),
    (970, 8, 10),
    (971, 6, 12),
    (972, 7, 12),
    (973, 8, 8),
    (974, 7, 11),
    (975, 7, 8),
    (976, 8, 10),
    (977, 8, 11),
    (979, 9, 9),
    (992, 9, 9),
    (993, 8, 8),
    (994, 9, 9),
    (995, 9, 9),
    (996, 9, 10),
    (998, 9, 9),
];

/// How the numbers of services begin that are shorter than those of subscribers, with the code, and
/// how many digits they have in all.
const SHORT: &[(&[u8], RangeInclusive<usize>)] = &[
    (b"1310", 8..=8),
    (b"3114", 7..=8),
    (b"358200", 8..=8),
    (b"38680", 8..=8),
    (b"38690", 8..=8),
    (b"4620", 8..=8),
    (b"470", 7..=7),
    (b"4864", 8..=8),
    (b"49164", 7..=8),
    (b"49168", 7..=8),
    (b"49169", 7..=8),
    (b"59821", 8..=8),
    (b"6113", 8..=8),
    (b"61163", 7..=8),
    (b"648", 7..=8),
    (b"852900", 8..=8),
    (b"971800", 8..=8),
    (b"9896", 7..=7),
];

/// E.164 allows 15 digits with the code.
const MAX_DIGITS: usize = 15;

/// Whether the digits are an assigned code and a national number of a length in use behind it.
pub(super) fn is_number(digits: &[u8]) -> bool {
    let is_long = (1..=3).any(|length| begins_with_code(digits, length));
    digits.len() <= MAX_DIGITS && (is_long || is_short(digits))
}

/// Whether the digits are an assigned code and nothing more.
pub(super) fn is_code(digits: &[u8]) -> bool {
    matches!(digits.len(), 1..=3) && assigned(digits).is_some()
}

/// The entry of a code of at most three digits.
fn assigned(code: &[u8]) -> Option<&'static (u32, usize, usize)> {
    let code = code
        .iter()
        .fold(0_u32, |code, digit| code * 10 + u32::from(digit - b'0'));
    let place = PLACES.get(code as usize).copied().unwrap_or(NOWHERE);
    CODES.get(usize::from(place))
}

fn is_short(digits: &[u8]) -> bool {
    SHORT
        .iter()
        .any(|(start, lengths)| lengths.contains(&digits.len()) && digits.starts_with(start))
}

fn begins_with_code(digits: &[u8], length: usize) -> bool {
    let Some((code, national)) = digits.split_at_checked(length) else {
        return false;
    };
    assigned(code).is_some_and(|(code, shortest, longest)| {
        (*shortest..=*longest).contains(&national.len())
            && (*code != 1 || is_north_american(national))
    })
}

/// Where each code stands in [`CODES`]: a list of groups asks for three codes at each of them.
static PLACES: [u8; 1000] = places();
const NOWHERE: u8 = u8::MAX;

const fn places() -> [u8; 1000] {
    assert!(CODES.len() <= NOWHERE as usize);
    let (mut places, mut place) = ([NOWHERE; 1000], 0);
    while (place as usize) < CODES.len() {
        places[CODES[place as usize].0 as usize] = place;
        place += 1;
    }
    places
}

/// Area codes and exchanges begin with two to nine: `+12345678901` may be a number, `+10000000000` not.
fn is_north_american(national: &[u8]) -> bool {
    matches!(national, [b'2'..=b'9', _, _, b'2'..=b'9', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_begins_another() {
        for (code, ..) in CODES {
            assert!(
                CODES
                    .iter()
                    .all(|(other, ..)| other / 10 != *code && other / 100 != *code)
            );
        }
    }

    #[test]
    fn what_is_short_has_an_assigned_code() {
        for (start, lengths) in SHORT {
            let text = String::from_utf8_lossy(start);
            let assigned = |(code, ..): &(u32, usize, usize)| text.starts_with(&code.to_string());
            assert!(CODES.iter().any(assigned), "{text}");
            assert!(*lengths.start() >= 7 && *lengths.end() < 9, "{text}");
        }
    }

    #[test]
    fn the_codes_ascend_and_their_lengths_fit_into_15_digits() {
        assert!(CODES.is_sorted());
        for (code, shortest, longest) in CODES {
            let digits = code.to_string().len();
            assert!(
                shortest <= longest && digits + longest <= MAX_DIGITS,
                "{code}"
            );
        }
    }
}
