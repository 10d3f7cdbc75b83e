//! Findings beside, within and around each other, and what masking leaves of them.

use proptest::prelude::*;

use super::*;
use crate::finding::Confidence;

fn everything() -> Detector {
    let builder = Detector::builder().kinds(Kind::ALL.iter().copied());
    builder.min_confidence(Confidence::Low).build().unwrap()
}

/// What masking makes of the value of a field.
fn masked(detector: &Detector, name: &str, text: &str) -> String {
    let mut masked = text.to_owned();
    let findings: Vec<_> = detector.find_named(name, text).collect();
    for finding in findings.into_iter().rev() {
        masked.replace_range(finding.range, finding.kind.placeholder());
    }
    masked
}

#[test]
fn an_address_around_other_findings_is_one_with_them() {
    for (text, expected) in [
        // Within the quotes, once, twice, and to both sides.
        (r#""jan4111 1111 1111 1111e doe"@example.co"#, "[email]"),
        (
            r#"to "a +4917012345678 b +4917012345679"@example.co."#,
            "to [email].",
        ),
        (
            r#"{"to":"\"jan 4111 1111 1111 1111\"@example.co"}"#,
            r#"{"to":"[email]"}"#,
        ),
        (r#""a@b.io x"@example.co"#, "[email]"),
        // Within what is no quoted part.
        ("jan.pcl_live_12345678@example.co", "[email]"),
        ("4111111111111111.jan@example.co", "[email]"),
        // Of which nothing is left.
        ("+4917012345678@example.co", "[phone]@example.co"),
        (
            "https://u:s3cret@example.co",
            "https://[api_key]@example.co",
        ),
        ("+4917012345678.a@b.io@example.co", "[phone]@example.co"),
        // Beside it.
        (
            r#""x" 4111 1111 1111 1111 "y"@example.co"#,
            r#""x" [payment_card] [email]"#,
        ),
        (r#"+4917012345678 "doe"@example.co"#, "[phone] [email]"),
        ("+4917012345678@tokio::main", "[phone]@tokio::main"),
    ] {
        assert_eq!(Detector::standard().mask(text), expected, "{text}");
    }
}

/// Each is found only when its neighbour no longer stands beside it.
#[test]
fn what_a_finding_hid_is_found_too() {
    for (text, expected) in [
        // A token that was too long.
        (
            "AKIAIOSFODNN7EXAMPLE4111111111111111",
            "[api_key][payment_card]",
        ),
        // One behind another within a word.
        (
            "4111111111111111GB82WEST12345698765432",
            "[payment_card][bank_account]",
        ),
    ] {
        assert_eq!(masked(&everything(), "", text), expected, "{text}");
    }
}

#[test]
fn a_placeholder_parts_a_text() {
    let detector = Detector::standard();
    for text in [
        r#""jan [payment_card] doe"@example.co"#,
        r#""jan[email]doe"@example.co"#,
        "[[email]]@example.co",
        "4111 1111[phone]1111 1111",
        "://user:[api_key]@host.example",
    ] {
        assert_eq!(detector.mask(text), text);
    }
    for (text, expected) in [
        (
            "4111111111111111[email]a@b.io",
            "[payment_card][email][email]",
        ),
        ("[email]a@b.io[phone]", "[email][email][phone]"),
        ("[nothing]a@b.io[", "[nothing][email]["),
        ("\"[x]\"@example.co [email]", "[email] [email]"),
    ] {
        assert_eq!(detector.mask(text), expected);
    }
}

#[test]
fn only_what_is_a_placeholder_parts_a_text() {
    for text in [
        "",
        "a [b] c",
        "[",
        "[emai",
        "x ] [phone",
        "[Email]",
        "[emails]",
    ] {
        assert_eq!(placeholder_behind(text, 0), None, "{text}");
    }
    for kind in Kind::ALL {
        let placeholder = kind.placeholder();
        let (text, range) = (format!("[x[{placeholder}]"), 3..3 + placeholder.len());
        assert_eq!(placeholder_behind(&text, 0), Some(range.clone()));
        assert_eq!(placeholder_behind(&text, range.start), Some(range.clone()));
        assert_eq!(placeholder_behind(&text, range.start + 1), None);
    }
}

/// The account is found only when the card does not stand before it any more.
#[test]
fn in_the_last_round_a_piece_is_found_as_a_whole() {
    let detector = Detector::standard();
    let text = "4111111111111111GB82WEST12345698765432, x";
    for (round, expected) in [(0, 16..38), (MOST_ROUNDS - 1, 16..text.len())] {
        let mut piece = Layered::new(&detector, "", text);
        let card = piece.next().map(|found| found.range);
        assert_eq!(card, Some(0..16));
        assert_eq!(piece.next(), None);
        let found = in_gap(&piece, 16, None, round).into_iter();
        let found: Vec<_> = found.map(|finding| finding.range).collect();
        assert_eq!(found, [expected]);
    }
}

/// What is found stands beside, within and around each other, and the words, quotes and separators that
/// decide what a number is stand between.
fn entangled() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        8 => prop::sample::select(vec![
            "4111 1111 1111 1111", "4111111111111111", "+4917012345678", "415-555-2671", "4155552671",
            "01 23 45 67 89", "0391 0473", "529.982.247-25", "52998224725", "536-90-4399",
            "DE89370400440532013000", "DE89 3704 0044 0532 0130 00", "pcl_live_12345678",
            "ghp_0123456789abcdefghijABCDEFGHIJabcdef", "AKIAIOSFODNN7EXAMPLE", "eyJhbGciOi.eyJzdWIiOjF9",
            "Bearer 0123456789abcdefghij", "https://u:pass@h", "a@b.io", "jan.doe@example.com", "192.0.2.1",
            "2001:db8::1", "::", "-----BEGIN PRIVATE KEY-----", "550e8400-e29b-41d4-a716-446655440000",
            "12ABC34501DE35", "user@[192.0.2.1]", "[email]", "[phone]", "[", "]", "%40", "&#64;", "\\u0040",
            "%2B49", "１２３", "\u{200b}", "ü",
        ]).prop_map(str::to_owned),
        4 => prop::sample::select(vec![
            " ", "\"", "\"@", "@", "\\\"", "-", ".", "/", "+", "(", ")", ":", ",", "tel ", "card ", "order ",
            "ext 12", " (mobile) ", "a", "f", "0", "%", "\n", "_", "=", "&", " ns",
        ]).prop_map(str::to_owned),
        1 => "[0-9]{1,8}",
        1 => "[a-f0-9@\"%&;. -]{1,6}",
    ];
    prop::collection::vec(pieces, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn in_what_is_masked_nothing_is_found(
        name in prop::sample::select(vec!["", "phone", "card", "iban", "cpf", "sku", "created_at"]),
        text in entangled(),
    ) {
        for detector in [everything(), Detector::standard()] {
            let masked = masked(&detector, name, &text);
            let found: Vec<_> = detector.find_named(name, &masked).collect();
            prop_assert!(found.is_empty(), "{masked}: {found:?}");
        }
    }

    #[test]
    fn findings_are_whole_and_apart_and_read_alike_from_any_start(text in entangled()) {
        let detector = everything();
        let mut end = 0;
        for finding in detector.find(&text) {
            prop_assert!(end <= finding.range.start);
            prop_assert!(text.get(finding.range.clone()).is_some_and(|part| !part.is_empty()));
            end = finding.range.end;
        }
        let first = detector.find(&text).next().map(|finding| finding.kind);
        prop_assert_eq!(detector.first_kind(&text), first);
    }
}
