//! What a scenario is told on the command line.

use std::{path::PathBuf, time::Duration};

use crate::{Failure, checks::Decider, ids::Order, workload::Work};

pub(crate) const USAGE: &str = "\
usage: load SCENARIO --server FILE [--folder FOLDER] [--work pages|forms|leads|read|clear|search]
            [--connections N] [--events N] [--ids sequential|random] [--rows N,…] [--stored N]
            [--tenants N] [--ours exact|lease|denied] [--peer bare|exact] [--turns N] [--turn-ms N]
            [--quick true]
       load bare FOLDER
       load checks URL
scenarios: audit, compare, detection, growth, latency, redis, search, tenants";

/// Bounds of a run; each scenario uses those that concern it.
#[derive(Clone, Debug)]
pub(crate) struct Arguments {
    pub(crate) server: PathBuf,
    /// Where databases are made: on the disk that is to be measured.
    pub(crate) folder: PathBuf,
    pub(crate) work: Work,
    pub(crate) connections: usize,
    /// Events a request.
    pub(crate) events: usize,
    pub(crate) ids: Order,
    /// Stored rows at which `growth` measures; the first is where it begins.
    pub(crate) rows: Vec<usize>,
    /// Leads that are stored when `search` measures, beside those that it looks up.
    pub(crate) stored: usize,
    pub(crate) tenants: usize,
    /// Ours and the peer of `redis`, whose `connections` are the checks under way at once.
    pub(crate) deciders: [Decider; 2],
    pub(crate) turns: usize,
    pub(crate) turn: Duration,
    /// All of it once and small: that it runs, not how fast.
    pub(crate) quick: bool,
}

impl Arguments {
    pub(crate) fn read(mut given: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut read = Self {
            server: PathBuf::new(),
            folder: std::env::temp_dir(),
            work: Work::Pages,
            connections: 64,
            events: 1,
            ids: Order::Random,
            rows: vec![0, 100_000],
            stored: 0,
            tenants: 10_000,
            deciders: [Decider::Exact, Decider::Bare],
            turns: 10,
            turn: Duration::from_secs(1),
            quick: false,
        };
        while let Some(name) = given.next() {
            let value = given.next().ok_or(USAGE)?;
            match name.as_str() {
                "--server" => read.server = value.into(),
                "--folder" => read.folder = value.into(),
                "--work" => read.work = Work::named(&value).ok_or(USAGE)?,
                "--connections" => read.connections = value.parse()?,
                "--events" => read.events = value.parse()?,
                "--ids" => read.ids = Order::named(&value).ok_or(USAGE)?,
                "--rows" => {
                    let rows: Result<_, _> = value.split(',').map(str::parse).collect();
                    read.rows = rows?;
                }
                "--stored" => read.stored = value.parse()?,
                "--tenants" => read.tenants = value.parse()?,
                "--ours" => read.deciders[0] = Decider::named(&value).ok_or(USAGE)?,
                "--peer" => read.deciders[1] = Decider::named(&value).ok_or(USAGE)?,
                "--turns" => read.turns = value.parse()?,
                "--turn-ms" => read.turn = Duration::from_millis(value.parse()?),
                "--quick" => read.quick = value.parse()?,
                _ => return Err(USAGE.into()),
            }
        }
        if read.server.as_os_str().is_empty() || read.connections == 0 || read.events == 0 {
            return Err(USAGE.into());
        }
        if read.quick {
            read.shrink();
        }
        // So that both have their turns at the same distance from the start.
        read.turns = read.turns.next_multiple_of(2);
        Ok(read)
    }

    fn shrink(&mut self) {
        self.turns = 2;
        self.turn = Duration::from_millis(100);
        self.connections = self.connections.min(4);
        self.events = self.events.min(10);
        self.tenants = self.tenants.min(20);
        self.stored = self.stored.min(500);
        self.rows = self
            .rows
            .iter()
            .map(|rows| rows.min(&500))
            .copied()
            .collect();
        self.rows.dedup();
    }
}
