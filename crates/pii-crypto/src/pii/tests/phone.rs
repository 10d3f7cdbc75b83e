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

#[test]
fn a_masked_number_shows_the_country_code_and_two_digits() {
    assert_eq!(masked::<PhoneNumber>("+55 11 91234-5678"), "+55***78");
    assert_eq!(masked::<PhoneNumber>("+1 415 555 2671"), "+1***71");
}

#[test]
fn a_number_sealed_under_older_rules_can_still_be_used() {
    for text in ["", "x", "ü", "+", "11 91234-5678"] {
        let value = PhoneNumber::restore(Zeroizing::new(text.to_owned()));
        assert_eq!(value.text(), text);
        assert!(Pii::new(value).masked().contains("***"));
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
