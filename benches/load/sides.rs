//! Ours and the bare reference, both running, and connections to either.

use std::{env, fs, path::Path, process::Command, sync::Arc};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    Failure,
    arguments::Arguments,
    client::{Connection, Request},
    generator::Generator,
    ids::Order,
    listening::Listening,
    process::Process,
    server::Server,
    turns::Side,
    workload::{Work, Workload, lead_body},
};

/// Fewer than the requests that the service takes at once of one tenant, or of one client network.
const CONNECTIONS_OF_A_TENANT: usize = 64;

/// The service and the bare reference.
#[derive(Debug)]
pub(crate) struct Pair {
    server: Server,
    keys: Vec<String>,
    bare: Listening,
    folder: TempDir,
}

/// One of the two.
#[derive(Clone, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) process: &'a Process,
    address: &'a str,
    keys: Vec<String>,
    /// Where it keeps its database.
    data: &'a Path,
}

/// What is sent, and over how many connections.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) work: Work,
    /// Events a request.
    pub(crate) events: usize,
    pub(crate) ids: Order,
    pub(crate) connections: usize,
}

/// Leads that are there, by what they are asked for with.
#[derive(Clone, Debug)]
pub(crate) struct KnownLeads {
    pub(crate) ids: Arc<[String]>,
    /// E-mail addresses as they stand in a query.
    pub(crate) emails: Arc<[String]>,
}

impl Pair {
    /// Both with nothing stored.
    pub(crate) fn start(arguments: &Arguments) -> Result<Self, Failure> {
        let server = Server::start(&arguments.server, &arguments.folder)?;
        let tenants = arguments.connections.div_ceil(CONNECTIONS_OF_A_TENANT);
        let keys = server.issue_keys("load", tenants)?;
        let folder = tempfile::tempdir_in(&arguments.folder)?;
        let mut command = Command::new(env::current_exe()?);
        let bare = Listening::start(command.arg("bare").arg(folder.path()), &["public"])?;
        Ok(Self {
            server,
            keys,
            bare,
            folder,
        })
    }

    /// Ours, then the peer.
    pub(crate) fn targets(&self) -> [Target<'_>; 2] {
        let names = (0..self.keys.len()).map(|tenant| format!("load-{tenant}"));
        [
            Target::new(
                self.server.process(),
                self.server.public(),
                self.keys.clone(),
                self.server.data(),
            ),
            Target::new(
                &self.bare.process,
                &self.bare.addresses[0],
                names.collect(),
                self.folder.path(),
            ),
        ]
    }
}

impl Shape {
    pub(crate) fn of(arguments: &Arguments) -> Self {
        Self {
            work: arguments.work,
            events: arguments.events,
            ids: arguments.ids,
            connections: arguments.connections,
        }
    }

    /// What a request counts for.
    pub(crate) fn units(&self) -> u64 {
        match self.work {
            Work::Pages | Work::Forms => self.events as u64,
            Work::Leads | Work::Read | Work::Clear | Work::Search => 1,
        }
    }
}

impl<'a> Target<'a> {
    pub(crate) fn new(
        process: &'a Process,
        address: &'a str,
        keys: Vec<String>,
        data: &'a Path,
    ) -> Self {
        Self {
            process,
            address,
            keys,
            data,
        }
    }

    /// How large its database is. What stands in SQLite's log alone is not counted: it has its bound.
    pub(crate) fn stored_bytes(&self) -> Result<u64, Failure> {
        let mut bytes = 0;
        for file in fs::read_dir(self.data)? {
            let file = file?;
            let name = file.file_name();
            let is_beside =
                ["-wal", "-shm"].map(|end| name.as_encoded_bytes().ends_with(end.as_bytes()));
            if !is_beside.contains(&true) {
                bytes += file.metadata()?.len();
            }
        }
        Ok(bytes)
    }

    /// Connections of this shape, spread over the tenants there are.
    pub(crate) fn connect(
        &self,
        shape: Shape,
        known: Option<&KnownLeads>,
    ) -> Result<Side<'a>, Failure> {
        let tenants: Vec<Arc<[String]>> =
            self.keys.iter().map(|key| [key.clone()].into()).collect();
        let workload = |number| {
            let tenant = number % tenants.len();
            let Shape {
                work, events, ids, ..
            } = shape;
            let mut workload = Workload::new(work, events, ids, &tenants[tenant]);
            if tenants.len() > 1 {
                workload = workload.forwarded_for(tenant);
            }
            match (work, known) {
                (Work::Read | Work::Clear, Some(known)) => workload.of_leads(&known.ids),
                (Work::Search, Some(known)) => workload.of_leads(&known.emails),
                _ => workload,
            }
        };
        self.send(shape, (0..shape.connections).map(workload).collect())
    }

    /// Connections that all send in the name of everyone in turns.
    pub(crate) fn connect_as_all(&self, shape: Shape) -> Result<Side<'a>, Failure> {
        let all: Arc<[String]> = self.keys.clone().into();
        let workload = |number| {
            let Shape {
                work,
                events,
                ids,
                connections,
            } = shape;
            let first = number * all.len() / connections;
            Workload::new(work, events, ids, &all).beginning_at(first)
        };
        self.send(shape, (0..shape.connections).map(workload).collect())
    }

    fn send(&self, shape: Shape, workloads: Vec<Workload>) -> Result<Side<'a>, Failure> {
        let generator = Generator::connect(self.address, workloads)?;
        Ok(Side::new(self.process, generator, shape.units()))
    }

    /// Stores so many leads of the first tenant.
    pub(crate) fn make_leads(&self, count: usize) -> Result<KnownLeads, Failure> {
        let mut connection = Connection::open(self.address)?;
        let (mut ids, mut emails) = (Vec::new(), Vec::new());
        for number in 0..count {
            let name = format!("known-{number}");
            let body = lead_body(&format!("{name}@mail.example"), number);
            let answer = connection.exchange(Request {
                line: "POST /v1/leads",
                credential: &self.keys[0],
                fields: "",
                body: body.as_bytes(),
            })?;
            let answer: Value = serde_json::from_slice(answer.body)?;
            let id = answer["id"].as_str().ok_or("a lead was not stored")?;
            ids.push(id.to_owned());
            emails.push(format!("{name}%40mail.example"));
        }
        let (ids, emails) = (ids.into(), emails.into());
        Ok(KnownLeads { ids, emails })
    }
}
