//! The folders that logs have by their names, and the log in each.

use std::{
    fs,
    num::NonZeroU32,
    path::{Path, PathBuf},
};

use super::{super::AuditOpenError, NamedLogError, NamedLogs};
use crate::audit::{CurrentLog, EarlierLog, is_log_name};

/// The names of the logs in a folder, in their order.
pub(in super::super) fn names_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| is_log_name(name)).collect();
    names.sort();
    names
}

impl NamedLogs {
    /// The log of that number, if the one that is written has followed it.
    pub(super) fn earlier(
        &self,
        current: &CurrentLog,
        number: Option<NonZeroU32>,
    ) -> Result<Option<EarlierLog>, NamedLogError> {
        let written = current.generation().number();
        let Some(number) = number.filter(|number| *number != written) else {
            return Ok(None);
        };
        let earlier = EarlierLog::all_before(current);
        let earlier = earlier.map_err(|error| AuditOpenError::Store {
            folder: current.folder(),
            error,
        })?;
        let found = earlier.into_iter().find(|log| log.number == number);
        found.map(Some).ok_or(NamedLogError::Generation)
    }

    /// Which log is written in the folder of that name.
    pub(super) fn current(&self, name: &str) -> Result<CurrentLog, NamedLogError> {
        let folder = self.folder_of(name)?;
        let current = CurrentLog::of(&folder);
        Ok(current.map_err(|error| AuditOpenError::Store { folder, error })?)
    }

    /// The folder of that name, in which a process has had a log.
    pub(in super::super) fn existing(&self, name: &str) -> Result<PathBuf, NamedLogError> {
        let folder = self.folder_of(name)?;
        if folder.join("lock").is_file() {
            Ok(folder)
        } else {
            Err(NamedLogError::Unknown {
                name: name.to_owned(),
                there: self.there(),
            })
        }
    }

    fn folder_of(&self, name: &str) -> Result<PathBuf, NamedLogError> {
        if is_log_name(name) {
            Ok(Path::new(&self.folder).join(name))
        } else {
            Err(NamedLogError::Name {
                name: name.to_owned(),
                there: self.there(),
            })
        }
    }

    /// The names of the logs that there are, as somebody is told them.
    fn there(&self) -> String {
        let names = names_in(&self.folder);
        let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
        if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        }
    }
}
