//! What was accepted, and how it is compared.

use std::{
    env,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use ring::digest::{Context, SHA256};

use super::requests::GROUPS;

/// A file, and what it would hold now.
pub(super) type Observed<'a> = (&'a str, &'a str);

/// How many lines of a difference are shown, and how long each may be.
const SHOWN: usize = 12;
const WIDTH: usize = 240;

pub(super) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Fails when something differs from what was accepted; with `UPDATE_GOLDEN` set, accepts it.
pub(super) fn compare(group: &str, observed: &[Observed<'_>]) {
    let folder = folder().join("accepted").join(group);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(&folder).unwrap();
        for (name, text) in observed {
            fs::write(folder.join(name), text).unwrap();
        }
        return;
    }
    let mut differences = String::new();
    for (name, text) in observed {
        let accepted = fs::read_to_string(folder.join(name)).unwrap_or_default();
        if accepted != *text {
            write!(
                differences,
                "\n{group}/{name}:\n{}",
                difference(&accepted, text)
            )
            .unwrap();
        }
    }
    assert!(
        differences.is_empty(),
        "not what was accepted (tests/golden/README.md says how to accept it)\n{differences}"
    );
}

/// The lines of one that the other has not in that place, the first of them.
fn difference(accepted: &str, now: &str) -> String {
    let (mut before, mut after): (Vec<_>, Vec<_>) =
        (accepted.lines().collect(), now.lines().collect());
    let same_start = before
        .iter()
        .zip(&after)
        .take_while(|(one, other)| one == other)
        .count();
    before.drain(..same_start);
    after.drain(..same_start);
    while before.last().is_some() && before.last() == after.last() {
        before.pop();
        after.pop();
    }
    let mut lines = Vec::new();
    for at in 0..before.len().max(after.len()) {
        let (was, is) = (before.get(at), after.get(at));
        if was != is {
            lines.extend(was.map(|line| format!("- {line}")));
            lines.extend(is.map(|line| format!("+ {line}")));
        }
    }
    let more = lines.len().saturating_sub(SHOWN);
    lines.truncate(SHOWN);
    let shown = lines
        .iter()
        .map(|line| line.chars().take(WIDTH).collect::<String>() + "\n");
    let mut text: String = shown.collect();
    if more > 0 {
        writeln!(text, "… and {more} more lines").unwrap();
    }
    text
}

/// What is accepted, requests and all, in twelve digits.
fn digest() -> String {
    let mut context = Context::new(&SHA256);
    for group in GROUPS {
        let requests = folder().join("requests").join(format!("{group}.jsonl"));
        let accepted = fs::read_dir(folder().join("accepted").join(group)).unwrap();
        let mut files: Vec<_> = accepted.map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for path in [requests].into_iter().chain(files) {
            let content = fs::read(&path).unwrap();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            for part in [group.as_bytes(), name.as_bytes(), &content] {
                context.update(&part.len().to_be_bytes());
                context.update(part);
            }
        }
    }
    hex::encode(&context.finish().as_ref()[..6])
}

/// What is accepted comes with a line in the changelog that says what is another for users.
pub(super) fn assert_in_changelog() {
    if env::var_os("UPDATE_GOLDEN").is_some() {
        return;
    }
    let changelog = fs::read_to_string(folder().join("../../../../CHANGELOG.md")).unwrap();
    let digest = digest();
    assert!(
        changelog.contains(&format!("golden `{digest}`")),
        "CHANGELOG.md has no line with: golden `{digest}` (say there what changes for users)"
    );
}

#[test]
fn a_difference_is_shown_by_its_first_lines() {
    let before = "a\nb\nc\nd\n";
    assert_eq!(difference(before, before), "");
    assert_eq!(difference(before, "a\nB\nc\nd\n"), "- b\n+ B\n");
    assert_eq!(difference(before, "a\nb\nnew\nc\nd\n"), "+ new\n");
    let long: String = (0..20).map(|n| format!("{n}\n")).collect();
    let shown = difference("", &long);
    assert_eq!(shown.lines().count(), SHOWN + 1);
    assert!(shown.ends_with("… and 8 more lines\n"), "{shown}");
}
