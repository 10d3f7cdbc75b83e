//! The table of settings: its rows agree with each other, and the README with them.

use std::{collections::BTreeSet, fs};

use crate::config::{setting::Setting, settings};

const README: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
const BEGIN: &str = "<!-- settings: made from src/config/settings.rs; UPDATE_DOCS=1 cargo test -p ingest-server readme -->\n";
const END: &str = "<!-- settings end -->";

/// The table as the README shows it.
fn markdown() -> String {
    let mut text =
        "\n| variable | flag | in the file | default | |\n|---|---|---|---|---|\n".to_owned();
    let mut section = None;
    for setting in settings::ALL {
        if section.replace(setting.section) != Some(setting.section) {
            text.push_str(&format!("| **{}** | | | | |\n", setting.section.title()));
        }
        text.push_str(&row(setting));
    }
    text.push('\n');
    text
}

fn row(setting: &Setting) -> String {
    let code = |text: &str| format!("`{}`", text.replace('|', "\\|"));
    let flag = setting.flag.map(|flag| code(&format!("--{flag}")));
    let key = setting.key.map(code);
    let cells = [
        code(setting.variable),
        flag.unwrap_or_default(),
        key.unwrap_or_default(),
        setting.shown_default().to_owned(),
        format!("{}: {}", code(setting.hint), setting.help),
    ];
    format!("| {} |\n", cells.join(" | "))
}

#[test]
fn the_readme_has_every_setting_as_it_is() {
    let readme = fs::read_to_string(README).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (table, after) = rest.split_once(END).unwrap();
    let expected = markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(README, format!("{before}{BEGIN}{expected}{END}{after}")).unwrap();
    } else {
        const REMAKE: &str =
            "make it again: UPDATE_DOCS=1 cargo test -p ingest-server --lib readme";
        for (written, made) in table.lines().zip(expected.lines()) {
            assert_eq!(written, made, "{REMAKE}");
        }
        assert_eq!(table, expected, "{REMAKE}");
    }
}

#[test]
fn a_setting_has_one_name_in_three_spellings() {
    let mut names = BTreeSet::new();
    for setting in settings::ALL {
        let (_, name) = setting.variable.split_once('_').unwrap();
        let key = name.to_ascii_lowercase();
        let flag = key.replace('_', "-");
        assert!(setting.key.is_none_or(|it| it == key), "{key}");
        assert!(setting.flag.is_none_or(|it| it == flag), "{flag}");
        assert!(
            setting
                .variables()
                .into_iter()
                .all(|name| names.insert(name))
        );
    }
}

#[test]
fn a_secret_stands_in_no_file_and_no_flag() {
    let mut secrets = settings::secrets();
    assert!(secrets.all(|secret| secret.key.is_none() && secret.flag.is_none()));
    assert_eq!(settings::secrets().count(), 7);
    let generated = settings::secrets().filter(|secret| secret.is_generated());
    assert_eq!(generated.count(), 5);
}

#[test]
fn every_setting_is_explained_in_one_line() {
    for setting in settings::ALL {
        assert!(!setting.help.is_empty() && !setting.help.contains('\n'));
        assert!(!setting.help.ends_with('.') && !setting.hint.is_empty());
    }
}
