//! The examples run: each asserts what it shows.

use std::{env, path::PathBuf, process::Command};

/// Cargo builds a package's examples with its tests, in the folder beside theirs.
fn run(example: &str) {
    let test = env::current_exe().expect("the test has a path");
    let folder = test.parent().and_then(|deps| deps.parent());
    let folder = folder.expect("tests are built in `deps`, beside `examples`");
    let program: PathBuf = folder.join("examples").join(example);
    let output = Command::new(&program)
        .output()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    assert!(output.status.success(), "{example}: {output:?}");
}

#[test]
fn metrics() {
    run("bounded_metrics");
}

#[test]
fn own_subscriber() {
    run("own_subscriber");
}

#[cfg(feature = "otlp-http")]
#[test]
fn otlp() {
    run("otlp");
}

#[cfg(feature = "tower")]
#[test]
fn traced_service() {
    run("traced_service");
}
