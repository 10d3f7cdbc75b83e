//! What folds to what, over all characters where that can be said of a kind of them.

use icu_properties::{
    CodePointMapData, CodePointSetData,
    props::{DefaultIgnorableCodePoint, GeneralCategory},
};
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

use super::*;

fn folded(text: &str) -> String {
    fold(text).map_or_else(|| text.to_owned(), |layer| layer.text().to_owned())
}

fn decoded(text: &str) -> String {
    decode(text).map_or_else(|| text.to_owned(), |layer| layer.text().to_owned())
}

fn of_category(category: GeneralCategory) -> impl Iterator<Item = char> {
    let ranges = CodePointMapData::<GeneralCategory>::new().iter_ranges_for_value(category);
    ranges.flatten().filter_map(char::from_u32)
}

/// Whatever Unicode has given a meaning to.
fn assigned() -> impl Iterator<Item = char> {
    let ranges = CodePointMapData::<GeneralCategory>::new().iter_ranges();
    let ranges = ranges.filter(|range| {
        use GeneralCategory::{PrivateUse, Surrogate, Unassigned};
        !matches!(range.value, PrivateUse | Surrogate | Unassigned)
    });
    ranges
        .flat_map(|range| range.range)
        .filter_map(char::from_u32)
}

#[test]
fn what_looks_the_same_is_the_same() {
    for (text, expected) in [
        ("ａｌｉｃｅ＠ｅｘａｍｐｌｅ．ｃｏｍ", "alice@example.com"),
        ("𝐚𝒃𝓬＠𝔡𝕖.𝗳𝘨", "abc@de.fg"),
        ("a﹫b", "a@b"),
        ("１２３ 𝟘𝟙 ①② ²³ ₄₅", "123 01 12 23 45"),
        ("❶❾ ➀➈ ➊➒ ⓵⓽ ⓪⓿ 🄋🄌", "19 19 19 19 00 00"),
        ("⑴ ⒈ 🄂", "(1) 1. 1,"),
        ("1\u{fe0f}\u{20e3}2\u{336}", "12"),
        ("٤١١ ۴۱۱ ४११ ৪১১ ໔໑໑ ๔๑๑", "411 411 411 411 411 411"),
        (
            "a\u{200b}b\u{ad}c\u{2060}d\u{feff}e\u{200d}f\u{180e}g",
            "abcdefg",
        ),
        (
            "a\u{3164}b\u{115f}c\u{ffa0}d\u{e0041}e\u{fe0f}f\u{34f}g",
            "abcdefg",
        ),
        (
            "1\u{a0}2\u{202f}3\u{3000}4\u{2007}5\u{2800}6",
            "1 2 3 4 5 6",
        ),
        ("1‐2‑3‒4–5—6−7﹣8－9⁃0", "1-2-3-4-5-6-7-8-9-0"),
        ("０３ー１２３４ｰ5678", "03-1234-5678"),
        ("ラーメン", "ラーメン"),
        ("a。b｡c．d․e۔f", "a.b.c.d.e.f"),
        ("＋49 ⁺49 ➕49", "+49 +49 +49"),
        ("1⁄2 ∕", "1/2 /"),
        ("℡ ﬁ ㍿", "TEL fi 株式会社"),
        ("e\u{301} é ǆ Å", "e é dž Å"),
        ("ﷺ ㌖", "ﷺ ㌖"),
        ("müller@bücher.де", "müller@bücher.де"),
        ("👍🏽", "👍🏽"),
    ] {
        assert_eq!(folded(text), expected, "{text}");
    }
}

/// Unicode has them in tens from zero to nine, so that counting all of them gives the value of each.
#[test]
fn digits_of_every_script_are_ascii_digits() {
    let mut count = 0;
    for (index, c) in of_category(GeneralCategory::DecimalNumber).enumerate() {
        assert_eq!(folded(&c.to_string()), (index % 10).to_string(), "{c:?}");
        count += 1;
    }
    assert!(count >= 700, "{count}");
}

#[test]
fn characters_of_one_kind_fold_alike() {
    for (category, expected) in [
        (GeneralCategory::DashPunctuation, "-"),
        (GeneralCategory::SpaceSeparator, " "),
        (GeneralCategory::Format, ""),
        (GeneralCategory::NonspacingMark, ""),
        (GeneralCategory::EnclosingMark, ""),
    ] {
        for c in of_category(category) {
            assert_eq!(folded(&c.to_string()), expected, "{c:?}");
        }
    }
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    for c in ignorable.iter_ranges().flatten().filter_map(char::from_u32) {
        assert_eq!(folded(&c.to_string()), "", "{c:?}");
    }
}

#[test]
fn every_character_is_normalized_once_and_for_all() {
    for c in assigned() {
        let text = c.to_string();
        let once = folded(&text);
        assert_eq!(folded(&once), once, "{c:?}");
        if text.nfkd().count() <= 4 {
            let normalized: String = text.nfkc().collect();
            assert_eq!(folded(&normalized), once, "{c:?}");
        }
    }
}

#[test]
fn one_coat_of_encoding_comes_off() {
    for (text, expected) in [
        ("a%40b%2Ec%2ed", "a@b.c.d"),
        ("%2540", "%40"),
        ("%25%34%30", "%40"),
        ("%C3%BC %e2%80%8b|%F0%9F%98%80", "ü |😀"),
        ("%EF%BC%A0", "@"),
        ("%u0040%uD83D%uDE00", "@😀"),
        (
            "% %4 %4g %zz %C3 %C3%28 %ff %E2%80 %c0%80 100%",
            "% %4 %4g %zz %C3 %C3( %ff %E2%80 %c0%80 100%",
        ),
        ("a+b", "a+b"),
        ("&#64;&#064;&#x40;&#X0040;&#64 &#x40!", "@@@@@ @!"),
        ("&commat;&period;&plus;&lowbar;&num;", "@.+_#"),
        (
            "1&nbsp;2&ensp;3&thinsp;4&ndash;5&mdash;6&hyphen;7&dash;8",
            "1 2 3 4-5-6-7-8",
        ),
        ("a&shy;b&zwj;c&zwnj;d&ZeroWidthSpace;e&NoBreak;f", "abcdef"),
        ("&lpar;&rpar;&sol;&colon;&comma;&Tab;&NewLine;", "()/:,\t\n"),
        (
            "&amp;#64; &amp#64; &lt;a&gt &quot;&apos;",
            "&#64; &#64; <a> \"'",
        ),
        ("&#150;&#8211;", "--"),
        (
            "& && &; &# &#; &#x; &#xz; &unknown; &commat &#1114112; &#xD800; &#99999999999;",
            "& && &; &# &#; &#x; &#xz; &unknown; &commat &#1114112; &#xD800; &#99999999999;",
        ),
        (
            r"\u0040\x40\u{40}\u{0000}\U00000040\uD83D\uDE00",
            "@@@\0@😀",
        ),
        (r"\\u0040 \\\u0040 \\\\x40", r"\u0040 \@ \\x40"),
        (
            r"\ \u \u004 \u004g \x4 \xg0 \ud800 \u{} \u{40 \n C:\\users\x",
            r"\ \u \u004 \u004g \x4 \xg0 \ud800 \u{} \u{40 \n C:\\users\x",
        ),
        ("%26%2364%3B", "&#64;"),
        ("&#37;40", "%40"),
        (r"\u002540", "%40"),
    ] {
        assert_eq!(decoded(text), expected, "{text}");
    }
}

#[test]
fn every_name_is_that_of_a_character() {
    for (name, c) in [
        ("excl", '!'),
        ("percnt", '%'),
        ("vert", '|'),
        ("lsqb", '['),
        ("Hat", '^'),
    ] {
        assert_eq!(decoded(&format!("&{name};")), c.to_string());
    }
}

#[test]
fn nothing_is_copied_of_what_stays_as_it_is() {
    for text in [
        "",
        "plain",
        "müßig",
        "日本語の文",
        "100% & more \\ %zz &x;",
        "naïve 👍",
    ] {
        assert!(fold(text).is_none() && decode(text).is_none(), "{text}");
    }
}

#[test]
fn ranges_lead_back_to_all_that_they_came_from() {
    let source_of = |layer: &Layer, part: &str| {
        let start = layer.text().find(part).unwrap();
        let mut range = start..start + part.len();
        layer.to_source([&mut range].into_iter());
        range
    };
    let text = "é １\u{200b}２\u{200b} ⑶x";
    let layer = fold(text).unwrap();
    assert_eq!(layer.text(), "é 12 (3)x");
    for (part, source) in [
        ("é", "é"),
        ("é 1", "é １"),
        ("1", "１"),
        ("12", "１\u{200b}２"),
        ("2 ", "２\u{200b} "),
        ("3", "⑶"),
        ("3)", "⑶"),
        ("3)x", "⑶x"),
        (" (", " ⑶"),
    ] {
        assert_eq!(&text[source_of(&layer, part)], source, "{part}");
    }
    let text = "x%40&#x79; z";
    let layer = decode(text).unwrap();
    assert_eq!(layer.text(), "x@y z");
    for (part, source) in [
        ("x@", "x%40"),
        ("@", "%40"),
        ("y", "&#x79;"),
        ("y z", "&#x79; z"),
    ] {
        assert_eq!(&text[source_of(&layer, part)], source, "{part}");
    }
}

/// Text that is dense in what is folded and decoded.
fn dense() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        "[%&\\\\#;xu0-9a-f{}]{1,8}",
        "%[0-9a-fA-F]{2}",
        "&#x?[0-9]{1,4};?",
        "\\\\u[0-9a-f]{4}",
        "\\PC{1,3}",
        Just("\u{200b}".to_owned()),
        Just("ー".to_owned()),
        "[a-z@. ]{1,4}",
    ];
    proptest::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn folding_twice_folds_no_more(text in prop_oneof![dense(), any::<String>()]) {
        let once = folded(&text);
        prop_assert_eq!(folded(&once), once.clone());
        // What a long vowel's mark is depends on what stands before it.
        let once = decoded(&once.replace(PROLONGED_SOUNDS, ""));
        prop_assert_eq!(folded(&once), once);
    }

    #[test]
    fn every_part_leads_back_to_a_part_on_char_boundaries(text in dense()) {
        for layer in [fold(&text), decode(&text)].into_iter().flatten() {
            let mut parts: Vec<_> = layer
                .text()
                .char_indices()
                .map(|(start, c)| start..start + c.len_utf8())
                .collect();
            layer.to_source(parts.iter_mut());
            for part in &parts {
                prop_assert!(text.get(part.clone()).is_some_and(|part| !part.is_empty()));
            }
            prop_assert!(parts.is_sorted_by_key(|part| part.start));
        }
    }

    #[test]
    fn ascii_without_encoded_characters_is_one_layer(text in "[ -$'-\\[\\]-~]{0,80}") {
        prop_assert!(fold(&text).is_none() && decode(&text).is_none());
    }
}
