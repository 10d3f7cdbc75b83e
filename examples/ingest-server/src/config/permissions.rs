//! Who can read the secrets and the data: production is not started where others can, the dev
//! profile says so. A link in the place of a file of ours is refused in both.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    database::Database,
    given::Given,
    problems::{Problems, Severity},
    settings,
    sources::Sources,
};
use crate::files;

/// The files that hold secrets, which may be others each time they are read.
pub(super) fn check_secret_files(sources: &Sources, danger: Severity, problems: &mut Problems) {
    for secret in settings::secrets() {
        if let Some(Given { text, origin }) = sources.variable(&secret.file_variable()) {
            let path = Path::new(&text);
            // What cannot be read is told where it is read.
            if path.is_file() {
                let found = files::of_file(path).into_iter();
                for message in found.chain(files::of_parents(path)) {
                    problems.add_as(danger, &origin, message);
                }
            }
        }
    }
}

/// How the names of the files begin that the dev profile makes.
const DEV_FILES: [&str; 3] = ["dev-secrets.env", ".dev-secrets.", "dev-demo-key"];

pub(super) fn check(
    sources: &Sources,
    danger: Severity,
    data_dir: &Path,
    database: Option<&Database>,
    problems: &mut Problems,
) {
    check_secret_files(sources, danger, problems);
    let folder = sources.origin(settings::DATA_DIR);
    let file = sources.origin(settings::DATABASE_URL);
    let mut places = vec![(&folder, data_dir.to_owned(), &DEV_FILES[..])];
    let name;
    if let Some(path) = database.and_then(Database::file)
        && let Some(text) = path.file_name().and_then(|name| name.to_str())
    {
        name = [text];
        let parent = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        places.push((&file, parent, &name));
    }
    for message in files::of_folder(data_dir).into_iter() {
        problems.add_as(danger, &folder, message);
    }
    for (origin, within, names) in places {
        for message in files::of_parents(&within.join("file")) {
            problems.add_as(danger, origin, message);
        }
        for path in entries(&within, names) {
            if path.is_symlink() {
                let message = format!("{} is a link; put the file itself there", path.display());
                problems.add(origin, message);
                continue;
            }
            for message in files::of_file(&path) {
                problems.add_as(danger, origin, message);
            }
        }
    }
}

/// What lies in the folder under one of these names, or under one with something after it, as the
/// write-ahead log, the marker or a copy of a database has.
pub(super) fn entries(folder: &Path, names: &[&str]) -> Vec<PathBuf> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let is_ours = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| names.iter().any(|ours| name.starts_with(ours)))
    };
    let entries = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut entries: Vec<_> = entries
        .filter(is_ours)
        .filter(|path| !path.is_dir())
        .collect();
    entries.sort();
    entries
}
