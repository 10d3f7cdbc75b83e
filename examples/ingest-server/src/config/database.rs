//! Where the data lies.

use std::path::{Path, PathBuf};

use super::{given::Given, problems::Problems, settings, sources::Sources};

/// The database the service writes to.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    /// One SQLite file.
    Sqlite(PathBuf),
}

/// The folder for the database and for generated secrets; it need not be there yet.
pub(super) fn data_dir(sources: &Sources, problems: &mut Problems) -> PathBuf {
    let Some(Given { text, origin }) = sources.value(settings::DATA_DIR) else {
        return PathBuf::new();
    };
    let folder = PathBuf::from(text);
    if folder.exists() && !folder.is_dir() {
        problems.add(&origin, "is not a folder");
    }
    folder
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
        Some(path) if !path.is_empty() && !path.contains([':', '?']) => {
            Some(Database::Sqlite(PathBuf::from(path)))
        }
        _ => {
            problems.add(&origin, "must be `sqlite://` and the path of a file");
            None
        }
    }
}
