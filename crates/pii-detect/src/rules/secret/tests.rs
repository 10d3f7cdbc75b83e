//! Secrets that are found, each beside a word that is none. Those here are made up: a prefix, and the
//! letters of the alphabet.

use super::{
    literals,
    shapes::{Alphabet, MAX, SHAPES, Shape},
};
use crate::{
    detector::Detector,
    kind::Kind,
    rules::tests::{check, check_left_alone},
};

/// A body of this length that looks drawn.
fn body(shape: &Shape, length: usize) -> String {
    let letters = match shape.alphabet {
        Alphabet::Hex => "0123456789abcdef",
        Alphabet::Upper => "A1B2C3D4E5F6G7H8",
        _ => "a1B2c3D4e5F6g7H8",
    };
    letters.chars().cycle().take(length).collect()
}

#[test]
fn every_shape_is_found_by_its_rule_and_not_a_letter_shorter() {
    for shape in SHAPES {
        for prefix in shape.prefixes {
            let shortest = *shape.lengths.start();
            let secret = format!("{prefix}{}", body(shape, shortest));
            for text in [
                format!("«{secret}»"),
                format!("key: «{secret}»."),
                format!("\"token\":\"«{secret}»\""),
                format!("KEY=«{secret}»\n"),
            ] {
                check(Kind::ApiKey, &[&text]);
            }
            let found = Detector::standard().find(&secret).next();
            assert_eq!(
                found.map(|finding| finding.rule),
                Some(shape.rule),
                "{secret}"
            );

            let short = format!("{prefix}{}", body(shape, shortest - 1));
            let inside = format!("x{secret}");
            assert_eq!(Detector::standard().first_kind(&short), None, "{short}");
            assert_eq!(Detector::standard().first_kind(&inside), None, "{inside}");
        }
    }
}

#[test]
fn a_shape_of_limited_length_is_not_found_in_a_longer_word() {
    for shape in SHAPES.iter().filter(|shape| *shape.lengths.end() < MAX) {
        let long = format!(
            "{}{}",
            shape.prefixes[0],
            body(shape, shape.lengths.end() + 1)
        );
        assert_eq!(Detector::standard().first_kind(&long), None, "{long}");
    }
}

#[test]
fn every_secret_begins_with_a_literal() {
    let all: Vec<_> = literals().map(|(literal, _)| literal).collect();
    assert!(all.iter().all(|literal| literal.len() >= 2));
    for prefix in SHAPES.iter().flat_map(|shape| shape.prefixes) {
        assert!(all.contains(prefix));
    }
    for literal in ["eyJ", "://", "-----BEGIN ", "Bearer ", "basic "] {
        assert!(all.contains(&literal));
    }
}

#[test]
fn tokens_keys_and_credentials_are_found() {
    check(
        Kind::ApiKey,
        &[
            "«eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJlLW1hZGUtdXA»",
            "«eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0».",
            "Authorization: Bearer «0123456789abcdefghij»",
            "authorization: bearer «abcdefghij.0123456789~+/==»",
            "Authorization: Basic «dXNlcjpwYXNzd29yZA==»",
            "Basic «YTpiYw==»",
            "postgres://«app:s3cret»@db.example.org/app",
            "redis://«:s3cret»@cache:6379",
            "https://«bob:pass%20word@example.org»/",
            "«glpat-ExAmPlEtOkEnWiThNoDi»",
            "«glpat-abcdefghijklmnopqrst»",
            "«AIzaaB1c-aB1c-aB1c-aB1c-aB1c-aB1c-aB1c-»",
            "«hvs.aBc_dEf_gHi_jKl_mNo_pQr_»",
            "AWSAccessKeyId=«AKIAA1B2C3D4E5F6G7H8»",
            "Credential=«AKIAA1B2C3D4E5F6G7H8»/20240501/us-east-1/s3/aws4_request",
            "«-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----» after",
            r"«-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMC4CAQ==\n-----END RSA PRIVATE KEY-----»\n",
            "«-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk»",
            "«-----BEGIN PGP PRIVATE KEY BLOCK-----\n\nlQdGBF»",
        ],
    );
}

#[test]
fn prose_and_placeholders_are_left_alone() {
    check_left_alone(&[
        "eyJhbGciOiJIUzI1NiJ9",
        "eyJhbGciOiJIUzI1NiJ9.payload-of-no-object",
        "eyJ.eyJ.x",
        "Bearer authentication-is-required-here",
        "Bearer token",
        "Bearer 1234",
        "Basic understanding",
        "Basic authentication",
        "basic dXNlcm5hbWU=",
        "postgres://app@db/app",
        "postgres://app:@db/app",
        "postgres://app:$PASSWORD@db/app",
        "postgres://app:${PASSWORD}@db/app",
        "postgres://app:{password}@db/app",
        "postgres://app:***@db/app",
        "postgres://app:xxxxx@db/app",
        "http://localhost:8080/@x",
        "http://localhost:8080?user=a@b",
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA\n-----END PUBLIC KEY-----",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN PRIVATE KEY",
        "sk-button-primary-large-with-icon-and-label-2",
        "sk-ant-colony-optimisation-for-routing-problems",
        "xoxb-is-the-prefix-of-a-bot",
        "npm_config_registry_and_other_settings",
        "sk-MyPrimaryButton-WithSomeIcon-AndLabel-Large",
        "https://bucket.s3.example/key?X-Amz-Credential=AKIAA1B2C3D4E5F6G7H8%2F20240501&X-Amz-Date=1",
        "https://bucket.s3.example/key?x-amz-credential=AKIAA1B2C3D4E5F6G7H8/20240501",
        "X-Amz-Credential%3DAKIAA1B2C3D4E5F6G7H8%252F20240501",
        r#"{"X-Amz-Credential": "ASIAA1B2C3D4E5F6G7H8/20240501/eu-central-1/s3/aws4_request"}"#,
        "glpat-is-a-prefix-of-gitlab-tokens",
        "pcl_short",
        "hf_hub_download",
        "AKIAisnotakey",
        "ghp_placeholder",
    ]);
}
