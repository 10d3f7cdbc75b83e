//! Accounts that are found, each beside one that is left alone. The examples are those of the registry.

use crate::{
    finding::Confidence,
    kind::Kind,
    rules::tests::{check, check_left_alone, only},
};

#[test]
fn accounts_of_many_countries_are_found() {
    check(
        Kind::BankAccount,
        &[
            "«AD1200012030200359100100»",
            "«AE070331234567890123456»",
            "«AT611904300234573201»",
            "«BE68539007547034»",
            "«BR1800360305000010009795493C1»",
            "«CH9300762011623852957»",
            "«CZ6508000000192000145399»",
            "«DE89370400440532013000»",
            "«DK5000400440116243»",
            "«ES9121000418450200051332»",
            "«FI2112345600000785»",
            "«FR1420041010050500013M02606»",
            "«GB29NWBK60161331926819»",
            "«IE29AIBK93115212345678»",
            "«IT60X0542811101000000123456»",
            "«LC55HEMM000100010012001200023015»",
            "«MT84MALT011000012345MTLCAST001S»",
            "«NL91ABNA0417164300»",
            "«NO9386011117947»",
            "«PL61109010140000071219812874»",
            "«PT50000201231234567890154»",
            "«SA0380000000608010167519»",
            "«SE4550000000058398257466»",
            "«TR330006100519786457841326»",
            "«UA213223130000026007233566001»",
        ],
    );
}

#[test]
fn it_may_be_written_in_groups_and_in_small_letters() {
    check(
        Kind::BankAccount,
        &[
            "«DE89 3704 0044 0532 0130 00»",
            "«DE89-3704-0044-0532-0130-00»",
            "«GB29 NWBK 6016 1331 9268 19».",
            "IBAN:«NO93 8601 1117 947»;",
            "«de89370400440532013000»",
            "iban «be51 8f11 b282 08f4» aaaa",
            "«be51 8f11 b282 08f4» and more",
            "«gb29 nwbk 6016 1331 9268 19»",
            r#"{"iban":"«NL91ABNA0417164300»"}"#,
            "iban=>«DE89370400440532013000»",
        ],
    );
}

#[test]
fn look_alikes_are_left_alone() {
    check_left_alone(&[
        "DE88370400440532013000",
        "DE8937040044053201300",
        "DE893704004405320130000",
        "XX89370400440532013000",
        "De89370400440532013000",
        "ADE89370400440532013000",
        "DE89 37040044 4532 0130 00",
        "barcode=>DE89370400440532013000",
        "08f4 be51 8f11 b282 08f4",
        "be51 8f11 b282 08f4 aaaa 0aa0",
        "tracking NO9386011117947",
    ]);
}

#[test]
fn a_word_in_small_letters_is_less_sure() {
    for (name, text, confidence) in [
        ("", "DE89370400440532013000", Confidence::High),
        ("", "de89370400440532013000", Confidence::Medium),
        ("iban", "de89370400440532013000", Confidence::High),
        ("order", "de89370400440532013000", Confidence::Medium),
        ("tracking", "de89370400440532013000", Confidence::Low),
        ("order", "DE89 3704 0044 0532 0130 00", Confidence::High),
    ] {
        assert_eq!(
            only(name, text),
            Some(("iban", confidence)),
            "{name} {text}"
        );
    }
}
