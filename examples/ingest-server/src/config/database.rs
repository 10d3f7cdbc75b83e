//! Where the data lies.

use std::path::{Path, PathBuf};

use super::{Sources, problems::Problems};

/// The database the service writes to.
#[derive(Debug, Clone)]
pub(crate) enum Database {
    /// One SQLite file.
    Sqlite(PathBuf),
}

const VARIABLE: &str = "INGEST_DATABASE_URL";

pub(super) fn read(
    sources: &Sources,
    data_dir: &Path,
    problems: &mut Problems,
) -> Option<Database> {
    let Some(url) = sources.value(VARIABLE) else {
        return Some(Database::Sqlite(data_dir.join("ingest.db")));
    };
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        problems.add(
            VARIABLE,
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
            problems.add(VARIABLE, "must be `sqlite://` and the path of a file");
            None
        }
    }
}
