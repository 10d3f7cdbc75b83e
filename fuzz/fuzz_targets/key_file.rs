//! The file of `FileDekStore`, against the format that `docs/formats.md` gives.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::{Corpus, fuzz_target};
use portcullis_keyring::{KeyState, fuzzing::key_file, store::StoreError};
use ring::digest::{SHA256, digest};

// An input is a file; behind `!`, lines without their sums, which are put there: the sum keeps chance
// out.
fuzz_target!(|input: &[u8]| -> Corpus {
    let text = match input {
        [b'!', lines @ ..] => with_sums(lines),
        _ => input.to_vec(),
    };
    match key_file(&text) {
        Ok((keys, written)) => {
            assert_eq!(written.as_bytes(), text, "there is one way to write it");
            check_sums(&written);
            let ids: Vec<_> = keys.iter().map(|key| key.id()).collect();
            assert!(ids.is_sorted_by(|one, next| one < next), "in their order");
            for state in [KeyState::Primary, KeyState::Pending] {
                let mut owners = BTreeSet::new();
                for key in keys.iter().filter(|key| key.state() == state) {
                    let owner = (key.tenant().as_str(), key.purpose().as_str());
                    assert!(owners.insert(owner), "two keys are {state}");
                }
            }
            for key in &keys {
                let is_destroyed = key.state() == KeyState::Destroyed;
                assert_eq!(
                    key.wrapped().is_none(),
                    is_destroyed,
                    "a tombstone holds no key"
                );
            }
        }
        Err(StoreError::Corrupt(error) | StoreError::Migration(error)) => {
            // The path and the line, and nothing of what stands there.
            let said = error.to_string();
            let lines = text.split(|byte| *byte == b'\n').count();
            let line = said
                .strip_prefix("keys, line ")
                .and_then(|rest| rest.split_once(':'));
            let (line, why) = line.expect("it says where");
            let line: usize = line.parse().expect("a number");
            assert!((1..=lines.max(1) + 1).contains(&line), "{said}");
            let is_word = |c: char| c.is_ascii_alphabetic() || " ,'".contains(c);
            assert!(why.chars().all(|c| is_word(c) || c == ':'), "{said}");
        }
        Err(error) => panic!("nothing was read or written: {error}"),
    }
    Corpus::Keep
});

/// What is behind the last space of each line is the sum of what stands before it.
fn check_sums(text: &str) {
    for line in text.strip_suffix('\n').expect("lines end").split('\n') {
        let (line, sum) = line.rsplit_once(' ').expect("each has a sum");
        assert_eq!(sum, sum_of(line.as_bytes()));
    }
}

fn with_sums(lines: &[u8]) -> Vec<u8> {
    let lines = lines.strip_suffix(b"\n").unwrap_or(lines);
    let mut text = Vec::new();
    for line in lines.split(|byte| *byte == b'\n') {
        text.extend_from_slice(line);
        text.push(b' ');
        text.extend_from_slice(sum_of(line).as_bytes());
        text.push(b'\n');
    }
    text
}

fn sum_of(line: &[u8]) -> String {
    let hash = digest(&SHA256, line);
    let first = hash.as_ref().iter().take(8);
    first.map(|byte| format!("{byte:02x}")).collect()
}
