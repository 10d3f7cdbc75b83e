//! The packages that the service is built from, as cargo resolves them.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()))
}

/// What `cargo metadata` says of the workspace with every feature on.
fn metadata() -> Value {
    let version = cargo().arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    let mut lines = version.lines();
    let host = lines.find_map(|line| line.strip_prefix("host: ")).unwrap();
    let output = cargo()
        .args(["metadata", "--format-version=1", "--all-features"])
        // What other platforms need may not have been fetched.
        .args(["--filter-platform", host, "--offline", "--locked"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The packages of a name.
fn packages<'m>(metadata: &'m Value, name: &str) -> Vec<&'m Value> {
    let packages = metadata["packages"].as_array().unwrap();
    let found: Vec<&Value> = packages.iter().filter(|one| one["name"] == name).collect();
    assert!(!found.is_empty(), "there is no package `{name}`");
    found
}

/// Where the files of a package lie.
pub(crate) fn folder(name: &str) -> PathBuf {
    let metadata = metadata();
    let manifest = packages(&metadata, name)[0]["manifest_path"].as_str();
    Path::new(manifest.unwrap()).parent().unwrap().to_owned()
}

/// With the first two, `serde_json` gives names that stand in a text a meaning, and reads what
/// stands under them with a new allowance of depth; with the third, it has no bound of depth. A store of
/// `portcullis-keyring` on PostgreSQL would bring the first, and is not part of the service.
#[test]
fn no_package_turns_on_in_band_tokens_or_unbounded_depth() {
    let lines = lines_of_the_service("{p} {f}");
    let mut found = lines.iter().filter(|line| line.starts_with("serde_json "));
    let line = found.next().expect("the service reads JSON");
    let features = line.split_whitespace().nth(2).unwrap_or_default();
    let features: Vec<&str> = features.split(',').collect();
    assert!(features.contains(&"std"), "{line}");
    let metadata = metadata();
    for banned in ["raw_value", "arbitrary_precision", "unbounded_depth"] {
        let by = dependents(&metadata, banned);
        assert!(!features.contains(&banned), "`{banned}`: one of {by:?}");
    }
}

/// `rlibphonenumber` writes the numbers it reads to `log`, at level TRACE.
#[test]
fn no_package_carries_records_of_log_to_the_log() {
    let names = packages_of_the_service();
    assert!(names.iter().any(|name| name == "tracing-subscriber"));
    assert!(!names.iter().any(|name| name == "tracing-log"));
}

/// The names of the packages that the service alone is built from, without what only tests need.
fn packages_of_the_service() -> Vec<String> {
    let lines = lines_of_the_service("{p}").into_iter();
    let names = lines.filter_map(|line| line.split(' ').next().map(str::to_owned));
    names.collect()
}

/// One line for each of those packages, in that format.
fn lines_of_the_service(format: &str) -> Vec<String> {
    let tree = [
        "tree",
        "--package=ingest-server",
        "--edges=normal",
        "--prefix=none",
    ];
    let output = cargo()
        .args(tree)
        .args(["--all-features", "--offline", "--locked"])
        .args(["--format", format])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines.lines().map(str::to_owned).collect()
}

/// The packages that may turn a feature of `serde_json` on.
fn dependents<'m>(metadata: &'m Value, feature: &str) -> Vec<&'m Value> {
    let asks = |package: &&Value| {
        let dependencies = package["dependencies"].as_array().unwrap().iter();
        let mut asked = dependencies
            .filter(|dependency| dependency["name"] == "serde_json")
            .flat_map(|dependency| dependency["features"].as_array().unwrap());
        let own = package["features"].to_string();
        asked.any(|asked| asked == feature) || own.contains(&format!("serde_json/{feature}"))
    };
    let packages = metadata["packages"].as_array().unwrap();
    packages
        .iter()
        .filter(asks)
        .map(|one| &one["name"])
        .collect()
}
