//! One thread that writes all that has queued in one transaction.

use std::thread;

use axum::http::StatusCode;
use rusqlite::{Connection, OptionalExtension as _, Statement, ToSql, params};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use crate::Failure;

/// What may wait for the writer, and what it takes at once.
const QUEUE: usize = 1_024;
const GROUP: usize = 256;

/// The members of an event that are stored.
#[derive(Debug, Deserialize)]
pub(super) struct Event {
    source: String,
    id: String,
    #[serde(rename = "type")]
    kind: String,
    dataschema: Option<String>,
    data: Value,
}

#[derive(Debug, Deserialize)]
pub(super) struct Lead {
    email: String,
    name: Option<String>,
    phone: Option<String>,
}

/// What is to be stored for a tenant.
#[derive(Debug)]
pub(super) enum Write {
    Events(Vec<Event>),
    Lead(Lead),
}

/// What came of it.
#[derive(Debug)]
pub(super) enum Written {
    /// How many were new.
    Events(usize),
    Lead {
        id: i64,
        new: bool,
    },
}

#[derive(Debug)]
struct Job {
    tenant: String,
    write: Write,
    done: oneshot::Sender<Written>,
}

/// The way to the thread that writes.
#[derive(Debug)]
pub(super) struct Writer(mpsc::Sender<Job>);

struct Statements<'a> {
    begin: Statement<'a>,
    event: Statement<'a>,
    new_lead: Statement<'a>,
    known_lead: Statement<'a>,
    commit: Statement<'a>,
}

impl Writer {
    pub(super) fn start(connection: Connection) -> Result<Self, Failure> {
        let (sender, jobs) = mpsc::channel(QUEUE);
        let writer = thread::Builder::new().name("writer".to_owned());
        writer.spawn(move || {
            // Its queue ends with it, and with that every request fails.
            let _ = write_all(&connection, jobs);
        })?;
        Ok(Self(sender))
    }

    /// Waits until it is on the disk.
    pub(super) async fn write(&self, tenant: String, write: Write) -> Result<Written, StatusCode> {
        let (done, written) = oneshot::channel();
        let failed = StatusCode::INTERNAL_SERVER_ERROR;
        let job = Job {
            tenant,
            write,
            done,
        };
        self.0.send(job).await.map_err(|_| failed)?;
        written.await.map_err(|_| failed)
    }
}

fn write_all(connection: &Connection, mut jobs: mpsc::Receiver<Job>) -> rusqlite::Result<()> {
    let mut statements = Statements::prepare(connection)?;
    let mut group = Vec::with_capacity(GROUP);
    while jobs.blocking_recv_many(&mut group, GROUP) > 0 {
        statements.begin.execute([])?;
        let mut written = Vec::with_capacity(group.len());
        for Job {
            tenant,
            write,
            done,
        } in group.drain(..)
        {
            written.push((done, statements.write(&tenant, write)?));
        }
        statements.commit.execute([])?;
        for (done, written) in written {
            // A sender that has hung up is told nothing.
            let _ = done.send(written);
        }
    }
    Ok(())
}

impl<'a> Statements<'a> {
    fn prepare(connection: &'a Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            begin: connection.prepare("BEGIN IMMEDIATE")?,
            event: connection.prepare(
                "INSERT INTO event (tenant, source, id, type, dataschema, data)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
            )?,
            new_lead: connection.prepare(
                "INSERT INTO lead (tenant, email, name, phone)
                 VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING RETURNING id",
            )?,
            known_lead: connection.prepare(
                "UPDATE lead SET name = coalesce(?3, name), phone = coalesce(?4, phone)
                 WHERE tenant = ?1 AND email = ?2 RETURNING id",
            )?,
            commit: connection.prepare("COMMIT")?,
        })
    }

    fn write(&mut self, tenant: &str, write: Write) -> rusqlite::Result<Written> {
        match write {
            Write::Events(events) => {
                let mut new = 0;
                for Event {
                    source,
                    id,
                    kind,
                    dataschema,
                    data,
                } in events
                {
                    let row = params![tenant, source, id, kind, dataschema, data.to_string()];
                    new += self.event.execute(row)?;
                }
                Ok(Written::Events(new))
            }
            Write::Lead(Lead { email, name, phone }) => {
                let row: [&dyn ToSql; 4] = [&tenant, &email, &name, &phone];
                let new = self.new_lead.query_row(row, |row| row.get(0));
                if let Some(id) = new.optional()? {
                    return Ok(Written::Lead { id, new: true });
                }
                let id = self.known_lead.query_row(row, |row| row.get(0))?;
                Ok(Written::Lead { id, new: false })
            }
        }
    }
}
