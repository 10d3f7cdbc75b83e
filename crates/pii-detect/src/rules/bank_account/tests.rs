//! Accounts that are found, each beside one that is left alone. The examples are those of the registry.

use proptest::prelude::*;

use super::{HEAD, is_valid};
use crate::{
    detector::Detector,
    finding::Confidence,
    kind::Kind,
    rules::tests::{check, check_left_alone, only},
};

/// An IBAN of the country with the check digits that belong to this account.
fn with_check_digits(country: &str, account: &str) -> String {
    (2..=98)
        .map(|check| format!("{country}{check:02}{account}"))
        .find(|iban| is_valid(iban.as_bytes()))
        .unwrap()
}

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
            "iban «ad81 0001 2030 2003 5910 abcd» aaaa",
            "«ad12 0001 2030 2003 5910 0100» and more",
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
        "ad37da1abfb3271a99f9ad4a",
        "ad810001203020035910abcd",
        "08f4 be51 8f11 b282 08f4",
        "08f4 ad81 0001 2030 2003 5910 abcd",
        "ad81 0001 2030 2003 5910 abcd aaaa 0aa0",
        "tracking NO9386011117947",
    ]);
}

#[test]
fn letters_and_digits_stand_where_the_country_has_them() {
    for (country, account, other) in [
        ("AD", "00012030200359100100", "0001203A200359100100"),
        ("BE", "539007547034", "53900754703A"),
        (
            "BR",
            "00360305000010009795493C1",
            "0036030500001000979549CC1",
        ),
        ("DE", "370400440532013000", "37040044053201300X"),
        ("FR", "20041010050500013M02606", "20041010050500013M0260M"),
        ("GB", "NWBK60161331926819", "NWB060161331926819"),
        ("IT", "X0542811101000000123456", "00542811101000000123456"),
        (
            "MT",
            "MALT011000012345MTLCAST001S",
            "MALT0110X0012345MTLCAST001S",
        ),
        ("NL", "ABNA0417164300", "ABNA041716430A"),
        (
            "SC",
            "SSCB11010000000000001497USD",
            "SSCB110100000000000014970SD",
        ),
        ("be", "539007547034", "53900754703a"),
        ("gb", "nwbk60161331926819", "nwb060161331926819"),
    ] {
        let iban = with_check_digits(country, account);
        assert!(only("", &iban).is_some(), "{iban}");
        let iban = with_check_digits(country, other);
        assert_eq!(only("", &iban), None, "{iban}");
    }
}

proptest! {
    #[test]
    fn object_ids_are_left_alone(
        id in "[0-9a-f]{24}",
        hex in "[0-9a-f]{19}[a-f]",
        account in "[0-9]{8}[0-9a-f]{11}[a-f]",
    ) {
        let detector = Detector::standard();
        // Only accounts of Andorra are as long and may have these letters.
        for id in [id, with_check_digits("ad", &hex), with_check_digits("ad", &account)] {
            prop_assert_eq!(id.len(), HEAD + 20);
            prop_assert_eq!(detector.find(&id).next(), None, "{}", id);
        }
    }
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
        ("", "ad1200012030200359100100", Confidence::Medium),
        ("", "ad920001203020035910x00e", Confidence::Medium),
        ("", "ad810001203020035910abcd", Confidence::Low),
        ("iban", "ad810001203020035910abcd", Confidence::High),
        ("", "AD810001203020035910ABCD", Confidence::High),
    ] {
        assert_eq!(
            only(name, text),
            Some(("iban", confidence)),
            "{name} {text}"
        );
    }
}
