//! Telephone numbers.

use super::*;

#[test]
fn a_number_is_kept_in_e_164_form() {
    for given in [
        "+55 11 91234-5678",
        "+55 (11) 91234 5678",
        " +5511912345678 ",
    ] {
        assert_eq!(parse::<PhoneNumber>(given), Ok("+5511912345678".to_owned()));
    }
    assert_eq!(
        parse::<PhoneNumber>("+1 415 555 2671"),
        Ok("+14155552671".to_owned())
    );

    let brazil = Region::new("BR").expect("a region");
    for given in ["(11) 91234-5678", "011 91234-5678", "+55 11 91234-5678"] {
        let number = PhoneNumber::parse_in(brazil, given).expect("a number");
        assert_eq!(number.as_str(), "+5511912345678");
        assert_eq!(number.normalised().as_str(), "+5511912345678");
    }
}

#[test]
fn what_is_no_number_is_refused() {
    for given in [
        "11 91234-5678",
        "+55",
        "+55 11 1",
        "+999 123456789",
        "call me",
        "+1 23",
        "++1",
    ] {
        assert_eq!(
            parse::<PhoneNumber>(given),
            Err(invalid::<PhoneNumber>()),
            "{given}"
        );
    }
    assert_eq!(parse::<PhoneNumber>(""), Err(ParseError::Empty));
    let long = format!("+{}", "1".repeat(64));
    assert_eq!(
        parse::<PhoneNumber>(&long),
        Err(ParseError::TooLong { limit: 64 })
    );
    for region in ["br", "", "XX", "Brazil"] {
        let refused = Region::new(region).expect_err("no region");
        assert_eq!(
            refused.to_string(),
            "the value must be a region: two capital letters such as BR"
        );
    }
}

fn within(region: &str, text: &str) -> Option<String> {
    let region = Region::new(region).expect("a region");
    let number = PhoneNumber::parse_in(region, text).ok()?;
    Some(number.as_str().to_owned())
}

#[test]
fn valid_is_what_the_numbering_plans_say() {
    // Russia's code and area code, an Israeli number with a digit too many for its block.
    for (given, kept) in [
        ("+7 812 123-45-67", Some("+78121234567")),
        ("+97233142764978", None),
        ("+80012345678", Some("+80012345678")),
        ("+979123456789", Some("+979123456789")),
    ] {
        assert_eq!(parse::<PhoneNumber>(given).ok().as_deref(), kept, "{given}");
    }
    // Short codes and emergency numbers are nobody's.
    for (region, given) in [("US", "911"), ("DE", "112"), ("BR", "190"), ("GB", "999")] {
        assert_eq!(within(region, given), None, "{region} {given}");
    }
    assert_eq!(parse::<PhoneNumber>("+1911").ok(), None);
}

#[test]
fn e_164_has_at_most_15_digits() {
    let longest = "+496502939098884";
    assert_eq!(parse::<PhoneNumber>(longest), Ok(longest.to_owned()));
    // The plan of Germany has longer ones, which no network carries.
    for given in ["+4943373295229663", "+49910314134883669"] {
        assert_eq!(
            parse::<PhoneNumber>(given),
            Err(invalid::<PhoneNumber>()),
            "{given}"
        );
        assert_eq!(within("DE", &given.replace("+49", "0")), None, "{given}");
    }
}

#[test]
fn a_number_of_another_region_is_that_number_or_refused() {
    for (region, given, kept) in [
        ("US", "+4915123456789", Some("+4915123456789")),
        ("US", "+353850123456", Some("+353850123456")),
        ("BR", "+43900123456", Some("+43900123456")),
        ("RU", "+353818123456", Some("+353818123456")),
        ("NZ", "+64 3 331 6005", Some("+6433316005")),
        // A `+` that no country calling code follows is no prefix to be tried without.
        ("NZ", "+0064 3 331 6005", None),
        ("US", "+6502530000", None),
        ("US", "4915123456789", None),
        // As dialled from there.
        ("DE", "0055 11 91234-5678", Some("+5511912345678")),
        ("US", "011 55 11 91234-5678", Some("+5511912345678")),
        ("RU", "8~10 55 11 91234-5678", Some("+5511912345678")),
        ("US", "0055 11 91234-5678", None),
        // At home.
        ("IT", "3912312312", Some("+393912312312")),
        ("RU", "88005553535", Some("+78005553535")),
    ] {
        assert_eq!(within(region, given).as_deref(), kept, "{region} {given}");
    }
}

#[test]
fn zeros_that_belong_to_a_number_stay_and_prefixes_go() {
    for (region, given, kept) in [
        ("IT", "06 1234 5678", Some("+390612345678")),
        ("US", "+39 06 1234 5678", Some("+390612345678")),
        ("US", "+39 6 1234 5678", None),
        ("SM", "0549 886377", Some("+3780549886377")),
        ("GB", "+44 (0)20 7946 0958", Some("+442079460958")),
        ("DE", "(+49) 030 1234567", Some("+49301234567")),
        // A carrier is chosen before the number.
        ("BR", "0 15 11 91234-5678", Some("+5511912345678")),
        ("BR", "0 41 21 91234-5678", Some("+5521912345678")),
        // A mobile number of Argentina: 15 at home, 9 from abroad.
        ("AR", "011 15-2345-6789", Some("+5491123456789")),
        ("AR", "+54 9 11 2345 6789", Some("+5491123456789")),
        ("AR", "+54 11 15 2345 6789", Some("+5491123456789")),
        ("AR", "011 2345-6789", Some("+541123456789")),
        // Mexico gave up its 1, and 044, in 2019.
        ("MX", "55 1234 5678", Some("+525512345678")),
        ("MX", "+52 55 1234 5678", Some("+525512345678")),
        ("MX", "+52 1 55 1234 5678", None),
        ("MX", "044 55 1234 5678", None),
    ] {
        assert_eq!(within(region, given).as_deref(), kept, "{region} {given}");
    }
}

#[test]
fn an_extension_is_dropped() {
    for extension in [
        ";ext=136",
        ";EXT=136",
        " ext 136",
        " ext. 136",
        ", ext. 136",
        " extn 136",
        " Extension: 136",
        "x136",
        " x 136",
        " X136",
        "#136",
        " # 136#",
        ",136",
        ",,136#",
        ";136",
        " доб. 136",
        " int 136",
        " anexo 136",
        ";isub=12;ext=136",
        ";ext=1-36",
    ] {
        let given = format!("+1 650 253 0000{extension}");
        assert_eq!(
            parse::<PhoneNumber>(&given),
            Ok("+16502530000".to_owned()),
            "{given}"
        );
    }
    for extension in [
        "x",
        "ext",
        ";ext=",
        ";ext=a",
        ";ext=136;",
        ";foo=1",
        ";",
        "#",
        " xx 1",
        " 13 x",
        " or 136",
        " ext 123456789012345678901",
        " +136",
        "=136",
    ] {
        let given = format!("+1 650 253 0000{extension}");
        assert_eq!(
            parse::<PhoneNumber>(&given),
            Err(invalid::<PhoneNumber>()),
            "{given}"
        );
    }
}

#[test]
fn every_way_of_writing_a_number_is_one_number() {
    for given in [
        "+16502530000",
        "tel:+16502530000",
        "TEL:+1-650-253-0000",
        "tel:650-253-0000;phone-context=+1",
        "tel:253-0000;phone-context=+1-650",
        "+1\u{a0}650\u{a0}253\u{a0}0000",
        "+1\u{202f}650\u{2009}253\u{3000}0000",
        "+1\u{2011}650\u{2013}253\u{2212}0000",
        "\u{202a}+1 650 253 0000\u{202c}",
        "+1650\u{200b}253\u{ad}00\u{feff}0\u{2060}0\u{200f}",
        "\u{ff0b}\u{ff11}\u{3000}\u{ff16}\u{ff15}\u{ff10}\u{ff0d}2530000",
        "+\u{661}\u{666}\u{665}\u{660}2530000",
        "+\u{6f1}\u{6f6}\u{6f5}\u{6f0}2530000",
        "+\u{967}\u{96c}\u{96b}\u{966}2530000",
        "+1.650.253/0000",
        "[+1] (650) 253~0000",
    ] {
        let parsed = parse::<PhoneNumber>(given);
        assert_eq!(parsed, Ok("+16502530000".to_owned()), "{given}");
    }
}

#[test]
fn what_does_not_say_which_number_is_meant_is_refused() {
    for given in [
        // Letters: vanity numbers, unknown digits, typing errors, and a second number.
        "+1 800 FLOWERS",
        "+1 650 253 XXXX",
        "+55 11 9XXXX-XXXX",
        "+1 65O 253 0000",
        "+1 650 253 0000 ab",
        "+1 650 253 0000 or 0001",
        "+1 650 253 0000 +1 650 253 0001",
        "+1 650 253 0000\n+1 650 253 0001",
        "+1 650 253\n0000",
        "call +1 650 253 0000",
        // The owner of the domain gives out the numbers.
        "tel:650-253-0000;phone-context=example.com",
        "tel:+16502530000;phone-context=+1",
        "tel:650-253-0000;phone-context=1",
        "tel:650-253-0000;phone-context=+1;phone-context=+1",
        "tel:650-253-0000",
        "sip:+16502530000",
        // Numbers, and no decimal digits.
        "+1 650 253 000\u{b2}",
        "+1 650 253 000\u{2460}",
        "+1 650 253 000\u{bd}",
        "+1 650 253 0000\0",
        "\u{200b}",
        "tel:",
        "+",
    ] {
        let parsed = parse::<PhoneNumber>(given);
        assert_eq!(parsed, Err(invalid::<PhoneNumber>()), "{given}");
    }
}

#[test]
fn a_masked_number_shows_the_country_code_and_two_digits() {
    assert_eq!(masked::<PhoneNumber>("+55 11 91234-5678"), "+55***78");
    assert_eq!(masked::<PhoneNumber>("+1 415 555 2671"), "+1***71");
    assert_eq!(masked::<PhoneNumber>("+353 85 012 3456"), "+353***56");
    assert_eq!(masked::<PhoneNumber>("+800 1234 5678"), "+800***78");
}

#[test]
fn a_number_that_the_plans_call_invalid_by_now_is_masked_like_any_other() {
    for (sealed, shown) in [
        ("+97233142764978", "+972***78"),
        ("+5215512345678", "+52***78"),
        ("+99912345678", "+999***78"),
        ("+77", "+7***"),
        ("+1911", "+1***"),
        ("+2908123", "+290***"),
        ("+290812345", "+290***45"),
        ("+", "+***"),
        ("", "+***"),
        ("11 91234-5678", "+***"),
        ("+55 11 91234-5678", "+55***78"),
        ("+joanna", "+***"),
        ("+joão", "+***"),
    ] {
        let value = PhoneNumber::restore(Zeroizing::new(sealed.to_owned()));
        assert_eq!(value.text(), sealed);
        assert_eq!(Pii::new(value).masked(), shown, "{sealed}");
    }
}

#[test]
fn neither_debug_nor_an_error_shows_a_number() {
    let value = Pii::<PhoneNumber>::parse("+5521987654321").expect("a number");
    let error = Pii::<PhoneNumber>::parse("21987654321 canary").expect_err("refused");
    let printed = format!("{value:?} {:?} {error:?} {error}", value.expose());
    assert!(printed.starts_with("Pii<phone>(…)"), "{printed}");
    assert!(
        !printed.contains("9876") && !printed.contains("canary"),
        "{printed}"
    );
}

proptest! {
    #[test]
    fn any_text_is_a_number_or_refused(text in any::<String>()) {
        let brazil = Region::new("BR").expect("a region");
        let _ = PhoneNumber::parse_in(brazil, &text);
        if let Ok(number) = parse::<PhoneNumber>(&text) {
            prop_assert_eq!(number.trim(), &number);
        }
    }
}
