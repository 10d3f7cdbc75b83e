//! An address, a telephone number and a card, written in every other way: found as they are when
//! they are written plainly, and masked with all that stands for them.

use std::ops::Range;

use proptest::prelude::*;

use super::*;
use crate::{finding::Confidence, kind::Kind};

const PLAIN: [(&str, Kind); 4] = [
    ("x.y@example.com", Kind::Email),
    ("+4917012345678", Kind::Phone),
    ("4111111111111111", Kind::PaymentCard),
    ("4111 1111 1111 1111", Kind::PaymentCard),
];

fn assert_found_whole(text: &str, kind: Kind) {
    let detector = Detector::standard();
    for (before, after) in [("", ""), ("at ", " then"), ("ё: ", " ё"), ("\"", "\"")] {
        let masked = detector
            .mask(&format!("{before}{text}{after}"))
            .into_owned();
        let expected = format!("{before}{}{after}", kind.placeholder());
        assert_eq!(masked, expected, "{text}");
        assert_eq!(detector.mask(&masked), masked, "{text}");
    }
}

/// Each byte in UTF-8, or only what is no letter or digit.
fn percent(text: &str, all: bool, upper: bool) -> String {
    let encode = |byte: u8| match byte {
        _ if !all && byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ if upper => format!("%{byte:02X}"),
        _ => format!("%{byte:02x}"),
    };
    text.bytes().map(encode).collect()
}

fn each(text: &str, encode: impl Fn(u32) -> String) -> String {
    text.chars().map(|c| encode(u32::from(c))).collect()
}

fn specials(text: &str, encode: impl Fn(u32) -> String) -> String {
    let encode = |c: char| match c {
        _ if c.is_ascii_alphanumeric() => c.to_string(),
        _ => encode(u32::from(c)),
    };
    text.chars().map(encode).collect()
}

fn entities(text: &str) -> [String; 6] {
    [
        each(text, |c| format!("&#{c};")),
        each(text, |c| format!("&#x{c:x};")),
        each(text, |c| format!("&#X{c:04X};")),
        each(text, |c| format!("&#{c}")),
        specials(text, |c| format!("&#{c};")),
        text.replace('@', "&commat;")
            .replace('.', "&period;")
            .replace('+', "&plus;")
            .replace(' ', "&nbsp;"),
    ]
}

/// What this test knows to write in another way.
fn written_otherwise(text: &str) -> Vec<String> {
    let mut forms = Vec::new();
    for upper in [false, true] {
        for all in [false, true] {
            let once = percent(text, all, upper);
            forms.push(once.replace('%', "%25"));
            forms.push(percent(&once, true, upper));
            forms.push(once);
        }
    }
    for entity in entities(text) {
        forms.push(entity.replace('&', "&amp;"));
        forms.push(entity.replace('&', "&#38;"));
        forms.push(percent(&entity, false, true));
        forms.push(entity);
    }
    let escaped = each(text, |c| format!("\\u{c:04x}"));
    forms.push(escaped.replace('\\', "\\\\"));
    forms.push(percent(&escaped, false, false));
    forms.push(escaped);
    forms.push(specials(text, |c| format!("\\u{c:04X}")));
    forms.push(each(text, |c| format!("\\x{c:02x}")));
    forms.push(each(text, |c| format!("\\u{{{c:x}}}")));
    let full_width = |c: char| match c {
        '!'..='~' => char::from_u32(u32::from(c) + 0xfee0).unwrap(),
        ' ' => '\u{3000}',
        _ => c,
    };
    let wide: String = text.chars().map(full_width).collect();
    forms.push(percent(&wide, true, true));
    forms.push(wide);
    forms
}

#[test]
fn every_encoded_form_is_found_whole() {
    for (plain, kind) in PLAIN {
        for form in written_otherwise(plain) {
            assert_found_whole(&form, kind);
        }
    }
    assert_found_whole("x%40example%2Ecom", Kind::Email);
    assert_found_whole("x@example。com", Kind::Email);
}

#[test]
fn digits_of_other_scripts_are_found() {
    // The zeros of some scripts, and of mathematics.
    for zero in "٠۰߀०০੦૦୦௦౦೦൦෦๐໐༠၀០᠐꘠𑁦𞥐𝟎𝟘".chars()
    {
        for (plain, kind) in &PLAIN[1..] {
            let digit = |c: char| match c.to_digit(10) {
                Some(value) => char::from_u32(u32::from(zero) + value).unwrap(),
                None => c,
            };
            let text: String = plain.chars().map(digit).collect();
            assert_found_whole(&text, *kind);
        }
    }
}

#[test]
fn what_cannot_be_seen_separates_nothing() {
    for invisible in [
        "\u{200b}",
        "\u{200c}",
        "\u{200d}",
        "\u{2060}",
        "\u{feff}",
        "\u{ad}",
        "\u{200e}",
        "\u{202e}",
        "\u{2063}",
        "\u{fe0f}",
        "\u{e0061}",
        "\u{3164}",
        "\u{301}",
        "\u{20e3}",
        "\u{200b}\u{301}",
        "&shy;",
        "&zwj;",
        "&#8203;",
        "%E2%80%8B",
        "\\u200b",
        "%25E2%2580%258B",
        "&amp;zwnj;",
    ] {
        for (plain, kind) in PLAIN {
            for (at, _) in plain.char_indices().skip(1) {
                let text = format!("{}{invisible}{}", &plain[..at], &plain[at..]);
                assert_found_whole(&text, kind);
            }
            let everywhere: Vec<_> = plain.chars().map(String::from).collect();
            assert_found_whole(&everywhere.join(invisible), kind);
        }
    }
}

#[test]
fn any_space_and_any_dash_separates_groups() {
    for separator in [
        "\u{a0}",
        "\u{2007}",
        "\u{202f}",
        "\u{3000}",
        "\u{2009}",
        "‐",
        "‑",
        "‒",
        "–",
        "—",
        "−",
        "－",
        "&nbsp;",
        "&ndash;",
        "&#8209;",
        "%20",
        "%C2%A0",
        "%2D",
        "\\u2011",
        "&amp;nbsp;",
    ] {
        for (groups, kind) in [
            (["+49", "170", "123", "4567"], Kind::Phone),
            (["4111", "1111", "1111", "1111"], Kind::PaymentCard),
        ] {
            assert_found_whole(&groups.join(separator), kind);
        }
    }
}

/// The third coat stays on: the work is bounded.
#[test]
fn encoded_three_times_is_not_found() {
    let once = percent("x@example.com", true, true);
    let thrice = percent(&percent(&once, true, true), true, true);
    assert_eq!(Detector::standard().first_kind(&thrice), None);
}

#[test]
fn a_longest_address_in_any_usual_form_fits_into_the_look_ahead() {
    let label = "d".repeat(61);
    let address = format!("{}@{label}.{label}.{label}.{label}.com", "l".repeat(64));
    let look_ahead = Detector::standard().look_ahead_bytes();
    for form in [
        percent(&address, true, true),
        percent(&percent(&address, true, true), true, false).replace("%25", "%"),
        percent(&address, true, true).replace('%', "%25"),
        percent(&percent(&address, true, true), true, true),
        each(&address, |c| format!("&#x{c:x};")),
        each(&address, |c| format!("&amp;#{c};")),
        each(&address, |c| format!("%26%23{c}%3B")),
        each(&address, |c| format!("\\\\u{c:04x}")),
    ] {
        assert!(form.len() <= look_ahead, "{} bytes", form.len());
    }
}

fn finding(kind: Kind, range: Range<usize>, confidence: Confidence) -> Finding {
    Finding {
        kind,
        range,
        rule: "",
        confidence,
    }
}

#[test]
fn what_overlaps_becomes_one_of_the_surest_kind() {
    use Confidence::{High, Low, Medium};
    use Kind::{ApiKey, Email, Phone};
    for (findings, expected) in [
        (vec![], vec![]),
        // Beside each other, in any order.
        (
            vec![(Phone, 5..9, High), (Email, 0..5, Low)],
            vec![(Email, 0..5, Low), (Phone, 5..9, High)],
        ),
        (
            vec![(Phone, 0..4, Medium), (Email, 2..9, High)],
            vec![(Email, 0..9, High)],
        ),
        // Of equally sure ones the leftmost, of those the first layer's.
        (
            vec![(Phone, 2..9, High), (Email, 0..4, High)],
            vec![(Email, 0..9, High)],
        ),
        (
            vec![(Phone, 0..4, High), (Email, 0..9, High)],
            vec![(Phone, 0..9, High)],
        ),
        // One within another, and a chain.
        (
            vec![(Phone, 0..9, Low), (Email, 2..3, Medium)],
            vec![(Email, 0..9, Medium)],
        ),
        (
            vec![
                (Phone, 0..4, Low),
                (Email, 3..7, High),
                (ApiKey, 6..9, Medium),
            ],
            vec![(Email, 0..9, High)],
        ),
    ] {
        let all = |list: Vec<(Kind, Range<usize>, Confidence)>| -> Vec<_> {
            let list = list.into_iter();
            list.map(|(kind, range, confidence)| finding(kind, range, confidence))
                .collect()
        };
        assert_eq!(merge(all(findings.clone())), all(expected), "{findings:?}");
    }
}

#[test]
fn clean_ascii_is_looked_at_once_and_nothing_is_allocated_for_it() {
    for text in [
        "",
        "a plain line",
        "50% off & more \\ ",
        "alice@example.com",
    ] {
        assert!(find(&Detector::standard(), "", text).is_none(), "{text}");
        assert_eq!(layers_of(text).capacity(), 0, "{text}");
    }
}

proptest! {
    #[test]
    fn findings_stand_on_char_boundaries_in_order_and_apart(
        pieces in proptest::collection::vec(
            prop_oneof![
                "[%&\\\\#;xu0-9a-f]{1,8}",
                "\\PC{0,6}",
                "[a-z@. ]{1,4}",
                Just("a@b.io".to_owned()),
                Just("a%40b%2eio".to_owned()),
                Just("+49 170\u{a0}1234567".to_owned()),
                Just("411１1111111１1111".to_owned()),
                Just("pcl_live\u{ad}_12345678".to_owned()),
            ],
            0..6,
        ),
    ) {
        let text = pieces.concat();
        let mut end = 0;
        for Finding { range, .. } in Detector::standard().find(&text) {
            prop_assert!(end <= range.start);
            prop_assert!(text.get(range.clone()).is_some_and(|part| !part.is_empty()));
            end = range.end;
        }
    }

    /// Whatever is found in a text is found when the text is encoded.
    #[test]
    fn an_encoded_text_holds_the_same_kinds(
        text in "([a-z]{1,6} |[a-z]{1,3}@[a-z]{2,5}\\.com |\\+49170[0-9]{7} |4111 1111 1111 1111 ){0,5}",
        upper in any::<bool>(),
    ) {
        let detector = Detector::standard();
        let kinds = |text: &str| detector.find(text).map(|finding| finding.kind).collect::<Vec<_>>();
        let plain = kinds(&text);
        prop_assert_eq!(&kinds(&percent(&text, true, upper)), &plain);
        prop_assert_eq!(&kinds(&each(&text, |c| format!("&#{c};"))), &plain);
        prop_assert_eq!(&kinds(&each(&text, |c| format!("\\u{c:04x}"))), &plain);
    }
}
