//! What names and words say.

use super::{Meaning, in_brackets_after, is_measured, names, words_before};

#[test]
fn the_last_word_of_a_name_that_says_anything_decides() {
    for (name, meaning) in [
        ("phone", Some(Meaning::Phone)),
        ("phoneNumber", Some(Meaning::Phone)),
        ("phone_number", Some(Meaning::Phone)),
        ("PHONE-NUMBER", Some(Meaning::Phone)),
        ("PhoneNumber1", Some(Meaning::Phone)),
        ("contact_phone", Some(Meaning::Phone)),
        ("data.customer.mobilePhone", Some(Meaning::Phone)),
        ("teléfono", Some(Meaning::Phone)),
        ("ТЕЛЕФОН", Some(Meaning::Phone)),
        ("telefono", Some(Meaning::Phone)),
        ("tele\u{301}fono", Some(Meaning::Phone)),
        ("Te\u{301}le\u{301}phone", Some(Meaning::Phone)),
        ("téléphone", Some(Meaning::Phone)),
        ("numéro_téléphone", Some(Meaning::Phone)),
        ("numero-telephone", Some(Meaning::Phone)),
        ("número_móvil", Some(Meaning::Phone)),
        ("móvil_número", Some(Meaning::Phone)),
        ("numeroMovil", Some(Meaning::Phone)),
        ("telemóvel", Some(Meaning::Phone)),
        ("telemovel", Some(Meaning::Phone)),
        ("telèfon", Some(Meaning::Phone)),
        ("τηλέφωνο", Some(Meaning::Phone)),
        ("τηλεφωνο", Some(Meaning::Phone)),
        ("мобильный", Some(Meaning::Phone)),
        ("điện thoại", Some(Meaning::Phone)),
        ("cartão", Some(Meaning::Card)),
        ("cartao", Some(Meaning::Card)),
        ("전화", Some(Meaning::Phone)),
        ("telephony", None),
        ("phone_id", None),
        ("phoneVerifiedAt", None),
        ("order_phone", Some(Meaning::Phone)),
        ("phone_order", Some(Meaning::Thing)),
        ("order_id", Some(Meaning::Thing)),
        ("orderID", Some(Meaning::Thing)),
        ("tax_id", Some(Meaning::Document)),
        ("taxId", Some(Meaning::Document)),
        ("taxid", Some(Meaning::Document)),
        ("tax", None),
        ("SSNNumber", Some(Meaning::UsSsn)),
        ("social_security_number", Some(Meaning::UsSsn)),
        ("creditCardNumber", Some(Meaning::Card)),
        ("cardId", None),
        ("ean13", Some(Meaning::Code)),
        ("iban", Some(Meaning::Iban)),
        ("call", None),
        ("", None),
    ] {
        assert_eq!(names::meaning(name), meaning, "{name}");
    }
    let long = "x_".repeat(64) + "phone";
    assert_eq!(names::meaning(&long[5..]), Some(Meaning::Phone));
    assert_eq!(names::meaning(&long), None, "longer than 128 bytes");
}

#[test]
fn words_are_read_back_to_the_start_of_the_clause() {
    for (before, clause) in [
        ("call me at ", Some("call me at ")),
        ("a, b: ", Some(" b: ")),
        ("at home [phone] ", None),
        ("one; two ", Some(" two ")),
        ("a phone. Then ", Some(" Then ")),
        ("Tel. ", Some("Tel. ")),
        ("phone 123 x ", Some(" x ")),
        ("line 2 ", Some("line 2 ")),
        ("first\nsecond ", Some("second ")),
        ("", None),
    ] {
        assert_eq!(words_before(before, before.len()), clause, "{before}");
    }
    let far = format!("phone {}", "a ".repeat(24));
    assert!(!words_before(&far, far.len()).unwrap().contains("phone"));
    let cut = format!("telephone{}", " ".repeat(44));
    assert!(
        !words_before(&cut, cut.len()).unwrap().contains("phone"),
        "a part of a word is none"
    );
}

#[test]
fn units_stand_behind_measures() {
    for (rest, measured) in [
        (" ns", true),
        ("ns", true),
        (" µs", true),
        (" MB", true),
        ("%", true),
        (" now", false),
        (" nsx", false),
        ("", false),
    ] {
        assert_eq!(is_measured(rest.as_bytes(), 0), measured, "{rest}");
    }
}

#[test]
fn brackets_behind_a_number_are_round() {
    assert_eq!(in_brackets_after("1 (home)", 1), Some("home"));
    assert_eq!(in_brackets_after("1 [phone]", 1), None);
    assert_eq!(in_brackets_after("1 (home", 1), None);
}
