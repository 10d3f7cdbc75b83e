//! Secrets that the dev profile makes for itself, once, for an empty database.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::SecretString;
use zeroize::Zeroizing;

use super::DevError;
use crate::{
    backend::Location,
    config::{
        ADMIN_TOKEN, AUDIT_KEYS, INDEX_ROOTS, KEKS, KEY_PEPPERS, Sources, data_dir, database,
        is_dev,
    },
    files,
};

const MAX_BYTES: usize = 64 * 1024;

/// Where they lie.
pub(crate) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("dev-secrets.env")
}

/// Whether `serve` would make them: the dev profile, and no secret anywhere.
pub(crate) fn would_generate(sources: &Sources) -> bool {
    is_dev(sources) && !sources.has_given_secrets() && !path(&data_dir(sources)).exists()
}

/// Adds the generated secrets, making them if there are none. Says whether they are in use.
pub(crate) fn ensure(sources: &mut Sources) -> Result<bool, DevError> {
    let folder = data_dir(sources);
    if would_generate(sources) {
        refuse_existing_data(sources, &folder)?;
        generate(&folder)?;
    } else if are_used(sources) {
        complete(&folder)?;
    }
    add_existing(sources)
}

/// Whether secrets that were generated before are those of this process.
fn are_used(sources: &Sources) -> bool {
    is_dev(sources) && !sources.has_given_secrets() && path(&data_dir(sources)).exists()
}

/// Makes what a version before this one did not: the keys of the audit log, which it did not have.
fn complete(folder: &Path) -> Result<(), DevError> {
    let path = path(folder);
    let mut text = read(&path)?;
    if parse(&path, &text)?.contains_key(AUDIT_KEYS) {
        return Ok(());
    }
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str(&line(AUDIT_KEYS)?);
    let draft = folder.join(format!(".dev-secrets.{}", std::process::id()));
    let write = || -> io::Result<()> {
        write_draft(&draft, &text)?;
        fs::rename(&draft, &path)?;
        File::open(folder)?.sync_all()
    };
    write().map_err(|error| file_error(&path, &error))
}

fn read(path: &Path) -> Result<Zeroizing<String>, DevError> {
    files::read_text(path, MAX_BYTES).map_err(|reason| DevError::Unreadable {
        path: path.to_owned(),
        reason,
    })
}

fn write_draft(draft: &Path, content: &str) -> io::Result<()> {
    // Left behind by an earlier process of this number.
    drop(fs::remove_file(draft));
    let mut file = files::create_new(draft)?;
    // EXPOSE: this file is where the dev profile keeps its secrets.
    file.write_all(content.as_bytes())?;
    file.sync_all()
}

/// The same, without keeping those it makes.
pub(crate) fn dry_run(sources: &mut Sources) -> Result<bool, DevError> {
    if !would_generate(sources) {
        return add_existing(sources);
    }
    let folder = data_dir(sources);
    refuse_existing_data(sources, &folder)?;
    let path = path(&folder);
    let secrets = parse(&path, &content()?)?;
    sources.add_generated(path, secrets);
    Ok(true)
}

/// Adds the generated secrets if there are any. Says whether they are in use.
pub(crate) fn add_existing(sources: &mut Sources) -> Result<bool, DevError> {
    if !are_used(sources) {
        return Ok(false);
    }
    let path = path(&data_dir(sources));
    let secrets = parse(&path, &read(&path)?)?;
    sources.add_generated(path, secrets);
    Ok(true)
}

/// Data without its secrets cannot be read any more; new secrets would hide that.
fn refuse_existing_data(sources: &Sources, folder: &Path) -> Result<(), DevError> {
    match database(sources) {
        Some(database) if Location::new(&database).holds_data() => {
            Err(DevError::DataWithoutSecrets {
                database: Location::new(&database).to_string(),
                secrets: path(folder),
            })
        }
        _ => Ok(()),
    }
}

/// Writes a file that is whole or not there, on the disk before anything is sealed. Of two
/// processes that start at the same time, both use the file of the first.
fn generate(folder: &Path) -> Result<(), DevError> {
    let path = path(folder);
    let draft = folder.join(format!(".dev-secrets.{}", std::process::id()));
    let content = content()?;
    let write = || -> io::Result<()> {
        files::create_folder(folder)?;
        write_draft(&draft, &content)?;
        let linked = fs::hard_link(&draft, &path);
        fs::remove_file(&draft)?;
        match linked {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            linked => linked?,
        }
        File::open(folder)?.sync_all()
    };
    write().map_err(|error| file_error(&path, &error))
}

fn content() -> Result<Zeroizing<String>, DevError> {
    let mut text = Zeroizing::new(String::from(
        "# Secrets of the dev profile. Anyone who has them can read the data beside this file.\n",
    ));
    let token = make_secret()?;
    text.push_str(&format!(
        "{ADMIN_TOKEN}={}\n",
        URL_SAFE_NO_PAD.encode(*token)
    ));
    for variable in [KEKS, INDEX_ROOTS, KEY_PEPPERS, AUDIT_KEYS] {
        text.push_str(&line(variable)?);
    }
    Ok(text)
}

fn line(variable: &str) -> Result<Zeroizing<String>, DevError> {
    let secret = make_secret()?;
    let line = format!("{variable}=1:{}\n", STANDARD.encode(*secret));
    Ok(Zeroizing::new(line))
}

fn make_secret() -> Result<Zeroizing<[u8; 32]>, DevError> {
    let mut secret = Zeroizing::new([0; 32]);
    SystemRandom::new()
        .fill(&mut *secret)
        .map_err(|_| DevError::Random)?;
    Ok(secret)
}

fn parse(path: &Path, text: &str) -> Result<BTreeMap<String, SecretString>, DevError> {
    let mut secrets = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            return Err(DevError::Form {
                path: path.to_owned(),
                line: index + 1,
            });
        };
        secrets.insert(name.trim().to_owned(), value.trim().into());
    }
    Ok(secrets)
}

pub(super) fn file_error(path: &Path, error: &io::Error) -> DevError {
    DevError::File {
        path: path.to_owned(),
        kind: error.kind(),
    }
}
