//! The configuration, from any names, values and file.

#![no_main]

use std::{
    ffi::OsString,
    fs,
    os::unix::{ffi::OsStringExt as _, fs::PermissionsExt as _},
    path::{Path, PathBuf},
    sync::LazyLock,
};

use ingest_server::fuzzing::settings::{self, Loaded};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

/// Stands for a value that was put in the wrong place: no name looks like it.
const CANARY: &str = "c4n4RY-Qz7";
const SCHEMA_DIR: &str = "INGEST_SCHEMA_DIR";

struct World {
    folder: TempDir,
    names: Vec<String>,
}

static WORLD: LazyLock<World> = LazyLock::new(World::new);

// `name=value` lines, an empty line, and what the file of settings holds. A digit that stands for a
// name is that of a setting.
fuzz_target!(|input: &[u8]| {
    let (variables, file) = split(input);
    let mut environment: Vec<(String, OsString)> =
        variables.into_iter().filter_map(variable).collect();
    // To compile the schemas takes longer than all else together.
    if !environment.iter().any(|(name, _)| name == SCHEMA_DIR) {
        let folder = WORLD.folder.path().join("schemas");
        environment.push((SCHEMA_DIR.to_owned(), folder.into_os_string()));
    }
    let path = WORLD.folder.path().join("ingest.toml");
    let file = file.map(|text| {
        fs::write(&path, text).expect("the folder is ours");
        path.as_path()
    });
    let loaded = settings::load(environment.clone(), file);
    check_again(&environment, file, &loaded);
    match &loaded {
        Ok(loaded) => check(&environment, loaded),
        Err(problems) => {
            assert!(problems.contains('\n'), "an error without a problem");
            shows_no_value(&environment, problems);
        }
    }
});

/// What an operator may have pasted into the wrong place is in no message.
fn shows_no_value(environment: &[(String, OsString)], shown: &str) {
    // The names of variables are shown.
    if !environment.iter().any(|(name, _)| name.contains(CANARY)) {
        assert!(!shown.contains(CANARY), "a value is shown in: {shown}");
    }
}

fn check(environment: &[(String, OsString)], loaded: &Loaded) {
    let Loaded {
        is_production,
        listen,
        admin_listen,
        trace_sample_ratio,
        shown,
        warnings,
    } = loaded;
    assert!(
        (0.0..=1.0).contains(trace_sample_ratio),
        "a share of {trace_sample_ratio}"
    );
    assert!(
        listen != admin_listen || listen.port() == 0,
        "one address for two listeners"
    );
    shows_no_value(environment, warnings);
    for (name, value) in environment
        .iter()
        .filter(|(name, _)| settings::is_secret(name))
    {
        let value = value
            .to_str()
            .expect("text, or it would not have been loaded");
        let is_path = name.ends_with("_FILE");
        assert!(
            is_path || value.len() < 16 || !shown.contains(value),
            "`Debug` shows {name}"
        );
    }
    if *is_production {
        let ip = admin_listen.ip().to_canonical();
        assert!(
            !ip.is_unspecified(),
            "the admin address is open to the world"
        );
        let token = environment
            .iter()
            .find(|(name, _)| name == "INGEST_ADMIN_TOKEN");
        assert!(token.is_none_or(|(_, token)| token.len() >= 32 || token.is_empty()));
    }
}

/// One configuration has one meaning, whatever order the environment is in.
fn check_again(
    environment: &[(String, OsString)],
    file: Option<&Path>,
    loaded: &Result<Loaded, String>,
) {
    let mut names: Vec<&String> = environment.iter().map(|(name, _)| name).collect();
    names.sort();
    names.dedup();
    if names.len() == environment.len() {
        let reversed = environment.iter().rev().cloned();
        let again = settings::load(reversed, file);
        match (loaded, again) {
            (Ok(loaded), Ok(again)) => assert_eq!(*loaded, again),
            (Err(_), Err(_)) => {}
            _ => panic!("the order of the environment decides"),
        }
    }
}

fn split(input: &[u8]) -> (Vec<&[u8]>, Option<&[u8]>) {
    let end = input.windows(2).position(|pair| pair == b"\n\n");
    let (head, file) = match end {
        Some(end) => (&input[..end], Some(&input[end + 2..])),
        None => (input, None),
    };
    (head.split(|byte| *byte == b'\n').collect(), file)
}

fn variable(line: &[u8]) -> Option<(String, OsString)> {
    let equals = line.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (&line[..equals], &line[equals + 1..]);
    let name = std::str::from_utf8(name).ok()?;
    let name = match name.parse::<usize>() {
        Ok(number) => WORLD.names[number % WORLD.names.len()].clone(),
        Err(_) => name.to_owned(),
    };
    // The system hands on no zero in a value, and a name has at least one sign.
    if name.is_empty() || name.contains('\0') || value.contains(&0) {
        return None;
    }
    let value = if names_a_path(&name) {
        WORLD.path(value)
    } else {
        value.to_vec()
    };
    Some((name, OsString::from_vec(value)))
}

fn names_a_path(name: &str) -> bool {
    name.ends_with("_FILE") || name.ends_with("_DIR")
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is room");
        let schemas = folder.path().join("schemas");
        fs::create_dir(&schemas).expect("the folder is ours");
        for (name, content) in [
            ("token", "0123456789abcdefghijklmnopqrstuvwxyz\n"),
            ("canary", CANARY),
            ("empty", ""),
        ] {
            let path = folder.path().join(name);
            fs::write(&path, content).expect("the folder is ours");
            let private = fs::Permissions::from_mode(0o600);
            fs::set_permissions(&path, private).expect("the file is ours");
        }
        let names = settings::names().0;
        Self { folder, names }
    }

    /// What an input names is in the folder of this run, and never a file of the machine.
    fn path(&self, value: &[u8]) -> Vec<u8> {
        let name = match value {
            b"token" | b"canary" | b"empty" | b"schemas" => value,
            _ => b"none",
        };
        let name = String::from_utf8_lossy(name);
        let path: PathBuf = self.folder.path().join(&*name);
        path.into_os_string().into_vec()
    }
}
