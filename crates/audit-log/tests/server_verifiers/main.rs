//! Logs that this crate writes are checked by programs that share no code with it: Go's `golang.org/x/mod/sumdb`, and
//! the formats once more in Python.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod folder;
mod verifiers;

use std::{fs, path::Path};

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use self::verifiers::Verifier;

/// What has partial tiles on one level, on two, and none.
const SIZES: [u64; 9] = [1, 2, 255, 256, 257, 511, 65_535, 65_536, 65_537];
const LARGEST: u64 = 70_000;

fn accepts_whatever_is_written(verifier: &Verifier) {
    for size in SIZES {
        check(verifier, size, size / 3, size.div_ceil(2));
    }
    // Whatever the sizes were, the failure names them; smaller ones tell no more.
    let mut runner = TestRunner::new(Config {
        cases: 6,
        max_shrink_iters: 0,
        failure_persistence: None,
        ..Config::default()
    });
    let any = (
        1..=LARGEST,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
    );
    let checked = runner.run(&any, |(size, index, old)| {
        let bound = usize::try_from(size).unwrap();
        check(
            verifier,
            size,
            index.index(bound) as u64,
            old.index(bound) as u64 + 1,
        );
        Ok(())
    });
    checked.unwrap();
}

fn check(verifier: &Verifier, size: u64, index: u64, old: u64) {
    let dir = folder::write(size, &[0, index, size - 1], &[1, old, size]);
    assert_eq!(
        verifier.verify(dir.path()),
        Ok(size),
        "of {size}, entry {index}, since {old}"
    );
}

fn refuses_whatever_was_changed(verifier: &Verifier) {
    let dir = folder::write(300, &[7], &[100]);
    let flip = |path: &Path, at: usize| {
        let mut bytes = fs::read(path).unwrap();
        bytes[at] ^= 1;
        fs::write(path, bytes).unwrap();
    };
    assert_eq!(verifier.verify(dir.path()), Ok(300));
    for (path, at) in [
        ("log/checkpoint", 26),
        ("log/tile/0/000", 40),
        ("log/tile/0/001.p/44", 1_407),
        ("log/tile/1/000.p/1", 0),
        ("log/tile/entries/000", 20),
        ("log/tile/entries/001.p/44", 200),
        ("proofs/7.tlog-proof", 40),
        ("consistency/100", 3),
        ("consistency/100", 60),
    ] {
        let file = dir.path().join(path);
        let before = fs::read(&file).unwrap();
        flip(&file, at);
        assert!(verifier.verify(dir.path()).is_err(), "{path}: byte {at}");
        fs::write(&file, before).unwrap();
    }
    assert_eq!(verifier.verify(dir.path()), Ok(300));
}

#[test]
fn go_accepts_logs_of_any_size() {
    accepts_whatever_is_written(&Verifier::go());
}

#[test]
fn go_refuses_a_log_that_was_changed() {
    refuses_whatever_was_changed(&Verifier::go());
}

#[test]
fn python_accepts_logs_of_any_size() {
    accepts_whatever_is_written(&Verifier::python());
}

#[test]
fn python_refuses_a_log_that_was_changed() {
    refuses_whatever_was_changed(&Verifier::python());
}
