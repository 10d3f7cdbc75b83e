//! Every command says how it is recorded, and the page says the same.

use std::{collections::BTreeSet, env, fs, path::Path};

use clap::CommandFactory as _;

use super::*;
use crate::cli::Cli;

/// Each command once, with what it cannot do without.
const EXAMPLES: [&str; 35] = [
    "serve",
    "demo",
    "check-config",
    "metrics",
    "api-key issue --tenant acme --scopes events:write",
    "api-key list",
    "api-key rotate wrvbIs64wM9D00107W2ewL",
    "api-key revoke wrvbIs64wM9D00107W2ewL",
    "api-key peppers",
    "api-key tag-key 1",
    "keys list",
    "keys rotate",
    "keys rewrap",
    "keys reencrypt",
    "keys verify",
    "keys disable 1",
    "keys destroy 1",
    "keys restore 1",
    "index rotate",
    "index unique",
    "quality report",
    "audit tail",
    "audit search",
    "audit report --from 2026-05-01",
    "audit verify",
    "audit export",
    "audit prune",
    "audit archive",
    "audit accept-rollback",
    "audit erase --event 0",
    "audit close 0",
    "audit proof 0",
    "audit vkey",
    "erase --tenant acme --all",
    "probe --url https://ingest.example.com --key-file keys",
];

fn leaves(command: &clap::Command, above: &str, found: &mut BTreeSet<String>) {
    let below: Vec<_> = command.get_subcommands().collect();
    if below.is_empty() {
        found.insert(above.trim().to_owned());
    }
    for command in below {
        leaves(command, &format!("{above} {}", command.get_name()), found);
    }
}

/// The command without its arguments, and how it is recorded.
fn audited(example: &str, known: &BTreeSet<String>) -> (String, Audited) {
    let words = ["ingest-server"].into_iter().chain(example.split(' '));
    let parsed = <Cli as clap::Parser>::try_parse_from(words).unwrap();
    let name = known
        .iter()
        .filter(|name| format!("{example} ").starts_with(&format!("{name} ")))
        .max_by_key(|name| name.len());
    (name.unwrap().clone(), parsed.command.unwrap().audited())
}

fn all() -> Vec<(String, Audited)> {
    let mut known = BTreeSet::new();
    leaves(&Cli::command(), "", &mut known);
    let all: Vec<_> = EXAMPLES
        .iter()
        .map(|example| audited(example, &known))
        .collect();
    let named: BTreeSet<_> = all.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(named, known, "each command has an example");
    all
}

const BEGIN: &str = "<!-- commands: UPDATE_DOCS=1 cargo test -p ingest-server recorded -->\n";
const END: &str = "<!-- commands end -->";

/// Fails when the page and the commands differ; with `UPDATE_DOCS` set, writes the page.
#[test]
fn every_command_is_recorded_as_the_page_says() {
    let mut made = "\n| command | is on record as | how |\n|---|---|---|\n".to_owned();
    for (name, audited) in all() {
        let (action, how) = match audited {
            Must(action) => (action.action.as_str(), "durable before it is shown or done"),
            Never(why) => ("–", why),
            other => panic!("{name}: no command is recorded as {other:?}"),
        };
        made += &format!("| `ingest-server {name}` | `{action}` | {how} |\n");
    }
    made.push('\n');
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/audit.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(path, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
    } else {
        assert_eq!(
            table, made,
            "make it again: UPDATE_DOCS=1 cargo test -p ingest-server --lib recorded"
        );
    }
}
