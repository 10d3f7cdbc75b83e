//! What is found in texts, and what is left alone.

use proptest::prelude::*;

use super::*;
use crate::builder::{BuildError, DetectorBuilder};

fn masked(text: &str) -> String {
    Detector::standard().mask(text).into_owned()
}

#[test]
fn addresses_are_found_wherever_they_stand() {
    for (text, expected) in [
        ("alice@example.com", "[email]"),
        ("from=<alice.b+tag@mail.example.co.uk>.", "from=<[email]>."),
        ("email=alice@example.com,next", "email=[email],next"),
        ("alice%40example.com", "[email]"),
        ("müller@bücher.de schrieb", "[email] schrieb"),
        ("a@xn--bcher-kva.xn--p1ai", "[email]"),
        ("smtp://bob@example.com:25", "smtp://[email]:25"),
        (
            r#"{"to":"a@b.io","cc":"c@d.io"}"#,
            r#"{"to":"[email]","cc":"[email]"}"#,
        ),
        (
            "550e8400-e29b-41d4-a716-446655440000@example.com",
            "[email]",
        ),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

/// Each beside one that differs in what makes it harmless.
#[test]
fn names_of_repositories_and_of_accounts_are_nobodys() {
    for text in [
        "git@github.com:example-org/example-repo.git",
        "ssh://git@git.example.org:2222/a/b",
        "GIT@host.example:a",
        "arn:aws:sqs:eu-central-1:043455440429:antoineco",
        "arn:aws-cn:iam::043455440429:role/a",
        "source=arn:aws:lambda:us-east-1:012345678901:function:f",
    ] {
        assert_eq!(masked(text), text);
    }
    for text in [
        "gita@github.com: example-org/example-repo.git",
        "legit@github.com",
        "tel:043455440429:x",
        "arn:aws:sqs:eu:0434 5544042/x",
    ] {
        assert_ne!(masked(text), text);
    }
}

#[test]
fn telephone_numbers_are_found_in_their_usual_forms() {
    for (text, expected) in [
        ("+4917012345678", "[phone]"),
        ("tel:+1 415 555 2671;", "tel:[phone];"),
        ("+49 (0)30 901820", "[phone]"),
        ("+44-20-7946-0958", "[phone]"),
        ("0049 170 1234567", "[phone]"),
        ("call 0170 1234567 now", "call [phone] now"),
        ("phone=01701234567", "phone=[phone]"),
        ("030/12345678", "[phone]"),
        ("(415) 555-2671", "[phone]"),
        ("415-555-2671", "[phone]"),
        ("415.555.2671", "[phone]"),
        ("01 23 45 67 89", "[phone]"),
    ] {
        assert_eq!(masked(text), expected, "{text}");
    }
}

/// Test numbers that the brands and their processors publish.
#[test]
fn payment_cards_are_found_by_brand_length_and_check_digit() {
    for card in [
        "4111111111111111",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "5555555555554444",
        "2223003122003222",
        "378282246310005",
        "3782 822463 10005",
        "30569309025904",
        "6011111111111117",
        "3530111333300000",
        "6200000000000005",
        "4222 2222 2222 2",
    ] {
        for text in [
            card.to_owned(),
            format!("user 42 {card} paid 3"),
            format!("card_{card}"),
        ] {
            assert!(!masked(&text).contains(card), "{text}");
            assert_eq!(
                Detector::standard().first_kind(&text),
                Some(Kind::PaymentCard),
                "{text}"
            );
        }
    }
}

#[test]
fn keys_are_found_by_prefix() {
    let detector = Detector::builder().secret_prefix("acme-").build().unwrap();
    let text = "Bearer pcl_live_0Zk3aB9xQ and acme-12345678; pcl_short stays";
    assert_eq!(
        detector.mask(text),
        "Bearer [api_key] and [api_key]; pcl_short stays"
    );
}

#[test]
fn what_is_no_personal_data_is_left_alone() {
    for text in [
        "550e8400-e29b-41d4-a716-446655440000",
        "lead-41111111-1111-4111-a716-446655440000",
        "12345678-1234-4123-8123-123456789012",
        "01234567-8901-4abc-8def-0123456789ab",
        "4bf92f3577b34da6a3ce929d0e0e4736",
        "a4111111111111111f",
        "00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "2024-05-01T12:34:56.123456789Z",
        "2024-05-01T12:34:56+10:00",
        "2024-05-01 12:34:56.123456+0200",
        "01-02-2024 12:34",
        "05.01.2024 10:11:12",
        "20240501T123456Z",
        "1714567890",
        "1714567890123",
        "1714567890.123456",
        "1714567890123456",
        "1714567890123456789",
        "3.0512345678s",
        "took 3.0512345678 s",
        "job-0123456789",
        "0.1234567890123",
        "0.000012345678",
        "elapsed 12.345678901ms",
        "127.0.0.1:8080",
        "192.168.100.200",
        "[2001:db8::8a2e:370:7334]:443",
        "port=65535 took=1500000ns count=12345678",
        "v1.2.3-beta.4 build 20240501",
        "4111111111111112",
        "1234567890123456",
        "order 4155552671",
        "100 200 3000",
        "000000000042",
        "user@host",
        "@tokio::main #[test]",
        "50% off 4 + 5 = 9 (2)",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "ratio 100%40",
        "",
    ] {
        assert_eq!(masked(text), text);
        assert_eq!(Detector::standard().first_kind(text), None, "{text}");
    }
}

/// Read as far as it reaches for each of its 61,680 numbers, it would take minutes.
#[test]
fn a_word_of_many_card_numbers_is_read_once() {
    let word = "4111111111111111a".repeat((1 << 20) / 17);
    assert_eq!(Detector::standard().first_kind(&word), None);
}

#[test]
fn of_a_word_around_a_card_number_64_bytes_to_each_side_decide() {
    let fill = |length| "a".repeat(length);
    for (text, found) in [
        (format!("z{}4111111111111111", fill(63)), true),
        (format!("z{}4111111111111111", fill(64)), false),
        (format!("4111111111111111{}z", fill(63)), true),
        (format!("4111111111111111{}z", fill(64)), false),
        (fill(56) + "4111111111111111" + &fill(56), false),
    ] {
        assert_eq!(
            Detector::standard().first_kind(&text).is_some(),
            found,
            "{text}"
        );
    }
}

#[test]
fn an_empty_prefix_is_refused() {
    let built = Detector::builder().secret_prefix("").build();
    assert_eq!(built.map(|_| ()), Err(BuildError::EmptyPrefix));
}

const ONE_OF_EACH: &str = "a@b.io +4917012345678 4111111111111111 529.982.247-25 \
                           DE89370400440532013000 pcl_live_12345678 192.0.2.1";

#[test]
fn findings_come_from_left_to_right_with_their_ranges() {
    let detector = Detector::standard();
    let found: Vec<_> = detector
        .find(ONE_OF_EACH)
        .map(|finding| (finding.kind, &ONE_OF_EACH[finding.range]))
        .collect();
    assert_eq!(
        found,
        [
            (Kind::Email, "a@b.io"),
            (Kind::Phone, "+4917012345678"),
            (Kind::PaymentCard, "4111111111111111"),
            (Kind::NationalId, "529.982.247-25"),
            (Kind::BankAccount, "DE89370400440532013000"),
            (Kind::ApiKey, "pcl_live_12345678"),
        ]
    );
}

#[test]
fn only_the_chosen_kinds_are_found() {
    let kinds = |builder: DetectorBuilder| {
        let detector = builder.build().unwrap();
        let found = detector.find(ONE_OF_EACH).map(|finding| finding.kind);
        found.collect::<Vec<_>>()
    };
    for &kind in Kind::ALL {
        assert_eq!(kinds(Detector::builder().kinds([kind])), [kind]);
        let others = kinds(Detector::builder().disable(kind));
        let standard = Kind::ALL.iter().filter(|other| other.is_standard());
        let others_expected: Vec<_> = standard.copied().filter(|other| *other != kind).collect();
        assert_eq!(others, others_expected);
        let both = Detector::builder().kinds([Kind::Email]).enable(kind);
        assert!(kinds(both).contains(&kind));
    }
    assert_eq!(kinds(Detector::builder().kinds([])), []);
}

#[test]
fn text_of_a_disabled_kind_is_open_to_the_others() {
    let text = "+4917012345678@example.com";
    let without_phones = Detector::builder().disable(Kind::Phone).build().unwrap();
    assert_eq!(Detector::standard().first_kind(text), Some(Kind::Phone));
    assert_eq!(without_phones.mask(text), "[email]");
}

#[test]
fn what_starts_before_a_cut_is_seen_within_the_look_ahead() {
    let prefix = "k".repeat(400) + "-";
    let detector = Detector::builder().secret_prefix(&prefix).build().unwrap();
    // The `%`, and each of the two digits, in percent-encoding again: nine bytes for each.
    let encode =
        |text: &str| -> String { text.bytes().map(|byte| format!("%{byte:02x}")).collect() };
    let encoded = encode(&format!("{prefix}12345678"));
    let encoded = encode(&encoded);
    let text = format!("x {encoded}{}", " ".repeat(detector.look_ahead_bytes()));
    let seen = &text[..2 + detector.look_ahead_bytes()];
    assert_eq!(detector.find(seen).next().unwrap().range.start, 2);
    assert_eq!(detector.look_ahead_bytes(), 409 * 12);
    assert_eq!(Detector::standard().look_ahead_bytes(), 320 * 12);
}

/// Text that is dense in the characters that patterns start with, digits, and multi-byte letters.
fn dense() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        "[0-9]{1,20}",
        "[a-zé@%+().,_ -]{1,6}",
        Just("%40".to_owned()),
        Just("pcl_".to_owned()),
        Just("ü@ß.дe".to_owned()),
        Just("\u{200b}".to_owned()),
        "\\PC{1,3}",
    ];
    proptest::collection::vec(pieces, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn findings_stand_on_char_boundaries_in_order_and_apart(
        text in prop_oneof![dense(), any::<String>()],
    ) {
        let detector = Detector::standard();
        let mut end = 0;
        for finding in detector.find(&text) {
            let Finding { range, .. } = finding;
            prop_assert!(end <= range.start && range.start < range.end && range.end <= text.len());
            prop_assert!(text.is_char_boundary(range.start) && text.is_char_boundary(range.end));
            end = range.end;
        }
    }

    #[test]
    fn no_text_and_no_choice_of_kinds_makes_it_panic(
        text in prop_oneof![dense(), any::<String>()],
        kinds in proptest::sample::subsequence(Kind::ALL, 0..=Kind::ALL.len()),
        prefix in "\\PC{1,4}",
    ) {
        let builder = Detector::builder().kinds(kinds.iter().copied()).secret_prefix(prefix);
        let detector = builder.build().unwrap();
        prop_assert!(detector.find(&text).all(|finding| kinds.contains(&finding.kind)));
        let _ = detector.mask(&text);
    }

    #[test]
    fn masking_twice_masks_no_more(text in prop_oneof![dense(), ".{0,80}"]) {
        let detector = Detector::standard();
        let once = detector.mask(&text);
        prop_assert!(matches!(detector.mask(&once), Cow::Borrowed(_)), "{once}");
    }

    #[test]
    fn find_and_mask_agree(text in "[ a-z0-9@.+()%_-]{0,60}") {
        let detector = Detector::standard();
        prop_assert_eq!(detector.first_kind(&text).is_some(), detector.mask(&text) != text);
    }

    #[test]
    fn every_address_is_found_in_any_prose(
        before in "([a-z]{1,8} ){0,4}",
        local in "[a-z][a-z0-9.]{0,10}[a-z0-9]",
        domain in "[a-z]{1,10}\\.(com|de|co\\.uk)",
        after in "( [a-z]{1,8}){0,4}",
    ) {
        // The logins of programs, `hg@example.com`, are no addresses.
        prop_assume!(!["hg", "git", "svn", "gitlab", "gitea", "forgejo"].contains(&local.as_str()));
        let text = format!("{before}{local}@{domain}{after}");
        prop_assert_eq!(masked(&text), format!("{before}[email]{after}"));
    }

    #[test]
    fn random_ids_and_numbers_survive(
        id in prop_oneof!["[0-9a-f]{32}", "[0-9]{32}"],
        // Of eleven digits, one in a hundred has the check digits of a CPF.
        number in prop_oneof![0_u64..10_000_000_000, 100_000_000_000_u64..1_000_000_000_000],
    ) {
        let hex = id;
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        let uuid = parts.join("-");
        for text in [uuid, hex.clone(), format!("took {number} ns"), format!("[{number}, {number}]")] {
            prop_assert_eq!(masked(&text), text);
        }
    }
}
