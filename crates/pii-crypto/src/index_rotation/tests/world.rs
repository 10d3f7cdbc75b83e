//! A model of an application whose index root is rotated: processes that know phases up to 10 s old, writes
//! that commit up to 30 s after they were decided, rotations that are held up between any two steps. Values
//! of the index are pairs of version and address; time goes in seconds.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, SystemTime},
};

use super::super::machine::{Next, next};
use crate::{IndexPhase, IndexState, IndexVersion};

pub(super) type Address = u8;
pub(super) type Record = u32;

/// What a test may do otherwise than the product, to show that the model sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    AsBuilt,
    /// Rows that were there before are not indexed.
    EnforceWithoutBackfill,
    /// The backfill begins as soon as the version is written.
    BackfillAtOnce,
    /// The former version is not written any more as soon as another is enforced.
    RetireAtOnce,
    /// The former version is gone in the step in which another is enforced.
    EnforceWithoutRetiring,
    /// Values are deleted as soon as their version is not live.
    DeleteAtOnce,
    /// A phase lasts no longer than phases are known for.
    PhasesOfTenSeconds,
    /// A process goes on with phases that it read a minute ago and more.
    OldPhases,
    /// A write leaves values of versions that it does not know.
    WritesLeaveUnknown,
    /// A backfill writes what it has read, whatever the row has become.
    BackfillOverwrites,
    /// Look-ups go by the version that is being written.
    LookUpsTakeWritten,
    /// Phases are stored long after the time that they are stored with.
    PhasesStoredLate,
}

#[derive(Debug)]
pub(super) struct World {
    rule: Rule,
    now: u64,
    stored: IndexState,
    rows: BTreeMap<Record, Row>,
    index: BTreeMap<(IndexVersion, Address), Record>,
    processes: Vec<Process>,
    pending: Vec<Write>,
    rotations: Vec<Option<(u64, Staged)>>,
    next_record: Record,
    pub(super) begun: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    address: Address,
    change: u32,
}

#[derive(Debug, Clone)]
struct Process {
    state: IndexState,
    read_at: u64,
}

#[derive(Debug, Clone)]
struct Write {
    decided_at: u64,
    versions: Vec<IndexVersion>,
    record: Option<Record>,
    address: Option<Address>,
}

/// What a rotation is about to do, on what it has read.
#[derive(Debug, Clone)]
enum Staged {
    Replace(IndexState, IndexState),
    DeleteThen(Option<(IndexState, IndexVersion)>),
    Index(Record, Row, IndexVersion),
}

pub(super) type Broken = String;

impl World {
    pub(super) fn new(rule: Rule, processes: usize, rotations: usize) -> Self {
        let stored = IndexState::default().start(version(1), time(0));
        let stored = stored.expect("it is empty");
        let process = Process {
            state: stored.clone(),
            read_at: 0,
        };
        Self {
            rule,
            now: 0,
            stored,
            rows: BTreeMap::new(),
            index: BTreeMap::new(),
            processes: vec![process; processes],
            pending: Vec::new(),
            rotations: vec![None; rotations],
            next_record: 0,
            begun: 0,
        }
    }

    pub(super) fn pass(&mut self, seconds: u64) {
        self.now += seconds;
        let now = self.now;
        // What is not committed by then is rolled back.
        self.pending.retain(|write| now - write.decided_at <= 30);
    }

    pub(super) fn reread(&mut self, process: usize) {
        let count = self.processes.len();
        self.processes[process % count] = Process {
            state: self.stored.clone(),
            read_at: self.now,
        };
    }

    /// A process decides to write: a new record, a new address of one, or that it goes.
    pub(super) fn decide(
        &mut self,
        process: usize,
        record: Option<usize>,
        address: Option<Address>,
    ) {
        let state = self.known(process);
        let record = match record {
            None => None,
            Some(_) if self.rows.is_empty() => return,
            Some(at) => self.rows.keys().nth(at % self.rows.len()).copied(),
        };
        self.pending.push(Write {
            decided_at: self.now,
            versions: state.live(),
            record,
            address,
        });
    }

    pub(super) fn commit(&mut self, at: usize) -> Result<(), Broken> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let write = self.pending.remove(at % self.pending.len());
        let is_gone = |record| !self.rows.contains_key(&record);
        if write.record.is_some_and(is_gone) {
            return Ok(());
        }
        let Some(address) = write.address else {
            if let Some(record) = write.record {
                self.rows.remove(&record);
                self.index.retain(|_, of| *of != record);
            }
            return Ok(());
        };
        let holder = |version: &IndexVersion| self.index.get(&(*version, address)).copied();
        let others = write.versions.iter().filter_map(holder);
        if others.into_iter().any(|it| Some(it) != write.record) {
            // Refused by UNIQUE. Somebody has to have the address.
            return match self.holders(address).any(|it| Some(it) != write.record) {
                true => Ok(()),
                false => Err(format!("{address} is refused, and nobody has it")),
            };
        }
        let record = write.record.unwrap_or_else(|| {
            self.next_record += 1;
            self.next_record
        });
        let leaves = self.rule == Rule::WritesLeaveUnknown;
        self.index.retain(|(version, _), of| {
            *of != record || leaves && !write.versions.contains(version)
        });
        for version in write.versions {
            self.index.insert((version, address), record);
        }
        let row = self.rows.entry(record);
        let row = row.or_insert(Row { address, change: 0 });
        *row = Row {
            address,
            change: row.change + 1,
        };
        match self.holders(address).count() {
            1 => Ok(()),
            many => Err(format!("{many} records have {address}")),
        }
    }

    /// Whoever looks now, on phases that may be used now, finds every record, and no other.
    pub(super) fn look_up_everything(&mut self) -> Result<(), Broken> {
        for process in 0..self.processes.len() {
            if self.now - self.processes[process].read_at >= self.phases_serve_for() {
                continue;
            }
            let state = &self.processes[process].state;
            let mut looked_up = state.enforced().ok_or("nothing is enforced")?;
            if self.rule == Rule::LookUpsTakeWritten {
                let written = state
                    .rows()
                    .find(|(_, phase, _)| *phase == IndexPhase::Written);
                looked_up = written.map_or(looked_up, |(version, ..)| version);
            }
            for address in 0..ADDRESSES {
                let found = self.index.get(&(looked_up, address)).copied();
                let there = self.holders(address).next();
                if found != there {
                    return Err(format!(
                        "at {} process {process} finds {found:?} by {address} in version {looked_up}, and \
                         {there:?} is there",
                        self.now
                    ));
                }
            }
        }
        Ok(())
    }

    /// A rotation does what it was about to do, or reads where things are and decides what to do.
    pub(super) fn rotate(&mut self, rotation: usize) -> Result<(), Broken> {
        let at = rotation % self.rotations.len();
        let next = match self.rotations[at].take() {
            None => self.stage(),
            // It was held up for so long that the database has rolled it back.
            Some((staged_at, staged)) if self.is_rolled_back(staged_at, &staged) => None,
            Some((_, staged)) => self.act(staged)?,
        };
        self.rotations[at] = next.map(|staged| (self.now, staged));
        Ok(())
    }

    /// A person gives up the rotation.
    pub(super) fn abandon(&mut self, rotation: usize) {
        let at = rotation % self.rotations.len();
        let mut others = self.stored.live().into_iter();
        let abandoned = others.find_map(|it| self.stored.abandon(it, self.wall()).ok());
        if let Some(new) = abandoned {
            let replace = Staged::Replace(self.stored.clone(), new);
            self.rotations[at] = Some((self.now, replace));
        }
    }

    fn is_rolled_back(&self, staged_at: u64, staged: &Staged) -> bool {
        let waited = self.now - staged_at;
        match staged {
            Staged::Replace(..) => waited > 15 && self.rule != Rule::PhasesStoredLate,
            Staged::Index(..) => waited > 30,
            Staged::DeleteThen(_) => false,
        }
    }

    fn stage(&mut self) -> Option<Staged> {
        let (state, enforced) = (self.stored.clone(), self.stored.enforced()?);
        let others = state.live().into_iter().filter(|it| *it != enforced);
        let written =
            |it: &IndexVersion| matches!(state.phase(*it), Some((IndexPhase::Written, _)));
        // One that is under way is ended, and then the next begins.
        let is_alone = state.live().len() == 1;
        let target = others.into_iter().find(written).unwrap_or(enforced);
        match self.next(&state, target) {
            Next::NotStarted | Next::Other(_) => unreachable!("one rotation is under way at most"),
            Next::Wait(_) => None,
            Next::Finish if is_alone => {
                let next = version(u32::from(enforced.value()) + 1);
                Some(Staged::DeleteThen(Some((state, next))))
            }
            Next::Begin | Next::Finish => Some(Staged::DeleteThen(None)),
            Next::Enforce { former } => {
                let lacking = self.lacking(former, target);
                if let Some(record) = lacking
                    && self.rule != Rule::EnforceWithoutBackfill
                {
                    return Some(Staged::Index(record, self.rows[&record], target));
                }
                let mut new = state.enforce(target, self.wall()).expect("it is written");
                if self.rule == Rule::EnforceWithoutRetiring {
                    new = new.retire(former, self.wall()).expect("it is retiring");
                }
                Some(Staged::Replace(state, new))
            }
            Next::Retire { former } => {
                let new = state.retire(former, self.wall()).expect("it is retiring");
                Some(Staged::Replace(state, new))
            }
        }
    }

    /// The machine's next step, by the clock of the rule.
    fn next(&self, state: &IndexState, target: IndexVersion) -> Next {
        let at_once = next(state, target, time(self.now + 60));
        let soon = next(state, target, time(self.now + 50));
        match (self.rule, at_once) {
            (Rule::BackfillAtOnce, Next::Enforce { .. })
            | (Rule::RetireAtOnce, Next::Retire { .. })
            | (Rule::DeleteAtOnce, Next::Finish) => at_once,
            (Rule::PhasesOfTenSeconds, _) => soon,
            _ => next(state, target, self.wall()),
        }
    }

    fn act(&mut self, staged: Staged) -> Result<Option<Staged>, Broken> {
        match staged {
            Staged::Replace(expected, new) => self.replace(&expected, new),
            Staged::Index(record, read, version) => {
                let is_as_read = self.rows.get(&record) == Some(&read);
                if self.rows.contains_key(&record)
                    && (is_as_read || self.rule == Rule::BackfillOverwrites)
                {
                    let other = self.index.insert((version, read.address), record);
                    if other.is_some_and(|other| other != record) {
                        return Err(format!("{record} and {other:?} both have {}", read.address));
                    }
                }
            }
            Staged::DeleteThen(then) => {
                let stored = self.stored.live();
                self.index
                    .retain(|(version, _), _| stored.contains(version));
                if let Some((expected, next)) = then {
                    self.begun += 1;
                    let begun = expected.begin(next, self.wall());
                    let begun = begun.expect("one was live");
                    return Ok(Some(Staged::Replace(expected, begun)));
                }
            }
        }
        Ok(None)
    }

    fn replace(&mut self, expected: &IndexState, new: IndexState) {
        if self.stored == *expected {
            self.stored = new;
        }
    }

    /// Once values of dead versions were deleted, nobody writes one again: their roots have left.
    pub(super) fn no_value_is_left_over(&self) -> Result<(), Broken> {
        let lowest = self.stored.live().into_iter().min();
        let others = self.index.keys().find(|(version, _)| {
            // Values of the version before are there until it is deleted.
            lowest.is_some_and(|lowest| version.value() + 1 < lowest.value())
        });
        match others {
            None => Ok(()),
            Some((version, _)) => Err(format!("a value of version {version} is left over")),
        }
    }

    fn lacking(&self, former: IndexVersion, target: IndexVersion) -> Option<Record> {
        let has = |version| -> BTreeSet<Record> {
            let of = self.index.iter().filter(|((it, _), _)| *it == version);
            of.map(|(_, record)| *record).collect()
        };
        has(former).difference(&has(target)).next().copied()
    }

    fn holders(&self, address: Address) -> impl Iterator<Item = Record> {
        let rows = self.rows.iter();
        rows.filter(move |(_, row)| row.address == address)
            .map(|(record, _)| *record)
    }

    /// The phases that a process decides on, reread where they are too old.
    fn known(&mut self, process: usize) -> IndexState {
        let process = process % self.processes.len();
        if self.now - self.processes[process].read_at >= self.phases_serve_for() {
            self.reread(process);
        }
        self.processes[process].state.clone()
    }

    fn phases_serve_for(&self) -> u64 {
        if self.rule == Rule::OldPhases { 90 } else { 10 }
    }

    fn wall(&self) -> SystemTime {
        time(self.now)
    }
}

pub(super) const ADDRESSES: Address = 4;

fn version(number: u32) -> IndexVersion {
    number.try_into().expect("it is in range")
}

fn time(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}
