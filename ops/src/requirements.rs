//! `docs/requirements.md`, made of the tests that are named after requirements.

use std::{collections::BTreeMap, fs};

use crate::files::{self, FileError};

/// Where the tests are.
const FOLDER: &str = "examples/ingest-server/tests/e2e/requirements";

/// The page.
pub(crate) const PAGE: &str = "docs/requirements.md";

/// How many requirements each chapter has.
const CHAPTERS: [usize; 8] = [5; 8];

const HEAD: &str = "# Requirements

<!-- Made by `ops generate` of examples/ingest-server/tests/e2e/requirements. Do not edit. -->

What the service has to do, and the test that is named after it: requirement 1.1 has `r1_1_…`. The wording is the
project's own. The tests are short and run against the real binary; those of the last column show how far it holds.

**Last results** are not kept here, since they would change with each run: `scripts/requirements` prints this list with
what became of each test in the last run of `cargo nextest run`, and fails if one is missing, failed or was not run.
`scripts/test` runs both.
";

/// One requirement.
#[derive(Debug, PartialEq, Eq)]
struct Requirement {
    number: (usize, usize),
    wording: String,
    test: String,
    /// Names of tests that show more of it.
    also: Vec<String>,
}

/// What is missing or there twice, and whether the page is as it would be made.
pub(crate) fn check() -> Result<Vec<String>, FileError> {
    let (titles, requirements) = read()?;
    let mut findings = Vec::new();
    for (index, count) in CHAPTERS.iter().enumerate() {
        let chapter = index + 1;
        if !titles.contains_key(&chapter) {
            findings.push(format!("{FOLDER}: no file is of requirements {chapter}"));
        }
        for number in 1..=*count {
            let of_number = |it: &&Requirement| it.number == (chapter, number);
            let tests = requirements.iter().filter(of_number).count();
            if tests != 1 {
                findings.push(format!(
                    "{FOLDER}: requirement {chapter}.{number} has {tests} tests"
                ));
            }
        }
    }
    for requirement in &requirements {
        if requirement.wording.is_empty() {
            findings.push(format!("{FOLDER}: {} says nothing", requirement.test));
        }
    }
    if files::read(PAGE).ok() != Some(page(&titles, requirements)) {
        findings.push(format!("{PAGE}: run `ops generate`"));
    }
    Ok(findings)
}

/// Writes the page.
pub(crate) fn generate() -> Result<(), FileError> {
    let (titles, requirements) = read()?;
    files::write(PAGE, &page(&titles, requirements))
}

type Titles = BTreeMap<usize, String>;

fn read() -> Result<(Titles, Vec<Requirement>), FileError> {
    let mut titles = Titles::new();
    let mut requirements = Vec::new();
    let entries = fs::read_dir(files::root().join(FOLDER));
    for entry in entries.into_iter().flatten().flatten() {
        let path = entry.path();
        let text = files::read_at(&path)?;
        titles.extend(title(&text));
        let module = path.file_stem().unwrap_or_default().to_string_lossy();
        requirements.extend(of_file(&module, &text));
    }
    Ok((titles, requirements))
}

/// Of a file that begins with `//! Requirements 1: personal data.`
fn title(text: &str) -> Option<(usize, String)> {
    let line = text.lines().next()?.strip_prefix("//! Requirements ")?;
    let (chapter, title) = line.split_once(": ")?;
    let title = title.trim_end_matches('.');
    let (first, rest) = title.split_at_checked(1)?;
    let title = format!("{}{rest}", first.to_uppercase());
    Some((chapter.parse().ok()?, title))
}

fn of_file(module: &str, text: &str) -> Vec<Requirement> {
    let mut found = Vec::new();
    let mut comment = String::new();
    for line in text.lines() {
        if let Some(text) = line.strip_prefix("///") {
            comment.push_str(text.trim());
            comment.push(if text.is_empty() { '\n' } else { ' ' });
            continue;
        }
        if line.starts_with("#[") {
            continue;
        }
        let line = line.strip_prefix("async ").unwrap_or(line);
        let name = line.strip_prefix("fn ").and_then(|it| it.split_once('('));
        if let Some((name, number)) = name.and_then(|(name, _)| Some((name, number(name)?))) {
            let (wording, also) = comment.split_once("Also: ").unwrap_or((&comment, ""));
            found.push(Requirement {
                number,
                wording: wording.trim().to_owned(),
                test: format!("e2e::requirements::{module}::{name}"),
                also: also
                    .split('`')
                    .skip(1)
                    .step_by(2)
                    .map(str::to_owned)
                    .collect(),
            });
        }
        comment.clear();
    }
    found
}

/// Of `r1_2_what_holds`.
fn number(test: &str) -> Option<(usize, usize)> {
    let mut parts = test.strip_prefix('r')?.splitn(3, '_');
    let (chapter, number) = (parts.next()?, parts.next()?);
    parts.next()?;
    Some((chapter.parse().ok()?, number.parse().ok()?))
}

fn page(titles: &Titles, mut requirements: Vec<Requirement>) -> String {
    requirements.sort_by_key(|it| it.number);
    let mut page = HEAD.to_owned();
    for (chapter, title) in titles {
        page.push_str(&format!("\n## {chapter}. {title}\n\n"));
        page.push_str("| | requirement | its test | more |\n|---|---|---|---|\n");
        for it in requirements.iter().filter(|it| it.number.0 == *chapter) {
            let also: Vec<_> = it.also.iter().map(|name| format!("`{name}`")).collect();
            let (chapter, number) = it.number;
            let row = [
                &format!("{chapter}.{number}"),
                &it.wording,
                &format!("`{}`", it.test),
                &also.join(", "),
            ];
            page.push_str(&format!("| {} |\n", row.map(String::as_str).join(" | ")));
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "//! Requirements 3: keys of doors.\n\nfn helper() {}\n\n/// Nobody enters\n/// without one.\n\
                        ///\n/// Also: `e2e::a::b`,\n/// `e2e::c::d`.\n#[tokio::test]\nasync fn r3_2_closed() {\n}\n";

    #[test]
    fn a_requirement_is_what_stands_above_its_test() {
        let requirement = Requirement {
            number: (3, 2),
            wording: "Nobody enters without one.".to_owned(),
            test: "e2e::requirements::doors::r3_2_closed".to_owned(),
            also: vec!["e2e::a::b".to_owned(), "e2e::c::d".to_owned()],
        };
        assert_eq!(of_file("doors", TEXT), [requirement]);
        assert_eq!(title(TEXT), Some((3, "Keys of doors".to_owned())));
        let titles = Titles::from([(3, "Keys of doors".to_owned())]);
        let page = page(&titles, of_file("doors", TEXT));
        let row = "| 3.2 | Nobody enters without one. | `e2e::requirements::doors::r3_2_closed` | \
                   `e2e::a::b`, `e2e::c::d` |\n";
        assert!(page.ends_with(row), "{page}");
    }
}
