//! What every source may say, and what is said about it.

#[cfg(feature = "vault")]
mod fetched;
mod kept_audit;
mod places;
mod reread;
mod table;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::*;

const KEY_A: &str = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8=";
const KEY_B: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

/// Bytes as good as random ones, which production takes.
fn random_key(number: u8) -> String {
    let hash = ring::digest::digest(&ring::digest::SHA256, &[7, number, 7]);
    STANDARD.encode(hash)
}

fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let complete = [
        (
            "INGEST_ADMIN_TOKEN",
            random_key(0).trim_end_matches('=').to_owned(),
        ),
        ("PORTCULLIS_KEKS", format!("1:{}", random_key(1))),
        ("PORTCULLIS_INDEX_ROOTS", format!("1:{}", random_key(2))),
        ("PORTCULLIS_KEY_PEPPERS", format!("1:{}", random_key(3))),
        ("PORTCULLIS_AUDIT_KEYS", format!("1:{}", random_key(8))),
    ];
    let given = pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    complete
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .chain(given)
        .collect()
}

fn load(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::load(&Sources::new(Flags::new(), environment(pairs), None))
}

fn message(pairs: &[(&str, &str)]) -> String {
    load(pairs)
        .err()
        .map(|error| error.to_string())
        .unwrap_or_default()
}

#[test]
fn complete_secrets_and_defaults_are_enough() {
    let config = load(&[]).unwrap();
    assert_eq!(config.network.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.network.admin_listen.to_string(), "127.0.0.1:9090");
    let Database::Sqlite(path) = config.database;
    assert_eq!(path, PathBuf::from("data/ingest.db"));
}

#[test]
fn every_problem_is_listed_and_no_value_is_shown() {
    let text = message(&[
        ("INGEST_LISTEN", "canary-address"),
        ("INGEST_PROFILE", "canary-profile"),
        ("INGEST_DATABASE_URL", "mysql://canary"),
        ("PORTCULLIS_KEKS", "1:canary-kek"),
        ("PORTCULLIS_INDEX_ROOTS", ""),
        ("INGEST_ADMIN_TOKEN", "canary"),
        ("INGEST_SCHEMA_DIR", "/canary/none"),
    ]);
    for variable in [
        "INGEST_LISTEN",
        "INGEST_PROFILE",
        "INGEST_DATABASE_URL",
        "PORTCULLIS_KEKS",
        "INGEST_ADMIN_TOKEN",
        "INGEST_SCHEMA_DIR",
    ] {
        assert!(
            text.contains(variable),
            "{variable} is not listed in:\n{text}"
        );
    }
    assert!(!text.contains("canary"), "a value is shown in:\n{text}");
}

#[test]
fn flags_win_over_environment_over_file() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ingest.toml");
    std::fs::write(
        &file,
        "listen = \"127.0.0.1:1\"\nadmin_listen = \"127.0.0.1:2\"\nlog = \"warn\"",
    )
    .unwrap();
    let flags = Flags::from([("INGEST_LISTEN", "127.0.0.1:3".to_owned())]);
    let environment = environment(&[
        ("INGEST_LISTEN", "127.0.0.1:4"),
        ("INGEST_ADMIN_LISTEN", "127.0.0.1:5"),
    ]);
    let config = Config::load(&Sources::new(flags, environment, Some(&file))).unwrap();
    assert_eq!(config.network.listen.port(), 3);
    assert_eq!(config.network.admin_listen.port(), 5);
    assert_eq!(config.observability.log_filter, "warn");
}

#[test]
fn a_secret_in_the_file_is_refused_without_showing_it() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ingest.toml");
    let pasted = "portcullis_keks = \"1:canary\"\nadmin-token = 3\nCanaryKey47aQ = 3";
    std::fs::write(&file, pasted).unwrap();
    let error = Config::load(&Sources::new(Flags::new(), environment(&[]), Some(&file)));
    let text = error.unwrap_err().to_string();
    assert!(
        text.contains("set PORTCULLIS_KEKS in the environment"),
        "{text}"
    );
    assert!(
        text.contains("set INGEST_ADMIN_TOKEN in the environment"),
        "{text}"
    );
    assert!(!text.to_lowercase().contains("canary"), "{text}");
}

#[test]
fn a_secret_can_come_from_a_file_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("kek");
    std::fs::write(&file, format!("7:{KEY_A}\n")).unwrap();
    let path = file.to_str().unwrap();
    let pairs = [("PORTCULLIS_KEKS", ""), ("PORTCULLIS_KEKS_FILE", path)];
    let environment: Vec<_> = environment(&pairs)
        .into_iter()
        .filter(|(name, value)| name != "PORTCULLIS_KEKS" || value.is_empty())
        .collect();
    let config = Config::load(&Sources::new(Flags::new(), environment, None)).unwrap();
    assert_eq!(config.secrets.keks.unwrap().primary_version().value(), 7);

    assert!(message(&[("PORTCULLIS_KEKS_FILE", path)]).contains("keep one"));
}

#[test]
fn several_versions_need_a_primary_that_exists() {
    let two = format!("1:{KEY_A},2:{KEY_B}");
    assert!(message(&[("PORTCULLIS_KEKS", &two)]).contains("PORTCULLIS_KEKS_PRIMARY"));
    let wrong = [
        ("PORTCULLIS_KEKS", two.as_str()),
        ("PORTCULLIS_KEKS_PRIMARY", "3"),
    ];
    assert!(message(&wrong).contains("names no version"));
    let right = [
        ("PORTCULLIS_KEKS", two.as_str()),
        ("PORTCULLIS_KEKS_PRIMARY", "2"),
    ];
    let keks = load(&right).unwrap().secrets.keks;
    assert_eq!(keks.unwrap().primary_version().value(), 2);
    for primary in ["0", "2x"] {
        let text = message(&[
            ("PORTCULLIS_KEKS", two.as_str()),
            ("PORTCULLIS_KEKS_PRIMARY", primary),
        ]);
        let expected = "PORTCULLIS_KEKS_PRIMARY: names no version of PORTCULLIS_KEKS";
        assert!(
            text.contains("has 1 problem") && text.contains(expected),
            "{text}"
        );
    }
}

#[test]
fn production_refuses_weak_and_equal_secrets_and_an_open_admin_address() {
    let zeros = format!("1:{}=", "A".repeat(43));
    let equal = format!("1:{}", random_key(2));
    let text = message(&[
        ("INGEST_PROFILE", "production"),
        ("INGEST_ADMIN_TOKEN", "short"),
        ("INGEST_ADMIN_LISTEN", "0.0.0.0:9090"),
        ("PORTCULLIS_KEKS", &zeros),
        ("PORTCULLIS_KEY_PEPPERS", &equal),
    ]);
    assert!(
        text.contains("PORTCULLIS_KEKS: version 1 is weak"),
        "{text}"
    );
    assert!(
        text.contains("PORTCULLIS_KEY_PEPPERS: version 1 equals a secret"),
        "{text}"
    );
    assert!(text.contains("INGEST_ADMIN_TOKEN: is weak"), "{text}");
    assert!(
        text.contains("INGEST_ADMIN_LISTEN: is open to the world"),
        "{text}"
    );
}

#[test]
fn a_tag_key_may_be_no_other_secret_and_in_no_token() {
    let production = ("INGEST_PROFILE", "production");
    let kek = format!("7:{}", random_key(1));
    let text = message(&[production, ("PORTCULLIS_KID_TAG_KEYS", &kek)]);
    assert!(
        text.contains("PORTCULLIS_KID_TAG_KEYS: version 7 equals a secret in PORTCULLIS_KEKS"),
        "{text}"
    );
    let key = random_key(9);
    let set = format!("7:{key}");
    let text = message(&[
        production,
        ("PORTCULLIS_KID_TAG_KEYS", &set),
        ("INGEST_ADMIN_TOKEN", &key),
    ]);
    assert!(
        text.contains("INGEST_ADMIN_TOKEN: contains a secret of PORTCULLIS_KID_TAG_KEYS"),
        "{text}"
    );
    // Two of them, in any order and none primary.
    let two = format!("9:{},7:{}", random_key(12), random_key(9));
    let config = load(&[production, ("PORTCULLIS_KID_TAG_KEYS", &two)]).unwrap();
    let versions = config.secrets.peppers().unwrap();
    let versions: Vec<u16> = versions.versions().map(|it| it.value()).collect();
    assert_eq!(versions, [1, 7, 9]);
}

#[test]
fn production_refuses_a_token_of_few_characters_or_with_a_key_in_it() {
    let token = |text: &str| {
        message(&[
            ("INGEST_PROFILE", "production"),
            ("INGEST_ADMIN_TOKEN", text),
        ])
    };
    for weak in ["a".repeat(32), "abcdefg".repeat(5), "abcdefgh".repeat(4)] {
        assert!(
            token(&weak).contains("INGEST_ADMIN_TOKEN: is weak"),
            "{weak}"
        );
    }
    assert_eq!(token("wVbT3xkQ0dLz8RyMs5uHjP1cEfGaN7oi"), "");
    let pepper = random_key(3);
    for text in [
        pepper.as_str(),
        pepper.trim_end_matches('='),
        &pepper.replace('/', "_").replace('+', "-"),
        &format!("1:{pepper}"),
        &pepper.chars().rev().collect::<String>(),
    ] {
        let text = token(text);
        assert!(
            text.contains("INGEST_ADMIN_TOKEN: contains a secret of PORTCULLIS_KEY_PEPPERS"),
            "{text}"
        );
        assert!(!text.contains(pepper.trim_end_matches('=')), "{text}");
    }
}

/// In whatever spelling a good token has a part of a key that is all pattern.
#[test]
fn a_weak_key_is_told_where_it_stands_and_nowhere_else() {
    let mut weak: Vec<[u8; 32]> = (0..=u8::MAX).map(|byte| [byte; 32]).collect();
    weak.push(std::array::from_fn(|at| u8::try_from(at).unwrap()));
    for key in weak {
        let keks = format!("1:{}", STANDARD.encode(key));
        let text = message(&[("INGEST_PROFILE", "production"), ("PORTCULLIS_KEKS", &keks)]);
        let told: Vec<_> = text.lines().skip(1).collect();
        assert_eq!(told.len(), 1, "{text}");
        let own = told[0].starts_with("  PORTCULLIS_KEKS: version 1 is weak");
        assert!(own, "{text}");
    }
}

#[test]
fn the_dev_profile_warns_of_what_production_refuses() {
    let zeros = format!("1:{}=", "A".repeat(43));
    let config = load(&[("PORTCULLIS_KEKS", &zeros), ("INGEST_ADMIN_TOKEN", "short")]).unwrap();
    for (setting, what) in [
        ("PORTCULLIS_KEKS", "version 1 is weak"),
        ("INGEST_ADMIN_TOKEN", "is weak"),
    ] {
        let is_told = |it: &Warning| it.setting == setting && it.message.contains(what);
        assert!(config.warnings.iter().any(is_told), "{:?}", config.warnings);
    }
}

#[test]
fn what_this_build_does_not_contain_is_refused_and_what_it_does_not_know_is_named() {
    for (feature, is_there, needed) in [
        ("aws-kms", cfg!(feature = "aws-kms"), "PORTCULLIS_KMS_KEY"),
        (
            "vault",
            cfg!(feature = "vault"),
            "PORTCULLIS_VAULT_TRANSIT_KEY",
        ),
    ] {
        let text = message(&[("PORTCULLIS_KEK_PROVIDER", feature)]);
        let expected = if is_there {
            format!("{needed}: is missing; PORTCULLIS_KEK_PROVIDER={feature} needs it")
        } else {
            format!("PORTCULLIS_KEK_PROVIDER: needs the cargo feature `{feature}`")
        };
        assert!(text.contains(&expected), "{text}");
    }
    let bucket = [("INGEST_AUDIT_ARCHIVE", "s3://audit/ingest")];
    if cfg!(feature = "audit-archive") {
        load(&bucket).unwrap();
    } else {
        let text = message(&bucket);
        let expected = "INGEST_AUDIT_ARCHIVE: needs the cargo feature `audit-archive`";
        assert!(text.contains(expected), "{text}");
    }
    let text = message(&[("PORTCULLIS_KEK_PROVIDER", "canary")]);
    assert!(text.contains("must be `local`"), "{text}");
    assert!(!text.contains("canary"), "{text}");

    let config = load(&[
        ("PORTCULLIS_KEK_PROVIDER", "local"),
        ("PORTCULLIS_KEKS_PRIMARY", "1"),
        ("INGEST_LOG", "info"),
        ("OTEL_ANYTHING", "x"),
        ("INGEST_SERVICE_HOST", "10.0.0.1"),
        ("INGEST_LOG_DRIVER", "x"),
    ]);
    let warnings = config.unwrap().warnings;
    let unknown = "INGEST_LOG_DRIVER, INGEST_SERVICE_HOST, OTEL_ANYTHING";
    assert!(
        warnings.iter().any(|it| it.setting == unknown),
        "{warnings:?}"
    );
}

#[cfg(all(feature = "aws-kms", feature = "vault"))]
#[test]
fn further_providers_need_their_settings_and_are_named_once() {
    let others = "PORTCULLIS_KEK_OTHER_PROVIDERS";
    for (named, expected) in [
        ("local", "names a provider twice, or the one that wraps"),
        ("vault,vault", "names a provider twice"),
        ("vault,", "must be `local`"),
    ] {
        let text = message(&[(others, named), ("PORTCULLIS_VAULT_TRANSIT_KEY", "ingest")]);
        assert!(text.contains(&format!("{others}: {expected}")), "{text}");
    }
    let text = message(&[(others, "vault, aws-kms")]);
    for needed in ["PORTCULLIS_VAULT_TRANSIT_KEY", "PORTCULLIS_KMS_KEY"] {
        let line = format!("{needed}: is missing; {others}=");
        assert!(text.contains(&line), "{text}");
    }
    let config = load(&[
        ("PORTCULLIS_KEK_PROVIDER", "aws-kms"),
        ("PORTCULLIS_KMS_KEY", "alias/ingest"),
        ("PORTCULLIS_VAULT_TRANSIT_KEY", "ingest"),
        (others, "local, vault"),
    ]);
    let config = config.unwrap();
    let names: Vec<_> = config.providers.kek.all().map(KekSource::as_str).collect();
    assert_eq!(names, ["aws-kms", "local", "vault"]);
    assert!(config.secrets.keks.is_some());
}

#[test]
fn every_fault_of_a_set_of_secrets_is_told_by_its_entry() {
    let set = format!("1:{KEY_A},2:canary,1:{KEY_B},3:{KEY_A}");
    let text = message(&[
        ("PORTCULLIS_INDEX_ROOTS", &set),
        ("PORTCULLIS_INDEX_ROOTS_PRIMARY", "1"),
    ]);
    for fault in ["entry 2 must be", "entry 3 repeats", "entry 4 is the same"] {
        let line = format!("\n  PORTCULLIS_INDEX_ROOTS: {fault}");
        assert!(text.contains(&line), "{fault} is not in {text}");
    }
    assert!(!text.contains("canary") && !text.contains(KEY_A), "{text}");
}

#[test]
fn versions_that_are_stored_in_two_bytes_are_no_higher_than_that() {
    for variable in ["PORTCULLIS_INDEX_ROOTS", "PORTCULLIS_KEY_PEPPERS"] {
        let key = "8PHy8/T19vf4+fr7/P3+/+Dh4uPk5ebn6Onq6+zt7u8=";
        assert_eq!(message(&[(variable, &format!("65535:{key}"))]), "");
        let text = message(&[(variable, &format!("65536:{key}"))]);
        let expected = format!("{variable}: version 65536 is too high; the highest is 65535");
        assert!(text.contains(&expected), "{text}");
    }
    assert_eq!(
        message(&[("PORTCULLIS_KEKS", &format!("65536:{KEY_A}"))]),
        ""
    );
}

#[test]
fn a_log_filter_that_says_nothing_or_cannot_be_read_is_refused() {
    for filter in [
        "=",
        "info,",
        "=debug",
        "ingest_server=",
        "a=canary",
        "info,,warn",
        "info, hyper=warn",
    ] {
        let text = message(&[("INGEST_LOG", filter)]);
        assert!(
            text.contains("INGEST_LOG: is not a filter"),
            "`{filter}`: {text}"
        );
        assert!(!text.contains("canary"), "{text}");
    }
    for filter in ["warn", "info,ingest_server=debug", "off", "INFO,hyper=warn"] {
        assert_eq!(message(&[("INGEST_LOG", filter)]), "", "{filter}");
    }
}
