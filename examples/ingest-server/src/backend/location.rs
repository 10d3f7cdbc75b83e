//! The configured database, for those who have not opened it.

use std::{fmt, fs, io};

use crate::config::Database;

/// Where a database is: what can be asked and told of it without opening it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Location<'a>(&'a Database);

impl<'a> Location<'a> {
    pub(crate) const fn new(database: &'a Database) -> Self {
        Self(database)
    }

    /// Whether there is a database already. Opening one that is not there makes it.
    pub(crate) fn exists(self) -> io::Result<bool> {
        let Database::Sqlite(path) = self.0;
        path.try_exists()
    }

    /// Whether it holds anything that could be lost.
    pub(crate) fn holds_data(self) -> bool {
        let Database::Sqlite(path) = self.0;
        fs::metadata(path).is_ok_and(|file| file.len() > 0)
    }

    /// A line for the shell that shows what a query gives.
    pub(crate) fn shell_query(self, sql: &str) -> String {
        let Database::Sqlite(path) = self.0;
        format!("sqlite3 {} \"{sql}\"", path.display())
    }
}

impl fmt::Display for Location<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Database::Sqlite(path) = self.0;
        path.display().fmt(f)
    }
}
