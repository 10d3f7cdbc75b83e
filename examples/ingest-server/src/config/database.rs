//! Where the data lies.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{given::Given, problems::Problems, setting::Setting, settings, sources::Sources};
use crate::lead::UniqueFields;

/// SQLite takes 512 with what it puts after a file's name.
const MAX_PATH_BYTES: usize = 500;

/// The database the service writes to.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    /// One SQLite file.
    Sqlite(PathBuf),
}

/// The folder for the database and for generated secrets; it need not be there yet.
pub(super) fn data_dir(sources: &Sources, problems: &mut Problems) -> PathBuf {
    folder(settings::DATA_DIR, sources, problems).unwrap_or_default()
}

/// The folder that a setting names, which need not be there yet.
pub(super) fn folder(
    setting: &Setting,
    sources: &Sources,
    problems: &mut Problems,
) -> Option<PathBuf> {
    let Given { text, origin } = sources.value(setting)?;
    let folder = PathBuf::from(text);
    if let Some(message) = wrong_folder(&folder) {
        problems.add(&origin, message);
    }
    Some(folder)
}

impl Database {
    /// The file, if the database is one.
    pub(super) fn file(&self) -> Option<&Path> {
        let Self::Sqlite(path) = self;
        Some(path)
    }
}

/// The file that says who was erased.
pub(super) fn erasures(sources: &Sources, data_dir: &Path, problems: &mut Problems) -> PathBuf {
    let Some(Given { text, origin }) = sources.value(settings::ERASURES_FILE) else {
        return data_dir.join("erasures.jsonl");
    };
    let path = PathBuf::from(text);
    if let Some(message) = wrong_file(&path) {
        problems.add(&origin, message);
    }
    path
}

/// The fields of which only one lead may have a value.
pub(super) fn unique_lead_fields(sources: &Sources, problems: &mut Problems) -> UniqueFields {
    let Some(Given { text, origin }) = sources.value(settings::UNIQUE_LEAD_FIELDS) else {
        return UniqueFields::default();
    };
    UniqueFields::parse(&text).unwrap_or_else(|error| {
        problems.add(&origin, error.to_string());
        UniqueFields::default()
    })
}

/// What keeps a folder from being one, or from being made.
fn wrong_folder(folder: &Path) -> Option<&'static str> {
    let mut found = folder
        .ancestors()
        .filter(|path| fs::symlink_metadata(path).is_ok());
    let nearest = found.next()?;
    if nearest.is_dir() {
        None
    } else if nearest == folder {
        Some("is not a folder")
    } else {
        Some("lies below something that is not a folder")
    }
}

/// What keeps a path from being a database's.
fn wrong_file(path: &Path) -> Option<&'static str> {
    let text = path.as_os_str().as_encoded_bytes();
    if text.len() > MAX_PATH_BYTES {
        return Some("names a path of more than 500 bytes, which SQLite does not open");
    }
    if text.ends_with(b"/") || path.file_name().is_none() || path.is_dir() {
        return Some("names a folder; name a file in it");
    }
    if path.exists() && !path.is_file() {
        return Some("names something that is no file");
    }
    path.parent()
        .and_then(wrong_folder)
        .map(|_| "names a file below something that is no folder")
}

pub(super) fn read(
    sources: &Sources,
    data_dir: &Path,
    problems: &mut Problems,
) -> Option<Database> {
    let Some(Given { text: url, origin }) = sources.value(settings::DATABASE_URL) else {
        return Some(Database::Sqlite(data_dir.join("ingest.db")));
    };
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        problems.add(
            &origin,
            "names PostgreSQL, which this build does not contain",
        );
        return None;
    }
    match url
        .strip_prefix("sqlite://")
        .or_else(|| url.strip_prefix("sqlite:"))
    {
        Some(path) if path.contains(['?', '#', '%']) => {
            problems.add(
                &origin,
                "is a path as it stands: no parameters (`?`), `#` or `%`",
            );
            None
        }
        Some(":memory:") => {
            problems.add(
                &origin,
                "names a database in memory, which nothing would be left of",
            );
            None
        }
        Some(path) if !path.is_empty() && !path.contains(':') => {
            let path = PathBuf::from(path);
            if let Some(message) = wrong_file(&path) {
                problems.add(&origin, message);
                return None;
            }
            Some(Database::Sqlite(path))
        }
        _ => {
            problems.add(&origin, "must be `sqlite://` and the path of a file");
            None
        }
    }
}
