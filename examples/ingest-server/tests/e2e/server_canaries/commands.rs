//! Canaries in the arguments of every command.

use std::process::Command;

use super::{canaries::Canaries, outputs::Output, surface};
use crate::harness::{Data, run_to_end};

/// Each command, with arguments beside those that all are given; `@` stands for an e-mail address, `$` for a word and
/// `#` for the id of a lead.
const COMMANDS: [(&str, &[&str]); 34] = [
    ("serve", &[]),
    ("demo", &[]),
    ("check-config", &[""]),
    ("metrics", &["", "--json"]),
    (
        "probe",
        &[
            "--once --url $ --key-file /nowhere",
            "--once --url http://127.0.0.1:9 --key-file /nowhere --interval $",
        ],
    ),
    (
        "api-key issue",
        &["--tenant @ --scope events:write", "--tenant acme --scope $"],
    ),
    ("api-key list", &["", "--tenant @", "--pepper $"]),
    ("api-key rotate", &["$"]),
    ("api-key revoke", &["$"]),
    ("api-key peppers", &[""]),
    ("api-key tag-key", &["$"]),
    ("keys list", &["", "--tenant @"]),
    ("keys rotate", &["--tenant @"]),
    ("keys rewrap", &[""]),
    ("keys reencrypt", &[""]),
    ("keys verify", &[""]),
    ("keys disable", &["$"]),
    ("keys destroy", &["$"]),
    ("keys restore", &["$"]),
    ("index rotate", &["--to $"]),
    (
        "quality report",
        &[
            "--days 1",
            "--days 1 --format json",
            "--days 1 --format html",
            "--tenant @",
            "--days $",
        ],
    ),
    (
        "audit tail",
        &["", "--json", "--tenant @", "--actor $", "--node $"],
    ),
    (
        "audit report",
        &[
            "--from 2020-01-01",
            "--from 2020-01-01 --format json",
            "--from 2020-01-01 --format html",
            "--from $",
        ],
    ),
    ("audit verify", &["", "--node command-line", "--from $"]),
    ("audit export", &["", "--actor $"]),
    ("audit prune", &["", "--node $", "--generation $"]),
    (
        "audit archive",
        &["--node command-line", "--json", "--node $"],
    ),
    ("audit accept-rollback", &["", "--node $", "--confirm $"]),
    (
        "audit erase",
        &["--actor $", "--resource @", "--tenant $", "--event $"],
    ),
    (
        "audit search",
        &["", "--json", "--tenant @", "--resource $", "--from $"],
    ),
    ("audit close", &["0", "0 --reason $", "0 --node $", "$"]),
    ("audit proof", &["0", "$"]),
    ("audit vkey", &["", "--node $"]),
    (
        "erase",
        &[
            "--tenant @ --all",
            "--tenant acme --lead $",
            "--tenant acme --lead #",
        ],
    ),
];

/// Commands that are in no other place: theirs is a name for what the one before says too.
const OTHERS: [&str; 1] = ["index unique"];

/// Runs every command in every way, and gives what each printed.
pub(super) fn run_all(
    data: &Data,
    command: &dyn Fn() -> Command,
    canaries: &mut Canaries,
    lead: &str,
) -> Vec<Output> {
    let known = COMMANDS.iter().map(|(name, _)| *name).chain(OTHERS);
    let known: std::collections::BTreeSet<String> = known.map(str::to_owned).collect();
    assert_eq!(
        surface::commands(data),
        known,
        "what is to be put into a new command?"
    );
    let mut outputs = Vec::new();
    for (name, ways) in COMMANDS {
        let place = format!("an argument of {name}");
        let common = [
            format!("--{}", canaries.word(&place)),
            format!("--listen {}", canaries.email(&place)),
            format!("--keep-alive {}", canaries.word(&place)),
        ];
        for way in common
            .iter()
            .map(String::as_str)
            .chain(ways.iter().copied())
        {
            let mut command = command();
            command.args(name.split(' '));
            for argument in way.split_whitespace() {
                command.arg(match argument {
                    "@" => canaries.email(&place),
                    "$" => canaries.word(&place),
                    "#" => lead.to_owned(),
                    argument => argument.to_owned(),
                });
            }
            let output = run_to_end(&mut command);
            let printed = [output.stdout, output.stderr].concat();
            outputs.push((format!("output of {name}"), printed));
        }
    }
    outputs
}
