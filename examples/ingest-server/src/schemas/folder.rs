//! Schemas from a folder: `<type>/<version>.json`.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde_json::Value;

use super::SchemaError;
use crate::{
    files::{self, Unreadable},
    json,
};

/// Far more than a schema takes that says something of one event.
const MAX_BYTES: usize = 1 << 20;

/// A schema as read, not yet compiled.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) path: PathBuf,
    pub(super) event_type: String,
    pub(super) version: u32,
    pub(super) schema: Value,
}

impl Document {
    pub(super) fn new(
        path: PathBuf,
        event_type: &str,
        version: u32,
        text: &str,
    ) -> Result<Self, SchemaError> {
        let schema = match serde_json::from_str(text) {
            Ok(schema) => schema,
            Err(error) => return Err(SchemaError::NotJson(path, error)),
        };
        // Of two keywords of one name the first would be lost, with what it says of personal data.
        if let Err(error) = json::check_names(text.as_bytes()) {
            return Err(SchemaError::Repeated(path, error));
        }
        Ok(Self {
            path,
            event_type: event_type.to_owned(),
            version,
            schema,
        })
    }
}

/// Every file of the folder, read or with the reason why not.
pub(super) fn read(folder: &Path) -> Vec<Result<Document, SchemaError>> {
    match files(folder) {
        Ok(files) if files.is_empty() => vec![Err(SchemaError::Empty(folder.to_owned()))],
        Ok(files) => files.into_iter().map(read_file).collect(),
        Err(error) => vec![Err(error)],
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, SchemaError> {
    let mut files = Vec::new();
    for type_folder in entries(folder)?.into_iter().filter(|path| path.is_dir()) {
        files.append(&mut entries(&type_folder)?);
    }
    files.sort();
    Ok(files)
}

fn read_file(file: PathBuf) -> Result<Document, SchemaError> {
    let (event_type, version) = name(&file).ok_or_else(|| SchemaError::Name(file.clone()))?;
    let text = files::read_text(&file, MAX_BYTES)
        .map_err(|error| SchemaError::Unreadable(file.clone(), error))?;
    Document::new(file, &event_type, version, &text)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, SchemaError> {
    let list = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(folder)?
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    list().map_err(|error| unreadable(folder, &error))
}

fn name(file: &Path) -> Option<(String, u32)> {
    let event_type = file.parent()?.file_name()?.to_str()?;
    let version = file.file_name()?.to_str()?.strip_suffix(".json")?;
    let version = version.parse().ok().filter(|version| *version > 0)?;
    Some((event_type.to_owned(), version))
}

fn unreadable(path: &Path, error: &io::Error) -> SchemaError {
    SchemaError::Unreadable(path.to_owned(), Unreadable::Failed(error.kind()))
}
