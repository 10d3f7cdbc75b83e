//! What is parsed, refused, normalised and masked.

mod kinds;
#[cfg(feature = "phone")]
mod phone;

use proptest::prelude::*;

use super::*;
use crate::Indexed;

fn parse<T: PiiType>(text: &str) -> Result<String, ParseError> {
    Pii::<T>::parse(text).map(|value| value.expose().text().to_owned())
}

fn invalid<T: PiiType>() -> ParseError {
    let expected = T::EXPECTED;
    ParseError::Invalid { expected }
}

fn normal<T: Indexed>(text: &str) -> String {
    T::parse(text).expect("a value").normalised().to_string()
}

fn masked<T: PiiType>(text: &str) -> String {
    Pii::<T>::parse(text).expect("a value").masked()
}

#[test]
fn an_address_is_kept_as_it_was_given_but_for_the_margins() {
    for (given, kept) in [
        ("john.smith+a1@example.com", "john.smith+a1@example.com"),
        (" \tJohn.Smith@Example.COM\n", "John.Smith@Example.COM"),
        ("joão@exämple.com", "joão@exämple.com"),
        ("o'brien@sub.example.co.uk", "o'brien@sub.example.co.uk"),
    ] {
        assert_eq!(parse::<Email>(given), Ok(kept.to_owned()));
    }
}

#[test]
fn what_is_no_address_is_refused() {
    for given in [
        "john",
        "@example.com",
        "john@",
        "john@localhost",
        "john smith@example.com",
        "john@exam ple.com",
        "a@b@example.com",
        "john@.com",
        "john@example..com",
        "john@example.com.",
        "\"john\"@example.com",
        "john@[192.0.2.1]",
        "john,smith@example.com",
        "jo\u{0}hn@example.com",
        "jo\u{200b}\u{85}hn@example.com",
        "\u{200b}ada@example.com",
        "user@-example.com",
        "user@example-.com",
        "user@ex--ample.com",
        "user@exa\u{ad}mple.com",
        "user@192.0.2.1",
        "user@💩.la",
        ".john@example.com",
        "john.@example.com",
        "jo..hn@example.com",
        "a＠b@example.com",
        "\u{301}a@example.com",
    ] {
        assert_eq!(parse::<Email>(given), Err(invalid::<Email>()), "{given}");
    }
    assert_eq!(parse::<Email>(" \n"), Err(ParseError::Empty));
}

#[test]
fn an_address_has_at_most_254_bytes_and_64_before_the_at_sign() {
    let domain = |len: usize| {
        let label = "d".repeat(60) + ".";
        let mut domain = label.repeat(len / 61);
        domain.push_str(&"d".repeat(len - domain.len() - 4));
        domain + ".com"
    };
    let longest = format!("{}@{}", "l".repeat(64), domain(189));
    assert_eq!(longest.len(), 254);
    assert!(parse::<Email>(&longest).is_ok());
    let too_long = format!("{}@{}", "l".repeat(64), domain(190));
    assert_eq!(
        parse::<Email>(&too_long),
        Err(ParseError::TooLong { limit: 254 })
    );
    let too_long = format!("{}@example.com", "l".repeat(65));
    assert_eq!(parse::<Email>(&too_long), Err(invalid::<Email>()));
}

#[test]
fn addresses_that_count_as_the_same_have_one_normal_form() {
    for (one, other) in [
        ("John.Smith@example.com", "john.smith@EXAMPLE.COM"),
        // Composed and decomposed.
        ("jo\u{e3}o@example.com", "joa\u{303}o@example.com"),
        ("a@bücher.example", "a@xn--bcher-kva.example"),
        ("a@BÜCHER.example", "a@xn--bcher-kva.example"),
    ] {
        assert_eq!(normal::<Email>(one), normal::<Email>(other));
    }
    assert_eq!(
        normal::<Email>("J@BÜCHER.example"),
        "j@xn--bcher-kva.example"
    );
    for (one, other) in [
        ("john.smith@example.com", "johnsmith@example.com"),
        ("john+a@example.com", "john@example.com"),
    ] {
        assert_ne!(normal::<Email>(one), normal::<Email>(other));
    }
}

/// Each pair is a kind of character that one person types in two ways.
#[test]
fn spellings_beyond_ascii_count_as_one_address_and_letters_that_are_alike_do_not() {
    for (one, other, form) in [
        ("ａｄａ@example.com", "ada@example.com", "ada@example.com"),
        ("ＡＤＡ@example.com", "ada@example.com", "ada@example.com"),
        ("ΟΔΟΣ@example.com", "οδός@example.com", ""),
        ("ΟΔΟΣ@example.com", "οδοσ@example.com", "οδοσ@example.com"),
        ("οδος@example.com", "οδοσ@example.com", "οδοσ@example.com"),
        (
            "JOÃO@example.com",
            "joa\u{303}o@example.com",
            "joão@example.com",
        ),
        ("ｶﾞｷﾞ@example.com", "ガギ@example.com", "ガギ@example.com"),
        ("ﾡ@example.com", "ㄱ@example.com", "ㄱ@example.com"),
        (
            "\u{212a}im@example.com",
            "kim@example.com",
            "kim@example.com",
        ),
        (
            "STRAẞE@example.com",
            "straße@example.com",
            "straße@example.com",
        ),
    ] {
        // An accent that is left out in capitals is another letter.
        if form.is_empty() {
            assert_ne!(normal::<Email>(one), normal::<Email>(other));
        } else {
            assert_eq!(normal::<Email>(one), form);
            assert_eq!(normal::<Email>(other), form);
        }
    }
    for (one, other) in [
        ("straße@example.com", "strasse@example.com"),
        ("ı@example.com", "i@example.com"),
        ("а@example.com", "a@example.com"),
        ("ﬁ@example.com", "fi@example.com"),
        ("²@example.com", "2@example.com"),
        ("ㄱ@example.com", "ᄀ@example.com"),
    ] {
        assert_ne!(normal::<Email>(one), normal::<Email>(other));
    }
}

#[test]
fn the_normal_form_names_its_normaliser_and_former_forms_are_of_the_one_before() {
    let form = |text: &str| {
        let email = Email::parse(text).expect("an address");
        let former: Vec<_> = email
            .former()
            .iter()
            .map(|(_, form)| form.to_string())
            .collect();
        assert!(email.former().iter().all(|(name, _)| *name == "email/1"));
        (email.normaliser(), former)
    };
    let (first, second) = ("email/1", "email/2");
    let none: [&str; 0] = [];
    assert_eq!(
        form("Ada@bücher.example"),
        (first, none.map(String::from).to_vec())
    );
    for (text, name, former) in [
        ("ａda@a.example", first, &["ａda@a.example"][..]),
        ("JOÃO@a.example", second, &["joão@a.example"]),
        (
            "ΟΔΟΣ@a.example",
            second,
            &["οδος@a.example", "οδοσ@a.example"],
        ),
        (
            "οδοσ@a.example",
            second,
            &["οδοσ@a.example", "οδος@a.example"],
        ),
        ("\u{212a}@a.example", first, &[]),
    ] {
        let former = former.iter().map(|form| (*form).to_owned()).collect();
        assert_eq!(form(text), (name, former), "{text}");
    }
    // Of a value that was sealed before what cannot be seen was refused.
    let stored = Email::restore(Zeroizing::new("\u{200b}Ada@a.example".to_owned()));
    assert_eq!(*stored.normalised(), "ada@a.example");
    assert_eq!(*stored.former()[0].1, "\u{200b}ada@a.example");
}

#[test]
fn a_cpf_has_right_check_digits() {
    for given in ["529.982.247-25", "52998224725", " 52998224725 "] {
        assert_eq!(parse::<NationalId>(given), Ok("52998224725".to_owned()));
    }
    // A check digit that comes out as ten counts as zero.
    assert_eq!(
        parse::<NationalId>("100.000.003-80"),
        Err(invalid::<NationalId>())
    );
    for given in [
        "52998224724",
        "52998224715",
        "52998224725a",
        "5299822472",
        "111.111.111-11",
        "00000000000",
        "529-982-247.25",
        "529.98224725",
        "５２９９",
    ] {
        assert_eq!(
            parse::<NationalId>(given),
            Err(invalid::<NationalId>()),
            "{given}"
        );
    }
    assert_eq!(parse::<NationalId>(" "), Err(ParseError::Empty));
    let long = "5".repeat(15);
    assert_eq!(
        parse::<NationalId>(&long),
        Err(ParseError::TooLong { limit: 14 })
    );
}

#[test]
fn names_and_addresses_are_trimmed_and_texts_are_not() {
    assert_eq!(
        parse::<PersonName>(" Ana Souza "),
        Ok("Ana Souza".to_owned())
    );
    assert_eq!(
        parse::<PostalAddress>(" Rua A, 1\nSP "),
        Ok("Rua A, 1\nSP".to_owned())
    );
    assert_eq!(parse::<FreeText>(" a "), Ok(" a ".to_owned()));
    assert_eq!(parse::<FreeText>(""), Ok(String::new()));
    assert_eq!(parse::<PersonName>("\t"), Err(ParseError::Empty));
    assert_eq!(parse::<PostalAddress>(""), Err(ParseError::Empty));
}

#[test]
fn lengths_are_bounded() {
    fn bound<T: PiiType>(limit: usize) {
        assert!(parse::<T>(&"x".repeat(limit)).is_ok());
        assert_eq!(
            parse::<T>(&"x".repeat(limit + 1)),
            Err(ParseError::TooLong { limit })
        );
    }
    bound::<FreeText>(65_536);
}

/// As the `maxLength` of a schema counts, in whatever script.
#[test]
fn names_and_addresses_are_bounded_in_characters() {
    fn bound<T: PiiType>(limit: usize) {
        for char in ["x", "é", "字", "𠀋"] {
            assert!(parse::<T>(&char.repeat(limit)).is_ok(), "{char}");
            assert!(parse::<T>(&format!(" {} ", char.repeat(limit))).is_ok());
            let error = parse::<T>(&char.repeat(limit + 1)).expect_err("one too many");
            assert_eq!(error, ParseError::TooManyCharacters { limit }, "{char}");
            assert!(error.to_string().contains(&limit.to_string()));
        }
    }
    bound::<PersonName>(1_024);
    bound::<PostalAddress>(4_096);
    // What is the longest of them can be sealed.
    const { assert!(4_096 * 4 <= crate::cipher::MAX_PLAINTEXT_BYTES) };
}

#[test]
fn what_shows_nothing_is_no_name_and_control_characters_are_in_none() {
    for blank in [
        "\u{200b}",
        "\u{3164}\u{2800}",
        " \u{ad} \u{feff}",
        "\u{0}",
        "\u{e000}",
    ] {
        assert_eq!(
            parse::<PersonName>(blank),
            Err(ParseError::Empty),
            "{blank:?}"
        );
        assert_eq!(parse::<PostalAddress>(blank), Err(ParseError::Empty));
        assert!(parse::<FreeText>(blank).is_ok());
    }
    // Joiners and marks of direction stand in names that people have.
    for name in [
        "علی\u{200c}رضا",
        "ක්\u{200d}ෂ",
        "\u{200f}משה",
        "Ana\u{a0}Souza",
        "\u{1f600}",
    ] {
        assert_eq!(parse::<PersonName>(name), Ok(name.to_owned()));
    }
    for control in ['\u{0}', '\u{1b}', '\u{7f}', '\u{9b}'] {
        let text = format!("Ana{control}Souza");
        assert_eq!(parse::<PersonName>(&text), Err(invalid::<PersonName>()));
        assert_eq!(
            parse::<PostalAddress>(&text),
            Err(invalid::<PostalAddress>())
        );
        assert!(parse::<FreeText>(&text).is_ok());
    }
    for line_end in ["\n", "\r\n", "\t", "\u{85}", "\u{2028}"] {
        let text = format!("Rua A{line_end}SP");
        assert_eq!(parse::<PersonName>(&text), Err(invalid::<PersonName>()));
        assert_eq!(parse::<PostalAddress>(&text), Ok(text));
    }
}

#[test]
fn masked_forms_give_the_value_away_no_further_than_they_say() {
    assert_eq!(masked::<Email>("john.smith@example.com"), "j***@e***.com");
    assert_eq!(masked::<Email>("j@mail.example.co.uk"), "j***@m***.uk");
    assert_eq!(masked::<Email>("j@e.com"), "j***@e***.com");
    assert_eq!(masked::<Email>("j@例え。テスト"), "j***@例***.テスト");
    assert_eq!(masked::<Email>("j@x.photography"), "j***@x***.photography");
    assert_eq!(masked::<NationalId>("529.982.247-25"), "***");
    assert_eq!(masked::<PersonName>("Ângela Souza"), "Â***");
    assert_eq!(masked::<PostalAddress>("Rua A, 1"), "***");
    assert_eq!(masked::<FreeText>("anything"), "***");
}

#[test]
fn a_value_sealed_under_older_rules_can_still_be_used() {
    fn use_all<T: PiiType>(text: &str) -> String {
        let value = T::restore(Zeroizing::new(text.to_owned()));
        assert_eq!(value.text(), text);
        Pii::new(value).masked()
    }
    for text in ["", "x", "ü", "@", "a@", "+", "joão"] {
        use_all::<Email>(text);
        use_all::<NationalId>(text);
        use_all::<PersonName>(text);
        let email = Email::restore(Zeroizing::new(text.to_owned()));
        assert!(email.normalised().contains('@'));
    }
}

#[test]
fn neither_debug_nor_an_error_shows_a_value() {
    fn debug<T: PiiType + fmt::Debug>(text: &str, refused: &str) -> String {
        let value = Pii::<T>::parse(text).expect("a value");
        let error = Pii::<T>::parse(refused).expect_err("refused");
        format!("{value:?} {:?} {error:?} {error}", value.expose())
    }
    let printed = [
        debug::<Email>("canary@canary.com", "canary"),
        debug::<NationalId>("52998224725", "52998224724"),
        debug::<PersonName>("canary", &"canary".repeat(200)),
        debug::<PostalAddress>("canary", &"canary".repeat(1000)),
        debug::<FreeText>("canary", &"canary".repeat(20_000)),
    ];
    for (printed, name) in printed.iter().zip(["email", "national-id", "name"]) {
        assert!(printed.starts_with(&format!("Pii<{name}>(…)")), "{printed}");
    }
    for printed in printed {
        for secret in ["canary", "9876", "5299", "982"] {
            assert!(!printed.contains(secret), "{printed}");
        }
    }
}

/// The planes that letters stand in, one by one, between others.
#[test]
fn no_character_has_a_normal_form_that_is_not_its_own_normal_form() {
    for char in '\0'..'\u{20000}' {
        let email = Email::restore(Zeroizing::new(format!("a{char}b@example.com")));
        let normal = email.normalised();
        let again = Email::restore(normal.clone());
        assert_eq!(again.normalised(), normal, "{char:?}");
        for (_, form) in email.former() {
            assert_eq!(Email::restore(form).normalised(), normal, "{char:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_parsed_or_refused(text in any::<String>()) {
        let parsed = [
            parse::<Email>(&text),
            parse::<NationalId>(&text),
        ];
        for parsed in parsed.into_iter().flatten() {
            prop_assert_eq!(parsed.trim(), &parsed);
        }
    }

    #[test]
    fn normalising_is_idempotent(text in "[a-zA-ZÀ-ɏ.+]{1,20}@[a-zA-ZÀ-ɏ]{1,20}\\.[a-z]{2,5}") {
        if let Ok(email) = Email::parse(&text) {
            let once = email.normalised();
            let twice = Email::restore(once.clone()).normalised();
            prop_assert_eq!(once, twice);
        }
    }

    #[test]
    fn former_forms_are_of_the_same_address_whatever_its_letters(
        local in proptest::collection::vec(any::<char>(), 1..8)
    ) {
        let local = String::from_iter(local);
        let email = Email::restore(Zeroizing::new(format!("{local}@example.com")));
        let normal = email.normalised();
        let again = Email::restore(normal.clone());
        prop_assert_eq!(&again.normalised(), &normal);
        if Email::parse(email.as_str()).is_ok() {
            prop_assert!(Email::parse(&normal).is_ok());
            for (_, form) in email.former() {
                prop_assert_eq!(&Email::restore(form).normalised(), &normal);
            }
        }
    }

    #[test]
    fn every_cpf_with_its_check_digits_is_taken(base in 1..1_000_000_000_u64) {
        let digits: Vec<u64> = (0..9).map(|at| base / 10_u64.pow(8 - at) % 10).collect();
        // Written out in another way than the parser does it.
        let check = |digits: &[u64]| {
            let length = digits.len() as u64;
            let rest = digits.iter().zip(0..).map(|(d, at)| d * (length + 1 - at)).sum::<u64>() % 11;
            if rest < 2 { 0 } else { 11 - rest }
        };
        let first = check(&digits);
        let second = check(&[&digits[..], &[first]].concat());
        let text = format!("{base:09}{first}{second}");
        let all_same = text.bytes().all(|byte| byte == text.as_bytes()[0]);
        prop_assert_eq!(parse::<NationalId>(&text).is_ok(), !all_same);
        let wrong = format!("{base:09}{first}{}", (second + 1) % 10);
        prop_assert!(parse::<NationalId>(&wrong).is_err());
    }
}
