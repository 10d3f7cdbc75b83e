//! Secrets that were fetched, and key-encryption keys that are elsewhere.

use std::collections::BTreeMap;

use portcullis_versioned_secrets::source::FetchedSecrets;

use super::{random_key, *};

const PLACE: [(&str, &str); 4] = [
    ("PORTCULLIS_SECRETS", "vault"),
    ("PORTCULLIS_SECRETS_PATH", "secret/ingest"),
    ("INGEST_PROFILE", "production"),
    ("INGEST_AUDIT_ORIGIN", "audit.example/ingest"),
];

fn sources(given: &[(&str, &str)]) -> Sources {
    let given = PLACE.iter().chain(given);
    let given = given.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Sources::new(Flags::new(), given, None)
}

/// Everything that is needed.
fn complete() -> BTreeMap<String, String> {
    let token = random_key(0).trim_end_matches('=').to_owned();
    let set = |number| format!("1:{}", random_key(number));
    [
        ("INGEST_ADMIN_TOKEN", token),
        ("PORTCULLIS_KEKS", format!("{},2:{}", set(1), random_key(4))),
        ("PORTCULLIS_KEKS_PRIMARY", "2".to_owned()),
        ("PORTCULLIS_INDEX_ROOTS", set(2)),
        ("PORTCULLIS_KEY_PEPPERS", set(3)),
        ("PORTCULLIS_AUDIT_KEYS", set(8)),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into()
}

/// What comes of an object with these members too, in an environment with these variables too.
fn loaded(members: &[(&str, &str)], given: &[(&str, &str)]) -> Result<Config, ConfigError> {
    let mut sources = sources(given);
    let mut object = complete();
    for (name, value) in members {
        object.insert((*name).to_owned(), (*value).to_owned());
    }
    let object = object.into_iter().map(|(name, value)| (name, value.into()));
    let place = secret_place(&sources).unwrap();
    sources.add_fetched(
        place.to_string(),
        FetchedSecrets::new(object.collect(), "7".into()),
    );
    Config::load(&sources)
}

fn message_of(members: &[(&str, &str)], given: &[(&str, &str)]) -> String {
    let error = loaded(members, given).err();
    error.map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn what_was_fetched_is_enough_and_before_that_nothing_is_missed() {
    let before = sources(&[]);
    assert_eq!(Config::check(&before).unwrap(), []);
    Config::load(&before).unwrap_err();
    let text = Config::check(&sources(&[("INGEST_LISTEN", "canary")]));
    assert!(text.unwrap_err().to_string().contains("INGEST_LISTEN"));
    let config = loaded(&[], &[]).unwrap();
    let keks = config.secrets.keks.unwrap();
    assert_eq!(keks.primary_version().value(), 2);
}

#[test]
fn each_problem_names_its_place_and_shows_no_value() {
    let set = format!("1:{}", random_key(9));
    let text = message_of(
        &[
            ("INGEST_ADMIN_TOKEN", "canary"),
            ("PORTCULLIS_KEKS_PRIMARY", "3"),
            ("PORTCULLIS_INDEX_ROOTS", &set),
            ("PORTCULLIS_KEY_PEPPERS", "1:canary\n2:canary"),
            ("PORTCULLIS_KEK", "canary"),
            ("INGEST_LISTEN", "canary"),
            ("Canary47key+of/nobody==", "canary"),
        ],
        &[("PORTCULLIS_INDEX_ROOTS_FILE", "/canary")],
    );
    for line in [
        "INGEST_ADMIN_TOKEN in secret/ingest of Vault: is weak",
        "PORTCULLIS_KEKS_PRIMARY in secret/ingest of Vault: names no version of PORTCULLIS_KEKS",
        "PORTCULLIS_INDEX_ROOTS in secret/ingest of Vault: is set, and PORTCULLIS_INDEX_ROOTS_FILE too",
        "PORTCULLIS_KEY_PEPPERS in secret/ingest of Vault: must be one line",
        "PORTCULLIS_KEK in secret/ingest of Vault: is no secret of this service; did you mean",
        "INGEST_LISTEN in secret/ingest of Vault: is no secret",
        "secret/ingest of Vault: has a member that is no name of a secret",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    let shown = text.replace("/canary", "");
    assert!(
        !shown.contains("canary") && !shown.contains("Canary"),
        "{text}"
    );
}

#[test]
fn what_is_missing_is_to_be_set_in_the_place() {
    let mut sources = sources(&[]);
    let place = secret_place(&sources).unwrap();
    sources.add_fetched(
        place.to_string(),
        FetchedSecrets::new(BTreeMap::new(), "1".into()),
    );
    let text = Config::load(&sources).unwrap_err().to_string();
    for variable in [
        "INGEST_ADMIN_TOKEN",
        "PORTCULLIS_KEKS",
        "PORTCULLIS_KEY_PEPPERS",
    ] {
        let line = format!("{variable}: is missing; set it in secret/ingest of Vault");
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn keks_are_not_asked_for_where_vault_holds_them() {
    let vault = [
        ("PORTCULLIS_KEK_PROVIDER", "vault"),
        ("PORTCULLIS_VAULT_TRANSIT_KEY", "ingest"),
    ];
    let config = loaded(&[], &vault).unwrap();
    assert!(config.secrets.keks.is_none());
    let is_told = |it: &Warning| it.setting.starts_with("PORTCULLIS_KEKS in secret/ingest");
    assert!(config.warnings.iter().any(is_told), "{:?}", config.warnings);
    let expected = KekSource::Vault(TransitKey {
        mount: "transit".to_owned(),
        key: "ingest".to_owned(),
    });
    assert_eq!(config.providers.kek.wraps, expected);
}

#[test]
fn a_path_names_a_mount_and_an_entry() {
    for path in ["secret", "/ingest", "secret/", "secret ingest"] {
        let given = [("PORTCULLIS_SECRETS_PATH", path)];
        let text = Config::check(&sources(&given)).unwrap_err().to_string();
        assert!(text.contains("PORTCULLIS_SECRETS_PATH: must be"), "{text}");
    }
}
