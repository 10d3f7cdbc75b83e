//! A fault is told at the place its value came from.

use std::{fs, path::PathBuf};

use tempfile::TempDir;

use super::{KEY_A, KEY_B, environment};
use crate::config::{Config, Flags, Sources};

/// A folder with a file of settings.
fn file(content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ingest.toml");
    fs::write(&path, content).unwrap();
    (dir, path)
}

/// What is said of a file, with `FILE` for its path.
fn message_of_file(content: impl AsRef<[u8]>) -> String {
    let (_dir, path) = file(content);
    let sources = Sources::new(Flags::new(), environment(&[]), Some(&path));
    let error = Config::load(&sources).err().map(|error| error.to_string());
    error
        .unwrap_or_default()
        .replace(path.to_str().unwrap(), "FILE")
}

#[test]
fn a_problem_is_told_under_the_flag_the_variable_or_the_key() {
    let (_dir, path) = file("# addresses\n\nadmin_listen = \"canary\"\n");
    let flags = Flags::from([("INGEST_LISTEN", "canary:8080".to_owned())]);
    let environment = environment(&[("INGEST_LISTEN", "fine:1"), ("INGEST_PROFILE", "canary")]);
    let error = Config::load(&Sources::new(flags, environment, Some(&path)));
    let text = error.unwrap_err().to_string();
    let needed = "must be an IP address and a port, such as 127.0.0.1:8080";
    for line in [
        format!("\n  --listen: {needed}"),
        format!("\n  admin_listen in {}, line 3: {needed}", path.display()),
        "\n  INGEST_PROFILE: must be `dev` or `production`".to_owned(),
    ] {
        assert!(text.contains(&line), "{line} is not in {text}");
    }
    assert!(text.contains("has 3 problems"), "{text}");
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn equal_addresses_are_told_with_both_places() {
    let flags = Flags::from([("INGEST_LISTEN", "127.0.0.1:9090".to_owned())]);
    let error = Config::load(&Sources::new(flags, environment(&[]), None));
    let text = error.unwrap_err().to_string();
    assert!(
        text.contains("INGEST_ADMIN_LISTEN: must differ from --listen"),
        "{text}"
    );
}

#[test]
fn a_data_folder_that_is_a_file_is_told() {
    let (_dir, path) = file("");
    let flags = Flags::from([("INGEST_DATA_DIR", path.to_str().unwrap().to_owned())]);
    let error = Config::load(&Sources::new(flags, environment(&[]), None));
    let text = error.unwrap_err().to_string();
    assert!(text.contains("\n  --data-dir: is not a folder"), "{text}");
}

#[test]
fn a_proxy_that_is_none_is_told_by_its_entry() {
    let text = message_of_file("trusted_proxies = \"10.0.0.0/8, canary, ::1\"");
    assert!(
        text.contains("trusted_proxies in FILE, line 1: entry 2 must be an address or a network"),
        "{text}"
    );
    assert!(!text.contains("canary"), "{text}");
}

#[test]
fn an_idle_time_is_seconds_up_to_a_day() {
    for (text, is_valid) in [
        ("1", true),
        ("75", true),
        ("86400", true),
        ("\"90\"", true),
        ("0", false),
        ("-1", false),
        ("1.5", false),
        ("86401", false),
        ("99999999999999999999", false),
        ("\"75s\"", false),
        ("\"\"", false),
    ] {
        let told = message_of_file(format!("keep_alive = {text}"));
        // A number that TOML does not have is told as such.
        assert_eq!(told.contains("line 1"), !is_valid, "{text}: {told}");
    }
    let told = message_of_file("keep_alive = 0");
    let needed = "keep_alive in FILE, line 1: must be a whole number of seconds, 1 to 86400";
    assert!(told.contains(needed), "{told}");
}

#[test]
fn unknown_keys_are_told_one_by_one_with_line_and_column() {
    let text = message_of_file(
        "lsten = \"127.0.0.1:1\"\n  \"ADMIN-LISTEN\" = \"x\"\nINGEST_DATABASE_URL = \"x\"\n[network]\nport = 1\n",
    );
    for line in [
        "\n  FILE, line 1, column 1: `lsten` is not a setting; did you mean `listen`?",
        "\n  FILE, line 2, column 3: `ADMIN-LISTEN` is not a setting; did you mean `admin_listen`?",
        "\n  FILE, line 3, column 1: `INGEST_DATABASE_URL` is not a setting; did you mean `database_url`?",
        "\n  FILE, line 4, column 2: `network` is not a setting; known are profile, listen, ",
    ] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

#[test]
fn a_key_that_may_be_a_secret_is_told_by_its_position_alone() {
    let long = "a".repeat(41);
    let keys = [
        "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8",
        "canary123",
        "12canary",
        "CanaryKey",
        "\"canary key\"",
        "\"canary=\"",
        "\"\"",
        &long,
    ];
    for key in keys {
        let text = message_of_file(format!("log = \"info\"\n{key} = 1"));
        assert!(
            text.contains("\n  FILE, line 2, column 1: the key is not a setting; known are"),
            "{text}"
        );
        assert!(!text.to_lowercase().contains("canary"), "{text}");
        assert!(
            !text.contains(&key[..key.len().min(8)]) || key == "\"\"",
            "{text}"
        );
    }
}

#[test]
fn what_is_not_toml_is_told_by_line_and_column() {
    let text = message_of_file("log = \"info\"\nprofile = canary\n");
    assert!(
        text.ends_with("FILE, line 2, column 11: is not TOML"),
        "{text}"
    );
    let text = message_of_file("log = \"info\"\n\nlog = \"canary\"\n");
    assert!(
        text.ends_with("FILE, line 3, column 1: sets a key again"),
        "{text}"
    );
    let text = message_of_file(b"log = \"info\"\nprofile = \"\xff\"\n");
    assert!(
        text.ends_with("FILE, line 2, column 12: is not UTF-8 text"),
        "{text}"
    );
}

#[test]
fn a_file_that_cannot_be_read_is_told_under_its_flag() {
    let path = tempfile::tempdir().unwrap().path().join("none.toml");
    let sources = Sources::new(Flags::new(), environment(&[]), Some(&path));
    let text = Config::load(&sources).unwrap_err().to_string();
    assert!(
        text.contains("\n  --config: names a file that cannot be read"),
        "{text}"
    );
}

#[test]
fn a_number_in_the_file_is_taken_where_the_setting_is_one() {
    for (number, expected) in [("0.05", 0.05), ("1", 1.0), ("\"0.02\"", 0.02)] {
        let (_dir, path) = file(format!("trace_sample_ratio = {number}"));
        let sources = Sources::new(Flags::new(), environment(&[]), Some(&path));
        let ratio = Config::load(&sources).unwrap().observability;
        assert!(
            (ratio.trace_sample_ratio - expected).abs() < f64::EPSILON,
            "{number}"
        );
    }
    for (line, expected) in [
        ("trace_sample_ratio = 2", "must be a number from 0 to 1"),
        ("trace_sample_ratio = [0.1]", "must be a number"),
        ("log = 1", "must be text in quotes"),
        ("log = true", "must be text in quotes"),
    ] {
        let text = message_of_file(line);
        let key = line.split(' ').next().unwrap();
        assert!(
            text.ends_with(&format!("{key} in FILE, line 1: {expected}")),
            "{text}"
        );
    }
}

#[test]
fn a_secret_from_a_file_of_its_own_is_told_under_the_variable_that_names_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("kek");
    fs::write(&path, format!("1:{KEY_A},canary")).unwrap();
    let mut environment = environment(&[("PORTCULLIS_KEKS_FILE", path.to_str().unwrap())]);
    environment.retain(|(name, _)| name != "PORTCULLIS_KEKS");
    let error = Config::load(&Sources::new(Flags::new(), environment, None));
    let text = error.unwrap_err().to_string();
    assert!(
        text.contains("PORTCULLIS_KEKS_FILE: entry 2 must be"),
        "{text}"
    );
    assert!(!text.contains("canary") && !text.contains(KEY_B), "{text}");
}
