//! Measures how much is found of what it should find, and of what it should leave alone.
//!
//! ```text
//! cargo run -p portcullis-pii-detect --example measure                prints the tables
//! cargo run -p portcullis-pii-detect --example measure -- --check     fails when a target is missed
//!                                                                     or the README says otherwise
//! cargo run -p portcullis-pii-detect --example measure -- --update    writes them into the README
//! cargo run -p portcullis-pii-detect --example measure -- --list 'EAN-13'
//!                                                       prints what went wrong in this corpus
//! ```
//!
//! The texts of others are made by `scripts/corpora`, from packages; the rest is made up here, the same
//! in every run.

mod check_digits;
mod corpus;
mod guilty;
mod innocent;
mod packages;
mod random;
mod table;

use std::{
    env, fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use portcullis_pii_detect::Detector;

use crate::corpus::Measured;

const BEGIN: &str = "<!-- measured: written by the example `measure` -->\n";
const END: &str = "<!-- end of measured -->";

fn main() -> io::Result<ExitCode> {
    run().or_else(|error| {
        writeln!(io::stderr(), "measure: {error}")?;
        Ok(ExitCode::FAILURE)
    })
}

fn run() -> io::Result<ExitCode> {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    if !matches!(arguments[..], [] | ["--check" | "--update"] | ["--list", _]) {
        writeln!(
            io::stderr(),
            "usage: measure [--check | --update | --list CORPUS]"
        )?;
        return Ok(ExitCode::from(2));
    }
    packages::make()?;
    let only = match arguments[..] {
        ["--list", corpus] => Some(corpus),
        _ => None,
    };
    let measured = measured(only);
    let tables = table::tables(&measured);
    let missed: Vec<_> = measured
        .iter()
        .filter(|each| table::met(each) == Some(false))
        .map(|each| each.corpus)
        .collect();
    let mut out = io::stdout().lock();
    match arguments[..] {
        ["--list", corpus] => {
            let found = measured.iter().find(|each| each.corpus == corpus);
            let found =
                found.ok_or_else(|| io::Error::other("no corpus has this name: see the tables"))?;
            for line in &found.wrong {
                writeln!(out, "{line}")?;
            }
        }
        ["--update"] => fs::write(readme(), with_tables(&tables)?)?,
        ["--check"] if fs::read_to_string(readme())? != with_tables(&tables)? => {
            out.write_all(tables.as_bytes())?;
            return Err(io::Error::other(
                "the README of pii-detect shows other figures: run the example with --update",
            ));
        }
        ["--check"] => {}
        _ => out.write_all(tables.as_bytes())?,
    }
    if arguments == ["--check"] && !missed.is_empty() {
        return Err(io::Error::other(format!(
            "targets are missed: {}",
            missed.join("; ")
        )));
    }
    Ok(ExitCode::SUCCESS)
}

/// Every corpus, or the one of a name; those from webhooks are two at a time, and always there.
fn measured(only: Option<&str>) -> Vec<Measured> {
    let detector = Detector::standard();
    let mut corpora = packages::innocent();
    corpora.extend(innocent::corpora());
    corpora.extend(guilty::corpora(&packages::phones()));
    corpora.retain(|corpus| only.is_none_or(|only| corpus.name == only));
    let mut measured = Vec::from(packages::webhooks(&detector));
    measured.extend(corpora.iter().map(|corpus| corpus.measure(&detector)));
    measured
}

fn readme() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

/// The README with these tables in the place of those that it has.
fn with_tables(tables: &str) -> io::Result<String> {
    let text = fs::read_to_string(readme())?;
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) =
        parts.ok_or_else(|| io::Error::other("the README has no place for the tables"))?;
    Ok(format!("{before}{BEGIN}\n{tables}\n{END}{after}"))
}
