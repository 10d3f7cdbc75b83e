//! Country calling codes (ITU-T E.164, annex to the Operational Bulletin), and how many digits a
//! national number behind each has: from the shortest that a subscriber is given to the longest.

const CODES: &[(u32, usize, usize)] = &[
    (1, 10, 10),
    (7, 10, 10),
    (20, 8, 10),
    (27, 9, 10),
    (30, 10, 11),
    (31, 9, 10),
    (32, 8, 9),
    (33, 9, 9),
    (34, 9, 9),
    (36, 8, 9),
    (39, 6, 11),
    (40, 9, 9),
    (41, 9, 12),
    (43, 6, 13),
    (44, 9, 10),
    (45, 8, 8),
    (46, 7, 10),
    (47, 8, 8),
    (48, 9, 9),
    (49, 7, 12),
    (51, 8, 9),
    (52, 10, 10),
    (53, 8, 8),
    (54, 10, 11),
    (55, 10, 11),
    (56, 9, 10),
    (57, 10, 10),
    (58, 10, 10),
    (60, 8, 10),
    (61, 9, 10),
    (62, 8, 12),
    (63, 9, 10),
    (64, 8, 10),
    (65, 8, 8),
    (66, 8, 9),
    (81, 9, 10),
    (82, 8, 10),
    (84, 9, 10),
    (86, 9, 11),
    (90, 10, 10),
    (91, 10, 10),
    (92, 9, 10),
    (93, 9, 9),
    (94, 9, 9),
    (95, 7, 10),
    (98, 10, 10),
    (211, 9, 9),
    (212, 9, 9),
    (213, 8, 9),
    (216, 8, 8),
    (218, 9, 9),
    (220, 7, 7),
    (221, 9, 9),
    (222, 8, 8),
    (223, 8, 8),
    (224, 8, 9),
    (225, 10, 10),
    (226, 8, 8),
    (227, 8, 8),
    (228, 8, 8),
    (229, 8, 10),
    (230, 7, 8),
    (231, 7, 9),
    (232, 8, 8),
    (233, 9, 9),
    (234, 8, 10),
    (235, 8, 8),
    (236, 8, 8),
    (237, 9, 9),
    (238, 7, 7),
    (239, 7, 7),
    (240, 9, 9),
    (241, 7, 8),
    (242, 9, 9),
    (243, 7, 9),
    (244, 9, 9),
    (245, 9, 9),
    (246, 7, 7),
    (247, 5, 6),
    (248, 7, 7),
    (249, 9, 9),
    (250, 9, 9),
    (251, 9, 9),
    (252, 7, 9),
    (253, 8, 8),
    (254, 9, 9),
    (255, 9, 9),
    (256, 9, 9),
    (257, 8, 8),
    (258, 8, 9),
    (260, 9, 9),
    (261, 9, 9),
    (262, 9, 9),
    (263, 8, 10),
    (264, 8, 9),
    (265, 7, 9),
    (266, 8, 8),
    (267, 7, 8),
    (268, 8, 8),
    (269, 7, 7),
    (290, 4, 5),
    (291, 7, 7),
    (297, 7, 7),
    (298, 6, 6),
    (299, 6, 6),
    (350, 8, 8),
    (351, 9, 9),
    (352, 6, 11),
    (353, 7, 9),
    (354, 7, 9),
    (355, 8, 9),
    (356, 8, 8),
    (357, 8, 8),
    (358, 6, 11),
    (359, 7, 9),
    (370, 8, 8),
    (371, 8, 8),
    (372, 7, 8),
    (373, 8, 8),
    (374, 8, 8),
    (375, 9, 9),
    (376, 6, 9),
    (377, 8, 9),
    (378, 8, 10),
    (379, 9, 10),
    (380, 9, 9),
    (381, 8, 9),
    (382, 8, 9),
    (383, 8, 9),
    (385, 8, 9),
    (386, 8, 8),
    (387, 8, 9),
    (389, 8, 8),
    (420, 9, 9),
    (421, 9, 9),
    (423, 7, 9),
    (500, 5, 5),
    (501, 7, 7),
    (502, 8, 8),
    (503, 8, 8),
    (504, 8, 8),
    (505, 8, 8),
    (506, 8, 8),
    (507, 7, 8),
    (508, 6, 9),
    (509, 8, 8),
    (590, 9, 9),
    (591, 8, 8),
    (592, 7, 7),
    (593, 8, 9),
    (594, 9, 9),
    (595, 8, 9),
    (596, 9, 9),
    (597, 6, 7),
    (598, 8, 8),
    (599, 7, 8),
    (670, 7, 8),
    (672, 5, 6),
    (673, 7, 7),
    (674, 7, 7),
    (675, 7, 8),
    (676, 5, 7),
    (677, 5, 7),
    (678, 5, 7),
    (679, 7, 7),
    (680, 7, 7),
    (681, 6, 6),
    (682, 5, 5),
    (683, 4, 7),
    (685, 5, 7),
    (686, 5, 8),
    (687, 6, 6),
    (688, 5, 7),
    (689, 6, 8),
    (690, 4, 7),
    (691, 7, 7),
    (692, 7, 7),
    (800, 8, 8),
    (808, 8, 8),
    (850, 8, 10),
    (852, 8, 8),
    (853, 8, 8),
    (855, 8, 9),
    (856, 8, 10),
    (870, 9, 9),
    (878, 12, 12),
    (880, 8, 10),
    (881, 9, 9),
    (882, 7, 12),
    (883, 9, 12),
    (886, 8, 9),
    (888, 11, 11),
    (960, 7, 7),
    (961, 7, 8),
    (962, 8, 9),
    (963, 8, 9),
    (964, 8, 10),
    (965, 8, 8),
    (966, 9, 9),
    (967, 7, 9),
    (968, 8, 8),
    (970, 8, 9),
    (971, 8, 9),
    (972, 8, 9),
    (973, 8, 8),
    (974, 8, 8),
    (975, 7, 8),
    (976, 8, 8),
    (977, 8, 10),
    (979, 9, 9),
    (992, 9, 9),
    (993, 8, 8),
    (994, 9, 9),
    (995, 9, 9),
    (996, 9, 9),
    (998, 9, 9),
];

/// E.164 allows 15 digits with the code.
const MAX_DIGITS: usize = 15;

/// Whether the digits are an assigned code and a national number of a length in use behind it.
pub(super) fn is_number(digits: &[u8]) -> bool {
    digits.len() <= MAX_DIGITS && (1..=3).any(|length| begins_with_code(digits, length))
}

fn begins_with_code(digits: &[u8], length: usize) -> bool {
    let Some((code, national)) = digits.split_at_checked(length) else {
        return false;
    };
    let code = code
        .iter()
        .fold(0_u32, |code, digit| code * 10 + u32::from(digit - b'0'));
    let place = PLACES.get(code as usize).copied().unwrap_or(NOWHERE);
    let assigned = CODES.get(usize::from(place));
    assigned.is_some_and(|(code, shortest, longest)| {
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
