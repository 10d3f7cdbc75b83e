//! Each command that a runbook gives can be run as it stands there.

use std::{fs, path::Path};

use clap::Parser as _;

use super::Cli;

#[test]
fn each_command_of_a_runbook_is_one_of_the_service_with_its_arguments() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/runbooks");
    let mut commands = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().map(str::trim) {
            if line.starts_with("ingest-server ") {
                let parsed = Cli::try_parse_from(line.split(' '));
                assert!(parsed.is_ok(), "{}: {line}", path.display());
                commands += 1;
            }
        }
    }
    assert!(commands > 20, "{commands}");
}
