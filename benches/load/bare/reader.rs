//! Leads read back, on connections that never wait for the writer.

use std::{
    path::{Path, PathBuf},
    sync::Mutex,
};

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;

use super::database;
use crate::Failure;

/// As many connections as were ever needed at once, which is no more than the runtime has threads.
#[derive(Debug)]
pub(super) struct Readers {
    file: PathBuf,
    free: Mutex<Vec<Connection>>,
}

/// A lead as it is answered.
#[derive(Debug, Serialize)]
pub(super) struct StoredLead {
    id: String,
    email: String,
    name: Option<String>,
    phone: Option<String>,
}

impl Readers {
    pub(super) fn of(file: &Path) -> Self {
        Self {
            file: file.to_owned(),
            free: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn by_id(&self, tenant: &str, id: i64) -> Result<Option<StoredLead>, Failure> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, email, name, phone FROM lead WHERE tenant = ?1 AND id = ?2",
            )?;
            statement
                .query_row(params![tenant, id], StoredLead::of)
                .optional()
        })
    }

    pub(super) fn by_email(
        &self,
        tenant: &str,
        email: &str,
    ) -> Result<Option<StoredLead>, Failure> {
        self.with(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, email, name, phone FROM lead WHERE tenant = ?1 AND email = ?2",
            )?;
            statement
                .query_row(params![tenant, email], StoredLead::of)
                .optional()
        })
    }

    fn with<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Failure> {
        let free = self.free.lock().map_err(|_| "a reader panicked")?.pop();
        let connection = match free {
            Some(connection) => connection,
            None => database::open(&self.file)?,
        };
        let found = read(&connection)?;
        self.free
            .lock()
            .map_err(|_| "a reader panicked")?
            .push(connection);
        Ok(found)
    }
}

impl StoredLead {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let id: i64 = row.get(0)?;
        Ok(Self {
            id: id.to_string(),
            email: row.get(1)?,
            name: row.get(2)?,
            phone: row.get(3)?,
        })
    }
}
