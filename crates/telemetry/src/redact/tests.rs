//! What is hidden by name, by list and by value, and that it is counted.

use portcullis_pii_detect::Confidence;

use super::*;

#[test]
fn secret_and_personal_names_hide_their_values() {
    let redactor = Redactor::new(Redaction::standard());
    for name in [
        "password",
        "user.email",
        "customer_email",
        "customerEmail",
        "Email",
        "x-api-key",
        "x_api_key",
        "http.request.header.authorization",
        "Set-Cookie",
        "refreshToken",
        "phone_number",
        "card.number",
        "firstName",
        "error.password.chain",
        "API_KEY",
    ] {
        assert_eq!(redactor.field(name, "plain"), HIDDEN, "{name}");
    }
    assert_eq!(redactor.hidden(), 15);
}

#[test]
fn harmless_names_show_their_values() {
    let redactor = Redactor::new(Redaction::standard());
    for name in [
        "tenant",
        "email_count",
        "tokens",
        "token_count",
        "api_key_id",
        "http.route",
        "discard",
        "company",
        "scrapbook",
        "phone_type",
        "keyboard",
        "notoken",
    ] {
        assert_eq!(redactor.field(name, "plain"), "plain", "{name}");
    }
    assert_eq!(redactor.hidden(), 0);
}

#[test]
fn an_allow_list_shows_nothing_else() {
    let redactor = Redactor::new(Redaction::allow_list(["tenant"]));
    assert_eq!(redactor.field("tenant", "acme"), "acme");
    assert_eq!(redactor.field("tenant", "bob@example.com"), "[email]");
    assert_eq!(redactor.field("color", "red"), HIDDEN);
    assert_eq!(redactor.field("http.route", "/v1/events"), "/v1/events");
    assert_eq!(redactor.mask("to bob@example.com"), "to [email]");
}

#[test]
fn a_denied_field_leaves_the_allow_list() {
    let redactor = Redactor::new(Redaction::allow_list(["a", "b"]).with_denied_field("b"));
    assert_eq!(
        (redactor.field("a", "1"), redactor.field("b", "1")),
        ("1".into(), HIDDEN.into())
    );
}

#[test]
fn own_rules_are_added_to_the_standard_ones() {
    let redaction = Redaction::standard()
        .with_denied_field("nick_name")
        .with_detector(Detector::builder().secret_prefix("sk-").build().unwrap());
    let redactor = Redactor::new(redaction);
    assert_eq!(redactor.field("user.nickName", "x"), HIDDEN);
    assert_eq!(redactor.mask("sk-abcdefgh"), "[api_key]");
    assert_eq!(redactor.field("password", "x"), HIDDEN);
}

#[test]
fn off_hides_nothing_and_still_detects() {
    let redactor = Redactor::new(Redaction::dangerous_off());
    assert_eq!(
        redactor.field("password", "bob@example.com"),
        "bob@example.com"
    );
    assert_eq!(
        redactor.detector().first_kind("bob@example.com"),
        Some(Kind::Email)
    );
    assert_eq!(redactor.hidden(), 0);
}

#[test]
fn every_hidden_value_is_counted_by_kind() {
    let registry = Registry::new();
    let redactor = Redactor::new(Redaction::standard());
    redactor.register(&registry).unwrap();
    let _ = redactor.mask("a@b.io c@d.io 4111111111111111 +4917012345678 pcl_live_12345678");
    let _ = redactor.field("password", "x");
    let body = registry.render(None).unwrap().body;
    for (kind, count) in [
        ("email", 2),
        ("phone", 1),
        ("payment_card", 1),
        ("api_key", 1),
        ("field", 1),
    ] {
        let sample = format!("telemetry_redactions_total{{kind=\"{kind}\"}} {count}\n");
        assert!(body.contains(&sample), "{sample} in {body}");
    }
}

#[test]
fn a_secret_across_the_cut_is_masked_as_a_whole() {
    let redactor = Redactor::new(Redaction::standard());
    let text = "card 4111111111111111 and more";
    for until in 6..=21 {
        assert_eq!(redactor.mask_until(text, until), "card [payment_card]");
    }
    assert_eq!(redactor.mask_until(text, 5), "card ");
    assert_eq!(redactor.mask_until("größe", 3), "gr");
}

#[test]
fn every_kind_has_a_series_of_its_own() {
    let redactor = Redactor::new(Redaction::standard());
    for kind in Kind::ALL {
        redactor.hidden.at(kind.index()).inc();
    }
    assert_eq!(redactor.hidden.at(FIELD).get(), 0);
    assert_eq!(redactor.hidden(), Kind::ALL.len() as u64);
}

/// Log lines leave numbers of fewer than seven characters unsearched.
#[test]
fn short_numbers_are_nobodys() {
    let everything = Detector::builder()
        .kinds(Kind::ALL.iter().copied())
        .min_confidence(Confidence::Low)
        .build()
        .unwrap();
    let redactor = Redactor::new(Redaction::standard().with_detector(everything));
    for number in (0..1_000_000).step_by(7) {
        let text = number.to_string();
        assert_eq!(redactor.mask(&text), text);
        let text = format!("{}", f64::from(number % 10_000) / 10.0);
        assert!(text.len() < 7);
        assert_eq!(redactor.mask(&text), text);
    }
}
