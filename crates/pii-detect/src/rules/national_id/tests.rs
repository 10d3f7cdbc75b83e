//! Numbers that are found, each beside one that is left alone.

use proptest::prelude::*;

use super::cnpj::check_digit;
use crate::{
    finding::Confidence,
    kind::Kind,
    rules::tests::{check, check_left_alone, only},
};

#[test]
fn cpf_is_found_in_all_its_forms() {
    check(
        Kind::NationalId,
        &[
            "«529.982.247-25»",
            "«52998224725»",
            "«529982247-25»",
            "«529 982 247 25»",
            "«529 982 247-25»",
            "«529.982.24725»",
            "«529.982.247/25»",
            "«529.982.247 25»",
            "«529.982.247.25»",
            "«529-982-247-25»",
            "«529.982247-25»",
            "«529982247 25»",
            "«529982247/25»",
            "CPF:«529.982.247-25».",
            "cpf-«52998224725»",
            "meu cpf é «52998224725», ok?",
            r#"{"url":"«529.982.247-25»"}"#,
            "user_«52998224725»",
            "/customers/«52998224725»/orders",
            "«00012345792»",
            "«52998224725» (CPF)",
            "cpf=>«00000012360»",
            "customer_cpf=>«52998224725»",
            "cpfNumber=>«52998224725»",
            "tax_id=>«52998224725»",
            "taxId=>«52998224725»",
            "1,«52998224725»",
            "doc-«529.982.247-25».pdf",
            "order=>«529.982.247-25»",
            "order «52998224725»",
            "order_id=>«52998224725»",
            "sku=>«52998224725»",
            "sku=>«529 982 247 25»",
            "/orders/«52998224725»",
            "https://x.example/«52998224725»/1",
            "/1/«52998224725»",
            "cpf «529 982 247 25» 11 98765",
            "2024-05-01 12:00:01 «529 982 247 25» 12:30",
            "«529 982 247 25» 2024-05-01",
            "R$ 1,50 «529 982 247 25»",
            "cart%20«52998224725»",
            r"\u0040«52998224725»",
            "&#64;«52998224725»",
        ],
    );
    check_left_alone(&[
        "529.982.247-26",
        "52998224726",
        "529982247-26",
        "111.111.111-11",
        "11111111111",
        "00000012360",
        "5299822472",
        "529982247250",
        "a52998224725",
        "job-52998224725",
        "0.52998224725",
        "52998224725.5",
        "+52998224725",
        "ean=>52998224725",
        "barcode 529 982 247 25",
        "tracking number 52998224725",
        "529,982,247,25",
        "529.98224725",
        "529982.24725",
        "192.168.100.41",
        "peer 192-168-100-41",
        "703 622 529 982 247 25 556",
        "529 982 247 25 556",
        "703 529 982 247 25",
        "cart%52998224725",
        "cart%20540020621",
        r"\u52998224725",
        r"\u{52998224725}",
        "&#52998224725;",
        "%u52998224725",
    ]);
}

/// The number with letters is the example of the Receita Federal.
#[test]
fn cnpj_is_found_in_all_its_forms() {
    check(
        Kind::NationalId,
        &[
            "«12.345.678/0001-95»",
            "«12345678/0001-95»",
            "«12345678000195»",
            "«12 345 678 0001 95»",
            "«12.345.678/000195»",
            "«12.345.678 0001-95»",
            "CNPJ «12.345.678/0001-95»",
            "«12.ABC.345/01DE-35»",
            "«12ABC345/01DE-35»",
            "cnpj «12ABC34501DE35»",
            "cnpj=>«12ABC34501DE35»",
            "order «12345678000195»",
            "«AB.CDE.FGH/0001-95»",
            "cnpj=>«ABCDEFGH000195»",
            "«ABCDEFGH000195»",
        ],
    );
    check_left_alone(&[
        "12.345.678/0001-96",
        "12345678000196",
        "12.ABC.345/01DE-36",
        "12.abc.345/01de-35",
        "12ABC34501DE35",
        "11.111.111/1111-11",
        "X12345678000195",
        "gtin=>12345678000195",
        "12ABC345001012",
        "00000000001597",
        "00000000000191",
        "00001234000199",
        "ABCDEFGH000196",
    ]);
}

#[test]
fn a_bare_cnpj_has_one_of_the_first_branches() {
    let company = |branch: &str| {
        let twelve = format!("12345678{branch}");
        let first = char::from(check_digit(twelve.as_bytes(), 9));
        let second = char::from(check_digit(format!("{twelve}{first}").as_bytes(), 9));
        format!("{twelve}{first}{second}")
    };
    for (branch, confidence) in [
        ("0001", Confidence::Medium),
        ("0099", Confidence::Medium),
        ("0100", Confidence::Low),
        ("0000", Confidence::Low),
        ("9999", Confidence::Low),
    ] {
        assert_eq!(
            only("", &company(branch)),
            Some(("cnpj", confidence)),
            "{branch}"
        );
    }
}

#[test]
fn social_security_numbers_are_found_with_hyphens_or_by_name() {
    check(
        Kind::NationalId,
        &[
            "«123-45-6789»",
            "«899-99-9999»",
            "SSN: «123-45-6789».",
            "ssn «123456789»",
            "ssn «123 45 6789»",
            "my social security number is «123456789»",
            "ssn=>«123456789»",
            "employeeSSN=>«123456789»",
            "social_security_number=>«123 45 6789»",
            "social-security-no=>«123456789»",
        ],
    );
    check_left_alone(&[
        "000-45-6789",
        "666-45-6789",
        "900-45-6789",
        "123-00-6789",
        "123-45-0000",
        "078-05-1120",
        "219-09-9999",
        "123456789",
        "123 45 6789",
        "1123-45-6789",
        "123-45-67890",
        "A-123-45-6789",
        "123-45-6789-1",
        "order 123-45-6789",
        "ssn=>000456789",
        "part_number=>123-45-6789",
    ]);
}

#[test]
fn how_sure_it_is_depends_on_the_form_and_on_what_is_said() {
    for (name, text, confidence) in [
        ("", "529.982.247-25", Confidence::High),
        ("sku", "529.982.247-25", Confidence::High),
        ("", "52998224725", Confidence::Medium),
        ("documento", "52998224725", Confidence::High),
        ("sku", "52998224725", Confidence::Medium),
        ("ean", "52998224725", Confidence::Low),
        ("", "00000012360", Confidence::Low),
        ("", "192.168.100.41", Confidence::Low),
    ] {
        assert_eq!(only(name, text), Some(("cpf", confidence)), "{name} {text}");
    }
    assert_eq!(only("", "123 45 6789"), Some(("us_ssn", Confidence::Low)));
}

proptest! {
    #[test]
    fn every_valid_cpf_is_found(nine in "[1-9][0-9]{8}") {
        let first = char::from(check_digit(nine.as_bytes(), 10));
        let second = char::from(check_digit(format!("{nine}{first}").as_bytes(), 11));
        let groups = [&nine[..3], &nine[3..6], &nine[6..]];
        let repeated = nine.bytes().all(|digit| digit == nine.as_bytes()[0]);
        if !repeated {
            for text in [
                format!("«{}-{first}{second}»", groups.join(".")),
                format!("«{nine}{first}{second}»"),
                format!("«{nine}-{first}{second}»"),
                format!("«{} {first}{second}»", groups.join(" ")),
            ] {
                check(Kind::NationalId, &[&text]);
            }
        }
    }
}
