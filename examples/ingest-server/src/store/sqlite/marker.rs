//! A file beside the database that says that data was written to it, so that an empty database in
//! its place is noticed before anything is written there.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use crate::store::StoreError;

/// The marker of one database.
#[derive(Debug, Clone)]
pub(super) struct Marker {
    database: PathBuf,
    path: PathBuf,
}

const TEXT: &[u8] = b"Data was written to the database beside this file. While this file is here, \
the service does not start with an empty database.\n";

impl Marker {
    pub(super) fn of(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-marker");
        Self {
            database: database.to_owned(),
            path: path.into(),
        }
    }

    /// Refuses a file that is missing or empty where data was. An empty database that has tables
    /// is found by [`check_tables`](Self::check_tables).
    pub(super) fn check_file(&self) -> Result<(), StoreError> {
        let length = fs::metadata(&self.database).map_or(0, |file| file.len());
        self.check(length > 0)
    }

    /// Refuses a database that remembers no secret where data was.
    pub(super) fn check_tables(&self, remembers_secrets: bool) -> Result<(), StoreError> {
        self.check(remembers_secrets)
    }

    fn check(&self, has_data: bool) -> Result<(), StoreError> {
        if has_data || !self.path.exists() {
            return Ok(());
        }
        Err(StoreError::Emptied {
            database: self.database.clone(),
            marker: self.path.clone(),
        })
    }

    /// Makes it, for the owner alone, if it is not there.
    pub(super) fn leave(&self) -> Result<(), StoreError> {
        let made = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.path);
        let written = match made {
            Ok(mut file) => file.write_all(TEXT).and_then(|()| file.sync_all()),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        };
        written.map_err(|error| StoreError::Unavailable(error.into()))
    }
}
